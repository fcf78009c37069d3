#!/bin/sh
# One server as several processes on one port (libevy-processes(7)): each has its share of the connections, a new one takes
# over from the old ones, and no connection is refused.
# usage: processes.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

cat >"$dir/server.py" <<'END'
import os, signal, socket, socketserver, sys
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"%d" % os.getpid())
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 100
    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()
server = Server(("127.0.0.1", int(sys.argv[1])), Answer)
print("listens", flush=True)
server.serve_forever()
END
cat >"$dir/clients.py" <<'END'
import socket, sys
pids = set()
for _ in range(int(sys.argv[2])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as s:
        pids.add(s.makefile().read())
print(len(pids))
END
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
all=
# start NAME: another process of the server; $! is its id
start() {
    "$evy" run --hubs 1 /usr/bin/python3 "$dir/server.py" "$port" >"$dir/$1" &
    all="$all $!"
    while [ ! -s "$dir/$1" ]; do sleep 0.05; done
}
start one
old=$!
start two
start three
expect 'three share the connections' 0 3 /usr/bin/python3 "$dir/clients.py" "$port" 120
contains 'each with one hub' "$("$evy" ps "$old")" 'hub 0: '
verdict 'and no other' "$("$evy" ps "$old" | grep '^hub 1')"
start four
kill "$old"
wait "$old" 2>/dev/null
expect 'three after a change' 0 3 /usr/bin/python3 "$dir/clients.py" "$port" 120
# Words are split on purpose:
# shellcheck disable=SC2086
kill $all 2>/dev/null
wait 2>/dev/null
finish
