"""Draws what a run of the bench measured: for every echo contest and program, CPU per request of each contestant as a
multiple of the first one's, the epoll loop or the native run; a dot per round, a bar to the median."""

import os
import statistics
from xml.sax.saxutils import escape

BASES = ("epoll loop", "native")
WIDTH, LABEL, BAR, GAP, RIGHT = 900, 330, 14, 26, 60


def draw(bench):
    """Writes the picture beside the JSON lines; its path."""
    groups = [group for group in grouped(bench.lines).items() if any(base in group[1] for base in BASES)]
    most = max((max(values) for _, rows in groups for values in rows.values()), default=1)
    most = min(most, 6)  # what is far off runs into the edge, its number tells
    body, y = [], 40
    for part, rows in groups:
        body.append(text(10, y + 4, escape(part), weight="bold"))
        y += GAP - 6
        for name, ratios in rows.items():
            body += bar(y, name, ratios, most)
            y += BAR + 5
        y += GAP
    path = os.path.splitext(bench.results)[0] + ".svg"
    with open(path, "w") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" '
                  f'font-size="12"><rect width="100%" height="100%" fill="white"/>\n')
        out.write(text(10, 18, "CPU time per request, as a multiple of the epoll loop's or the native program's",
                       weight="bold"))
        out.write("".join(body) + "</svg>\n")
    return path


def grouped(lines):
    """{part: {contestant: [ratio of each round]}}"""
    cpu = {}
    for line in lines:
        value = line.get("cpu_us", line.get("cpu"))
        if value:
            cpu.setdefault(line["part"], {}).setdefault(line["contestant"], {})[line["round"]] = value
    result = {}
    for part, contestants in cpu.items():
        base = next((contestants[name] for name in BASES if name in contestants), None)
        if base:
            result[part] = {name: [value / base[turn] for turn, value in rounds.items() if turn in base]
                            for name, rounds in contestants.items()}
    return result


def bar(y, name, ratios, most):
    unit = (WIDTH - LABEL - RIGHT) / most
    middle = statistics.median(ratios)
    colour = {"libevy": "#5b9", "evy_pool": "#5b9"}.get(name, "#bbb")
    parts = [text(LABEL - 8, y + BAR - 3, escape(name), anchor="end"),
             f'<rect x="{LABEL}" y="{y}" width="{min(middle, most) * unit:.1f}" height="{BAR}" fill="{colour}"/>\n']
    for value in ratios:
        parts.append(f'<circle cx="{LABEL + min(value, most) * unit:.1f}" cy="{y + BAR / 2}" r="2.5" fill="black" '
                     'fill-opacity="0.4"/>\n')
    parts.append(text(WIDTH - RIGHT + 8, y + BAR - 3, f"{middle:.2f}"))
    return parts


def text(x, y, words, anchor="start", weight="normal"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{words}</text>\n'
