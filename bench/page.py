#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Makes one page, to be looked at or printed, and the same as Markdown, of what bench/run.py has found.

    bench/page.py RESULT.json [DOCUMENT]    writes RESULT.html and RESULT.md beside it, and the tables
                                            into DOCUMENT, between the marks that it has for them

The page needs nothing but itself. Bars are ratios to native on a logarithmic axis, whiskers the least
and the greatest; what failed says why. It ends with what is said of translation and virtualisation,
and what was found here.
"""
import html
import json
import math
import sys
from pathlib import Path

from claims import judge
from report import BUSY, amount, number

TITLE = "Translation and virtualisation on the same work"
BEGIN, END = "<!-- bench/page.py: from here -->", "<!-- to here -->"
WIDTH, BAR, LABEL, RIGHT = 760, 15, 110, 90
COLOURS = {"native": "#777777", "lxrun": "#3a7cc0", "vm": "#c8552b", "peer": "#5b8c3a"}
STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --soft: #555; --line: #d8d8d8; --bad: #8a1f11; --good: #1d6b2f; --page: #fff }
@media (prefers-color-scheme: dark) { :root { --text: #e4e4e4; --soft: #a8a8a8; --line: #444; --bad: #f0907f; --good: #7fcf92; --page: #181818 } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; color: var(--text); background: var(--page) }
h1 { font-size: 1.7em; margin-bottom: .2em } h2 { margin-top: 2em; border-bottom: 1px solid var(--line) }
h3 { margin: 1.6em 0 .3em; font-size: 1.05em } h3 small { font-weight: normal; color: var(--soft) } a { color: inherit }
.wide { overflow-x: auto } table { border-collapse: collapse; margin: .5em 0 1em }
td, th { padding: .2em .7em; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top }
th { vertical-align: bottom } td:first-child, th:first-child { text-align: left; white-space: nowrap; padding-left: 0 } td.text, th.text { text-align: left }
.reason { color: var(--bad) } .key span { display: inline-block; width: .9em; height: .9em; margin: 0 .35em 0 1.1em; vertical-align: -1px }
.holds, .not, .open, .short td { white-space: nowrap }
section td:not(.text) { white-space: nowrap }
.short td { font-size: .95em } .short td:nth-child(2), .short td:nth-child(6) { white-space: normal; min-width: 10em } .short td:last-child { white-space: normal } .short td:nth-child(5) { white-space: normal; min-width: 5.5em }
.claims td:first-child { white-space: normal; min-width: 11em } .claims td:last-child { min-width: 16em }
.glance table { font-size: .8em } .glance td { white-space: nowrap; padding: .1em .45em }
.holds { color: var(--good) } .not { color: var(--bad) } .open, .note { color: var(--soft) }
svg { display: block; max-width: 100%; height: auto } svg text { fill: currentColor } svg .axis { stroke: var(--line) } svg .soft { fill: var(--soft) }
svg .whisker { stroke: currentColor; fill: none }
@media (max-width: 600px) { svg text { font-size: 17px } }
@page { margin: 14mm }
@media print {
:root { --text: #000; --soft: #444; --line: #ccc; --bad: #8a1f11; --good: #1d6b2f; --page: #fff }
body { margin: 0; max-width: none; padding: 0; font-size: 11px } section, tr, svg { break-inside: avoid } h2, h3 { break-after: avoid }
.wide { overflow: visible } .glance table { font-size: 7.5px } .glance td, .glance th { padding: .1em .3em } td, th { padding: .1em .5em }
section { display: grid; grid-template-columns: 5fr 4fr; column-gap: 1em } section h3 { grid-column: 1 / 3 }
section svg { width: 100% } svg text { font-size: 16px } section table { font-size: 8px; margin: 0 } h2 { margin-top: 1.2em } rect, .key span { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""


def ratio(row, cell):
    """(median, least, greatest) in relation to native, of time or of memory."""
    if "ratio" in cell:
        return tuple(cell["ratio"][k] for k in ("median", "min", "max"))
    native = row["engines"]["native"]
    if row["unit"] == "KiB" and "median" in cell and "median" in native:
        found = [s / native["median"] for s in cell["samples"]]
        return cell["median"] / native["median"], min(found), max(found)
    return None


def reason(cell):
    for kind in "failed", "not available":
        if kind in cell:
            return f"{kind}: {cell[kind]}"
    return "not run"


# ---- Plots ----

def plot(row, engines):
    bars = [(e, ratio(row, row["engines"][e["name"]])) for e in engines if e["name"] != "native"]
    known = [r for _, r in bars if r]
    if not known:
        return ""
    low = min(0.1, *(10 ** math.floor(math.log10(r[1])) for r in known))
    high = max(10, *(10 ** math.ceil(math.log10(r[2])) for r in known))
    span = math.log10(high / low)

    def at(value):
        return LABEL + (WIDTH - LABEL - RIGHT) * math.log10(value / low) / span

    height = (BAR + 5) * len(bars) + 22
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" font-size="12">']
    tick = low
    while tick <= high * 1.001:
        x, weight = at(tick), 2 if abs(tick - 1) < 1e-9 else 1
        out.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 18}" stroke-width="{weight}"/>'
                   f'<text class="soft" x="{x:.1f}" y="{height - 4}" text-anchor="middle">{tick:g}</text>')
        tick *= 10
    for i, (e, r) in enumerate(bars):
        y = i * (BAR + 5) + 2
        out.append(f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{html.escape(e["name"])}</text>')
        if not r:
            out.append(f'<text class="soft" x="{at(1) + 6:.1f}" y="{y + 12}">– see below</text>')
            continue
        one, end = at(1), at(r[0])
        out.append(f'<rect x="{min(one, end):.1f}" y="{y}" width="{max(abs(end - one), 1):.1f}" height="{BAR}" '
                   f'fill="{COLOURS[e["kind"]]}" opacity=".85"/>'
                   f'<path class="whisker" d="M{at(r[1]):.1f} {y + 4}v7m0 -3.5H{at(r[2]):.1f}m0 -3.5v7"/>'
                   f'<text x="{max(one, end, at(r[2])) + 6:.1f}" y="{y + 12}">{number(r[0])}</text>')
    out.append("</svg>")
    return "\n".join(out)


# ---- Tables ----

def cells(row, engines):
    """[(engine, what it took, ratio, spread, reason)]"""
    for e in engines:
        cell = row["engines"][e["name"]]
        r = ratio(row, cell)
        if "median" not in cell:
            yield e["name"], "", "", "", reason(cell)
        else:
            spread = f"{number(r[1])}–{number(r[2])}" if r else ""
            yield e["name"], amount(cell["median"], row["unit"]), number(r[0]) if r else "", spread, ""


def table(head, lines, text_from=99, kind=""):
    def line(tag, values):
        return "<tr>" + "".join(f'<{tag}{" class=text" if i >= text_from else ""}>{v}</{tag}>'
                                for i, v in enumerate(values)) + "</tr>"

    return (f'<div class="wide {kind}"><table><thead>' + line("th", head) + "</thead>" +
            "".join(line("td", v) for v in lines) + "</table></div>")


def facts_of(engines):
    """What is known of each way besides its speed."""
    for e in engines:
        f = e.get("facts") or {}
        if e["not available"]:
            yield e["name"], "not available: " + e["not available"], *"–––––"
            continue
        files = f.get("semantics")
        passed = f"{files['passed']} of {files['of']}" if isinstance(files, dict) else files or ""
        trim = f.get("trim")
        shrinks = "" if not trim else trim if isinstance(trim, str) else " → ".join(
            f"{b / 2**20:.0f}" for b in trim) + " MiB"
        yield (e["name"], f.get("how", e["version"]), f"{f['boot s']:.1f} s" if "boot s" in f else "–",
               ", ".join(f"{f[k] / 1024:.0f} MiB" for k in ("idle KiB", "idle after work KiB") if k in f) or "–",
               passed or "–", f.get("container", "–"), shrinks or "–")


FACTS_NOTE = ("A dash: only what stays between commands boots and idles, only one VM has an image of its own; of lxrun's "
              "engines, which share what they translate to, one was asked, and neither strace nor qemu-user, which run the "
              "host's calls as they are.")
FACTS = ("way", "what it is", "boot", "idle, after all the work", "file tests passed", "a container (unshare)", "image: before → 256 MiB more → deleted")


def circumstances(document):
    yield from document["machine"].items()
    if document["machine"]["time taken by others"] > BUSY:
        yield "but", "the machine was busy with other work: these figures prove nothing"
    if document["options"].get("divisor", 1) > 1:
        yield "whole programs", f"do 1/{document['options']['divisor']} of the work that is named"


def overview(document, able):
    """Head, a line for each workload, and {(engine, reason): the workloads}."""
    lines, reasons = [], {}
    for row in document["rows"]:
        found = list(cells(row, able))
        lines.append([row["name"], found[0][1] or "–", *(c[2] or "–" for c in found[1:])])
        for c in found:
            if c[4]:
                reasons.setdefault((c[0], c[4]), []).append(row["name"])
    return ["", *(e["name"] for e in able)], lines, reasons


def work(document, row):
    """What was done, which is less than the row says where whole programs were given less."""
    divisor = document["options"].get("divisor", 1)
    less = divisor > 1 and row["group"] not in ("micro", "start", "memory")
    return row["what"] + (f"; 1/{divisor} of it" if less else "")


def to_html(document):
    engines = [e for e in document["engines"]]
    able = [e for e in engines if not e["not available"]]
    esc = html.escape
    out = ["<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
           f"<title>lxrun: the comparison</title><style>{STYLE}</style>",
           f"<h1>{TITLE}</h1>",
           "<p>Ratios to native, measured in the same run, each way in turn. 1 is native speed; less is faster. "
           "Bars are medians, whiskers the least and the greatest. At the end stand "
           '<a href="#claims">the claims</a>, and whether they hold here.</p>', '<p class="key">']
    out += [f'<span style="background:{c}"></span>{k}' for k, c in COLOURS.items() if k != "native"]
    out.append("</p><h2>Where</h2>" + table(("", ""), [
        (esc(k), esc(f"{v:.0%}" if isinstance(v, float) else str(v))) for k, v in circumstances(document)], 1))
    out.append("<h2>The ways</h2>" + table(FACTS, [[esc(str(v)) for v in line] for line in facts_of(engines)], 1, "short"))
    out.append(f'<p class="note">{FACTS_NOTE}</p>')
    head, lines, _ = overview(document, able)
    out.append("<h2>At a glance</h2><p>Native: the time or memory of one operation; the others: ratios to it, "
               "medians. A dash: see the reasons at the workload.</p>" +
               table(head, [[esc(str(v)) for v in line] for line in lines], kind="glance"))
    out.append("<h2>Workloads</h2>")
    for row in document["rows"]:
        lines = [(esc(n), a, r, s, f'<span class="reason">{esc(why)}</span>') for n, a, r, s, why in cells(row, able)]
        out.append(f"<section><h3>{esc(row['name'])} <small>{esc(work(document, row))}</small></h3>" + plot(row, able) +
                   table(("", "took", "ratio", "spread", ""), lines, 4) + "</section>")
    out.append('<h2 id="claims">The claims</h2>' + table(("claim", "here", "found"), [
        (esc(claim), f'<span class="{kind}">{verdict}</span>', esc(found))
        for claim, kind, verdict, found in judge(document)], 1, "claims"))
    return "\n".join(out) + "</html>\n"


def to_markdown(document):
    def line(values):
        return "| " + " | ".join(str(v).replace("|", "\\|") for v in values) + " |"

    def block(head, lines):
        return [line(head), "|" + "---|" * len(head), *map(line, lines), ""]

    engines = document["engines"]
    able = [e for e in engines if not e["not available"]]
    out = block(("", ""), [(k, f"{v:.0%}" if isinstance(v, float) else v) for k, v in circumstances(document)])
    out += ["## The ways", ""] + block(FACTS, facts_of(engines)) + [FACTS_NOTE, ""]
    out += ["## Ratios to native", "",
            "Medians; for native the time or memory of one operation. A dash: see the reasons below.", ""]
    head, lines, reasons = overview(document, able)
    out += block(head, lines)
    out += [f"- {name}: {', '.join(rows)}: {why}" for (name, why), rows in reasons.items()]
    out += ["", "## The claims", ""] + block(("claim", "here", "found"), [(c, v, f) for c, _, v, f in judge(document)])
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    document = json.loads(source.read_text(encoding="utf-8"))
    source.with_suffix(".html").write_text(to_html(document), encoding="utf-8")
    text = to_markdown(document)
    source.with_suffix(".md").write_text(f"# {TITLE}\n\n{text}", encoding="utf-8")
    for name in sys.argv[2:]:
        before, rest = Path(name).read_text(encoding="utf-8").split(BEGIN)
        Path(name).write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    print(source.with_suffix(".html"))


if __name__ == "__main__":
    main()
