"""The style of the app: that of the nightly report, inside its own element."""

from tradelake.outputs.report.style import DARK, LIGHT, PAGE, PALETTE, phone_widths

# marimo's plain buttons are light in the dark too, and no variable reaches them.
DARK_BUTTONS = ".press.neutral { filter: invert(.82); }"
APP = """
max-width: 1280px; margin: 0 auto; padding: 0 24px 48px; color: var(--ink); min-width: 0; text-align: left;
font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
.top { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; padding-top: 12px; }
.top .brand { color: var(--ink); font-size: 17px; font-weight: 650; margin: 0; }
.top .where { color: var(--muted); font-size: 13px; overflow-wrap: anywhere; flex: 1 1 200px; min-width: 0; }
nav { display: flex; flex-wrap: wrap; gap: 6px; position: static; background: none; margin: 0; padding: 8px 0 10px; }
.refresh { display: inline-flex; align-items: center; gap: 8px; font-size: 14px; }
thead td.lead { border-bottom-color: var(--line-strong); }
.filters { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: end; padding: 6px 0 4px; }
.filters > * { min-width: 0; max-width: 100%; }
.filters [data-filter="as_known"] { flex: 1 1 300px; }
.filters .slide { flex: 1 1 100%; min-width: 0; }
.filters .slide p { font-size: 13px; color: var(--muted); display: flex; flex-wrap: wrap; gap: 2px 12px; }
.filters .slide b { color: var(--ink); font-variant-numeric: tabular-nums; }
header { padding: 14px 0 12px; }
h1 { font-size: 26px; }
.kpis { grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
.kpi:first-child { grid-column: auto; }
.kpi .value { font-size: clamp(12px, 8.6cqw, 20px); }
.heading { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 13px 20px 9px; }
.heading h2 { overflow-wrap: anywhere; min-width: 0; }
.content { min-width: 0; }
.content > h3 { margin: 18px 0 6px; }
td.prose { font: inherit; line-height: 1.5; color: inherit; }
td.lead { width: 1%; padding: 2px 8px 2px 0; }
.turning { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding-top: 12px; }
.turning .range { margin-right: auto; color: var(--muted); font-size: 13px; font-variant-numeric: tabular-nums; }
.raw { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--tint); border: 1px solid var(--line);
  border-radius: 8px; padding: 10px 12px; font: 12px/1.55 ui-monospace, Menlo, Consolas, monospace; margin: 4px 0 10px;
  color: var(--ink); max-height: 420px; overflow-y: auto; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 4px 20px; margin: 0; }
.fields dt { color: var(--muted); font-size: 12px; }
.fields dd { margin: 0; font-size: 13.5px; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.timeline { display: grid; gap: 0; }
.bar-row { display: grid; gap: 14px; align-items: center;
  grid-template-columns: 200px minmax(0, 1fr) 130px; border-bottom: 1px solid var(--line); padding: 4px 0; }
.bar-row .called { min-width: 0; display: grid; line-height: 1.3; }
.bar-row .called b { font-size: 13.5px; font-weight: 600; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.track { position: relative; height: 14px; background: var(--tint); border-radius: 4px; min-width: 0; }
.track.axis { height: 18px; background: none; }
.tick { position: absolute; font-size: 11.5px; color: var(--muted); white-space: nowrap; padding-left: 4px;
  border-left: 1px solid var(--line-strong); line-height: 18px; }
.track .bar { position: absolute; top: 0; bottom: 0; padding: 0; border-radius: 4px; background: var(--s8); }
.track .bar.gain { background: var(--gain); }
.track .bar.loss { background: var(--loss); }
.track .bar.open { border-top-right-radius: 0; border-bottom-right-radius: 0;
  border-right: 4px double var(--card); }
.tree, .tree ul { list-style: none; margin: 0; padding: 0; }
.tree ul { margin-left: 12px; padding-left: 14px; border-left: 2px solid var(--line-strong); }
.leaf { display: grid; grid-template-columns: minmax(0, 1fr) 270px 290px; gap: 4px 16px; padding: 6px 0;
  border-bottom: 1px solid var(--line); align-items: baseline; }
.leaf .who { display: flex; gap: 10px; align-items: baseline; min-width: 0; overflow-wrap: anywhere; }
.amounts { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 10px; }
.amounts .num { margin-left: auto; }
.num .fine { display: inline-block; text-align: left; }
.unit { font-size: 11.5px; color: var(--muted); }
.map { display: grid; gap: 4px; }
.months { display: grid; grid-template-columns: 44px repeat(12, minmax(0, 1fr)); gap: 4px; align-items: center;
  max-width: 760px; }
.months.head { font-size: 11.5px; color: var(--muted); text-align: center; }
.square { display: inline-grid; place-items: center; min-height: 26px; border-radius: 5px; font-size: 11px;
  font-weight: 700; color: var(--card); }
.key .square { width: 22px; min-height: 18px; margin-right: 7px; vertical-align: middle; }
.key { margin-top: 12px; }
.square.hot { background: var(--s2); }
.square.cold { background: var(--s1); }
.square.both { background: linear-gradient(135deg, var(--s2) 50%, var(--s1) 50%); }
.square.empty { background: var(--line); }
.life { display: flex; flex-wrap: wrap; list-style: none; margin: 0 0 14px; padding: 0; gap: 10px 0; }
.life li { display: grid; padding: 12px 22px 0 0; border-top: 3px solid var(--s8); position: relative;
  font-size: 13.5px; }
.life li::before { content: ""; position: absolute; top: -8px; left: 0; width: 13px; height: 13px; border-radius: 99px;
  background: var(--card); border: 3px solid var(--s8); }
.life li.open, .life li.open::before { border-color: var(--s2); }
.life li.resolved, .life li.resolved::before { border-color: var(--s1); }
.strip { display: flex; flex-wrap: wrap; gap: 3px; margin-bottom: 14px; }
.night { display: inline-grid; place-items: center; width: 20px; height: 20px; border-radius: 4px; font-size: 12px;
  font-weight: 700; background: var(--line); color: var(--muted); }
.night.done { background: var(--done); color: var(--done-ink); }
.night.problems { background: var(--look); color: var(--look-ink); }
.night.failed { background: var(--failed); color: var(--failed-ink); }
.looks { margin: 0; padding-left: 20px; list-style: disc; }
.narrowed { max-width: 620px; }
b { font-weight: 600; }
@media screen and (max-width: 760px) {
  padding: 0 12px 32px;
  nav { margin: 0; padding: 8px 0; }
  .kpis { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .heading { padding: 12px 14px 6px; }
  td.lead { position: sticky; left: 0; background: var(--card); }
  .bar-row { grid-template-columns: minmax(0, 1fr) max-content; gap: 2px 10px; }
  .bar-row .track { grid-row: 2; grid-column: 1 / -1; }
  .bar-row .track.axis { grid-row: 1; }
  .bar-row > div:empty { display: none; }
  .leaf { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .months { grid-template-columns: 36px repeat(12, minmax(0, 1fr)); gap: 2px; font-size: 12px; }
  .months.head { font-size: 9.5px; }
  .square { min-height: 22px; font-size: 9.5px; }
}
@media screen and (max-width: 560px) {
  .wide td.lead { position: absolute; top: 8px; right: 0; width: auto; background: none; }
  .fields { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .wide td.lead::before { content: none; }
  .wide td.lead + td { padding-right: 40px; }
}
"""


