"""An echo server whose other threads call a library that computes, write a database that syncs, and read a big file."""

import ctypes
import hashlib
import os
import socketserver
import sqlite3
import sys
import threading
import time

LIBRARY, DIRECTORY, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
MEGABYTE = bytes(range(256)) * 4096


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


def computes():
    """ctypes lets go of the interpreter, the library of nothing."""
    sums = ctypes.CDLL(LIBRARY).sum_for
    sums.restype = ctypes.c_ulonglong
    return sums(ctypes.c_double(SECONDS)) > 0


def writes():
    """Each commit syncs."""
    rows = 0
    with sqlite3.connect(os.path.join(DIRECTORY, "rows.db")) as db:
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE t (n INTEGER)")
        while time.monotonic() < end:
            db.execute("INSERT INTO t VALUES (?)", (rows,))
            db.commit()
            rows += 1
            time.sleep(0.01)
        return db.execute("SELECT count(*), sum(n) FROM t").fetchone() == (rows, rows * (rows - 1) // 2) and rows > 1


def reads():
    path = os.path.join(DIRECTORY, "big")
    expected = hashlib.sha256(MEGABYTE * 8).hexdigest()
    with open(path, "wb") as file:
        for _ in range(8):
            file.write(MEGABYTE)
    while time.monotonic() < end:
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                return False
    return True


if __name__ == "__main__":
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.readline()
    end = time.monotonic() + SECONDS
    results = {}
    workers = [threading.Thread(target=lambda work=work: results.update({work.__name__: work()}))
               for work in (computes, writes, reads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(sorted(results.items()))
    sys.stdout.flush()
    os._exit(0)
