#!/bin/sh
# What real programs import is hooked, or ARCHITECTURE.md says why not.
# usage: imports_covered.sh build/libevy.so      (reads hooknames.txt beside it)
set -u
export LC_ALL=C

here=$(dirname "$0")
hooks=$(dirname "$1")/hooknames.txt
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

sed -n '/^## Calls that are not hooked/,/^## Not there/s/^|[^|]*|\([^|]*\)|$/\1/p' "$here/../../ARCHITECTURE.md" |
    grep -v -e '---' -e '^ names' | tr -s ' ' '\n' | sed '/^$/d' | sort >"$dir/excused"
comm -23 "$here/imported.txt" "$hooks" >"$dir/unhooked" || exit 1
forgotten=$(comm -23 "$dir/unhooked" "$dir/excused" | paste -sd' ')
needless=$(comm -13 "$dir/unhooked" "$dir/excused" | paste -sd' ')

[ -z "$forgotten" ] || echo "FAIL: neither hooked nor excused: $forgotten"
[ -z "$needless" ] || echo "FAIL: excused, but hooked or not imported: $needless"
[ -z "$forgotten$needless" ]
