"""What all parts of the bench share: contestants take turns, round after round; a ratio is the median of the ratios of
single rounds, shown with its smallest and largest. Every measurement becomes one JSON line."""

import json
import os
import statistics
import subprocess
import sys
import time

from programs.context import native_environment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Bench:
    def __init__(self, options):
        self.options = options
        self.rounds = options.rounds
        self.build = os.path.abspath(options.build)
        self.library = os.path.join(self.build, "libevy.so")
        self.results = options.json or os.path.join(self.build, "bench.jsonl")
        self.stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        self.lines = []
        self.cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.client_cpu = (self.cpus[:1], self.cpus[1:2]) if len(self.cpus) > 1 else (self.cpus,) * 2

    def path(self, *parts):
        return os.path.join(self.build, "tests", *parts)

    def record(self, part, **figures):
        self.lines.append({"at": self.stamp, "part": part, **figures})
        with open(self.results, "a") as out:
            out.write(json.dumps(self.lines[-1]) + "\n")

    def environment(self, hubs=None):
        """Without hubs natively, else preloaded."""
        plain = native_environment()
        if hubs:
            plain.update(LD_PRELOAD=self.library, EVY_HUBS=str(hubs))
        return plain

    def take_turns(self, part, contestants, measure, rounds=None, **about):
        """Calls measure(contestant), which answers a dict, for each in each round: {contestant: [figures, ...]}."""
        rounds = rounds or self.rounds
        runs = {c: [] for c in contestants}
        for turn in range(rounds):
            for contestant in rotated(tuple(contestants), turn):
                progress(f"{part}, {contestant}, round {turn + 1} of {rounds}")
                try:
                    figures = measure(contestant)
                except (RuntimeError, ValueError) as error:
                    progress()
                    print(f"{part}, {contestant}: {error}")
                    figures = {"failed": str(error)}
                runs[contestant].append(figures)
                self.record(part, contestant=contestant, round=turn, **about, **figures)
        progress()
        return runs


def output(argv, seconds=60, **options):
    """What a program prints; RuntimeError with its last words when it fails or hangs."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds,
                              **options)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no end after {seconds} s") from None
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


def rotated(names, turn):
    """Another one begins each round, so that no one is always behind the same neighbour."""
    turn %= len(names)
    return names[turn:] + names[:turn]


def with_key(runs, key):
    return [r[key] for r in runs if key in r]


def median(runs, key, digits=0):
    values = with_key(runs, key)
    return f"{statistics.median(values):,.{digits}f}" if values else "-"


def spread(runs, key, digits):
    values = with_key(runs, key)
    if not values:
        return "-"
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def ratio(runs, one, other, key):
    """Median, smallest and largest of the ratios of single rounds; None where none has both."""
    ratios = [a[key] / b[key] for a, b in zip(runs[one], runs[other]) if key in a and b.get(key)]
    return (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def ratio_text(runs, one, other, key, digits=2):
    found = ratio(runs, one, other, key)
    return f"{found[0]:.{digits}f} ({found[1]:.{digits}f}-{found[2]:.{digits}f})" if found else "-"


def table(title, rows):
    print(f"\n{title}")
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    sys.stdout.flush()


def progress(text=""):
    """One line that overwrites itself, on terminals only."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()
