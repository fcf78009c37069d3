#!/bin/sh
# limit: 60
# No hot operation takes more instructions than noted here: callgrind counts them, whatever else the machine does.
# usage: instructions.sh build/libevy.so      (runs tests/bench/api_count beside it)
set -eu
export LC_ALL=C

build=$(dirname "$1")
case $build in
*/build) ;;
*) echo "the bounds are those of gcc's ordinary build"; exit 77 ;;
esac
command -v valgrind >/dev/null || { echo "no valgrind"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Operation, the most it may take: up to a twentieth more than it took when this was noted (gcc 12, glibc 2.36). A round trip
# is two waits, a hand-over of the queue a put and a get, a recv_waits two calls of recv and two of send. A spawn here includes
# what valgrind alone is told about the stack.
cat >"$dir/bounds" <<'END'
light_switch          167
spawn_n_run           598
spawn_wait           1183
queue_hand_over       637
own_tcb_switch        160
create_join          1614
mutex                  50
park_unpark           554
condition_round_trip 1089
recv_ready            262
recv_waits           3690
END

# BIND_NOW: the dynamic loader's work at the first call of a function is not the operation's.
run() {
    rm -f "$dir"/out*
    LD_BIND_NOW=1 EVY_HUBS=1 valgrind --tool=callgrind --separate-threads=yes '--dump-before=mark_*' \
        --callgrind-out-file="$dir/out" "$build/tests/bench/api_count" >"$dir/stdout" 2>"$dir/stderr" ||
        { tail -5 "$dir/stderr"; exit 1; }
}

# Kernel threads are main's, the monitor's and, where a dump took so long that the monitor thought the hub stuck, a third
# that has some of the instructions.
for _ in 1 2 3 4 5; do
    run
    [ -e "$dir/out-03" ] || break
done
read -r count <"$dir/stdout"

# Each file ends with the mark of the next operation: what it counts belongs to the one before.
counted=$(for n in $(seq 1 "$(find "$dir" -name 'out.*-01' | wc -l)"); do
    sed -n 's/^desc: Trigger: --dump-before=mark_//p; s/^totals: //p' "$dir/out.$n-01" | paste -sd' '
done | awk -v count="$count" 'NR > 1 { print before, int($2 / count) } { before = $1 }')

echo "$counted" | awk '
    NR == FNR { most[$1] = $2; next }
    $1 in most {
        seen++
        if ($2 > most[$1]) {
            printf "FAIL: %s takes %d instructions, at most %d are allowed. ", $1, $2, most[$1]
            print "Make it as short as it was, or raise the bound in tests/unit/instructions.sh and say why."
            failed = 1
        } else {
            print "ok", $1, $2
        }
        delete most[$1]
    }
    END {
        for (name in most) {
            print "FAIL: " name " was not counted"
            failed = 1
        }
        exit failed
    }' "$dir/bounds" -
