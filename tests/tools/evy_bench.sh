#!/bin/sh
# evy bench: a table of ratios, a picture, and what goes wrong.
# usage: evy_bench.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

table=$("$evy" bench --runs 3 --svg "$dir/plot.svg" sleep 0.1)
contains 'a head' "$table" 'native                libevy   ratio'
verdict 'wall time' "$(printf '%s\n' "$table" |
    awk '/^wall s/ && $3 >= 0.1 && $3 < 1 && $NF > 0.5 && $NF < 2 { ok = 1 } END { if (!ok) print "not plausible" }')$(
    [ "$(printf '%s\n' "$table" | wc -l)" = 4 ] || echo "not in: $table")"
verdict 'a picture' "$(python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
dots = len(root.findall(".//{*}circle"))
print("" if dots == 18 else f"{dots} dots")' "$dir/plot.svg" 2>&1)"
# Natively it fails, so that only the library can make it succeed.
contains 'half of the runs under libevy' "$("$evy" bench --runs 1 sh -c 'grep -q libevy /proc/self/maps' 2>&1)" \
    'evy: natively it ended with status 1'
"$evy" bench --runs 1 false >/dev/null 2>&1
verdict 'a failure is told' "$([ $? = 1 ] || echo 'status 0')"
refuse 'an unwritable picture' '/nowhere/p.svg: No such file or directory' sh -c \
    "'$evy' bench --runs 1 --svg /nowhere/p.svg true 2>&1 >/dev/null"
refuse 'an unknown program' 'no-such-program: not found in PATH' "$evy" bench no-such-program
usage 'a bad number' "bench: --runs takes a number from 1 to 1000, not '0'" "$evy" bench --runs 0 true
finish
