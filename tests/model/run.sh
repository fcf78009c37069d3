#!/bin/sh
# Model-checks lot.pml over all interleavings, then sees that each broken variant is caught.
# Exit status: 0 passed, 1 failed, 77 skipped.
here=$(cd "$(dirname "$0")" && pwd)
for tool in spin gcc; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed (apt install spin gcc)"; exit 77; }
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# Arguments: a -D for the broken variants. Prints the verifier's words; true when it found no error.
verify() {
    { spin "$@" -a "$here/lot.pml" >spin.log 2>&1 && gcc -O2 -w -o pan pan.c; } || { cat spin.log; exit 1; }
    ./pan -m1000000 >pan.log 2>&1
    grep -q 'errors: 0' pan.log && ! grep -q 'search not completed\|max search depth too small' pan.log
}

for where in ELSEWHERE LOCAL; do
    verify -D$where || { cat pan.log; echo "FAIL: the protocol, $where"; exit 1; }
    echo "ok: $where: $(grep 'states, stored' pan.log | sed 's/^ *//')"
done
for broken in ORDER PERMIT TIMEOUT WAKING REMOTE NOTE; do
    if verify "-DBREAK_$broken" && verify -DLOCAL "-DBREAK_$broken"; then
        echo "FAIL: BREAK_$broken is not noticed"
        exit 1
    fi
    echo "ok: BREAK_$broken is noticed"
done
