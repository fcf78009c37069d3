"""The same echo job done by many: an unmodified thread-per-connection binary natively and under libevy, event loops in
C, and what green-thread systems the machine has."""

import collections
import json
import os
import re
import resource
import shutil
import signal
import subprocess

from programs import procfs

from .contest import ROOT, median, output, progress, ratio_text, spread, table

SPARE_FDS = 100
THREADS, LIBEVY = "native threads", "libevy"
# The yardstick; the loop as most write it; with what a program of threads cannot do without (echo_epoll.c).
LOOP, UNTIL_EMPTY, THREADED = "epoll loop", "epoll loop, reads until EAGAIN", "epoll loop, threaded"

# How a server is had: argv, the hubs it is preloaded with, the most connections it can serve, what builds it.
Server = collections.namedtuple("Server", "argv hubs most build", defaults=(None, None, None))

CC = ["cc", "-O2", "-g"]


def servers(bench):
    """The contestants this machine can have. Peers are compiled here, since nothing else needs what they need."""
    peers = os.path.join(ROOT, "tests/bench/peers")
    built = bench.path("bench/peers")
    wanted = {
        THREADS: Server([bench.path("programs/echo_threads")]),
        LIBEVY: Server([bench.path("programs/echo_threads")], hubs=1),
        LOOP: Server([bench.path("bench/echo_epoll")]),
        UNTIL_EMPTY: Server([bench.path("bench/echo_epoll"), "0", "empty"]),
        THREADED: Server([bench.path("bench/echo_epoll"), "0", "threaded"]),
        "evy_pool": Server([bench.path("bench/api_echo")], most=10000),
        "bufferevent": Server([f"{built}/bufferevent"],
                              build=[*CC, f"{peers}/bufferevent.c", "-levent_core", "-o", f"{built}/bufferevent"]),
        "State Threads": Server([f"{built}/state_threads"], most=1000,
                                build=[*CC, f"{peers}/state_threads.c", "-lst", "-o", f"{built}/state_threads"]),
        "GNU Pth": Server([f"{built}/pth"], most=1000,
                          build=[*CC, f"{peers}/pth.c", "-lpth", "-o", f"{built}/pth"]),
        "Go": Server([f"{built}/goroutines"],
                     build=["go", "build", "-o", f"{built}/goroutines", f"{peers}/goroutines.go"]),
        "eventlet": Server(["/usr/bin/python3", os.path.join(ROOT, "tests/bench/echo_eventlet.py")], most=10000),
    }
    os.makedirs(built, exist_ok=True)
    there, missing = {}, []
    for name, server in wanted.items():
        if can_run(name, server):
            there[name] = server
        else:
            missing.append(name)
    progress()
    if missing:
        print(f"not installed here: {', '.join(missing)}")
    return there


def can_run(name, server):
    if name == "eventlet":
        return subprocess.run([server.argv[0], "-c", "import eventlet"], capture_output=True).returncode == 0
    if not server.build:
        return True
    if not shutil.which(server.build[0]):
        return False
    progress(f"building {name}")
    cache = {"GOCACHE": os.path.join(os.path.dirname(server.argv[0]), "go"), "GOFLAGS": "-mod=mod"}
    return subprocess.run(server.build, capture_output=True, env={**os.environ, **cache}).returncode == 0


def command(server):
    """With a port, where its argv is not complete."""
    return server.argv if len(server.argv) > 1 else [*server.argv, "0"]


def serve_once(bench, server, connections, busy, size, cpus=None):
    """One server, one load: what the load and the kernel say."""
    cpus = cpus or (bench.server_cpu, bench.client_cpu)
    # The affinity is set before exec: libevy and Go see one CPU, as the kernel does.
    process = subprocess.Popen(command(server), stdout=subprocess.PIPE, text=True,
                               env=bench.environment(server.hubs),
                               preexec_fn=lambda: os.sched_setaffinity(0, cpus[0]))
    try:
        line = process.stdout.readline()
        if not line.startswith("listening "):
            raise RuntimeError(f"the server did not start: {line!r}")
        before = memory_kb(process.pid)
        load = [bench.path("bench/echo_load"), line.split()[1], str(connections), str(busy), str(size),
                str(bench.options.warmup), str(bench.options.seconds), str(process.pid)]
        figures = json.loads(output(load, preexec_fn=lambda: os.sched_setaffinity(0, cpus[1])))
        figures["bytes_each"] = (figures.pop("memory_kb") - before) * 1024 / connections
        return figures
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def memory_kb(pid):
    status = procfs.status(pid)
    return sum(int(status[field].split()[0]) for field in ("VmRSS", "VmPTE"))


