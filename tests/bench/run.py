#!/usr/bin/env python3
"""Measures libevy against native threads and a hand-written epoll loop, all in one interleaved run.

echo      64-byte echo over TCP: CPU time of the server per request, requests per second, latency
micro     pthread_create+join, ping-pong over a condition and semaphores, uncontended mutex
api       the explicit API: switch, spawn_n, spawn and wait, a queue's hand-off, memory per parked green thread
hubs      answers per second with one hub and with two
gap       the worst answer time of an echo thread while another thread computes for 500 ms
startup   what the preload adds to /bin/true
memory    bytes per parked thread

Contestants take turns, round after round; a ratio is the median of the ratios of single rounds. Server
and load run on CPUs of their own when there are two. Nothing here passes or fails: figures only.
Every measurement is appended as one JSON line to BUILD/bench.jsonl.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ("echo", "micro", "api", "hubs", "gap", "startup", "memory")
CONNECTIONS = (100, 1000, 10000)
SPARE_FDS = 100
CONTESTANTS = ("native", "libevy", "epoll", "pool", "eventlet")
SERVERS = {"native": "programs/echo_threads", "libevy": "programs/echo_threads", "epoll": "bench/echo_epoll",
           "pool": "bench/api_echo"}


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = os.path.abspath(options.build)
        self.library = os.path.join(self.build, "libevy.so")
        self.out = open(options.json or os.path.join(self.build, "bench.jsonl"), "a")
        self.stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.client_cpu = (cpus[:1], cpus[1:2]) if len(cpus) > 1 else (cpus, cpus)

    def path(self, *parts):
        return os.path.join(self.build, "tests", *parts)

    def record(self, part, **figures):
        self.out.write(json.dumps({"at": self.stamp, "part": part, **figures}) + "\n")
        self.out.flush()

    def environment(self, contestant, hubs=1):
        plain = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith("EVY_")}
        if contestant == "libevy":
            plain.update(LD_PRELOAD=self.library, EVY_HUBS=str(hubs))
        return plain

    # Echo

    def echo(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FDS
        rounds = self.options.rounds
        for connections in CONNECTIONS:
            if connections > most:
                print(f"echo, {connections} connections: skipped, the descriptor limit is {most + SPARE_FDS}")
                continue
            runs = {c: [] for c in CONTESTANTS}
            for turn in range(rounds):
                progress(f"echo, {connections} connections, round {turn + 1} of {rounds}")
                for contestant in rotated(CONTESTANTS, turn):
                    figures = self.echo_once(contestant, connections)
                    runs[contestant].append(figures)
                    self.record("echo", contestant=contestant, round=turn, **figures)
            self.show_echo(connections, runs)

    def echo_once(self, contestant, connections):
        if contestant == "eventlet":
            argv = ["/usr/bin/python3", os.path.join(ROOT, "tests/bench/echo_eventlet.py")]
        else:
            argv = [self.path(SERVERS[contestant]), "0"]
        # The affinity is set before exec: the libevy of the server sees one CPU, as the kernel does.
        server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True,
                                  env=self.environment(contestant),
                                  preexec_fn=lambda: os.sched_setaffinity(0, self.server_cpu))
        try:
            line = server.stdout.readline()
            if not line.startswith("listening "):
                raise RuntimeError(f"{contestant} server did not start: {line!r}")
            load = [self.path("bench/echo_load"), line.split()[1], str(connections),
                    str(self.options.warmup), str(self.options.seconds), str(server.pid)]
            return json.loads(output(load, preexec_fn=lambda: os.sched_setaffinity(0, self.client_cpu)))
        except (RuntimeError, ValueError) as error:
            progress()
            print(f"echo, {contestant}, {connections} connections: {error}")
            return {"connections": connections, "failed": str(error)}
        finally:
            server.kill()
            server.wait()
            server.stdout.close()

    def show_echo(self, connections, runs):
        progress()
        print(f"\n64-byte echo, {connections} connections, medians of {self.options.rounds} rounds (min-max)")
        rows = [("", "CPU µs/request", "CPU, of epoll", "requests/s", "server busy", "p50 µs", "p99 µs", "p99.9 µs")]
        for contestant in CONTESTANTS:
            good = [r for r in runs[contestant] if "failed" not in r]
            if not good:
                rows.append((contestant, "failed") + ("",) * 6)
                continue
            rows.append((contestant, spread(good, "cpu_us", 2), ratio_text(runs, contestant, "epoll", "cpu_us"),
                         f"{median(good, 'per_second'):,.0f}", f"{median(good, 'server_busy'):.0%}",
                         *(f"{median(good, p):,.0f}" for p in ("p50_us", "p99_us", "p999_us"))))
        table(rows)
        print(f"libevy, CPU of native threads: {ratio_text(runs, 'libevy', 'native', 'cpu_us')}")

    # Single operations

    def micro(self):
        names = {"create_join": "pthread_create + join", "cond_ping_pong": "condition round trip",
                 "sem_ping_pong": "semaphore round trip", "mutex": "mutex lock + unlock"}
        runs = {"native": [], "libevy": []}
        for turn in range(self.options.rounds):
            progress(f"micro, round {turn + 1} of {self.options.rounds}")
            for contestant in rotated(tuple(runs), turn):
                seconds = "0.1" if self.options.quick else "0.3"
                try:
                    figures = json.loads(output([self.path("bench/micro"), seconds], env=self.environment(contestant)))
                except (RuntimeError, ValueError) as error:
                    figures = {"failed": str(error)}
                runs[contestant].append(figures)
                self.record("micro", contestant=contestant, round=turn, **figures)
        progress()
        print("\nns per operation, medians (min-max); libevy with 1 hub")
        rows = [("", "native", "libevy", "libevy / native")]
        for key, name in names.items():
            cells = []
            for contestant in runs:
                good = [r for r in runs[contestant] if key in r]
                cells.append(spread(good, key, 1) if good else "failed")
            rows.append((name, *cells, ratio_text(runs, "libevy", "native", key, 4)))
        table(rows)

    def api(self):
        names = {"switch": "switch", "spawn_n": "spawn_n + run + end", "spawn_wait": "spawn + wait",
                 "queue": "put + switch + get", "parked_bytes": "bytes per parked one"}
        runs = []
        for turn in range(self.options.rounds):
            progress(f"api, round {turn + 1} of {self.options.rounds}")
            runs.append(json.loads(output([self.path("bench/api_micro"), "0.1" if self.options.quick else "0.3"],
                                          env=self.environment("api"))))
            self.record("api", round=turn, **runs[-1])
        progress()
        print("\nThe explicit API, light green threads, ns, medians (min-max)")
        table([("", "")] + [(name, spread(runs, key, 1)) for key, name in names.items()])

    def hubs(self):
        works = {"CPU-bound handlers": "400000", "echo": "0"}
        runs = {(name, hubs): [] for name in works for hubs in (1, 2)}
        for turn in range(self.options.rounds):
            progress(f"hubs, round {turn + 1} of {self.options.rounds}")
            for name, hubs in rotated(tuple(runs), turn):
                figures = json.loads(output([self.path("bench/hubs"), works[name], "0.5" if self.options.quick else "1"],
                                            env=self.environment("libevy", hubs)))
                runs[name, hubs].append(figures)
                self.record("hubs", work=name, hubs=hubs, round=turn, **figures)
        progress()
        print("\nAnswers per second, all connections from one thread, medians (min-max)")
        rows = [("", "1 hub", "2 hubs", "2 hubs / 1 hub")]
        for name in works:
            pair = {hubs: runs[name, hubs] for hubs in (1, 2)}
            rows.append((name, *(spread(runs, "per_second", 0) for runs in pair.values()),
                         ratio_text(pair, 2, 1, "per_second")))
        table(rows)

    def gap(self):
        runs = {"native": [], "libevy": []}
        for turn in range(self.options.rounds):
            progress(f"gap, round {turn + 1} of {self.options.rounds}")
            for contestant in rotated(tuple(runs), turn):
                try:
                    figures = json.loads(output([self.path("bench/gap")], env=self.environment(contestant)))
                except (RuntimeError, ValueError) as error:
                    figures = {"failed": str(error)}
                runs[contestant].append(figures)
                self.record("gap", contestant=contestant, round=turn, **figures)
        progress()
        print("\nEcho beside a thread that computes 500 ms, medians (min-max); libevy with 1 hub")
        rows = [("", "worst answer ms", "median answer µs")]
        for contestant, results in runs.items():
            good = [r for r in results if "failed" not in r]
            cells = (spread(good, "gap_ms", 1), spread(good, "median_us", 1)) if good else ("failed", "")
            rows.append((contestant, *cells))
        table(rows)
        self.stuck()

    def stuck(self):
        """What tests/preload/stuck.c sees: the worst of 1,000 connections."""
        runs = {"native": {}, "libevy": {}}
        for turn in range(1 if self.options.quick else 3):
            progress(f"stuck, round {turn + 1}")
            for contestant in rotated(tuple(runs), turn):
                with tempfile.NamedTemporaryFile("r", suffix=".gaps") as gaps:
                    try:
                        output([self.path("preload/stuck")],
                               env={**self.environment(contestant), "STUCK_GAPS": gaps.name})
                        figures = dict(line.rstrip(" ms\n").split(": ") for line in gaps)
                    except (RuntimeError, ValueError) as error:
                        figures = {"failed": str(error)}
                self.record("stuck", contestant=contestant, round=turn, **figures)
                for kind, ms in figures.items():
                    runs[contestant].setdefault(kind, []).append(ms)
        progress()
        print("\nWorst answer, ms, of 1,000 echo connections beside threads that are stuck, per round; libevy with 1 hub")
        table([("", *runs)] + [(kind, *(" ".join(run.get(kind, ["-"])) for run in runs.values()))
                               for kind in runs["native"]])

    def startup(self):
        progress("startup")
        count = 200 if self.options.quick else 1000
        figures = json.loads(output([self.path("bench/startup"), str(count), self.library]))
        self.record("startup", **figures)
        progress()
        added = figures["libevy_us"] - figures["native_us"]
        print(f"\n/bin/true, medians of {count}: native {figures['native_us']:.0f} µs, "
              f"preloaded {figures['libevy_us']:.0f} µs, added {added:.0f} µs")

    def memory(self):
        print("\nBytes per parked pthread (64 KB stack)")
        rows = [("", "threads", "resident", "page tables", "kernel threads")]
        for contestant, threads in (("native", 10000), ("libevy", 10000), ("libevy", 100000)):
            progress(f"memory, {contestant}, {threads} threads")
            with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
                environment = {**self.environment(contestant), "PARK_REPORT": report.name}
                try:
                    output([self.path("preload/park_100000"), str(threads)], env=environment)
                    figures = json.load(report)
                except (RuntimeError, ValueError) as error:
                    figures = {"threads": threads, "failed": str(error)}
            self.record("memory", contestant=contestant, **figures)
            if "failed" in figures:
                rows.append((contestant, f"{threads:,}", "failed", "", ""))
            else:
                rows.append((contestant, f"{threads:,}", f"{figures['rss_bytes']:,}",
                             f"{figures['page_table_bytes']:,}", str(figures["kernel_threads"])))
        progress()
        table(rows)


def output(argv, **options):
    """What a program prints; RuntimeError with its last words when it fails or hangs."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **options)
    except subprocess.TimeoutExpired:
        raise RuntimeError("no end after 60 s") from None
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


