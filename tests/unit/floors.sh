#!/bin/sh
# A file includes headers of its own floor and of those below, never of one above (ARCHITECTURE.md, Floors).
# usage: floors.sh build/libevy.so      (reads libevy and preload of the tree)
set -u

cd "$(dirname "$0")/../.." || exit 1
grep -r --include='*.[ch]' '^#include "[a-z]*/[^"]*\.h"' libevy preload | grep -Ev '^libevy/(ssl|san)/' | awk -F '[:"]' '
BEGIN {
    split("evy:0 base:0 arch:1 real:2 body:3 core:4 io:5 sync:5 proc:5 api:6 preload:7", named, " ")
    for (i in named) {
        split(named[i], f, ":")
        floor[f[1]] = f[2]
    }
}
{
    from = $1
    sub("^libevy/", "", from)
    sub("/.*", "", from)
    to = $3
    sub("/.*", "", to)
    if (!(from in floor) || !(to in floor)) {
        print "FAIL: no floor is known for " $1 " or " $3
        bad = 1
    } else if (floor[to] > floor[from]) {
        print "FAIL: " $1 " includes " $3 " from above"
        bad = 1
    }
}
END {
    if (NR < 500) {
        print "FAIL: only " NR " includes found"
        bad = 1
    }
    exit bad
}'
