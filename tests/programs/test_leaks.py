"""Connections opened and closed, over and over: what the server holds stays what it was.

LEAK_CONNECTIONS gives another number of them; `make leaks` runs a million, with ten million requests.
"""

import os

from . import procfs
from .context import limit, require, until

CONNECTIONS = int(os.environ.get("LEAK_CONNECTIONS", 10000))
REQUESTS = 10  # over each connection
PARTS = 10  # the first warms up
SPARE_KB = 1024  # pages of stacks that were not touched before
SPARE_MAPPINGS = 4  # natively glibc keeps the stacks of as many threads as there were at once
LIMIT = 60 + CONNECTIONS // 1000


def held(server):
    """(descriptors, events registered with epoll, mappings, resident KB)"""
    return (server.fds(), events(server.pid), lines(f"/proc/{server.pid}/maps"),
            int(procfs.status(server.pid)["VmRSS"].split()[0]))


def events(pid):
    """Registrations in all epoll instances of a process."""
    found = 0
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{fd}") as file:
            found += sum(line.startswith("tfd:") for line in file)
    return found


def lines(path):
    with open(path) as file:
        return sum(1 for _ in file)


@limit(LIMIT)
def test_connections(ctx):
    server = ctx.start([ctx.built("echo_threads")])
    port, seen = server.port(), []
    with ctx.blame(server):
        for _ in range(PARTS):
            ctx.run([ctx.built("churn"), str(port), str(CONNECTIONS // PARTS), str(REQUESTS)], seconds=LIMIT,
                    launch=ctx.start_native)
            until(lambda: not procfs.connections(port), 10, "connections stay open")
            seen.append(held(server))
            print("{} descriptors, {} events, {} mappings, {} KB".format(*seen[-1]), flush=True)
    first, last = seen[0], seen[-1]
    require(last[:2] == first[:2], f"descriptors and events: {first[:2]} after a tenth, {last[:2]} at the end")
    require(not ctx.preloaded or last[2] <= first[2] + SPARE_MAPPINGS,
            f"mappings: {first[2]} after a tenth, {last[2]} at the end")
    require(last[3] <= first[3] + SPARE_KB, f"resident KB: {first[3]} after a tenth, {last[3]} at the end")
