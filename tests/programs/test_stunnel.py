"""stunnel4 in its threaded form: TLS in front of a server, and in front of a client."""

import hashlib
import subprocess
import time

from . import clients, endings, engine, faults, load
from .context import HOST, find_program, free_port, limit, native_environment, require

LARGE = 24 << 20

CONFIG = """
foreground = yes
pid =
debug = err
{cert}
[test]
client = {client}
accept = {host}:{port}
connect = {to[0]}:{to[1]}
TIMEOUTclose = 0
"""


def certificate(ctx):
    """A self-signed key and certificate in one file."""
    path = ctx.path("stunnel.pem")
    subprocess.run([find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", path, "-out", path + ".crt"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=native_environment())
    with open(path, "a") as pem, open(path + ".crt") as crt:
        pem.write(crt.read())
    return path


def start_server(launch, ctx, pem, to):
    return start(launch, ctx, f"cert = {pem}", "no", to)


def start_client(launch, ctx, to):
    return start(launch, ctx, "", "yes", to)


def start(launch, ctx, cert, client, to):
    port = free_port()
    text = CONFIG.format(cert=cert, client=client, host=HOST, port=port, to=to)
    return launch(["stunnel4", ctx.write(f"stunnel-{port}.conf", text)])


def large_transfer(opener):
    """There and back, read as it comes; only hashes are kept."""
    sent, got = hashlib.sha256(), hashlib.sha256()

    def client():
        sock = yield from opener()
        to_send, to_get, block = LARGE, LARGE, memoryview(load.NOISE)
        while to_get:
            start = (LARGE - to_send) % (len(block) - 65536)
            moved = 0
            try:
                if to_send:
                    moved = sock.send(block[start:start + min(65536, to_send)])
                    sent.update(block[start:start + moved])
                    to_send -= moved
            except engine.BLOCKED:
                pass
            try:
                part = sock.recv(65536)
                got.update(part)
                to_get -= len(part)
                if not part:
                    raise engine.WrongAnswer(f"closed {to_get} bytes before the end")
            except engine.BLOCKED:
                if not moved:
                    yield sock
        sock.close()

    engine.run([client()], time.monotonic() + 40)
    require(sent.hexdigest() == got.hexdigest(), "the large transfer came back changed")


def drive(ctx, program, opener, connections):
    seen = []
    with ctx.blame(program):
        large_transfer(opener)
        print(load.echo(load.Echo(opener, connections, 20 * connections, sizes=(8, 20000), window=8,
                                  at_open=lambda: seen.append(program.threads()))))
    ctx.check_threads(seen[0], connections)


@limit(90)
def test_server(ctx):
    program = start_server(ctx.start, ctx, certificate(ctx), ctx.echo_backend())
    drive(ctx, program, clients.tls(program.address()), 200)


@limit(90)
def test_client(ctx):
    server = start_server(ctx.start_native, ctx, certificate(ctx), ctx.echo_backend())
    program = start_client(ctx.start, ctx, server.address())
    drive(ctx, program, clients.direct(program.address()), 200)


def test_bad_clients(ctx):
    program = start_server(ctx.start, ctx, certificate(ctx), ctx.echo_backend())
    opener = clients.tls(program.address())
    faults.bear(ctx, program, opener, (faults.vanish_at_once, faults.vanish_before_the_answer, faults.leave_politely))
    engine.run([faults.vanish_before_the_answer(clients.direct(program.address())) for _ in range(20)],
               time.monotonic() + 10)
    faults.ask(opener, 10)


def test_endings(ctx):
    pem, backend = certificate(ctx), ctx.echo_backend()
    endings.same(ctx, lambda launch: start_server(launch, ctx, pem, backend),
                 lambda program: clients.tls(program.address()))


def test_endings_of_client(ctx):
    server = start_server(ctx.start_native, ctx, certificate(ctx), ctx.echo_backend())
    endings.same(ctx, lambda launch: start_client(launch, ctx, server.address()),
                 lambda program: clients.direct(program.address()))