def rotated(names, turn):
    """Another one begins each round, so that no one is always behind the same neighbour."""
    turn %= len(names)
    return names[turn:] + names[:turn]


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def spread(runs, key, digits):
    values = [r[key] for r in runs]
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def ratio_text(runs, one, other, key, digits=2):
    ratios = [a[key] / b[key] for a, b in zip(runs[one], runs[other]) if key in a and key in b]
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.{digits}f} ({min(ratios):.{digits}f}-{max(ratios):.{digits}f})"


def table(rows):
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


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="directory with libevy.so and tests/")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="how often each contestant has its turn")
    parser.add_argument("--seconds", type=float, help="measured time of one echo run")
    parser.add_argument("--warmup", type=float, default=0.3, help="seconds before it")
    parser.add_argument("--quick", action="store_true", help="under a minute, noisier")
    parser.add_argument("--json", help="instead of BUILD/bench.jsonl")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.4 if options.quick else 1.5)
    if set(options.only.split(",")) - set(PARTS):
        parser.error(f"--only: of {','.join(PARTS)}")
    return options


def main():
    options = parse_options()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench = Bench(options)
    if not os.path.exists(bench.library):
        print(f"{bench.library} is missing: make", file=sys.stderr)
        return 2
    print(f"{platform.release()}, {os.cpu_count()} CPUs; server on CPU {bench.server_cpu}, load on {bench.client_cpu}")
    start = time.monotonic()
    for part in PARTS:
        if part in options.only.split(","):
            getattr(bench, part)()
    print(f"\n{time.monotonic() - start:.0f} s; {bench.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