def contest(bench, there, title, connections, busy=None, size=64, names=None):
    fitting = [name for name, server in there.items()
               if (names is None or name in names) and (server.most is None or connections <= server.most)]
    busy = busy or connections
    runs = bench.take_turns(title, fitting, lambda name: serve_once(bench, there[name], connections, busy, size))
    rows = [("", "CPU µs/request", "of the epoll loop's", "requests/s", "server busy", "p50 µs", "p99 µs", "p99.9 µs",
             "bytes/connection")]
    for name in fitting:
        rows.append((name, spread(runs[name], "cpu_us", 2), ratio_text(runs, name, LOOP, "cpu_us"),
                     median(runs[name], "per_second"), median(runs[name], "server_busy", 2),
                     *(median(runs[name], key) for key in ("p50_us", "p99_us", "p999_us", "bytes_each"))))
    table(f"{title}, medians of {bench.rounds} rounds (min-max)", rows)
    print(f"libevy's CPU per request, of native threads': {ratio_text(runs, LIBEVY, THREADS, 'cpu_us')}", flush=True)


def counts_of(bench):
    """What was asked for, else round numbers and as many as the descriptor limit allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FDS
    if bench.options.connections:
        return [int(count) for count in bench.options.connections.split(",")]
    counts = [count for count in (100, 1000, 10000) if count <= most]
    return counts + [most // 1000 * 1000] if most >= 15000 and not bench.options.quick else counts


def echo(bench):
    there = servers(bench)
    for connections in counts_of(bench):
        contest(bench, there, f"64-byte echo, {connections} connections, all busy", connections)
    few = (THREADS, LIBEVY, LOOP, THREADED, "State Threads", "Go")
    if 10000 in counts_of(bench):
        contest(bench, there, "64-byte echo, 10000 connections, 100 busy", 10000, busy=100, names=few)
    if 1000 in counts_of(bench):
        contest(bench, there, "16-KiB echo, 1000 connections, all busy", 1000, size=16384, names=few)
        system_calls(bench, there)
        two_hubs(bench, there)


def system_calls(bench, there):
    """Counted by strace, which slows everything down: nothing else is measured meanwhile."""
    def count(name):
        with subprocess.Popen(command(there[name]), stdout=subprocess.PIPE, text=True,
                              env=bench.environment(there[name].hubs)) as server:
            try:
                port = server.stdout.readline().split()[1]
                strace = subprocess.Popen(["strace", "-fqc", "-p", str(server.pid)], stderr=subprocess.PIPE, text=True)
                load = json.loads(output([bench.path("bench/echo_load"), port, "100", "100", "64", "0.5", "1",
                                          str(server.pid)]))
                strace.send_signal(signal.SIGINT)
                total = re.search(r"100\.00 +\S+ +(?:\d+ +)?(\d+) .*total", strace.communicate(timeout=20)[1])
                return {"calls": int(total[1]) / load["asked"]}
            finally:
                server.kill()

    if not shutil.which("strace"):
        return
    names = [name for name in (THREADS, LIBEVY, LOOP, "bufferevent", "State Threads", "Go") if name in there]
    runs = bench.take_turns("system calls", names, count, rounds=1)
    table("System calls per request, 100 connections, connecting and closing included",
          [names, [median(runs[name], "calls", 2) for name in names]])


def two_hubs(bench, there):
    """Server and load share all CPUs; more than one CPU's worth of work is there only with hubs that share it."""
    contestants = {f"{hubs} hub{'s' * (hubs > 1)}": there[LIBEVY]._replace(hubs=hubs) for hubs in (1, 2)}
    contestants[THREADS] = there[THREADS]
    runs = bench.take_turns("echo on all CPUs", contestants, lambda name: serve_once(
        bench, contestants[name], 1000, 1000, 64, (bench.cpus, bench.cpus)))
    rows = [("", "requests/s", "CPU µs/request", "requests/s, of 1 hub's")]
    for name, found in runs.items():
        rows.append((name, spread(found, "per_second", 0), spread(found, "cpu_us", 2),
                     ratio_text(runs, name, "1 hub", "per_second")))
    table("64-byte echo, 1000 connections, server and load on all CPUs", rows)
