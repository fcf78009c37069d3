"""Clients that misbehave, and the question whether the server bore it."""

import socket
import time

from . import clients, engine, load
from .context import require, until

EACH = 25  # clients per misbehaviour
LARGE = load.NOISE[: 512 * 1024]


def vanish_at_once(opener):
    sock = yield from opener()
    clients.reset(sock)


def vanish_before_the_answer(opener):
    sock = yield from opener()
    yield from engine.send(sock, b"half a mess")
    clients.reset(sock)


def vanish_while_it_sends(opener):
    """Never reads: the server stands in a blocked send when the RST comes."""
    sock = yield from opener()
    view = memoryview(LARGE * 8)
    end = time.monotonic() + 0.2
    while view and time.monotonic() < end:
        try:
            view = view[sock.send(view):]
        except engine.BLOCKED:
            time.sleep(0.001)
        except ConnectionError:
            break
    clients.reset(sock)


def leave_politely(opener):
    sock = yield from opener()
    sock.close()


def half_close(opener):
    """Says that it has finished and waits for the server to finish too."""
    sock = yield from opener()
    yield from engine.send(sock, b"last words")
    sock.shutdown(socket.SHUT_WR)
    try:
        while (yield from engine.recv_some(sock)):
            pass
    except ConnectionError:
        pass
    sock.close()


MISDEEDS = (vanish_at_once, vanish_before_the_answer, leave_politely, half_close)


def bear(ctx, server, opener, misdeeds=MISDEEDS):
    """Healthy connections that stay open see nothing of the misbehaving ones, and nothing is left of these."""
    with ctx.blame(server):
        ask(opener, 20)
        quiet = server.fds()
        neighbours = engine.run([opener() for _ in range(20)], soon(), 4)
        for misdeed in misdeeds:
            engine.run([misdeed(opener) for _ in range(EACH)], soon(), 8)
        engine.run([vanish_while_it_sends(opener) for _ in range(3)], soon(), 1)
        engine.run([load.checked(sock, LARGE[:9999], i) for i, sock in enumerate(neighbours)], soon())
        for sock in neighbours:
            sock.close()
        ask(opener, 20)
        server.check_alive()
    settle(server, quiet)


def bear_requests(ctx, server, opener, healthy, large):
    """The same for servers of requests: `healthy()` asks properly, `large` is a request with a long answer.

    One client after the other with a short pause: http.server's backlog holds five.
    """
    with ctx.blame(server):
        healthy()
        quiet = server.fds()
        for client in [misdeed(opener) for misdeed in MISDEEDS for _ in range(EACH)]:
            engine.run([client], soon())
            time.sleep(0.002)
        engine.run([vanish_while_it_answers(opener, large) for _ in range(EACH)], soon(), 2)
        healthy()
        server.check_alive()
    settle(server, quiet)


def vanish_while_it_answers(opener, request):
    sock = yield from opener()
    yield from engine.send(sock, request)
    yield from engine.recv_some(sock, 1000)
    clients.reset(sock)


def settle(server, quiet):
    """Descriptors of clients that are gone are closed (a few may belong to what the server does besides)."""
    until(lambda: server.fds() <= quiet + 2, 10, f"{server.name} keeps descriptors: {server.fds()}, {quiet} before")


def ask(opener, connections):
    load.echo(load.Echo(opener, connections, connections * 5, depth=2, window=4, seconds=20))


def soon():
    return time.monotonic() + 20


def half_close_gets_everything(ctx, server, opener):
    """For servers that natively answer all that was sent before the client's half-close."""
    def client():
        sock = yield from opener()
        yield from engine.send(sock, LARGE[:60000])
        sock.shutdown(socket.SHUT_WR)
        parts = []
        while part := (yield from engine.recv_some(sock)):
            parts.append(part)
        sock.close()
        return b"".join(parts)

    with ctx.blame(server):
        for answer in engine.run([client() for _ in range(20)], soon(), 4):
            require(answer == LARGE[:60000], f"{len(answer)} of 60000 bytes came back after a half-close")
