#!/usr/bin/env python3
"""Runs libevy's tests, each in a session of its own with a time limit. See --help and `KINDS` below.

unit      build/tests/unit/*, and tests/unit/*.sh with libevy.so as $1: exit status 0
api       build/tests/api/*, programs linked with the library: exit status 0
examples  build/tests/examples/*, and tests/examples/*.sh: likewise
object    tests/object/*.sh, likewise
tools     tests/tools/*.sh, likewise
preload   build/tests/preload/*: natively and under the preload, same status, stdout and stderr.
          The first comment lines of the source may say
              // run: ARGS          (or a file NAME.args)
              // env: K=V ...
              // limit: SECONDS
              // status: NUMBER     how it ends, where that is not 0
              // only-preload       stdout is compared with the file NAME.expected instead
              // methods            also with each way libevent can wait (EVY_HUB_METHOD)
programs  functions test_* of tests/programs/test_*.py, natively and under the preload

Exit status 77 means skipped; the last line of the output says why.
"""

import argparse
import concurrent.futures
import difflib
import fnmatch
import glob
import importlib
import inspect
import itertools
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Callable, Optional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from programs import autopsy, context, procfs  # noqa: E402

KINDS = ("unit", "api", "examples", "object", "tools", "preload", "programs")
DEFAULT_LIMIT = 60
SKIPPED = 77
MOST_OUTPUT = 64 << 20  # a program that says more is killed
METHODS = ("poll", "select")  # besides epoll
COMPARED_OUTPUT = 8 << 20
SHOWN_LINES = 40
STRAY_GRACE = 1.0  # seconds a test's children may take to vanish after it


@dataclass
class Test:
    name: str
    run: Callable  # () -> Verdict
    alone: bool = False  # wants the machine for itself


@dataclass
class Verdict:
    kind: str  # passed, failed, skipped
    detail: str = ""


@dataclass
class Ended:
    """How one started process went."""

    status: int
    out: str  # paths
    err: str
    complaint: Optional[str] = None  # why it failed whatever its status says

    def judge(self):
        """The verdict for tests whose exit status is everything."""
        if self.complaint:
            return Verdict("failed", self.complaint + "\n" + self.tail())
        if self.status == SKIPPED:
            return Verdict("skipped", last_line(self.out))
        if self.status:
            return Verdict("failed", f"{describe(self.status)}\n{self.tail()}")
        return Verdict("passed")

    def tail(self):
        return tail(self.out) + tail(self.err)

    def forget(self):
        for path in (self.out, self.err):
            if os.path.exists(path):
                os.unlink(path)


class Executor:
    """Starts processes and makes sure that they and all they started end."""

    def __init__(self, logs):
        self.logs = logs
        self.numbers = itertools.count(1)
        self.live = {}
        self.lock = threading.Lock()

    def execute(self, name, argv, environment, limit):
        stem = os.path.join(self.logs, re.sub(r"[^\w.\-]+", "_", name))
        mark = f"LIBEVY_TEST={os.getpid()}-{next(self.numbers)}"
        environment = {**environment, "LIBEVY_TEST": mark.partition("=")[2]}
        if os.path.exists(stem + ".log"):
            os.unlink(stem + ".log")
        with open(stem + ".out", "wb") as out, open(stem + ".err", "wb") as err:
            try:
                process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                           env=environment, start_new_session=True)
            except OSError as error:
                return Ended(127, out.name, err.name, f"{argv[0]}: {error.strerror}")
        with self.lock:
            self.live[process.pid] = mark
        try:
            ended = Ended(0, out.name, err.name)
            ended.complaint = self.supervise(process, ended, limit, stem + ".log", mark)
            ended.status = process.wait()
            ended.complaint = ended.complaint or self.clear_strays(process.pid, mark)
            return ended
        finally:
            kill_members(process.pid, mark)
            with self.lock:
                del self.live[process.pid]

    def supervise(self, process, ended, limit, log, mark):
        """Waits for the end; kills what takes too long or says too much. Returns the complaint."""
        deadline = time.monotonic() + limit
        pidfd = os.pidfd_open(process.pid)
        try:
            while not select.select([pidfd], [], [], 0.5)[0]:
                complaint = None
                if time.monotonic() > deadline:
                    complaint = f"time limit of {limit} s exceeded, see {log}"
                    autopsy.write(log, procfs.members(process.pid, mark), complaint)
                elif os.path.getsize(ended.out) + os.path.getsize(ended.err) > MOST_OUTPUT:
                    complaint = "too much output"
                if complaint:
                    kill_members(process.pid, mark)
                    return complaint
        finally:
            os.close(pidfd)
        return None

    def clear_strays(self, session, mark):
        end = time.monotonic() + STRAY_GRACE
        while True:
            strays = procfs.members(session, mark)
            if not strays:
                return None
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        told = ", ".join(f"{pid} ({procfs.command(pid)})" for pid in strays)
        kill_members(session, mark)
        return f"left processes behind: {told}"

    def kill_all(self):
        with self.lock:
            live = list(self.live.items())
        for session, mark in live:
            kill_members(session, mark)


