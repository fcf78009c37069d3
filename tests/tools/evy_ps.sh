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
    report=$("$evy" ps "$pid" | sed 's/  *$//; s/  */ /g; s/^ //; s/ [0-9]\.[0-9]*s/ T/')
    contains 'hubs' "$report" "hub 0: kernel thread "
    verdict 'what hubs have done' "$(printf '%s\n' "$report" | grep -qE \
        '^hub 0: .* [1-9][0-9]* switches, [0-9]+ hand-offs, [0-9]+ moved away$' || echo "not in: $report")"
    contains 'main joins' "$report" "$pid waiting waiting 0 T the end of thread "
    waits() { printf '%s\n' "$report" | grep -qE "^[0-9]+ $1 $2\$" || echo "no $1 $2 in: $report"; }
    verdict 'a lock' "$(waits locks 'waiting [01] T mutex at 0x[0-9a-f]+, owned by '"$pid"'')"
    verdict 'a descriptor' "$(waits reads 'waiting [01] T descriptor [0-9]+ readable \(UNIX socket [0-9]+\)')"
    verdict 'a sleep' "$(waits sleeps 'waiting [01] T sleep, 9[0-9]\.[0-9] s left')"
    verdict 'a computation' "$(waits spins '(alone [01] T|running [01])')"
    verdict 'in the order of names' "$("$evy" ps -s name "$pid" | awk 'NR > 1 + '$hubs' { print $2 }' | sort -c 2>&1)"
    kill -STOP "$pid"
    verdict 'a stopped process' "$("$evy" ps "$pid" | grep -q sleeps || echo 'not listed')"
    kill -KILL "$pid"
done

# Their age, what they have used, and names that would act on a terminal.
EVY_HUBS=1 EVY_STATS=1 "$evy" run "$dir/waiting" "$(printf 'r\033[31m\nx')" >"$dir/out2" &
pid=$!
while [ ! -s "$dir/out2" ]; do sleep 0.05; done
sleep 1
report=$("$evy" ps "$pid" | sed 's/  *$//; s/  */ /g; s/^ //')
contains 'a head for CPU time' "$report" 'STATE HUB TIME CPU WAITS FOR'
verdict 'how long it waits' "$(printf '%s\n' "$report" |
    awk '$2 == "sleeps" { age = $5 + 0 } END { if (age < 1 || age > 5) print age " s, not about 1.2" }')"
verdict 'what it has used' "$(printf '%s\n' "$report" |
    awk '$2 == "spins" { cpu = $(NF) + 0 } $2 == "sleeps" { idle = $6 + 0 }
        END { if (cpu < 0.02 || idle > 0.01) print cpu " s spinning, " idle " s asleep" }')"
contains 'an odd name' "$report" ' r?[31m?x waiting 0 '
verdict 'who has used most' "$("$evy" ps -s cpu "$pid" | awk 'NR == 3 && $2 != "spins"')"
kill -KILL "$pid"

"$evy" run sleep 10 &
sleep 0.2
expect 'a process without threads' 0 "process $! has made no thread yet: it runs natively" "$evy" ps $!
kill $!
sleep 10 &
refuse 'a process without libevy' "process $! does not run under libevy" "$evy" ps $!
kill $!
wait 2>/dev/null
refuse 'no such process' 'process 4194305: there is none' "$evy" ps 4194305
refuse 'a name' 'python: No such file or directory' "$evy" ps python
refuse 'what is no core file' "$evy: neither a process id nor a core file" "$evy" ps "$evy"
mkfifo "$dir/fifo"
refuse 'a FIFO' "$dir/fifo: neither a process id nor a core file" "$evy" ps "$dir/fifo"
refuse 'a kernel thread' 'process 2 has no program: a kernel thread, or one that has ended' "$evy" ps 2
(sleep 0.01 & echo $! >"$dir/zombie"; exec sleep 30) &
parent=$!
sleep 0.3
refuse 'a zombie' "process $(cat "$dir/zombie") has no program: a kernel thread, or one that has ended" \
    "$evy" ps "$(cat "$dir/zombie")"
kill "$parent"
usage 'an unknown order' "ps: -s takes id, name, state, hub, time or cpu, not 'x'" "$evy" ps -s x 1
usage 'an unknown option' "ps: invalid option -- 'x'" "$evy" ps -x
usage 'no argument' 'ps: one process id or core file, please; evy ps --help tells more' "$evy" ps
expect 'help' 0 'usage: evy ps [-s ORDER] PID | CORE' sh -c "'$evy' ps --help | head -1"
expect 'help, the other way' 0 'usage: evy ps [-s ORDER] PID | CORE' sh -c "'$evy' help ps | head -1"
finish
