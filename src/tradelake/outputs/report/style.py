"""The style of the page: light and dark by what the reader's system prefers, for a desk, a phone and paper.

Gain and loss are blue and orange, which nearly everybody can tell apart; a sign says the same.
"""

LIGHT = """
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --ink: #151a23; --muted: #5a6473; --line: #e6e9ee; --line-strong: #b9c1cc;
  --gain: #0a58b8; --loss: #a84300; --tint: #f9fafb; --accent: #1f5fd6;
  --look-ink: #8a4b00; --look: #fdf1dc; --done-ink: #0b6b43; --done: #e0f4ea; --failed-ink: #a61b22; --failed: #fde7e7;
  --s1: #2463d4; --s2: #d9700a; --s3: #0f8f83; --s4: #8a3fd1; --s5: #c9307c; --s6: #4f7d10; --s7: #0d86ab;
  --s8: #64748b;
  --a1: #f2b866; --a2: #e08a2e; --a3: #c2571a; --a4: #8a2c12;
"""
DARK = """
  --ground: #0e1218; --card: #171d26; --ink: #e8ecf2; --muted: #9aa6b6; --line: #29323e; --line-strong: #4c5969;
  --gain: #7db4ff; --loss: #ffa75c; --tint: #1c232d; --accent: #7db0ff;
  --look-ink: #f5c26b; --look: #3a2c12; --done-ink: #6fdaa6; --done: #12332a; --failed-ink: #ff9d9d; --failed: #431c20;
  --s1: #6aa5ff; --s2: #ff9f4a; --s3: #3fd0c0; --s4: #c08bff; --s5: #ff7fb8; --s6: #a5d64c; --s7: #49c9ee;
  --s8: #a3b1c4;
  --a1: #8a5f22; --a2: #b8762a; --a3: #e08f35; --a4: #ffcf8a;
"""
PAGE = """
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.page { max-width: 1136px; margin: 0 auto; padding: 0 24px 48px; }
h1, h2, h3, p, ul, ol, figure { margin: 0; padding: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.02em; font-weight: 650; }
h2 { font-size: 17px; font-weight: 650; letter-spacing: -.01em; }
h3 { font-size: 14px; font-weight: 650; }
a { color: var(--accent); }
.note, .meta { color: var(--muted); font-size: 13px; }
header { padding: 36px 0 20px; }
.brand { color: var(--muted); font-size: 13px; margin-bottom: 6px; }
.headline { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
.verdict { margin-top: 8px; font-size: 17px; }
.chip { display: inline-flex; gap: 7px; align-items: center; padding: 3px 12px; border-radius: 99px; font-size: 13px;
  font-weight: 600; white-space: nowrap; }
.chip.done { background: var(--done); color: var(--done-ink); }
.chip.problems { background: var(--look); color: var(--look-ink); }
.chip.failed { background: var(--failed); color: var(--failed-ink); }
nav { position: sticky; top: 0; z-index: 2; background: var(--ground); margin: 0 -24px 16px; padding: 8px 24px;
  border-bottom: 1px solid var(--line); overflow-x: auto; }
nav ul { display: flex; gap: 4px; list-style: none; white-space: nowrap; margin-left: -10px; }
nav a { display: block; padding: 5px 10px; border-radius: 7px; color: var(--muted); text-decoration: none;
  font-size: 13.5px; font-weight: 500; }
nav a:hover, nav a:focus-visible { background: var(--line); color: var(--ink); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; margin-top: 16px;
  scroll-margin-top: 60px; }
h3[id] { scroll-margin-top: 70px; }
.card > summary { display: flex; align-items: baseline; gap: 12px; padding: 15px 20px; cursor: pointer;
  list-style: none; border-radius: 12px; }
.card > summary::-webkit-details-marker { display: none; }
.card > summary::after { content: ""; width: 8px; height: 8px; margin-left: auto; align-self: center;
  border: solid var(--muted); border-width: 0 2px 2px 0; transform: rotate(45deg) translate(-2px, -2px); }
.card:not([open]) > summary::after { transform: rotate(-45deg); }
.count { white-space: nowrap; color: var(--muted); font-size: 13px; }
.content { padding: 2px 20px 20px; }
.content > h3 { margin: 24px 0 8px; }
.content > h3:first-child { margin-top: 4px; }
.kpis { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; }
.kpi { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; min-width: 0;
  container-type: inline-size; }
.kpi h2 { font-size: 13px; font-weight: 500; letter-spacing: 0; color: var(--muted); }
.kpi .value { font-size: clamp(12px, 9.6cqw, 21px); font-weight: 650; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; margin-top: 4px; line-height: 1.3; }
.kpi .fine { font-size: .6em; letter-spacing: 0; display: inline-block; }
.kpi .value .unit { font-size: 11.5px; font-weight: 500; color: var(--muted); letter-spacing: 0; margin-left: 5px; }
.kpi .under { color: var(--muted); font-size: 12.5px; font-variant-numeric: tabular-nums; margin-top: 2px; }
.points { list-style: none; padding: 4px 0; }
.points a, .points p { display: flex; gap: 12px; align-items: baseline; padding: 7px 20px; color: inherit;
  text-decoration: none; }
.points a:hover, .points a:focus-visible { background: var(--tint); }
.points span:last-child { overflow-wrap: anywhere; min-width: 0; }
.sign { flex: none; display: inline-grid; place-items: center; width: 20px; height: 20px; border-radius: 99px;
  font-size: 12px; font-weight: 700; background: var(--line); color: var(--muted); }
.failed .sign { background: var(--failed); color: var(--failed-ink); }
.look .sign, .problems .sign { background: var(--look); color: var(--look-ink); }
.done .sign { background: var(--done); color: var(--done-ink); }
.nothing { color: var(--muted); padding: 10px 0; }
.nothing.good::before { content: "✓"; color: var(--done-ink); font-weight: 700; margin-right: 8px; }
figure { padding: 6px 0 10px; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; margin-bottom: 4px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px 32px; margin-top: 10px; }
.key { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; font-size: 13px; color: var(--muted);
  margin-bottom: 6px; }
.key li { overflow-wrap: anywhere; min-width: 0; }
.key b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.chart { display: block; width: 100%; height: auto; }
.chart.narrow { display: none; }
.numbers { margin-top: 6px; font-size: 13px; }
.numbers > summary { color: var(--muted); cursor: pointer; width: max-content; padding: 2px 0; }
.numbers .scroll { max-height: 320px; overflow-y: auto; margin: 4px 0 0; }
.scroll { overflow-x: auto; margin: 0 -20px; padding: 0 20px; }
figure .scroll { margin: 0; padding: 0; }
.scroll { background: linear-gradient(to left, var(--card) 12px, transparent) right / 40px 100% no-repeat local,
  linear-gradient(to left, var(--line-strong), transparent) right / 9px 100% no-repeat scroll; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th { text-align: left; font-weight: 500; color: var(--muted); font-size: 12.5px; white-space: nowrap;
  border-bottom: 1px solid var(--line-strong); }
th, td { padding: 7px 14px 7px 0; vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
td { border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:hover td { background: var(--tint); }
tbody tr:last-child td { border-bottom-color: transparent; }
tfoot td { border-top: 1px solid var(--line-strong); border-bottom: 0; font-weight: 650; }
td.prose { white-space: normal; min-width: 150px; max-width: 380px; overflow-wrap: anywhere; }
td.code { white-space: normal; min-width: 190px; font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; }
td.text { max-width: 320px; overflow: hidden; text-overflow: ellipsis; }
.num { text-align: right; font-variant-numeric: tabular-nums; }
.neg { color: var(--loss); }
.pos { color: var(--gain); }
.none { color: var(--muted); }
.fine { font-size: .76em; opacity: .72; font-weight: 400; }
td .fine { display: inline-block; text-align: left; }
td .short1::after { content: "0"; visibility: hidden; }
td .short2::after { content: ".00"; visibility: hidden; }
.steps { list-style: none; font-size: 13.5px; }
.step { display: grid; grid-template-columns: 20px 84px 100px 1fr max-content; gap: 12px; padding: 7px 0;
  align-items: baseline; border-bottom: 1px solid var(--line); }
.step b { font-weight: 600; }
.word, .seconds { color: var(--muted); }
.detail { overflow-wrap: anywhere; min-width: 0; }
.seconds { font-variant-numeric: tabular-nums; }
footer { color: var(--muted); font-size: 12.5px; margin-top: 24px; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
@media screen and (max-width: 980px) { .kpis { grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); } }
@media screen and (max-width: 760px) {
  .page { padding: 0 14px 32px; }
  header { padding: 22px 0 14px; }
  h1 { font-size: 24px; }
  nav { margin: 0 -14px 14px; padding: 6px 14px; }
  .kpis { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .kpi { padding: 11px 12px; }
  .kpi:first-child { grid-column: 1 / -1; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .card > summary { padding: 13px 14px; }
  .content { padding: 0 14px 14px; }
  .points a, .points p { padding: 7px 14px; }
  .scroll { margin: 0; padding: 0; }
  th:first-child, td:first-child { position: sticky; left: 0; background: var(--card); padding-right: 14px; }
  th, td { padding-right: 16px; }
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
  .step { grid-template-columns: 20px 1fr max-content; gap: 2px 10px; }
  .step .word { display: none; }
  .step .seconds { grid-row: 1; grid-column: 3; }
  .detail { grid-column: 2 / -1; color: var(--muted); }
  td.prose { min-width: 240px; }
}
@media screen and (max-width: 560px) {
  .wide, .wide tbody, .wide tfoot { display: block; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { display: block; position: relative; padding: 9px 0; border-bottom: 1px solid var(--line); }
  .wide tbody tr:last-child { border-bottom: 0; }
  .wide tfoot { border-top: 1px solid var(--line-strong); }
  .wide td, .wide td:first-child { display: flex; align-items: baseline; justify-content: flex-end; position: static;
    padding: 2px 0; border: 0; min-width: 0; max-width: none; overflow: visible; white-space: normal;
    text-align: right; }
  .wide td::before { content: attr(data-label); margin-right: auto; padding-right: 20px; color: var(--muted);
    font: 12.5px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
    white-space: nowrap; }
  .wide td.whole::after { content: ".00"; visibility: hidden; }
}
@page { size: landscape; margin: 12mm; }
@media print {
  :root { color-scheme: light; }
  body { background: none; font-size: 11pt; }
  .page { max-width: none; padding: 0; }
  nav, .numbers, .card > summary::after { display: none; }
  .card, .kpi { border-color: #ccc; }
  figure, tr, .kpi, .step { break-inside: avoid; }
  .scroll { overflow: visible; margin: 0; padding: 0; }
  .scroll { background: none; }
  .kpi .value { font-size: 17px; }
  table { font-size: 8pt; }
  th { font-size: 7.5pt; }
  th, td { padding-right: 9px; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
FINE_WIDTHS = 12


def phone_widths() -> str:
    """Return the rules that give all numbers of a table's rows, shown as lists, one place for their points."""
    rules = (
        f".wide.f{digits} td .fine {{ width: {digits}ch; }}\n"
        f".wide.f{digits} td.num:not(:has(.fine)) {{ padding-right: calc(.76 * {digits}ch); }}\n"
        for digits in range(1, FINE_WIDTHS + 1)
    )
    return f"@media screen and (max-width: 560px) {{\n{''.join(rules)}}}\n"


def stylesheet() -> str:
    """Return the whole style of the page; its colours are variables that charts use too."""
    palette = "".join(f".{name} {{ background: var(--{name}); }}\n" for name in PALETTE)
    widths = "".join(f".w{digits} {{ width: {digits}ch; }}\n" for digits in range(1, FINE_WIDTHS + 1))
    widths += phone_widths()
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{{DARK}}} }}\n"
    return f":root {{{LIGHT}}}\n{dark}{PAGE}{palette}{widths}"


PALETTE = tuple(f"s{slot}" for slot in range(1, 9)) + tuple(f"a{slot}" for slot in range(1, 5))
