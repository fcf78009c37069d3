#!/bin/sh
# Every function of the public headers is called by a test of the explicit API.
# usage: api_tested.sh build/libevy.so
set -u
export LC_ALL=C

root=$(dirname "$0")/../..
# What the headers declare or define, compat.h's short cuts and evy/ssl.h's included.
declared=$(sed 's|/\*.*\*/||' "$root"/include/evy.h "$root"/include/evy/*.h |
    grep -o '\bevy_[a-z0-9_]* *(' | tr -d ' (' | sort -u)
called=$(cat "$root"/tests/unit/*.c "$root"/tests/unit/*.h "$root"/tests/api/*.c "$root"/tests/examples/*.[ch] |
    grep -o '\bevy_[a-z0-9_]*' | sort -u)
forgotten=$(printf '%s\n' "$declared" | while read -r name; do
    printf '%s\n' "$called" | grep -qx "$name" || echo "$name"
done | paste -sd' ')
[ -n "$declared" ] || echo 'FAIL: no headers found'
[ -z "$forgotten" ] || echo "FAIL: no test calls $forgotten"
[ -n "$declared" ] && [ -z "$forgotten" ]
