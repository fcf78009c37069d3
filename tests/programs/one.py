"""Runs one program test in a process of its own: one.py BUILD LOGS MODULE FUNCTION native|HUBS.

Exit status 0: passed, 1: failed, 77: skipped (the last line says why).
"""

import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from programs import autopsy, context  # noqa: E402

SKIPPED = 77
MOST_FDS = 65536


def main():
    build, logs, module, function, mode = sys.argv[1:]
    native_signals()
    raise_fd_limit()
    test = getattr(importlib.import_module(f"programs.{module}"), function)
    directory = tempfile.mkdtemp(prefix="evy-test-")
    hubs = None if mode == "native" else int(mode)
    ctx = context.Context(os.path.abspath(build), hubs, directory, f"{module}.{function}")
    hang_log = os.path.join(logs, f"{module}.{function}.{mode}.hang.log")
    if os.path.exists(hang_log):
        os.unlink(hang_log)
    status = 1
    try:
        status = judge(test, ctx, hang_log)
    finally:
        ctx.kill_all()
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(status)


def native_signals():
    """However we were started, the programs must find SIGINT and SIGTERM as in a terminal."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def raise_fd_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FDS if hard == resource.RLIM_INFINITY else min(hard, MOST_FDS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def judge(test, ctx, hang_log):
    try:
        test(ctx)
        return 0
    except context.Skip as reason:
        print(reason)
        return SKIPPED
    except context.Failure as failure:
        print(f"FAILED: {failure}")
    except Exception:
        traceback.print_exc()
    examine_survivors(ctx, hang_log)
    return 1


def examine_survivors(ctx, hang_log):
    """The programs of a failed test may be hung: write down where before they are killed."""
    for program in ctx.programs:
        if program.reported:
            with open(program.stem + ".hang") as source, open(hang_log, "a") as log:
                shutil.copyfileobj(source, log)
    alive = [p.pid for p in ctx.programs if p.process.poll() is None and not p.reported]
    if alive and ctx.preloaded:
        autopsy.write(hang_log, alive, "alive when the test failed")
    if os.path.exists(hang_log):
        print(f"what they were doing: {hang_log}")


if __name__ == "__main__":
    main()
