"""What hubs do for each other: two against one, and the others while a thread is stuck."""

import json
import os
import tempfile

from .contest import output, ratio_text, spread, table, with_key

# The client shares the CPUs: handlers are so heavy that it needs less than a hundredth of one.
WORKS = {"CPU-bound handlers": "4000000", "echo": "0"}
HUBS = {"native": None, "libevy": 1}


def hubs(bench):
    """What a second CPU is worth on this machine, native threads show."""
    seconds = "0.5" if bench.options.quick else "1"
    one_cpu = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    contestants = {"1 hub": (1, []), "2 hubs": (2, []), "native, 1 CPU": (None, one_cpu), "native": (None, [])}

    def run(contestant, work):
        count, prefix = contestants[contestant]
        return json.loads(output([*prefix, bench.path("bench/hubs"), work, seconds], env=bench.environment(count)))

    rows = [("", *contestants, "2 hubs / 1", "native / 1 CPU")]
    for name, work in WORKS.items():
        runs = bench.take_turns("hubs", contestants, lambda c, work=work: run(c, work), work=name)
        rows.append((name, *(spread(runs[c], "per_second", 0) for c in contestants),
                     ratio_text(runs, "2 hubs", "1 hub", "per_second"),
                     ratio_text(runs, "native", "native, 1 CPU", "per_second")))
    table("Answers per second, all connections from one thread, medians (min-max)", rows)


def gap(bench):
    runs = bench.take_turns("gap", HUBS, lambda c: json.loads(
        output([bench.path("bench/gap")], env=bench.environment(HUBS[c]))))
    rows = [("", "worst answer ms", "median answer µs")]
    for contestant, found in runs.items():
        rows.append((contestant, spread(found, "gap_ms", 1), spread(found, "median_us", 1)))
    table("Echo beside a thread that computes 500 ms, medians (min-max); libevy with 1 hub", rows)


def stuck(bench):
    """What tests/preload/stuck.c sees: the worst of 1,000 connections."""
    def gaps(contestant):
        with tempfile.NamedTemporaryFile("r", suffix=".gaps") as report:
            output([bench.path("preload/stuck")],
                   env={**bench.environment(HUBS[contestant]), "STUCK_GAPS": report.name})
            return {kind: float(ms) for kind, ms in (line.rstrip(" ms\n").split(": ") for line in report)}

    runs = bench.take_turns("stuck", HUBS, gaps, rounds=1 if bench.options.quick else 3)
    kinds = [kind for kind in runs["native"][0] if kind != "failed"]
    table("Worst answer, ms, of 1,000 echo connections beside threads that are stuck, per round; libevy with 1 hub",
          [("", *HUBS)] + [(kind, *(" ".join(f"{ms:g}" for ms in with_key(runs[c], kind)) or "-" for c in HUBS))
                           for kind in kinds])
