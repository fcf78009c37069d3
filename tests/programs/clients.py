"""The protocols our clients speak: ways to open a connection, and what is asked over it."""

import ipaddress
import socket
import ssl
import struct
import time

from . import engine, procfs


def direct(address):
    """An opener of plain connections. Every opener is a function that returns a generator."""
    return lambda: engine.connect(address)


def already(sock):
    """An opener for a connection that exists."""
    def open_connection():
        return sock
        yield

    return open_connection


def paced(address, count):
    """Many connections to a server with a tiny backlog: each waits until the ones before it were accepted,
    as the kernel drops what the backlog cannot hold and tries again only after seconds."""
    socks = []
    for _ in range(count):
        end = time.monotonic() + 20
        socks += engine.run([engine.connect(address)], end)
        while procfs.backlog(address[1]) > 2:
            if time.monotonic() > end:
                raise engine.Stuck(f"the server accepts no more than {len(socks) - 3} connections")
            time.sleep(0.0002)
    return socks


def socks5(proxy, address):
    """Connections to `address` through a SOCKS5 proxy without authentication."""
    host, port = address
    request = b"\5\1\0\1" + ipaddress.ip_address(host).packed + struct.pack(">H", port)

    def open_connection():
        sock = yield from engine.connect(proxy)
        yield from engine.send(sock, b"\5\1\0")
        expect((yield from engine.recv_exactly(sock, 2)), b"\5\0", "SOCKS5 greeting")
        yield from engine.send(sock, request)
        reply = yield from engine.recv_exactly(sock, 10)
        expect(reply[:2], b"\5\0", "SOCKS5 reply")
        return sock

    return open_connection


def http_connect(proxy, address):
    """Connections to `address` through an HTTP proxy's CONNECT."""
    request = "CONNECT {0}:{1} HTTP/1.1\r\nHost: {0}:{1}\r\n\r\n".format(*address).encode()

    def open_connection():
        sock = yield from engine.connect(proxy)
        yield from engine.send(sock, request)
        head, rest = yield from engine.recv_until(sock, b"\r\n\r\n")
        expect(head.split()[1], b"200", "CONNECT")
        expect(rest, b"", "bytes after CONNECT's answer")
        return sock

    return open_connection


def tls(address):
    """TLS connections; the certificate is the test's own, so it is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def open_connection():
        plain = yield from engine.connect(address)
        sock = context.wrap_socket(plain, do_handshake_on_connect=False)
        while True:
            try:
                sock.do_handshake()
                return sock
            except engine.BLOCKED:
                yield sock

    return open_connection


def expect(got, wanted, what):
    if got != wanted:
        raise engine.WrongAnswer(f"{what}: got {got!r}, wanted {wanted!r}")


def http_get(opener, target, host="localhost"):
    """One GET on its own connection: (status, body). Works for servers of HTTP/1.0 and 1.1."""
    sock = yield from opener()
    try:
        request = f"GET {target} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        yield from engine.send(sock, request.encode())
        head, body = yield from engine.recv_until(sock, b"\r\n\r\n")
        parts = [body]
        while True:
            part = yield from engine.recv_some(sock)
            if not part:
                break
            parts.append(part)
    finally:
        sock.close()
    body = b"".join(parts)
    check_length(head, body)
    return int(head.split()[1]), body


def check_length(head, body):
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            expect(len(body), int(value), "length of the body")


def reset(sock):
    """Closes with RST, as a client that crashed or lost its machine."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