# What marimo puts around a notebook: its padding, its outline and its menu, which the app has no use for.
AROUND = """
#App:has(.tradelake) { background: #f5f6f8; }
#App:has(.tradelake) > div, #App:has(.tradelake) > div > div, .output-area:has(.tradelake) { padding: 0 !important; }
#App:has(.tradelake) div.fixed, [data-testid="notebook-actions-dropdown"] { display: none !important; }
#App:has(.tradelake) .marimo-cell, #App:has(.tradelake) .output-area { background: none !important; border: 0; }
@media screen and (prefers-color-scheme: dark) { #App:has(.tradelake) { background: #0e1218; } }
"""


def style() -> str:
    """Return the style sheet of the app; nothing but `AROUND` reaches outside its own element."""
    palette = "".join(f".{name} {{ background: var(--{name}); }}\n" for name in PALETTE)
    widths = "".join(f".w{digits} {{ width: {digits}ch; }}\n" for digits in range(1, 13))
    widths += phone_widths()
    page = PAGE.partition("@page")[0]
    light = f".tradelake {{ {LIGHT} }}\n"
    dark = f"@media screen and (prefers-color-scheme: dark) {{ .tradelake {{ {DARK} {DARK_BUTTONS} }} }}\n"
    return f"{light}{dark}.tradelake {{ {page}{palette}{widths}{APP} }}\n{AROUND}"
