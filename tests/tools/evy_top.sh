#!/bin/sh
# evy top: on a terminal, in a pipe, and without a process.
# usage: evy_top.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"
command -v tmux >/dev/null || { echo 'no tmux to play the terminal'; exit 77; }

${CC:-cc} -pthread "$(dirname "$0")/waiting.c" -o "$dir/waiting"
EVY_HUBS=1 "$evy" run "$dir/waiting" >"$dir/out" &
pid=$!
while [ ! -s "$dir/out" ]; do sleep 0.05; done

plain=$("$evy" top -n 2 -d 0.1 "$pid")
verdict 'two tables in a pipe' "$(printf '%s\n' "$plain" | grep -c ' sleep, ' | grep -qx 2 || echo "not in: $plain")"
contains 'the processes under libevy' "$("$evy" top)" "$pid  $dir/waiting"

# screen ROW: what a line of the terminal shows
tmux="tmux -L evy$$ -f /dev/null"
screen() { $tmux capture-pane -p | sed -n "$1p"; }
# shows NAME ROW PATTERN: within 5 s
shows() {
    for _ in $(seq 50); do
        screen "$2" | grep -qE "$3" && break
        sleep 0.1
    done
    verdict "$1" "$(screen "$2" | grep -qE "$3" || $tmux capture-pane -p)"
}
$tmux new-session -d -x 100 -y 9 "$evy top -d 0.1 $pid"
shows 'the process' 1 "^evy top: process $pid"
shows 'its hub' 2 '^hub 0: kernel thread'
shows 'main first' 4 "$pid +waiting"
$tmux send-keys s
shows 'ordered by state' 4 'spins +(alone|running)'
$tmux send-keys n
shows 'ordered by name' 4 'locks +waiting'
$tmux send-keys t
shows 'ordered by time' 1 '^evy top: process [0-9]+, by time'
$tmux send-keys n
$tmux send-keys Down
shows 'moved down' 4 'reads +waiting'
$tmux send-keys q
for _ in $(seq 50); do $tmux has-session 2>/dev/null || break; sleep 0.1; done
verdict 'ends by q' "$($tmux has-session 2>/dev/null && echo 'still there')"
$tmux kill-server 2>/dev/null
kill -KILL "$pid"
wait 2>/dev/null
# What does not fit is cut, never wrapped.
EVY_HUBS=1 "$evy" run "$dir/waiting" >"$dir/out" &
pid=$!
$tmux new-session -d -x 30 -y 6 "$evy top -d 0.1 $pid"
shows 'a narrow terminal' 2 '^hub 0: kernel thread [0-9]+, '
shows 'its head' 3 '^ +ID +NAME'
shows 'its threads' 4 "^ +$pid +waiting"
$tmux kill-server 2>/dev/null
contains 'a terminal of an unknown kind' "$(TERM=odd script -qec "timeout 5 '$evy' top $pid" /dev/null | tr -d '\r')" \
    "evy: top: the terminal 'odd' is not known; evy top PID | cat prints lines"
kill -KILL "$pid"
wait 2>/dev/null
refuse 'no such process' 'process 4194305: there is none' "$evy" top 4194305
usage 'a bad delay' "top: -d takes seconds from 0.01 to 3600, not 'x'" "$evy" top -d x 1
usage 'a bad count' "top: -n takes a number from 1 on, not '0'" "$evy" top -n 0 1
usage 'an unknown order' "top: -s takes id, name, state, hub, time or cpu, not 'x'" "$evy" top -s x 1
finish
