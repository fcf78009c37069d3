"""The programs of shows.py, natively and under libevy with a hub per CPU."""

import os
import shutil
import tempfile
from dataclasses import asdict

from programs import context, one, origin

from . import shows
from .contest import median, ratio_text, spread, table


def programs(bench):
    one.raise_fd_limit()
    directory = tempfile.mkdtemp(prefix="evy-bench-")
    ctx = context.Context(bench.build, 0, directory)
    rows = [("", "kernel threads", "", "requests/s", "CPU µs/request", "libevy", "CPU, of native", "rate, of native",
             "peak memory, of native")]
    try:
        ctx.backend = ctx.echo_backend()
        ctx.root, ctx.files = origin.make_files(ctx)
        for show in shows.installed(shows.SHOWS):
            rows.append(row(bench, ctx, show))
    finally:
        ctx.kill_all()
        shutil.rmtree(directory, ignore_errors=True)
    table(f"Real programs, medians of {rounds_of(bench)} rounds (min-max); libevy with {os.cpu_count()} hubs", rows)


def rounds_of(bench):
    return min(3, bench.rounds)


def row(bench, ctx, show):
    def measure(mode):
        try:
            return asdict(shows.measure(ctx, show, mode == "libevy"))
        except (context.Failure, context.Skip) as problem:
            raise RuntimeError(str(problem)) from problem

    runs = bench.take_turns(show.name, ("native", "libevy"), measure, rounds=rounds_of(bench))
    native, evy = runs["native"], runs["libevy"]
    return (show.name, f"{median(native, 'threads')} -> {median(evy, 'threads')}", "native", median(native, "rate"),
            spread(native, "cpu", 1), spread(evy, "cpu", 1),
            *(ratio_text(runs, "libevy", "native", key) for key in ("cpu", "rate", "memory")))
