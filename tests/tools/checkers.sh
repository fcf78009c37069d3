#!/bin/sh
# Programs of the API under AddressSanitizer, ThreadSanitizer and valgrind, with the ordinary library: nothing is said of
# what is right, and what is wrong is found.
# usage: checkers.sh build/libevy.so
# limit: 120
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

here=$(realpath "$(dirname "$0")")
case $library in
*san-*) echo 'a library that is itself built with a sanitizer'; exit 77 ;;
esac
# build COMPILER NAME FLAGS...
build() {
    cc=$1 name=$2
    shift 2
    "$cc" -std=gnu11 -g -O1 -pthread "$@" -I"$here/../../include" "$here/checked.c" -o "$dir/$name" -L"${library%/*}" \
        -levy -Wl,-rpath,"${library%/*}" 2>"$dir/build.log"
}
right='199000 4000
1000
1001
50'
# finds NAME TEXT COMMAND...: the command fails, and says so
finds() {
    name=$1 text=$2
    shift 2
    got=$("$@" 2>&1)
    status=$?
    verdict "$name finds it" "$([ $status != 0 ] || echo "status 0: $got")"
    contains "$name says what" "$got" "$text"
}
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=halt_on_error=1
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    if build "$cc" address -fsanitize=address; then
        for hubs in 1 2; do
            expect "$cc, AddressSanitizer, $hubs hubs" 0 "$right" env EVY_HUBS=$hubs "$dir/address"
        done
        expect "$cc, with use after return" 0 "$right" env ASAN_OPTIONS=detect_stack_use_after_return=1 "$dir/address"
        finds "$cc, AddressSanitizer" 'stack-buffer-overflow' "$dir/address" overflow
        finds "$cc, AddressSanitizer" 'in overflows' "$dir/address" overflow
        finds "$cc, LeakSanitizer" 'Direct leak of 1234 byte(s)' \
            env ASAN_OPTIONS=fast_unwind_on_malloc=0 "$dir/address" leak
    fi
    if build "$cc" thread -fsanitize=thread; then
        for hubs in 1 2; do
            expect "$cc, ThreadSanitizer, $hubs hubs" 0 "$right" env EVY_HUBS=$hubs "$dir/thread"
        done
        finds "$cc, ThreadSanitizer" 'data race' "$dir/thread" race
    fi
    build "$cc" plain -fsanitize=undefined &&
        expect "$cc, UndefinedBehaviorSanitizer" 0 "$right" "$dir/plain"
done
if command -v valgrind >/dev/null && build "${CC:-cc}" plain; then
    memcheck="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite"
    # Words are split on purpose:
    # shellcheck disable=SC2086
    {
        # An older one warns of system calls that it does not know, and answers ENOSYS.
        expect 'memcheck' 0 "$right" sh -c "$memcheck '$dir/plain' 2>'$dir/said'"
        verdict 'memcheck finds nothing' "$(grep -E '^==' "$dir/said")"
        finds 'memcheck' 'depends on uninitialised value' $memcheck "$dir/plain" undefined
        finds 'memcheck' '1,234 bytes in 1 blocks are definitely lost' $memcheck "$dir/plain" leak
    }
fi
finish
