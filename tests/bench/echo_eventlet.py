#!/usr/bin/env python3
"""The same server on python3-eventlet: a GreenPool of 10,000, a green thread per client."""

import eventlet
from eventlet.green import socket


def handle(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := client.recv(16384):
            client.sendall(data)
    except OSError:
        pass
    client.close()


listener = eventlet.listen(("127.0.0.1", 0), backlog=4096)
print("listening", listener.getsockname()[1], flush=True)
pool = eventlet.GreenPool(10000)
while True:
    client, _ = listener.accept()
    pool.spawn_n(handle, client)
