"""socat and netcat: processes that sit in select or poll between two descriptors."""

import socket

from . import clients, faults, load
from .context import HOST, free_port, require

LARGE = load.NOISE * 4


def start_socat(launch):
    port = free_port()
    return launch(["socat", f"TCP-LISTEN:{port},bind={HOST},reuseaddr,fork,backlog=200", "EXEC:cat"])


def test_socat_echo(ctx):
    """A process per connection, and a cat for each."""
    server = start_socat(ctx.start)
    with ctx.blame(server):
        load.echo(load.Echo(clients.direct(server.address()), 30, 600, depth=3))


def test_socat_half_close(ctx):
    server = start_socat(ctx.start)
    faults.half_close_gets_everything(ctx, server, clients.direct(server.address()))


def test_socat_client(ctx):
    backend = ctx.echo_backend()
    with open(ctx.write("input", LARGE), "rb") as source:
        got = ctx.run(["socat", "-t", "10", "-", "TCP:{}:{}".format(*backend)], stdin=source)
    require(got == LARGE, f"{len(got)} bytes came back, {len(LARGE)} were sent")


def test_netcat(ctx):
    """One listens, the other sends a file; both end when it is there."""
    port = free_port()
    receiver = ctx.start(["nc.openbsd", "-l", HOST, str(port)])
    receiver.port()
    with open(ctx.write("input", LARGE), "rb") as source:
        ctx.run(["nc.openbsd", "-N", HOST, str(port)], stdin=source)
    require(receiver.wait(10) == 0, "the receiver failed")
    require(receiver.output() == LARGE, "the file arrived changed")


def test_netcat_udp(ctx):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.settimeout(10)
        with open(ctx.write("line", "a datagram\n"), "rb") as source:
            ctx.start(["nc.openbsd", "-u", "-w", "2", HOST, str(peer.getsockname()[1])], stdin=source)
            require(peer.recv(100) == b"a datagram\n", "another datagram came")


def test_netcat_probes(ctx):
    open_port = ctx.echo_backend()[1]
    ctx.run(["nc.openbsd", "-z", HOST, str(open_port)])
    ctx.run(["nc.openbsd", "-z", HOST, str(free_port())], status=1)
