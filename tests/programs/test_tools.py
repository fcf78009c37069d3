"""Tools that run or hold other programs, over a threaded one: it does what it does without them."""

from . import load
from .context import find_program, require

SIZE = 1 << 19


def xz(ctx):
    """xz with two threads, and a large file."""
    return [find_program("xz"), "-0", "-T2", "--block-size=65536", "-k", "-c", ctx.write("input", load.NOISE[:SIZE])]


def same(ctx, *tool):
    wanted, got = ctx.run(xz(ctx), launch=ctx.start_native), ctx.run([*tool, *xz(ctx)], seconds=50)
    require(got == wanted and len(got) > SIZE, f"{tool[0]} made xz write {len(got)} bytes, {len(wanted)} wanted")


def test_valgrind(ctx):
    same(ctx, "valgrind", "-q")


def test_strace(ctx):
    same(ctx, "strace", "-f", "-o", ctx.path("calls"))


def test_gdb(ctx):
    """A breakpoint, the backtrace from it, and on to the end."""
    settings = [part for key in ("LD_PRELOAD", "EVY_HUBS") if key in ctx.environment()
                for part in ("-ex", f"set environment {key}={ctx.environment()[key]}")]
    commands = ["set breakpoint pending on", "break lzma_code", "run >/dev/null", "backtrace", "delete", "continue"]
    said = ctx.run(["gdb", "-batch", "-nx", *settings, *[part for command in commands for part in ("-ex", command)],
                    "--args", *xz(ctx)], launch=ctx.start_native, seconds=50).decode(errors="replace")
    require("exited normally" in said and "in lzma_code" in said, f"gdb said {said[-1000:]}")
