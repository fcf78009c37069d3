#!/bin/sh
# Every hook that is a cancellation point is called by a program of tests/preload/cancel_*: those that the hook table calls
# so (POINT and BRIEF), and those that POSIX does (XSH 2.9.5.2), with the clock variants that have come since.
# usage: cancel_tested.sh build/libevy.so      (reads hooknames.txt and tests/preload beside it)
set -u
export LC_ALL=C

build=$(dirname "$1")
table=$(dirname "$0")/../../preload/hooks.def
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/posix" <<'END_OF_LIST'
accept aio_suspend clock_nanosleep close connect creat fcntl fdatasync fsync lockf mq_receive mq_send mq_timedreceive
mq_timedsend msgrcv msgsnd msync nanosleep open openat pause poll ppoll pread pselect pthread_cond_clockwait
pthread_cond_timedwait pthread_cond_wait pthread_join pthread_testcancel pwrite read readv recv recvfrom recvmsg select
sem_clockwait sem_timedwait sem_wait send sendmsg sendto sigsuspend sigtimedwait sigwait sigwaitinfo sleep tcdrain usleep
wait waitid waitpid write writev
END_OF_LIST

tr ' ' '\n' <"$dir/posix" | sort >"$dir/listed"
comm -12 "$dir/listed" "$build/hooknames.txt" >"$dir/hooked" || exit 1
sed -nE 's/^BLOCK\([A-Z]+, (POINT|BRIEF), [^,]*, ([a-z_A-Z0-9]+), .*/\2/p' "$table" >"$dir/table"
if [ ! -s "$dir/hooked" ] || [ ! -s "$dir/table" ]; then
    echo "FAIL: no cancellation points found"
    exit 1
fi
nm -D --undefined-only "$build"/tests/preload/cancel_* 2>/dev/null |
    sed -n 's/^ *[Uw] \([^@]*\).*/\1/p' | sort -u >"$dir/called"

forgotten=$(sort -u "$dir/hooked" "$dir/table" | comm -23 - "$dir/called" | paste -sd' ')
[ -z "$forgotten" ] || { echo "FAIL: no program of tests/preload/cancel_* calls $forgotten"; exit 1; }
