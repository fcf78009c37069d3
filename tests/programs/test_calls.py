"""System calls per request in steady work, counted by strace: a thread per connection against an epoll loop.

One request is under way at a time, from one connection to the next: each finds the server waiting. Counted is what the
thread does that serves, without its futex calls: they rouse the monitor, which comes with time, not with requests, and
strace stretches time.
"""

import collections
import os
import re
import socket

from .context import HOST, find_program, require

CONNECTIONS = 10
ROUNDS = (20, 120)
ATTEMPTS = 3
MORE = 1.01  # what a request may cost, of the epoll loop


def calls_per_request(ctx, program, variables):
    """{call: how many more per request}, from the difference of a long and a short run."""
    few, many = (serving(ctx, program, variables, rounds) for rounds in ROUNDS)
    requests = CONNECTIONS * (ROUNDS[1] - ROUNDS[0])
    return {call: (many[call] - few[call]) / requests for call in many if many[call] != few[call]}


def serving(ctx, program, variables, rounds):
    server, output = start(ctx, [program], variables)
    with ctx.blame(server):
        socks = in_turn((HOST, server.port()), rounds)
    server.kill()
    for sock in socks:
        sock.close()
    return counts(server, output)


def start(ctx, argv, variables):
    output = ctx.path(f"calls-{len(ctx.programs)}")
    settings = [part for key, value in variables.items() for part in ("-E", f"{key}={value}")]
    return ctx.start_native([find_program("strace"), "-D", "-f", "-q", "-o", output, *settings, *argv]), output


def counts(program, output):
    with open(output) as file:
        calls = [re.match(rf"{program.pid} +(\w+)\(", line) for line in file]
    return collections.Counter(call[1] for call in calls if call and call[1] != "futex")


def in_turn(address, rounds):
    """Asks, and leaves the connections open: their ends would be counted or not, as it happens.

    The first connection only makes the server start a thread: what it accepted before, others may share.
    """
    socks = []
    for _ in range(CONNECTIONS + 1):
        socks.append(socket.create_connection(address, timeout=20))
        socks[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        echo_once(socks[-1])
    for _ in range(rounds):
        for sock in socks[1:]:
            echo_once(sock)
    return socks


def echo_once(sock):
    sock.sendall(b"request")
    require(sock.recv(100) == b"request", "another answer came")


def libevy(ctx):
    return {"LD_PRELOAD": ctx.library, "EVY_HUBS": "1"} if ctx.preloaded else {}


def test_steady_requests(ctx):
    variables = libevy(ctx)
    loop = os.path.join(ctx.build, "tests/bench/echo_epoll")
    for _ in range(ATTEMPTS):
        raw = calls_per_request(ctx, loop, {})
        got = calls_per_request(ctx, ctx.built("echo_threads"), variables)
        print(f"epoll loop {sum(raw.values()):.3f} {raw}, libevy {sum(got.values()):.3f} {got}")
        if sum(got.values()) <= sum(raw.values()) * MORE:
            return
    require(False, f"{got} calls per request, of the epoll loop {raw}")


def test_timeouts_that_do_not_run_out(ctx):
    """A wait with a limit costs no call more than one without; between green threads it costs none at all."""
    variables = libevy(ctx)
    for how in ("cond", "sem", "socket"):
        short, plain, limited = (waits(ctx, variables, how, *run) for run in ((100, 0), (1100, 0), (1100, 1000)))
        print(f"{how}: {short} calls for 100 rounds, for 1100 {plain}, with limits {limited}")
        require(limited <= plain * MORE + 10, f"{how}: {limited} calls with limits, {plain} without")
        require(how == "socket" or limited <= short + 10, f"{how}: {limited} calls for 1100 rounds, {short} for 100")


def waits(ctx, variables, how, rounds, seconds):
    program, output = start(ctx, [ctx.built("timed_waits"), how, str(rounds), str(seconds)], variables)
    require(program.wait(30) == 0, "timed_waits failed")
    return sum(counts(program, output).values())
