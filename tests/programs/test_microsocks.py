"""microsocks: a SOCKS5 proxy, a thread with a small stack per client that polls two sockets."""

import time

from . import clients, endings, engine, faults, load
from .context import HOST, free_port, limit, need_fds, require


def start(launch):
    return launch(["microsocks", "-i", HOST, "-p", "0"])


def through(ctx, proxy, connections):
    need_fds(2 * connections + 100)
    backend = ctx.echo_backend()
    seen = []
    with ctx.blame(proxy):
        result = load.echo(load.Echo(clients.socks5(proxy.address(), backend), connections, 20000, depth=2,
                                     at_open=lambda: seen.append(proxy.threads())))
        print(result)
    ctx.check_threads(seen[0], connections)


@limit(90)
def test_connections_1000(ctx):
    through(ctx, start(ctx.start), 1000)


@limit(90)
def test_connections_2000(ctx):
    through(ctx, start(ctx.start), 2000)


def test_refused_target(ctx):
    """The proxy's own connect fails: it has to say so, with the code it gives natively."""
    dead = (HOST, free_port())
    native = refusal(start(ctx.start_native), dead)
    require(native[1] != 0, "natively a refused connection is reported as success")
    if ctx.preloaded:
        got = refusal(start(ctx.start), dead)
        require(got == native, f"answers {got!r} for a refused connection, natively {native!r}")


def refusal(proxy, dead):
    def client():
        sock = yield from engine.connect(proxy.address())
        request = b"\5\1\0\1\x7f\0\0\1" + dead[1].to_bytes(2, "big")
        yield from engine.send(sock, b"\5\1\0")
        yield from engine.recv_exactly(sock, 2)
        yield from engine.send(sock, request)
        return (yield from engine.recv_exactly(sock, 10))

    return engine.run([client()], time.monotonic() + 10)[0]


def test_bad_clients(ctx):
    backend = ctx.echo_backend()
    proxy = start(ctx.start)
    faults.bear(ctx, proxy, clients.socks5(proxy.address(), backend))


def test_endings(ctx):
    backend = ctx.echo_backend()
    endings.same(ctx, start, lambda proxy: clients.socks5(proxy.address(), backend))
