# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The app as a marimo notebook: `tradelake app` runs it. It asks, and shows; everything else is in its neighbours."""

import marimo

app = marimo.App(width="full", app_title="tradelake")


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
    return (parameters,)


@app.cell
def _(mo):
    refresh = mo.ui.refresh(options=["30s", "5m", "30m"], label="Refresh")
    return (refresh,)


@app.cell
def _(mo, refresh):
    mo.Html(f'<div class="refresh">{refresh}</div>')
    return


@app.cell
def _(Screen, door, mo, parameters, refresh):
    refresh.value
    screen = Screen(mo, parameters)
    screen.html(door)
    return (screen,)


if __name__ == "__main__":
    app.run()
