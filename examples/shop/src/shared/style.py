"""The style sheet. It has a light and a dark half, and the visitor's system chooses."""

CSS = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #5c6170; --paper: #faf8f4; --card: #fff; --line: #e5dfd3;
  --accent: #b4472f; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece7dc; --soft: #a9a69e; --paper: #16181d; --card: #1f2229; --line: #343842;
    --accent: #f08a6c; --on-accent: #16181d; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, "Times New Roman", serif;
  overflow-wrap: anywhere; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1.25rem 1.5rem; }
header { display: flex; align-items: baseline; gap: 1.25rem; border-bottom: 1px solid var(--line); }
header > * { flex: none; margin: 0; }
header strong { font-size: 1.4rem; margin-right: auto; }
header strong a { text-decoration: none; }
.who { flex: 0 1 auto; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
a { color: inherit; }
h1 { font-size: 1.9rem; font-weight: 500; margin: 1rem 0; line-height: 1.25; }
h2 { font-size: 1.4rem; font-weight: 500; margin: 0 0 .5rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1.25rem; }
.card, .behind { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
.card h2 { font-size: 1.1rem; font-weight: 700; margin: .5rem 0 .25rem; }
.card p { margin: 0 0 .75rem; color: var(--soft); }
article { display: flex; flex-direction: column; }
article .row { margin-top: auto; }
svg { width: 3.75rem; fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
code { font: .85em ui-monospace, Menlo, Consolas, monospace; }
.row { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
button { font: inherit; white-space: nowrap; border: 0; border-radius: .5rem; padding: .4rem .9rem; cursor: pointer;
  background: var(--accent); color: var(--on-accent); }
button.quiet { background: none; color: inherit; padding: 0; text-decoration: underline; }
label { display: block; margin-bottom: 1rem; }
input { display: block; width: 100%; font: inherit; padding: .5rem .7rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--paper); color: inherit; }
.narrow { max-width: 24rem; }
.narrow p { margin: 1.25rem 0 0; }
.message { border-left: 4px solid var(--accent); background: var(--card); padding: .7rem 1rem; margin: 1rem 0; }
table { width: 100%; border-collapse: collapse; }
td, th { padding: .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th { font-weight: 400; color: var(--soft); }
#cart { margin-top: 2.5rem; }
#cart td:nth-child(2), #cart td:nth-child(3) { width: 6.5rem; text-align: right; white-space: nowrap; }
.behind { font-size: .9rem; }
.behind p { margin: 0 0 1rem; }
.behind h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
.behind table { table-layout: fixed; }
.behind th { width: 44%; padding-right: 1rem; }
.behind tr:last-child > * { border: 0; }
@media (min-width: 60rem) { .halves { display: grid; grid-template-columns: 1fr 1fr; gap: 2.5rem; } }
@media (max-width: 30rem) {
  .behind th, .behind td { display: block; width: auto; }
  .behind th { border: 0; padding-bottom: 0; } .behind td { padding-top: 0; }
}
"""
