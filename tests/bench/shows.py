"""Real programs under load: how each is started, how it is loaded, and what a run of it costs. The demo shows some."""

import functools
import os
import re
import time
from dataclasses import dataclass
from typing import Callable

from programs import clients, engine, load, procfs, test_microsocks, test_python, test_stores, test_stunnel, test_tinyproxy
from programs.context import HOST, find_program, require


@dataclass
class Show:
    """`drive(ctx, program, probe)` loads the program and returns a load.Result; `needs` must be installed."""

    name: str
    start: Callable  # (launch, ctx) -> Program
    drive: Callable
    needs: tuple = ()


@dataclass
class Sample:
    """What one run showed."""

    threads: int
    connections: int
    rate: float
    cpu: float  # microseconds per request
    memory: float  # MB at the peak


class Probe:
    """Looks at the server when all connections are open, and when all requests are answered."""

    def __init__(self, program):
        self.program = program
        self.threads = 0

    def begin(self):
        self.threads = self.program.threads()
        self.cpu = procfs.cpu_seconds(self.program.pid)

    def end(self):
        self.cpu = procfs.cpu_seconds(self.program.pid) - self.cpu
        self.memory = procfs.peak_kb(self.program.pid) / 1024

    def sample(self, result):
        return Sample(self.threads, result.connections, result.rate, self.cpu * 1e6 / result.requests, self.memory)


def measure(ctx, show, preloaded):
    program = show.start(ctx.start if preloaded else ctx.start_native, ctx)
    try:
        with ctx.blame(program):
            probe = Probe(program)
            result = show.drive(ctx, program, probe)
        program.stop()
        return probe.sample(result)
    finally:
        program.kill()


def drive_echo(opener_of, connections, requests, ctx, program, probe):
    return load.echo(load.Echo(opener_of(ctx, program), connections, requests, sizes=(32, 1024),
                               at_open=probe.begin, at_end=probe.end))


def drive_http(connections, rounds, ctx, program, probe):
    """Every request is a connection of its own, as HTTP/1.0 wants it: all connect, then all ask."""
    seconds = 0
    probe.begin()
    for _ in range(rounds):
        socks = clients.paced(program.address(), connections)
        probe.threads = max(probe.threads, program.threads())
        start = time.monotonic()
        load.held_http(socks, ctx.files)
        seconds += time.monotonic() - start
    probe.end()
    return load.Result(connections, connections * rounds, seconds)


