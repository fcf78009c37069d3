#!/usr/bin/env python3
"""What one operation costs while 100 to 1,000,000 threads live: native threads, pthreads under libevy, and light green
threads of the explicit API (tests/bench/scale.c, api_scale.c say what the operations are).

Contestants take turns; figures are medians of the rounds, CPU time per operation; the last columns are the cost with the
most threads over that with a hundred, and libevy's over that of native threads where there are as many of these.
A plot goes to scale.svg, every measurement as one JSON line to scale.jsonl. Nothing here passes or fails.
"""

import argparse
import json
import math
import os
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.contest import ROOT, output, progress, table  # noqa: E402
from programs.context import native_environment  # noqa: E402

COUNTS = (100, 1000, 10000, 100000, 1000000)
OPERATIONS = {"create": "create, fresh memory", "create_warm": "create, memory of ended ones", "join": "end (+ join)",
              "broadcast": "wake-up by broadcast", "yield": "yield", "sem": "semaphore, waits", "rwlock": "rwlock, waits",
              "queue": "queue, waits", "sleep": "sleep", "bytes": "bytes, parked"}
PROGRAMS = {"native": "scale", "pthread": "scale", "light": "api_scale"}
MOST_NATIVE = 10000
SECONDS = 300  # for one program
BYTES_EACH = {"native": 12000, "pthread": 9500, "light": 5500}  # what must be free, roughly
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#edae49", "#6a4c93", "#00798c", "#8d6a9f", "#444444", "#bc6c25", "#7f7f7f")


def available():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))


def measure(build, contestant, count):
    environment = {**native_environment(), "EVY_HUBS": "1"}
    if contestant == "pthread":
        environment["LD_PRELOAD"] = os.path.join(build, "libevy.so")
    program = os.path.join(build, "tests/bench", PROGRAMS[contestant])
    return json.loads(output([program, str(count)], seconds=SECONDS, env=environment))


def turns(options):
    """Who is measured with how many threads, in this order."""
    for turn in range(options.rounds):
        for count in (c for c in COUNTS if c <= options.most):
            for contestant in PROGRAMS:
                if contestant == "native" and count > MOST_NATIVE:
                    continue
                if available() < count * BYTES_EACH[contestant]:
                    print(f"{contestant}, {count:,}: skipped, too little memory")
                    continue
                yield turn, count, contestant


def measure_all(options):
    """{contestant: {count: {operation: figure}}}"""
    runs = {c: {} for c in PROGRAMS}
    with open(os.path.join(options.out, "scale.jsonl"), "a", buffering=1) as log:
        for turn, count, contestant in turns(options):
            progress(f"{contestant}, {count:,} threads, round {turn + 1} of {options.rounds}")
            try:
                figures = measure(options.build, contestant, count)
            except RuntimeError as error:
                print(f"{contestant}, {count:,}: {error}")
                continue
            log.write(json.dumps({"contestant": contestant, "round": turn, **figures}) + "\n")
            runs[contestant].setdefault(count, []).append(figures)
    progress()
    return {contestant: {count: medians(some) for count, some in counts.items()} for contestant, counts in runs.items()}


def medians(figures):
    return {op: statistics.median(f[op] for f in figures) for op in OPERATIONS if op in figures[0]}


def figure(value):
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def show(results):
    for contestant, counts in results.items():
        if not counts:
            continue
        least, most = min(counts), max(counts)
        rows = [("", *(f"{c:,}" for c in counts), f"{most:,} / {least:,}", "of native")]
        for operation, name in OPERATIONS.items():
            values = [counts[c].get(operation) for c in counts]
            if None not in values:
                rows.append((name, *map(figure, values), f"{values[-1] / values[0]:.2f}",
                             of_native(results, contestant, operation)))
        table(f"{contestant}: ns of CPU time per operation, by number of threads", rows)


def of_native(results, contestant, operation):
    native = results["native"]
    shared = [c for c in results[contestant] if operation in native.get(c, {})]
    if contestant == "native" or not shared:
        return "-"
    return f"{statistics.median(results[contestant][c][operation] / native[c][operation] for c in shared):.4f}"


def plot(results, path):
    """Logarithmic in both directions, a panel for each contestant."""
    width, height, left, top = 420, 320, 60, 40
    parts = []
    for panel, (contestant, counts) in enumerate((c, r) for c, r in results.items() if r):
        x0 = left + panel * (width + 60)
        x = lambda count: x0 + (math.log10(count) - 2) / 4 * width
        y = lambda ns: top + height - (math.log10(max(ns, 1)) - 1) / 4 * height
        parts.append(f'<text x="{x0}" y="{top - 15}">{contestant}: ns per operation</text>')
        for power in range(1, 6):
            parts.append(f'<path d="M{x0} {y(10 ** power):.0f}h{width}" stroke="#ddd"/>'
                         f'<text x="{x0 - 8}" y="{y(10 ** power) + 4:.0f}" text-anchor="end">{10 ** power:,}</text>')
        for count in COUNTS:
            parts.append(f'<text x="{x(count):.0f}" y="{top + height + 18}" text-anchor="middle">{count:,}</text>')
        for colour, (operation, name) in zip(COLOURS, OPERATIONS.items()):
            points = [(x(c), y(f[operation])) for c, f in counts.items() if operation in f and operation != "bytes"]
            if points:
                line = " ".join(f"{a:.0f},{b:.0f}" for a, b in points)
                parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
                             f'<text x="{points[-1][0] + 4:.0f}" y="{points[-1][1]:.0f}" fill="{colour}">{name}</text>')
    total = left + 3 * (width + 60) + 100
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height + top + 40}" '
                   f'font-family="sans-serif" font-size="11">\n' + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="directory with libevy.so and tests/")
    parser.add_argument("--most", type=int, default=COUNTS[-1], help="threads at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", help="where scale.jsonl and scale.svg go, instead of BUILD")
    options = parser.parse_args()
    options.out = options.out or options.build
    results = measure_all(options)
    show(results)
    plot(results, os.path.join(options.out, "scale.svg"))


if __name__ == "__main__":
    main()
