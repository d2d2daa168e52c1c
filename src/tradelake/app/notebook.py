# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The app as a marimo notebook: `tradelake app` runs it. It asks, and shows; everything else is in its neighbours."""

# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False

import marimo

app = marimo.App(width="full", app_title="tradelake", html_head_file="head.html")


@app.cell
def _():
    import marimo as mo

    from tradelake.app.controls import Screen
    from tradelake.app.serving import served_door

    return Screen, mo, served_door


@app.cell
def _(served_door):
    door = served_door()
    return (door,)


@app.cell
def _(mo):
    parameters = mo.query_params()
    pressed, again = mo.state(None, allow_self_loops=True)
    return again, parameters, pressed


@app.cell
def _(mo):
    refresh = mo.ui.refresh(options=["30s", "5m", "30m"], label="")
    return (refresh,)


@app.cell
def _(Screen, again, door, mo, parameters, pressed, refresh):
    # The page is made again when a control was used, when the address changes, and when it is refreshed.
    pressed()
    screen = Screen(mo, parameters, refresh, again)
    screen.html(door)
    return (screen,)


if __name__ == "__main__":
    app.run()
