"""Load with checked answers: N connections open at once, M requests over them, from several processes.

Each worker process opens its share of the connections, waits until all the others have theirs open,
asks, waits again, closes. The parent takes part in these meetings, so a caller's probes see the server
exactly when every connection is open and before the first one is closed.
"""

import multiprocessing
import random
import struct
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Callable, Optional, Tuple

from . import clients, engine

FORK = multiprocessing.get_context("fork")
NOISE = random.Random(4711).randbytes(1 << 20)
HEADER = struct.Struct(">II")


@dataclass
class Echo:
    """An echo load. `depth` requests at most are under way at once on a connection."""

    opener: Callable
    connections: int
    requests: int
    sizes: Tuple[int, int] = (8, 4096)
    depth: int = 1
    window: int = 64  # connections a process opens at once: stays below short listen backlogs
    processes: int = 2
    seconds: float = 60
    seed: int = 1
    reset: bool = False  # close with RST: leaves no TIME_WAIT behind tens of thousands of connections
    at_open: Optional[Callable] = field(default=None, repr=False)
    at_end: Optional[Callable] = field(default=None, repr=False)


@dataclass
class Result:
    connections: int
    requests: int
    seconds: float

    @property
    def rate(self):
        return self.requests / self.seconds


class LoadFailed(Exception):
    """What went wrong in the workers."""


def echo(load):
    """Runs an echo load; every answer is compared byte for byte and in order."""
    clock = {}

    def all_open():
        if load.at_open:
            load.at_open()
        clock["start"] = time.monotonic()

    def all_asked():
        clock["end"] = time.monotonic()
        if load.at_end:
            load.at_end()

    shares = share(load.connections, load.processes)
    quotas = split(load.requests, load.connections)
    jobs, first = [], 0
    for count in shares:
        jobs.append((load, first, quotas[first:first + count]))
        first += count
    run_workers(echo_worker, jobs, load.seconds, [all_open, all_asked])
    return Result(load.connections, load.requests, clock["end"] - clock["start"])


def http(opener, files, connections, requests, processes=2, seconds=60):
    """GETs of the given files ({target: body}), `connections` at a time, each on its own connection."""
    start = time.monotonic()
    shares, quotas = share(connections, processes), split(requests, processes)
    jobs = [(opener, files, shares[i], quotas[i], seconds, i) for i in range(len(shares))]
    run_workers(http_worker, jobs, seconds, [])
    return Result(connections, requests, time.monotonic() - start)


def held_http(socks, files, seconds=60):
    """GETs over connections that are open already, one on each, all under way at once."""
    targets = sorted(files)
    getters = [get_checked(clients.already(sock), targets[i % len(targets)], files) for i, sock in enumerate(socks)]
    engine.run(getters, time.monotonic() + seconds)


def run_workers(worker, jobs, seconds, meetings):
    """Forks one process per job; `meetings` are called when all workers have come so far."""
    barrier = FORK.Barrier(len(jobs) + 1)
    failures = FORK.SimpleQueue()
    workers = [FORK.Process(target=guard, args=(worker, job, barrier, failures), daemon=True) for job in jobs]
    for process in workers:
        process.start()
    try:
        for meeting in meetings:
            barrier.wait(seconds + 10)
            meeting()
            barrier.wait(seconds + 10)
    except threading.BrokenBarrierError:
        pass
    finish(workers, seconds, failures)


def finish(workers, seconds, failures):
    for process in workers:
        process.join(seconds + 20)
        if process.is_alive():
            process.kill()
            process.join()
    told = []
    while not failures.empty():
        told.append(failures.get())
    told += [f"a load worker ended with {p.exitcode}" for p in workers if p.exitcode and not told]
    if told:
        raise LoadFailed("\n".join(told))


def guard(worker, job, barrier, failures):
    try:
        worker(*job, barrier)
    except threading.BrokenBarrierError:
        pass
    except (engine.Stuck, engine.WrongAnswer, OSError) as error:
        failures.put(f"{type(error).__name__}: {error}")
        barrier.abort()
    except BaseException:
        failures.put(traceback.format_exc())
        barrier.abort()


def meet(barrier, seconds):
    """Two waits: between them the parent looks at the server while nothing moves."""
    barrier.wait(seconds + 10)
    barrier.wait(seconds + 10)


def echo_worker(load, first, quotas, barrier):
    deadline = time.monotonic() + load.seconds
    count = len(quotas)
    opening = [open_and_try(load, first + i) for i in range(count)]
    socks = engine.run(opening, deadline, load.window)
    meet(barrier, load.seconds)
    engine.run([ask(load, socks[i], first + i, quotas[i]) for i in range(count)], deadline)
    meet(barrier, load.seconds)
    for sock in socks:
        clients.reset(sock) if load.reset else sock.close()


def open_and_try(load, number):
    """A connection counts as open when it was answered: until then it may only sit in a backlog."""
    sock = yield from load.opener()
    yield from greet(sock, number)
    return sock


def greet(sock, number):
    """The first, small exchange over a connection."""
    yield from checked(sock, HEADER.pack(number, 0xFFFFFFFF), number)


def ask(load, sock, number, quota):
    dice = random.Random(load.seed * 1000003 + number)
    asked = 0
    while asked < quota:
        batch = min(dice.randint(1, load.depth), quota - asked)
        data = b"".join([payload(load, dice, number, asked + i) for i in range(batch)])
        yield from checked(sock, data, number)
        asked += batch


def payload(load, dice, number, sequence):
    """Names its connection and request, so an answer to another one is recognised as such."""
    size = dice.randint(*load.sizes)
    start = dice.randrange(len(NOISE) - size)
    return HEADER.pack(number, sequence) + NOISE[start:start + size]


def checked(sock, data, number):
    answer = yield from engine.exchange(sock, data)
    if answer != data:
        at = next(i for i in range(len(data)) if answer[i] != data[i])
        raise engine.WrongAnswer(
            f"connection {number}: byte {at} of {len(data)} differs: "
            f"got {answer[at:at + 16].hex()}, wanted {data[at:at + 16].hex()}")


def http_worker(opener, files, connections, requests, seconds, number, _barrier):
    deadline = time.monotonic() + seconds
    targets = sorted(files)
    getters = [get_checked(opener, targets[(number + i) % len(targets)], files) for i in range(requests)]
    engine.run(getters, deadline, connections)


def get_checked(opener, target, files):
    status, body = yield from clients.http_get(opener, target)
    clients.expect(status, 200, f"status of {target}")
    if body != files[target]:
        raise engine.WrongAnswer(f"{target}: {len(body)} bytes came, {len(files[target])} other ones were wanted")


def share(total, parts):
    return [n for n in split(total, parts) if n]


def split(total, parts):
    return [total // parts + (i < total % parts) for i in range(parts)]
