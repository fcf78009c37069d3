#!/bin/sh
# The deadlock report: who waits for what and where, once, when EVY_LOG asks for it; and no report while anything could
# still wake a thread.
here=$(dirname "$0")
# shellcheck source=tests/tools/common.inc
. "$here/common.inc"

cc -O1 -g -pthread -rdynamic -o "$dir/deadlock" "$here/deadlock.c" || exit 1

# Runs it for as long as a report could take, thread ids and addresses made equal.
report() {
    seconds=$1 hubs=$2 level=$3
    shift 3
    LD_PRELOAD=$library EVY_HUBS=$hubs EVY_LOG=$level timeout "$seconds" "$dir/deadlock" "$@" 2>&1 |
        sed "s|thread [0-9]*|thread N|g; s|+0x28 ($dir/deadlock)|+0x28|; s|+0 ($dir/deadlock)|+0|
            s|\\(at [a-z]*\\)+0x[0-9a-f]* ($dir/deadlock)|\\1|; /libc/d; /_start/d"
}

expected="libevy:     at main
libevy:     at philosopher
libevy:     at philosopher
libevy:   thread N (left) waits for forks+0x28, held by thread N
libevy:   thread N (main) waits for the end of thread N (left)
libevy:   thread N (right) waits for forks+0, held by thread N
libevy: deadlock: each of 3 threads waits for another, nothing has run for 0.1 s, and only a signal's handler could wake one"

for hubs in 1 2; do
    got=$(report 2 $hubs info | LC_ALL=C sort)
    verdict "names threads, locks and frames ($hubs hubs)" "$([ "$got" = "$expected" ] || echo "it says: $got")"
    for kind in descriptor timer signal sigwait blocked process; do
        got=$(report 0.5 $hubs info $kind)
        verdict "is silent with a $kind ($hubs hubs)" "$got"
    done
done
got=$(report 0.5 1 warn)
verdict "is silent unless asked" "$got"
finish
