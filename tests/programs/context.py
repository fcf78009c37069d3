"""What a test function gets: a way to start programs natively or under the preload, and to look at them."""

import functools
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

from . import autopsy, procfs

HOST = "127.0.0.1"
EXTRA_THREADS = 6  # kernel threads a preloaded program may have besides its hubs
START_SECONDS = 20
STOP_SECONDS = 15
STOP_FACTOR = 1.5  # of the time natively, beside what the machine does meanwhile
STOP_MORE = 1.2  # some look once a second (uwsgi): natively just in time, or a whole second later


class Failure(AssertionError):
    """The program under test did not do what it does natively."""


class Skip(Exception):
    """The test cannot run here; the message says why."""


def limit(seconds):
    """Gives a test function another time limit than the default."""
    def mark(function):
        function.limit = seconds
        return function
    return mark


def require(condition, message):
    if not condition:
        raise Failure(message)


def need_fds(count):
    """The descriptors a test needs in one process; says why it is skipped where they are not to be had."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        raise Skip(f"needs {count} descriptors, the limit is {soft}")


def native_environment():
    """The caller's environment without anything of libevy."""
    return {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith("EVY_")}


@functools.lru_cache(None)
def sanitizer_runtime(library):
    """What a library built with SAN=address must be preloaded with, so that it checks malloc's memory too."""
    needed = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"libasan\S* => (\S+)", needed)


def preload_environment(library, hubs):
    """The caller's EVY_* settings stay, so that a whole run can be done with, say, EVY_HUB_METHOD=poll."""
    wanted = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    runtime = sanitizer_runtime(library)
    wanted["LD_PRELOAD"] = " ".join([library, *runtime])
    if runtime:
        wanted.setdefault("ASAN_OPTIONS", "detect_leaks=0:verify_asan_link_order=0")
    if hubs:
        wanted["EVY_HUBS"] = str(hubs)
    return wanted


def find_program(name):
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


def free_port():
    """A port for programs that cannot be told `any`: outside the range clients' own ports come from."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        low, high = map(int, file.read().split())
    for _ in range(200):
        port = random.randint(10000, 65000)
        if low <= port <= high:
            continue
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, port))
                return port
            except OSError:
                continue
    raise Skip("no free port outside the ephemeral range")


def until(condition, seconds, what):
    """Waits for a condition that comes true by itself."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"after {seconds} s: {what}")
        time.sleep(0.01)


