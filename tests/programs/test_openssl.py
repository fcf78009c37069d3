"""openssl's own server and client: blocking TLS on one connection after the other."""

from . import clients, engine, faults, load, origin
from .context import HOST, free_port, require
from .test_stunnel import certificate


def start_server(ctx, *options, **more):
    pem = certificate(ctx)
    server = ctx.start(["openssl", "s_server", "-accept", f"{HOST}:{free_port()}", "-cert", pem, "-key", pem, "-quiet",
                        *options], **more)
    return server, server.address()


def test_files(ctx):
    root, files = origin.make_files(ctx)
    server, address = start_server(ctx, "-WWW", cwd=root)
    with ctx.blame(server):
        for target, content in files.items():
            with open(ctx.write("request", f"GET {target} HTTP/1.0\r\n\r\n"), "rb") as request:
                got = ctx.run(["openssl", "s_client", "-quiet", "-connect", "{}:{}".format(*address)], stdin=request)
            _, _, body = got.partition(b"\r\n\r\n")
            require(body == content, f"{target}: {len(body)} bytes, {len(content)} wanted")


def test_reversed_lines(ctx):
    server, address = start_server(ctx, "-rev")
    lines = [load.NOISE[n:n + n * 30].hex() for n in range(1, 60)]

    def client():
        sock = yield from clients.tls(address)()
        for line in lines:
            yield from engine.send(sock, line.encode() + b"\n")
            got = yield from engine.recv_exactly(sock, len(line) + 1)
            clients.expect(got, line[::-1].encode() + b"\n", "the reversed line")
        sock.close()

    with ctx.blame(server):
        for _ in range(5):
            engine.run([client()], faults.soon())