def kill_members(session, mark):
    for pid in procfs.members(session, mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


# What the tests are


class Suite:
    def __init__(self, options):
        self.build = os.path.abspath(options.build)
        self.library = os.path.join(self.build, "libevy.so")
        self.hubs = options.hubs
        self.methods = options.methods
        self.logs = os.path.join(self.build, "tests/logs")
        self.executor = Executor(self.logs)
        os.makedirs(self.logs, exist_ok=True)

    def tests(self, kind):
        return list(getattr(self, kind)())

    def unit(self):
        yield from self.binaries("unit")
        yield from self.scripts("unit")

    def api(self):
        yield from self.binaries("api")

    def examples(self):
        yield from self.binaries("examples")
        yield from self.scripts("examples")

    def binaries(self, kind):
        for path in executables(os.path.join(self.build, "tests", kind)):
            name = os.path.basename(path)
            told = directives(source_of(kind, name))
            limit = int(told.get("limit", DEFAULT_LIMIT))
            yield self.by_status(f"{kind}/{name}", [path], limit, own=settings(told))

    def object(self):
        yield from self.scripts("object")

    def tools(self):
        yield from self.scripts("tools")

    def scripts(self, kind):
        for path in sorted(glob.glob(os.path.join(HERE, kind, "*.sh"))):
            name = os.path.basename(path)
            limit = int(directives(path).get("limit", DEFAULT_LIMIT))
            yield self.by_status(f"{kind}/{name}", ["/bin/sh", path, self.library], limit)

    def by_status(self, name, argv, limit, alone=False, own={}):
        def run():
            environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"} | own
            ended = self.executor.execute(name, argv, environment, limit)
            verdict = ended.judge()
            if verdict.kind != "failed":
                ended.forget()
            return verdict

        return Test(name, run, alone)

    def preload(self):
        for path in executables(os.path.join(self.build, "tests/preload")):
            source = source_of("preload", os.path.basename(path))
            if source:
                program = PreloadProgram(self, path, source)
                yield from program.tests(self.hubs, self.methods)

    def programs(self):
        runner = os.path.join(HERE, "programs/one.py")
        for path in sorted(glob.glob(os.path.join(HERE, "programs/test_*.py"))):
            module = os.path.basename(path)[:-3]
            for function in test_functions(module):
                for mode in ("native", *map(str, self.hubs)):
                    name = f"programs/{module[5:]}.{function.__name__[5:]}[{mode}]"
                    argv = [sys.executable, runner, self.build, self.logs, module, function.__name__, mode]
                    yield self.by_status(name, argv, getattr(function, "limit", DEFAULT_LIMIT), alone=True)


class PreloadProgram:
    """A program whose native behaviour is the expected one; it is run natively only once."""

    def __init__(self, suite, path, source):
        self.suite = suite
        self.path = path
        self.name = "preload/" + os.path.basename(path)
        self.stem = os.path.splitext(source)[0]
        self.directives = directives(source)
        self.native = None
        self.lock = threading.Lock()

    def tests(self, hubs, methods):
        for count in hubs:
            for method in methods:
                yield self.test(count, method)
        for method in METHODS if "methods" in self.directives and hubs else ():
            if method not in methods:
                yield self.test(hubs[-1], method)

    def test(self, hubs, method):
        mode = f"{hubs},{method}" if method else f"{hubs}"
        return Test(f"{self.name}[{mode}]", lambda: self.run(hubs, method, mode))

    def run(self, hubs, method, mode):
        environment = context.preload_environment(self.suite.library, hubs)
        if method:
            environment["EVY_HUB_METHOD"] = method
        if "only-preload" in self.directives:
            return self.compare_with_file(self.start(f"{self.name}.{mode}", environment))
        with self.lock:
            if self.native is None:
                self.native = self.start(f"{self.name}.native", context.native_environment())
        if not self.native_is_well():
            verdict = self.native.judge()
            kind = "skipped" if verdict.kind == "skipped" else "failed"
            return Verdict(kind, f"natively: {verdict.detail or describe(self.native.status)}")
        return self.compare(self.start(f"{self.name}.{mode}", environment))

    def native_is_well(self):
        """Else the preloaded one could fail alike and be taken for right."""
        return not self.native.complaint and self.native.status == int(self.directives.get("status", 0))

    def start(self, name, environment):
        own = settings(self.directives)
        limit = int(self.directives.get("limit", DEFAULT_LIMIT))
        return self.suite.executor.execute(name, [self.path, *self.arguments()], {**environment, **own}, limit)

    def arguments(self):
        if os.path.exists(self.stem + ".args"):
            with open(self.stem + ".args") as file:
                return shlex.split(file.read())
        return shlex.split(self.directives.get("run", ""))

    def compare(self, ended):
        if ended.complaint:
            return ended.judge()
        wrong = ""
        if ended.status != self.native.status:
            wrong += f"{describe(ended.status)}, natively {describe(self.native.status)}\n"
        wrong += difference("stdout", self.native.out, ended.out) + difference("stderr", self.native.err, ended.err)
        return self.conclude(ended, wrong)

    def compare_with_file(self, ended):
        if ended.complaint or ended.status:
            return ended.judge()
        return self.conclude(ended, difference("stdout", self.stem + ".expected", ended.out))

    def conclude(self, ended, wrong):
        if wrong:
            return Verdict("failed", wrong)
        ended.forget()
        return Verdict("passed")


def executables(directory):
    paths = sorted(glob.glob(os.path.join(directory, "*")))
    return [p for p in paths if os.path.isfile(p) and os.access(p, os.X_OK)]


def source_of(kind, name):
    """None for an executable whose source is gone: a left-over of an older tree."""
    for suffix in (".c", ".cc", ".sh"):
        path = os.path.join(HERE, kind, name + suffix)
        if os.path.exists(path):
            return path
    return None


def directives(source):
    """The `// key: value` lines (`# key: value` in scripts) of the first comment of a source file."""
    found = {}
    if source is None:
        return found
    with open(source, errors="replace") as file:
        for line in itertools.islice(file, 20):
            match = re.match(r"(?://|#)\s*(run|env|limit|status|only-preload|methods)\b:?\s*(.*)$", line)
            if match:
                found[match[1]] = match[2].strip()
    return found


def settings(told):
    return dict(pair.split("=", 1) for pair in shlex.split(told.get("env", "")))


def test_functions(module):
    members = inspect.getmembers(importlib.import_module(f"programs.{module}"), inspect.isfunction)
    own = [f for name, f in members if name.startswith("test_")]
    return sorted(own, key=lambda function: function.__code__.co_firstlineno)


# What is told


def describe(status):
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def read_bounded(path):
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read(COMPARED_OUTPUT)


def tail(path):
    lines = read_bounded(path).decode(errors="replace").splitlines()
    return "".join(f"    {line[:400]}\n" for line in lines[-SHOWN_LINES:])


def last_line(path):
    lines = read_bounded(path).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


def difference(what, expected_path, got_path):
    expected, got = read_bounded(expected_path), read_bounded(got_path)
    if expected == got:
        return ""
    lines = [data.decode(errors="backslashreplace").splitlines() for data in (expected, got)]
    diff = difflib.unified_diff(lines[0][:5000], lines[1][:5000], f"{what} expected", f"{what} got", lineterm="", n=1)
    return "".join(f"    {line[:400]}\n" for line in itertools.islice(diff, SHOWN_LINES)) or f"    {what} differs\n"


class Report:
    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failed = []

    def add(self, test, verdict, seconds):
        self.counts[verdict.kind] += 1
        word = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}[verdict.kind]
        reason = f"  {verdict.detail}" if verdict.kind == "skipped" else ""
        print(f"{word:4} {test.name}  {seconds:.1f} s{reason}", flush=True)
        if verdict.kind == "failed":
            self.failed.append(test.name)
            print("    " + verdict.detail.strip("\n"), flush=True)

    def finish(self):
        for name in self.failed:
            print(f"failed: {name}")
        print("{passed} passed, {failed} failed, {skipped} skipped".format(**self.counts))
        return 1 if self.failed else 0


