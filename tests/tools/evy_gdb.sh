#!/bin/sh
# The gdb commands, on a process and on a core file.
# usage: evy_gdb.sh build/libevy.so
# limit: 60
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"
command -v gdb >/dev/null || { echo 'no gdb'; exit 77; }

here=$(realpath "$(dirname "$0")")
${CC:-cc} -g -pthread "$here/waiting.c" -o "$dir/waiting"
start() {
    rm -f "$dir/out"
    # Not of POSIX, but of every sh that Linux has:
    # shellcheck disable=SC3045
    (cd "$dir" && ulimit -c unlimited && EVY_HUBS=1 exec "$evy" run "$dir/waiting" >"$dir/out") &
    pid=$!
    while [ ! -s "$dir/out" ]; do sleep 0.05; done
    sleep 0.1
}
gdb_says() { gdb -nx -q -batch -x "$here/../../tools/evy-gdb.py" "$@" 2>&1; }
# frames NAME: the functions on that thread's stack in $report, innermost first
frames() {
    printf '%s\n' "$report" | sed -n "/^[0-9]* $1: /,/^\$/s/^#[0-9]* *\(0x[0-9a-f]* in \)*\([^ ]*\) .*/\2/p" | paste -sd' '
}
look() {
    contains "$1: the list" "$report" "sleeps           waiting"
    contains "$1: main" "$(frames waiting) $(frames -)" 'join_until main'
    contains "$1: a lock" "$(frames locks)" 'evy_pthread_mutex_lock locks thread_body'
    contains "$1: a descriptor" "$(frames reads)" 'evy_read reads thread_body'
    contains "$1: a computation" "$(frames spins)" 'spins thread_body'
}

start
report=$(gdb_says -p "$pid" -ex 'info evy' -ex 'evy bt all')
look process
id=$("$evy" ps "$pid" | awk '$2 == "locks" { print $1 }')
report=$(gdb_says -p "$pid" -ex "evy frame $id" -ex 'frame function locks' -ex 'print lock.__data.__owner' \
    -ex 'evy frame off' -ex 'bt' -ex 'evy bt 17')
contains 'frame: variables' "$report" "\$1 = $pid"
contains 'frame off: the kernel thread' "$report" '#0 '
contains 'an unknown thread' "$report" 'evy: no green thread 17; info evy lists them'
case $(cat /proc/sys/kernel/core_pattern) in
*[/\|]*) echo 'core files go elsewhere on this machine: not tried' ;;
*)
    kill -ABRT "$pid"
    wait "$pid" 2>/dev/null
    report=$(gdb_says "$dir/waiting" "$dir"/core* -ex 'info evy' -ex 'evy bt all')
    look core
    ;;
esac
kill -KILL "$pid" 2>/dev/null
contains 'another process' "$(gdb_says -ex 'info evy')" 'evy: this process does not run under libevy'
finish