class Program:
    """A started program. Its output goes to files: nobody has to drain a pipe."""

    def __init__(self, argv, environment, stem, nofile=None, cwd=None, stdin=subprocess.DEVNULL):
        self.name = os.path.basename(argv[0])
        self.stem = stem
        self.reported = False
        self.judge_stop = None  # called with the seconds that an orderly end took

        def prepare():
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

        with open(stem + ".out", "wb") as out, open(stem + ".err", "wb") as err:
            self.process = subprocess.Popen(argv, env=environment, stdin=stdin, stdout=out, stderr=err,
                                            cwd=cwd, preexec_fn=prepare)
        self.pid = self.process.pid

    def output(self):
        with open(self.stem + ".out", "rb") as file:
            return file.read()

    def errors(self):
        with open(self.stem + ".err", "rb") as file:
            return file.read()

    def port(self):
        """The port it listens on, once it does."""
        return self.ports(1)[0]

    def ports(self, count):
        end = time.monotonic() + START_SECONDS
        while True:
            ports = procfs.listening_ports(self.pid)
            if len(ports) >= count:
                return ports
            self.check_alive()
            if time.monotonic() > end:
                raise self.failure(f"does not listen after {START_SECONDS} s")
            time.sleep(0.01)

    def address(self):
        return HOST, self.port()

    def check_alive(self):
        if self.process.poll() is not None:
            raise self.failure(f"ended by itself with status {self.process.returncode}")

    def threads(self):
        return procfs.threads(self.pid)

    def fds(self):
        return procfs.fd_count(self.pid)

    def stop(self, signum=signal.SIGTERM):
        """Sends a signal; the exit status, negative for a signal, as subprocess has it."""
        self.check_alive()
        start = time.monotonic()
        self.process.send_signal(signum)
        status = self.wait(STOP_SECONDS, f"is alive {STOP_SECONDS} s after {signal.Signals(signum).name}")
        if self.judge_stop:
            self.judge_stop(self.name, time.monotonic() - start)
        return status

    def wait(self, seconds, complaint=None):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(complaint or f"did not finish in {seconds} s") from None

    def failure(self, what):
        """A Failure that quotes the program's last words; a living program is examined first."""
        if self.process.poll() is None and not self.reported:
            self.reported = True
            autopsy.write(self.stem + ".hang", [self.pid], f"{self.name} {what}")
        words = (self.output()[-1000:] + self.errors()[-1000:]).decode(errors="replace").strip()
        return Failure(f"{self.name} {what}" + (f"; it said:\n{words}" if words else ""))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Context:
    """One run of one test: natively (hubs None) or under the preload with that many hubs (0: its default)."""

    def __init__(self, build, hubs, directory, test=""):
        self.build = build
        self.test = test
        self.hubs = hubs
        self.directory = directory
        self.programs = []
        self.stops = {}  # seconds that each program of a native run took to end, at most

    @property
    def library(self):
        return os.path.join(self.build, "libevy.so")

    @property
    def preloaded(self):
        return self.hubs is not None

    def environment(self):
        return preload_environment(self.library, self.hubs) if self.preloaded else native_environment()

    def start(self, argv, **options):
        """Starts the program under test."""
        program = self.launch(argv, self.environment(), **options)
        program.judge_stop = self.judge_stop if self.test else None
        return program

    def start_native(self, argv, **options):
        """Starts a helper, or the program under test for comparison."""
        return self.launch(argv, native_environment(), **options)

    def run(self, argv, seconds=30, launch=None, status=0, **options):
        """Runs a program under test to its end; what it printed."""
        program = (launch or self.start)(argv, **options)
        ended = program.wait(seconds)
        require(ended == status, str(program.failure(f"ended with {ended}")))
        return program.output()

    def launch(self, argv, environment, extra=None, **options):
        argv = [find_program(argv[0]) if "/" not in argv[0] else argv[0], *argv[1:]]
        stem = self.path(f"{len(self.programs):02d}-{os.path.basename(argv[0])}")
        program = Program(argv, {**environment, **(extra or {})}, stem, **options)
        self.programs.append(program)
        return program

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_directory(self, name):
        path = self.path(name)
        os.makedirs(path)
        return path

    def write(self, name, text):
        path = self.path(name)
        with open(path, "wb" if isinstance(text, bytes) else "w") as file:
            file.write(text)
        return path

    def built(self, name):
        path = os.path.join(self.build, "tests/programs", name)
        if not os.path.exists(path):
            raise Skip(f"{path} is missing: make tests")
        return path

    def echo_backend(self):
        """Where proxies lead to: a native echo server."""
        return self.start_native([self.built("echo_threads")]).address()

    def judge_stop(self, name, seconds):
        """A program ends in the time it takes natively. The native run, which comes first, leaves it to the others."""
        path = f"{self.build}/tests/logs/stop-{self.test}-{name}"
        if not self.preloaded:
            self.stops[name] = max(seconds, self.stops.get(name, 0))
            with open(path, "w") as file:
                file.write(str(self.stops[name]))
        elif os.path.exists(path):
            with open(path) as file:
                most = float(file.read()) * STOP_FACTOR + STOP_MORE
            require(seconds < most, f"{name} took {seconds:.2f} s to end, {most:.2f} are allowed")

    def check_threads(self, seen, wanted_natively):
        """One kernel thread per connection natively (proof that the load was real), a handful preloaded."""
        print(f"{seen} kernel threads")
        if self.preloaded:
            most = self.hubs + EXTRA_THREADS
            require(seen <= most, f"{seen} kernel threads under load, at most {most} expected")
        else:
            require(seen >= wanted_natively, f"natively only {seen} threads for {wanted_natively} connections")

    @contextmanager
    def watch_threads(self, program):
        """Records the highest number of kernel threads during a block, in `.most`."""
        watch = Watch(program)
        watch.start()
        try:
            yield watch
        finally:
            watch.over.set()
            watch.join()

    @contextmanager
    def blame(self, program):
        """When the block fails, tells what the server was doing or how it ended."""
        try:
            yield
        except (Skip, Failure):
            raise
        except Exception as error:
            state = program.process.poll()
            what = "serves wrongly" if state is None else f"had ended with status {state}"
            raise program.failure(f"{what}: {error}") from error

    def kill_all(self):
        for program in self.programs:
            program.kill()


class Watch(threading.Thread):
    def __init__(self, program):
        super().__init__(daemon=True)
        self.program = program
        self.over = threading.Event()
        self.most = 0

    def run(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.program.threads())