def drive_memcached(connections, requests, ctx, program, probe):
    """Values of 1,000 bytes, stored once and fetched again and again."""
    clock = {}

    def begin():
        probe.begin()
        clock["start"] = time.monotonic()

    jobs = [(program.address(), share, requests // connections) for share in load.share(connections, 2)]
    load.run_workers(memcached_worker, jobs, 60, [begin, probe.end])
    return load.Result(connections, requests, time.monotonic() - clock["start"])


def memcached_worker(address, connections, rounds, barrier):
    value = load.NOISE[:1000]
    answer = b"VALUE k 0 %d\r\n%s\r\nEND\r\n" % (len(value), value)

    def store():
        sock = yield from clients.direct(address)()
        yield from engine.send(sock, b"set k 0 0 %d\r\n%s\r\n" % (len(value), value))
        clients.expect((yield from engine.recv_exactly(sock, 8)), b"STORED\r\n", "memcached's answer")
        return sock

    def fetch(sock):
        for _ in range(rounds):
            yield from engine.send(sock, b"get k\r\n")
            clients.expect((yield from engine.recv_exactly(sock, len(answer))), answer, "memcached's answer")

    deadline = time.monotonic() + 60
    socks = engine.run([store() for _ in range(connections)], deadline)
    load.meet(barrier, 60)
    engine.run([fetch(sock) for sock in socks], deadline)
    load.meet(barrier, 60)


def drive_tool(argv_of, pattern, connections, requests, ctx, program, probe):
    """A load tool that says its rate itself; its start-up is part of what it costs."""
    probe.begin()
    with ctx.watch_threads(program) as watch:
        said = ctx.run(argv_of(ctx, program), seconds=60, launch=ctx.start_native).decode()
    probe.end()
    probe.threads = watch.most
    found = re.search(pattern, said)
    require(found, f"no rate in {said[-300:]!r}")
    done = requests or int(re.search(r"transactions: +(\d+)", said)[1])
    return load.Result(connections, done, done / float(found[1]))


def to_server(ctx, program):
    return clients.direct(program.address())


def through_socks(ctx, program):
    return clients.socks5(program.address(), ctx.backend)


def through_http(ctx, program):
    return clients.http_connect(program.address(), ctx.backend)


def through_tls(ctx, program):
    return clients.tls(program.address())


def start_stunnel(launch, ctx):
    return test_stunnel.start_server(launch, ctx, test_stunnel.certificate(ctx), ctx.backend)


def start_redis(launch, ctx):
    return test_stores.start_redis(ctx, launch=launch)[0]


def ask_redis(ctx, program):
    return ["redis-benchmark", "-h", HOST, "-p", str(program.port()), "-n", "200000", "-c", "100", "-t", "get", "-q"]


def start_mariadb(launch, ctx):
    """A new database each time, with the table that sysbench reads."""
    server, socket = test_stores.start_mariadb(ctx, launch, "--max-connections=1000")
    server.sysbench = ["sysbench", "oltp_point_select", f"--mysql-socket={socket}", "--mysql-user=root",
                       "--mysql-db=test", "--table-size=10000", "--db-driver=mysql"]
    ctx.run([*server.sysbench, "prepare"], launch=ctx.start_native, seconds=60)
    return server


def ask_mariadb(ctx, program):
    return [*program.sysbench, "--threads=300", "--time=5", "run"]


DEMO = [
    Show("C echo server", lambda launch, ctx: launch([ctx.built("echo_threads")]),
         functools.partial(drive_echo, to_server, 1000, 100000)),
    Show("microsocks", lambda launch, ctx: test_microsocks.start(launch),
         functools.partial(drive_echo, through_socks, 1000, 50000), ("microsocks",)),
    Show("python3 ThreadingTCPServer", lambda launch, ctx: test_python.start_echo(launch),
         functools.partial(drive_echo, to_server, 500, 20000), ("python3",)),
    Show("python3 -m http.server", lambda launch, ctx: test_python.start_http(launch, ctx.root),
         functools.partial(drive_http, 500, 4), ("python3",)),
]

SHOWS = DEMO[1:] + [
    Show("tinyproxy", lambda launch, ctx: test_tinyproxy.start(ctx, launch),
         functools.partial(drive_echo, through_http, 500, 20000), ("tinyproxy",)),
    Show("stunnel4", start_stunnel, functools.partial(drive_echo, through_tls, 200, 20000), ("stunnel4", "openssl")),
    Show("MariaDB, sysbench", start_mariadb,
         functools.partial(drive_tool, ask_mariadb, r"queries: +\d+ +\(([\d.]+) per sec", 300, None),
         ("mariadbd", "sysbench")),
    Show("memcached", lambda launch, ctx: test_stores.start_memcached(launch),
         functools.partial(drive_memcached, 200, 40000), ("memcached",)),
    Show("redis", start_redis, functools.partial(drive_tool, ask_redis, r"GET: ([\d.]+) requests per second", 100, 200000),
         ("redis-server", "redis-benchmark")),
]


def installed(shows):
    """Those whose programs are there; names the others."""
    there = []
    for show in shows:
        missing = [name for name in show.needs if not found(name)]
        if missing:
            print(f"{show.name}: {', '.join(missing)} not installed")
        else:
            there.append(show)
    return there


def found(name):
    return any(os.access(os.path.join(where, name), os.X_OK)
               for where in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"))
