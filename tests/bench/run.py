#!/usr/bin/env python3
"""Measures libevy against native threads, a hand-written epoll loop and other green-thread systems, all in one
interleaved run.

echo      64-byte and 16-KiB echo over TCP, busy and idle: CPU time of the server per request, requests per second,
          latency, memory per connection, system calls per request
programs  real programs natively and under libevy: CPU per request, rate, memory
micro     pthread_create+join, ping-pong over a condition and semaphores, uncontended mutex
api       the explicit API: switch, spawn_n, spawn and wait, a queue's hand-off, memory per parked green thread
hubs      answers per second with one hub and with two
gap       the worst answer time of an echo thread while another thread computes for 500 ms
stuck     the same for 1,000 connections and threads that are stuck in other ways
startup   what the preload adds to /bin/true
memory    bytes per parked thread

Contestants take turns, round after round; a ratio is the median of the ratios of single rounds. Server
and load run on CPUs of their own when there are two. Nothing here passes or fails: figures only.
Every measurement is appended as one JSON line to BUILD/bench.jsonl; BUILD/bench.svg shows the ratios of this run.
Go, State Threads, GNU Pth and eventlet take part where they are installed.
"""

import argparse
import os
import platform
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench import contest, echo, plot, real_programs, sharing, single  # noqa: E402

PARTS = {"echo": echo.echo, "programs": real_programs.programs, "micro": single.micro, "api": single.api,
         "hubs": sharing.hubs, "gap": sharing.gap, "stuck": sharing.stuck, "startup": single.startup,
         "memory": single.memory}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(contest.ROOT, "build"),
                        help="directory with libevy.so and tests/")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="how often each contestant has its turn")
    parser.add_argument("--seconds", type=float, help="measured time of one echo run")
    parser.add_argument("--warmup", type=float, default=0.3, help="seconds before it")
    parser.add_argument("--connections", help="numbers of connections of the echo part, instead of 100,1000,10000 "
                                              "and as many as the descriptor limit allows")
    parser.add_argument("--quick", action="store_true", help="shorter and noisier")
    parser.add_argument("--json", help="instead of BUILD/bench.jsonl")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.4 if options.quick else 1.5)
    if set(options.only.split(",")) - set(PARTS):
        parser.error(f"--only: of {','.join(PARTS)}")
    return options


def main():
    options = parse_options()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench = contest.Bench(options)
    if not os.path.exists(bench.library):
        print(f"{bench.library} is missing: make", file=sys.stderr)
        return 2
    print(f"{platform.release()}, {os.cpu_count()} CPUs; server on CPU {bench.server_cpu}, load on {bench.client_cpu}")
    start = time.monotonic()
    for name, part in PARTS.items():
        if name in options.only.split(","):
            part(bench)
    picture = plot.draw(bench)
    print(f"\n{time.monotonic() - start:.0f} s; {bench.results}, {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
