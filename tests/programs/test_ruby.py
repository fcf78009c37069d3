"""ruby: threads with a timer thread and signal handling of its own, and a GC that scans their stacks."""

import os

from . import clients, endings, faults, load
from .context import limit

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rb_echo.rb")


def start(launch):
    return launch(["ruby", SCRIPT])


@limit(90)
def test_echo_500(ctx):
    server = start(ctx.start)
    seen = []
    with ctx.blame(server):
        print(load.echo(load.Echo(clients.direct(server.address()), 500, 10000,
                                  at_open=lambda: seen.append(server.threads()))))
    ctx.check_threads(seen[0], 500)


def test_bad_clients(ctx):
    server = start(ctx.start)
    faults.bear(ctx, server, clients.direct(server.address()))


def test_endings(ctx):
    endings.same(ctx, start, lambda server: clients.direct(server.address()))
