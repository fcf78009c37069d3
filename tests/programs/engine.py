"""Drives thousands of small client generators over one epoll: what makes the load cheap enough.

A client is a generator that does non-blocking socket calls and yields the socket when a call would
block. Sockets are registered edge-triggered once, so a request costs no epoll_ctl; therefore a client
must try its calls again until they would block before it yields.
"""

import errno
import itertools
import select
import socket
import ssl
import time

BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


class Stuck(Exception):
    """The time is over and some clients still wait for the server."""


class WrongAnswer(Exception):
    """The server answered, but not what it should."""


def run(clients, deadline, window=None):
    """Runs generators to their end, at most `window` at once; returns what they returned, in order."""
    clients = list(clients)
    engine = _Engine(clients, deadline)
    try:
        return engine.run(window or len(clients))
    finally:
        engine.epoll.close()


class _Engine:
    def __init__(self, clients, deadline):
        self.clients = clients
        self.deadline = deadline
        self.pending = iter(range(len(clients)))
        self.results = [None] * len(clients)
        self.left = len(clients)
        self.epoll = select.epoll()
        self.waiting = {}  # fd -> (socket, index of its client)

    def run(self, window):
        for index in itertools.islice(self.pending, window):
            self.resume(index)
        while self.left:
            for fd, _ in self.epoll.poll(self.remaining()):
                index = self.waiting[fd][1]
                if self.clients[index].gi_frame is not None:
                    self.resume(index)
        return self.results

    def remaining(self):
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise Stuck(f"{self.left} of {len(self.clients)} clients still wait: {self.where()}")
        return min(remaining, 1.0)

    def resume(self, index):
        while index is not None:
            index = self.step(index)

    def step(self, index):
        """Advances one client; when that was its end, the number of the one to start in its place."""
        try:
            sock = next(self.clients[index])
        except StopIteration as end:
            self.results[index] = end.value
            self.left -= 1
            return next(self.pending, None)
        self.watch(sock, index)
        return None

    def watch(self, sock, index):
        """A closed socket leaves the epoll by itself and its number may come back as another socket."""
        fd = sock.fileno()
        known = self.waiting.get(fd)
        self.waiting[fd] = (sock, index)
        if known is None or known[0] is not sock:
            try:
                self.epoll.register(fd, EDGES)
            except FileExistsError:  # the same connection wrapped by TLS
                self.epoll.modify(fd, EDGES)

    def where(self):
        """The lines on which up to three of the unfinished clients stand."""
        stand = []
        for client in self.clients:
            frame = client.gi_frame
            if frame is None or frame.f_lasti < 0:
                continue
            while client.gi_yieldfrom is not None and hasattr(client.gi_yieldfrom, "gi_frame"):
                client = client.gi_yieldfrom
            stand.append(f"{client.gi_code.co_name}:{client.gi_frame.f_lineno}")
        return ", ".join(stand[:3]) or "none was started"


def connect(address):
    """A connected non-blocking TCP socket."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    error = sock.connect_ex(address)
    while error in (0, errno.EINPROGRESS):
        try:
            sock.getpeername()
            return sock
        except OSError:
            yield sock
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    sock.close()
    raise ConnectionError(f"connect to {address}: {errno.errorcode.get(error, error)}")


def send(sock, data):
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view):]
        except BLOCKED:
            yield sock


def recv_some(sock, limit=65536):
    """What has arrived; b'' at the end of the stream."""
    while True:
        try:
            return sock.recv(limit)
        except BLOCKED:
            yield sock


def recv_exactly(sock, size):
    parts = []
    while size:
        part = yield from recv_some(sock, size)
        if not part:
            raise WrongAnswer(f"the server closed the connection, {size} bytes before the end")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def recv_until(sock, end, limit=65536):
    """Reads up to and including `end`; what was read beyond it is returned too."""
    data = b""
    while end not in data:
        part = yield from recv_some(sock)
        data += part
        if end not in data and (not part or len(data) > limit):
            raise WrongAnswer(f"no {end!r} in the answer {data[:200]!r}")
    head, _, rest = data.partition(end)
    return head + end, rest


def exchange(sock, data):
    """Sends and receives at once until as much came back as went out: no size can dead-lock it."""
    out = memoryview(data)
    parts, missing = [], len(data)
    while missing:
        moved = 0
        if out:
            try:
                moved = sock.send(out)
                out = out[moved:]
            except BLOCKED:
                pass
        try:
            part = sock.recv(missing)
        except BLOCKED:
            if not moved:
                yield sock
            continue
        if not part:
            raise WrongAnswer(f"the server closed the connection, {missing} bytes before the end")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
