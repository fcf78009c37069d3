#!/bin/sh
# evy ps: states and waits of a process that does nothing to help.
# usage: evy_ps.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

${CC:-cc} -pthread "$(dirname "$0")/waiting.c" -o "$dir/waiting"
for hubs in 1 2; do
    rm -f "$dir/out"
    EVY_HUBS=$hubs "$evy" run "$dir/waiting" >"$dir/out" &
    pid=$!
    while [ ! -s "$dir/out" ]; do sleep 0.05; done
    sleep 0.1
    report=$("$evy" ps "$pid" | sed 's/  *$//; s/  */ /g; s/^ //')
    contains 'hubs' "$report" "hub 0: kernel thread "
    contains 'main joins' "$report" "$pid waiting waiting 0 the end of thread "
    waits() { printf '%s\n' "$report" | grep -qE "^[0-9]+ $1 $2\$" || echo "no $1 $2 in: $report"; }
    verdict 'a lock' "$(waits locks 'waiting [01] mutex at 0x[0-9a-f]+, owned by '"$pid"'')"
    verdict 'a descriptor' "$(waits reads 'waiting [01] descriptor [0-9]+ readable \(UNIX socket [0-9]+\)')"
    verdict 'a sleep' "$(waits sleeps 'waiting [01] sleep, 9[0-9]\.[0-9] s left')"
    verdict 'a computation' "$(waits spins '(alone|running) [01]')"
    kill -STOP "$pid"
    verdict 'a stopped process' "$("$evy" ps "$pid" | grep -q sleeps || echo 'not listed')"
    kill -KILL "$pid"
done
"$evy" run sleep 10 &
sleep 0.2
expect 'a process without threads' 0 "process $! has made no thread yet: it runs natively" "$evy" ps $!
kill $!
sleep 10 &
refuse 'a process without libevy' "process $! does not run under libevy" "$evy" ps $!
kill $!
wait 2>/dev/null
refuse 'no such process' 'process 4194305: there is none' "$evy" ps 4194305
refuse 'a name' 'python is no process id' "$evy" ps python
usage 'no argument' 'ps: one process id, please; evy ps --help tells more' "$evy" ps
finish
