#!/bin/sh
# evy bt: each thread's frames up to where it began, also of one that computes and of a stopped process.
# usage: evy_bt.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

${CC:-cc} -g -pthread "$(dirname "$0")/waiting.c" -o "$dir/waiting"
# frames_of NAME: the functions on that thread's stack, innermost first
frames_of() {
    printf '%s\n' "$report" | awk -v name="$1:" '/^[0-9]/ { on = $2 == name } on && $1 ~ /^#/ { print $3 }' | paste -sd' '
}
# has NAME FRAMES: those one after the other
has() {
    contains "$1" "$(frames_of "$1")" "$2"
}
for hubs in 1 2; do
    rm -f "$dir/out"
    EVY_HUBS=$hubs "$evy" run "$dir/waiting" >"$dir/out" &
    pid=$!
    while [ ! -s "$dir/out" ]; do sleep 0.05; done
    sleep 0.1
    report=$("$evy" bt "$pid")
    has waiting 'main __libc_start_call_main'
    has locks 'evy_pthread_mutex_lock locks thread_body'
    has reads 'evy_read reads thread_body'
    has sleeps 'sleeps thread_body'
    has spins 'spins thread_body'
    contains 'source lines' "$report" '/waiting.c:'
    number() { printf '%s\n' "$report" | grep -c "$1"; }
    verdict 'all of them' "$([ "$(number '^[0-9]')" = 5 ] || number '^[0-9]')"
    id=$("$evy" ps "$pid" | awk '$2 == "reads" { print $1 }')
    verdict 'one thread only' "$("$evy" bt "$pid" "$id" | grep -c '^[0-9]' | grep -qx 1 || echo 'more than one')"
    refuse 'an unknown thread' "process $pid has no green thread 17" "$evy" bt "$pid" 17
    kill -KILL "$pid"
done
case $(cat /proc/sys/kernel/core_pattern) in
*[/\|]*) echo 'core files go elsewhere on this machine: not tried' ;;
*)
    rm -f "$dir/out"
    # Not of POSIX, but of every sh that Linux has:
    # shellcheck disable=SC3045
    (cd "$dir" && ulimit -c unlimited && EVY_HUBS=1 exec "$evy" run ./waiting >"$dir/out") &
    pid=$!
    while [ ! -s "$dir/out" ]; do sleep 0.05; done
    kill -ABRT "$pid"
    wait "$pid" 2>/dev/null
    core=$(echo "$dir"/core*)
    report=$("$evy" bt "$core")
    has locks 'evy_pthread_mutex_lock locks thread_body'
    has sleeps 'sleeps thread_body'
    has spins 'spins thread_body'
    contains 'ps of a core file' "$("$evy" ps "$core")" 'sleep, '
    head -c 3000 "$core" >"$dir/short"
    refuse 'a truncated core file' "$dir/short is not of a process under libevy" "$evy" bt "$dir/short"
    ;;
esac
wait 2>/dev/null
"$evy" run sleep 10 &
sleep 0.2
expect 'a process without threads' 0 "process $! has made no thread yet: it runs natively" "$evy" bt $!
kill $!
usage 'no argument' "bt: a process id or core file, and perhaps a thread's id, please; evy bt --help tells more" "$evy" bt
usage 'an unknown option' "bt: invalid option -- 'x'" "$evy" bt -x
finish
