#!/usr/bin/env python3
"""Unmodified threaded programs, natively and under libevy, driven by the same load with every answer checked.

Prints one table: what a connection and a request cost as a kernel thread and as a green thread.
The runs are interleaved (native, libevy, native, libevy), so that both see the same machine.
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from bench.shows import DEMO, Sample, measure  # noqa: E402
from programs import context, one, origin  # noqa: E402

MODES = ("native", "libevy")
ROUNDS = 2


class Ticker(threading.Thread):
    """The line that tells a waiting human what is going on; a log gets one line per run instead."""

    def __init__(self, text):
        super().__init__(daemon=True)
        self.text = text
        self.over = threading.Event()
        self.tty = sys.stdout.isatty()

    def __enter__(self):
        self.started = time.monotonic()
        if not self.tty:
            print(self.text, flush=True)
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        if self.tty:
            print("\r\033[K", end="", flush=True)

    def run(self):
        while self.tty and not self.over.wait(0.1):
            print(f"\r\033[K{self.text}  {time.monotonic() - self.started:.1f} s", end="", flush=True)


def median(samples):
    def middle(field):
        return statistics.median(getattr(sample, field) for sample in samples)

    return Sample(*(middle(field) for field in ("threads", "connections", "rate", "cpu", "memory")))


def run_show(ctx, show, done, total):
    samples = {mode: [] for mode in MODES}
    for turn in range(ROUNDS):
        for mode in MODES:
            done += 1
            with Ticker(f"[{done}/{total}] {show.name}, {mode}"):
                samples[mode].append(measure(ctx, show, mode == "libevy"))
    return {mode: median(samples[mode]) for mode in MODES}


HEADINGS = ("program", "", "kernel threads", "connections", "requests/s", "CPU us/request", "peak MB")
WIDTHS = (27, 7, 14, 11, 11, 14, 9)


def print_row(*cells):
    left = [f"{cell:<{width}}" for cell, width in zip(cells[:2], WIDTHS)]
    right = [f"{cell:>{width}}" for cell, width in zip(cells[2:], WIDTHS[2:])]
    print("  ".join(left + right).rstrip(), flush=True)


def print_sample(name, mode, sample):
    print_row(name, mode, f"{sample.threads:.0f}", f"{sample.connections:.0f}", f"{sample.rate:,.0f}",
              f"{sample.cpu:.1f}", f"{sample.memory:.1f}")


def print_ratio(native, evy):
    print_row("", "ratio", f"{evy.threads / native.threads:.3f}", "", f"{evy.rate / native.rate:.2f}",
              f"{evy.cpu / native.cpu:.2f}" if native.cpu else "-", f"{evy.memory / native.memory:.2f}")


def print_table(table):
    print()
    print_row(*HEADINGS)
    for name, result in table:
        print_sample(name, "native", result["native"])
        print_sample("", "libevy", result["libevy"])
        print_ratio(result["native"], result["libevy"])
    print("\nratio: libevy / native. Every answer was compared with what was sent.")


def prepare(ctx):
    if not os.path.exists(ctx.library):
        sys.exit(f"demo: {ctx.library} is missing: run make")
    for name in ("microsocks", "python3"):
        context.find_program(name)
    context.need_fds(2200)
    ctx.backend = ctx.echo_backend()
    ctx.root, ctx.files = origin.make_files(ctx)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--hubs", type=int, default=0, help="EVY_HUBS; libevy's default is a hub per CPU")
    return parser.parse_args()


def show_all(ctx):
    total = ROUNDS * len(MODES) * len(DEMO)
    table, done = [], 0
    for show in DEMO:
        table.append((show.name, run_show(ctx, show, done, total)))
        done += ROUNDS * len(MODES)
    print_table(table)


def main():
    options = parse_options()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # we may have been started with it ignored
    one.raise_fd_limit()
    directory = tempfile.mkdtemp(prefix="evy-demo-")
    ctx = context.Context(os.path.abspath(options.build), options.hubs, directory)
    try:
        prepare(ctx)
        show_all(ctx)
    except (context.Skip, context.Failure) as problem:
        sys.exit(f"demo: {problem}")
    except KeyboardInterrupt:
        sys.exit("demo: interrupted")
    finally:
        ctx.kill_all()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