def run_all(tests, jobs, report):
    """The many small tests side by side, then those that load the whole machine, one after the other."""
    for lot, workers in ((False, jobs), (True, 1)):
        pool = concurrent.futures.ThreadPoolExecutor(workers)
        try:
            futures = {pool.submit(timed, test): test for test in tests if test.alone == lot}
            for future in concurrent.futures.as_completed(futures):
                report.add(futures[future], *future.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def timed(test):
    start = time.monotonic()
    verdict = test.run()
    return verdict, time.monotonic() - start


def hub_list(text):
    return [] if text == "native" else [int(number) for number in text.split(",")]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", help="directory with libevy.so and tests/")
    parser.add_argument("--hubs", default="1,2", type=hub_list, help="numbers of hubs; `native`: no preload at all")
    parser.add_argument("--methods", default=[""], type=lambda text: text.split(","),
                        help="EVY_HUB_METHOD of the programs of tests/preload: of epoll,poll,select")
    parser.add_argument("--kind", default=",".join(KINDS), help=f"of {','.join(KINDS)}")
    parser.add_argument("--only", help="pattern (*, ?) or part of the name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="small tests at the same time")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only print the names")
    options = parser.parse_args()
    unknown = set(options.kind.split(",")) - set(KINDS)
    if unknown:
        parser.error(f"unknown kind {', '.join(unknown)}")
    return options


def selected(suite, options):
    tests = [t for kind in KINDS if kind in options.kind.split(",") for t in suite.tests(kind)]
    if not options.only:
        return tests
    return [t for t in tests if options.only in t.name or fnmatch.fnmatch(t.name, options.only)]


def main():
    options = parse_options()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    suite = Suite(options)
    tests = selected(suite, options)
    if options.list:
        print("\n".join(test.name for test in tests))
        return 0
    if options.hubs and not os.path.exists(suite.library):
        print(f"{suite.library} is missing: make", file=sys.stderr)
        return 2
    scratch = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="evy-run-")
    report = Report()
    try:
        for _ in range(options.repeat):
            run_all(tests, options.jobs, report)
    except KeyboardInterrupt:
        suite.executor.kill_all()
        shutil.rmtree(scratch, ignore_errors=True)
        print("interrupted", file=sys.stderr)
        os._exit(130)  # worker threads may still wait for what was killed
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
