"""The distribution's python3: threaded servers of its standard library, and a threaded client."""

import hashlib
import os

from . import clients, endings, faults, load, origin
from .context import HOST, limit, require

PYTHON = "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))
NO_CACHE = {"PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"}


def start_http(launch, root):
    return launch([PYTHON, "-m", "http.server", "0", "--bind", HOST, "--directory", root], extra=NO_CACHE)


def start_echo(launch):
    return launch([PYTHON, os.path.join(HERE, "py_echo.py")], extra=NO_CACHE)


def test_http_server(ctx):
    """Few at once: its backlog holds five connections. Each request is a connection and a thread."""
    root, files = origin.make_files(ctx)
    server = start_http(ctx.start, root)
    with ctx.blame(server), ctx.watch_threads(server) as watch:
        print(load.http(clients.direct(server.address()), files, 4, 2000))
    ctx.check_threads(watch.most, 2)


def test_http_server_1000_at_once(ctx):
    """All clients have connected before the first one asks."""
    root, files = origin.make_files(ctx)
    server = start_http(ctx.start, root)
    with ctx.blame(server):
        socks = clients.paced(server.address(), 1000)
        threads = server.threads()
        load.held_http(socks, files)
    ctx.check_threads(threads, 990)


@limit(90)
def test_echo_1000(ctx):
    server = start_echo(ctx.start)
    seen = []
    with ctx.blame(server):
        print(load.echo(load.Echo(clients.direct(server.address()), 1000, 10000,
                                  at_open=lambda: seen.append(server.threads()))))
    ctx.check_threads(seen[0], 1000)


@limit(120)
def test_client_500_threads(ctx):
    address, files = origin.start(ctx)
    urls = ["http://{}:{}{}".format(*address, target) for target in sorted(files)]
    client = ctx.start([PYTHON, os.path.join(HERE, "py_fetch.py"), "500", "5", *urls], extra=NO_CACHE)
    with ctx.watch_threads(client) as watch:
        status = client.wait(100)
    require(status == 0, str(client.failure(f"ended with {status}")))
    require(client.output().decode() == expected_output(files, 500, 5), f"printed {client.output()!r}")
    ctx.check_threads(watch.most, 100)


def expected_output(files, threads, rounds):
    bodies = [files[target] for target in sorted(files)]
    digests = [origin.digest(b"".join(bodies[(n + i) % len(bodies)] for i in range(rounds))) for n in range(threads)]
    return f"{threads * rounds} {hashlib.sha256(''.join(digests).encode()).hexdigest()}\n"


def test_bad_clients_of_http(ctx):
    root, files = origin.make_files(ctx)
    server = start_http(ctx.start, root)
    opener = clients.direct(server.address())
    faults.bear_requests(ctx, server, opener, lambda: load.http(opener, files, 4, 40), b"GET /large HTTP/1.0\r\n\r\n")


def test_bad_clients_of_echo(ctx):
    server = start_echo(ctx.start)
    faults.bear(ctx, server, clients.direct(server.address()))


def test_endings_of_http(ctx):
    root, _ = origin.make_files(ctx)
    endings.same(ctx, lambda launch: start_http(launch, root),
                 lambda server: clients.direct(server.address()), connections=4, ready=None)


def test_endings_of_echo(ctx):
    endings.same(ctx, start_echo, lambda server: clients.direct(server.address()))


def test_asyncio(ctx):
    """An event loop beside a pool of threads, children with pipes, and the exit of all of it."""
    command = [PYTHON, os.path.join(HERE, "py_asyncio.py")]
    native = ctx.run(command, launch=ctx.start_native, status=3, extra=NO_CACHE)
    got = ctx.run(command, status=3, extra=NO_CACHE)
    require(got == native, f"printed {got!r}, natively {native!r}")
