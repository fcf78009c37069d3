#!/bin/sh
# evy trace: a file that viewers accept, with what the program did.
# usage: evy_trace.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

here=$(dirname "$0")
${CC:-cc} -pthread "$here/busy.c" -o "$dir/busy"
for hubs in 1 2; do
    expect "the program's status, $hubs hubs" 3 '' env EVY_HUBS=$hubs "$evy" trace -o "$dir/trace.json" "$dir/busy"
    expect "the events, $hubs hubs" 0 '' /usr/bin/python3 "$here/trace_check.py" "$dir/trace.json" $hubs
done
expect 'run --trace' 3 '' "$evy" run --hubs 1 --trace "$dir/run.json" "$dir/busy"
expect 'its events' 0 '' /usr/bin/python3 "$here/trace_check.py" "$dir/run.json" 1
expect 'two processes' 0 '' "$evy" trace -o "$dir/two.json" sh -c "'$dir/busy'; '$dir/busy'; true"
verdict 'both are in it' "$(grep -c process_name "$dir/two.json" | grep -qx 2 || echo 'not two')"
expect 'no threads' 0 "evy: the program made no thread: $dir/none.json is empty" "$evy" trace -o "$dir/none.json" true
verdict 'nothing is left' "$(find /tmp -maxdepth 1 -name 'evy-trace-*' -user "$(id -u)" -newer "$dir/busy")"
expect 'an unwritable trace' 3 "libevy: EVY_TRACE: /nowhere/x.PID: No such file or directory; nothing is recorded" \
    sh -c "EVY_TRACE=/nowhere/x '$evy' run '$dir/busy' 2>&1 | sed 's/\.[0-9]*:/.PID:/'; exit 3"
refuse 'an unwritable file' '/nowhere/t.json: No such file or directory' "$evy" trace -o /nowhere/t.json true
usage 'no program' 'trace: no program named; evy trace --help tells more' "$evy" trace
finish
