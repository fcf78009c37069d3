#!/bin/sh
# What bash offers for evy.
# usage: completion.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

# offers WORD...: what would be completed for that command line, in one line
offers() {
    PATH=$(dirname "$evy"):$PATH bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _evy; echo "${COMPREPLY[*]}"' \
        "$(dirname "$0")/../../tools/evy.bash" "$@"
}
verdict 'commands' "$([ "$(offers evy d)" = doctor ] || offers evy d)"
verdict 'options' "$([ "$(offers evy run --fo)" = --force ] || offers evy run --fo)"
verdict 'long options' "$([ "$(offers evy ps --s)" = --sort ] || offers evy ps --s)"
verdict 'orders' "$([ "$(offers evy top -s ti)" = time ] || offers evy top -s ti)"
verdict 'commands to be helped with' "$([ "$(offers evy help be)" = bench ] || offers evy help be)"
verdict 'values' "$([ "$(offers evy run --method se)" = select ] || offers evy run --method se)"
${CC:-cc} -pthread "$(dirname "$0")/waiting.c" -o "$dir/waiting"
"$evy" run "$dir/waiting" >/dev/null &
sleep 0.3
contains 'processes' " $(offers evy ps '') " " $! "
kill $!
finish
