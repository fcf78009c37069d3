"""Single operations, start-up and memory: natively and under libevy with one hub."""

import json
import tempfile

from .contest import median, output, ratio_text, spread, table

MICRO = {"create_join": "pthread_create + join", "cond_ping_pong": "condition round trip",
         "sem_ping_pong": "semaphore round trip", "mutex": "mutex lock + unlock"}
API = {"switch": "switch", "spawn_n": "spawn_n + run + end", "spawn_wait": "spawn + wait",
       "queue": "put + switch + get", "parked_bytes": "bytes per parked one"}
HUBS = {"native": None, "libevy": 1}


def micro(bench):
    seconds = "0.1" if bench.options.quick else "0.3"
    runs = bench.take_turns("micro", HUBS, lambda c: json.loads(
        output([bench.path("bench/micro"), seconds], env=bench.environment(HUBS[c]))))
    rows = [("", "native", "libevy", "libevy / native")]
    for key, name in MICRO.items():
        rows.append((name, *(spread(runs[c], key, 1) for c in HUBS), ratio_text(runs, "libevy", "native", key, 4)))
    table("ns per operation, medians (min-max); libevy with 1 hub", rows)


def api(bench):
    seconds = "0.1" if bench.options.quick else "0.3"
    runs = bench.take_turns("api", ["linked"], lambda c: json.loads(
        output([bench.path("bench/api_micro"), seconds], env=bench.environment())))
    table("The explicit API, light green threads, ns, medians (min-max)",
          [("", "")] + [(name, spread(runs["linked"], key, 1)) for key, name in API.items()])


def startup(bench):
    count = 200 if bench.options.quick else 1000
    runs = bench.take_turns("startup", ["both"], lambda c: json.loads(
        output([bench.path("bench/startup"), str(count), bench.library])), rounds=1)["both"]
    table(f"/bin/true, µs, medians of {count}",
          [("native", "preloaded"), (median(runs, "native_us"), median(runs, "libevy_us"))])


def memory(bench):
    def parked(contestant):
        name, threads = contestant.split(" ")
        with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
            output([bench.path("preload/park_100000"), threads],
                   env={**bench.environment(HUBS[name]), "PARK_REPORT": report.name})
            return json.load(report)

    runs = bench.take_turns("memory", ["native 10000", "libevy 10000", "libevy 100000"], parked, rounds=1)
    rows = [("", "resident", "page tables", "kernel threads")]
    for contestant, found in runs.items():
        rows.append((contestant, *(median(found, key) for key in ("rss_bytes", "page_table_bytes", "kernel_threads"))))
    table("Bytes per parked pthread (64 KB stack)", rows)
