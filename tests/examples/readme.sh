#!/bin/sh
# The two programs of README.md: at most 40 lines each, strict C99, and they do what is said of them.
# usage: readme.sh build/libevy.so
set -eu
dir=$(cd "$(dirname "$1")" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'kill $servers 2>/dev/null || true; rm -rf "$tmp"' EXIT
servers=

# program NAME WORD: the C block of README.md in which WORD stands.
program() {
    awk -v word="$2" '/^```c$/ { inside = 1; text = ""; next }
        /^```$/ { if (inside && index(text, word)) printf "%s", text; inside = 0 }
        inside { text = text $0 "\n" }' "$root/README.md" >"$tmp/$1.c"
    lines=$(wc -l <"$tmp/$1.c")
    if [ "$lines" -eq 0 ] || [ "$lines" -gt 40 ]; then
        echo "FAIL: $1 has $lines lines"
        exit 1
    fi
    ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -I"$root/include" "$tmp/$1.c" -o "$tmp/$1" \
        -L"$dir" -levy -Wl,-rpath,"$dir"
}

# free_port: one that nobody listens on at the moment.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

program crawler evy_pool_imap
program echo evy_pool_spawn_n

mkdir "$tmp/site"
set --
web=$(free_port)
for i in 1 2 3 4 5 6 7 8; do
    head -c $((i * 1000)) /dev/zero >"$tmp/site/$i"
    set -- "$@" "http://127.0.0.1:$web/$i"
done
python3 -m http.server --bind 127.0.0.1 --directory "$tmp/site" "$web" >/dev/null 2>&1 &
servers=$!
port=$(free_port)
"$tmp/echo" "$port" &
servers="$servers $!"

python3 - "$web" "$port" <<'END'
import socket
import sys
import time


def connect(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.01)


connect(int(sys.argv[1])).close()
clients = [connect(int(sys.argv[2])) for _ in range(100)]
for i, client in enumerate(clients):
    client.sendall(b"%d\n" % i)
for i, client in enumerate(clients):
    assert client.recv(100) == b"%d\n" % i
END

"$tmp/crawler" "$@" >"$tmp/out"
for i in 1 2 3 4 5 6 7 8; do
    line=$(sed -n "${i}p" "$tmp/out")
    size=${line##*: }
    size=${size% bytes}
    # The page, and headers of a few hundred bytes.
    if [ "${line%%: *}" != "http://127.0.0.1:$web/$i" ] || [ "$size" -lt $((i * 1000)) ] || [ "$size" -ge $((i * 1000 + 1000)) ]; then
        echo "FAIL: $line"
        exit 1
    fi
done
