#!/bin/sh
# Every hook is called by a test: a program of tests/preload imports it, or it stands below with a reason.
# usage: hooks_tested.sh build/libevy.so      (reads hooknames.txt and tests/preload beside it)
set -u
export LC_ALL=C

build=$(dirname "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A name, then why no test imports it.
sed 's/ .*//' <<'END' | sort >"$dir/excused"
__clock_nanosleep no libc of today exports it: for programs linked with an older one
__res_nquery glibc keeps it for old binaries: nothing can be linked against it
__res_nquerydomain glibc keeps it for old binaries: nothing can be linked against it
__res_nsearch glibc keeps it for old binaries: nothing can be linked against it
__res_nsend glibc keeps it for old binaries: nothing can be linked against it
__res_query glibc keeps it for old binaries: nothing can be linked against it
__res_querydomain glibc keeps it for old binaries: nothing can be linked against it
__res_search glibc keeps it for old binaries: nothing can be linked against it
__res_send glibc keeps it for old binaries: nothing can be linked against it
_dl_catch_exception the loader calls it, in dlopen_tls
_IO_popen glibc keeps it for old binaries: nothing can be linked against it
END

nm -D --undefined-only "$build"/tests/preload/* 2>/dev/null |
    sed -n 's/^ *[Uw] \([^@]*\).*/\1/p' | sort -u >"$dir/imported"
comm -23 "$build/hooknames.txt" "$dir/imported" >"$dir/untested" || exit 1
forgotten=$(comm -23 "$dir/untested" "$dir/excused" | paste -sd' ')
needless=$(comm -13 "$dir/untested" "$dir/excused" | paste -sd' ')

[ -z "$forgotten" ] || echo "FAIL: no program of tests/preload calls $forgotten"
[ -z "$needless" ] || echo "FAIL: excused, but called or no hook: $needless"
[ -z "$forgotten$needless" ]
