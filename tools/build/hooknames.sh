#!/bin/sh
# usage: hooknames.sh "CC and flags" HOOKNAMES.H    prints the exported hook names, sorted
set -eu
export LC_ALL=C

# The preprocessor command is several words on purpose.
# shellcheck disable=SC2086
text=$($1 -E -P -x c "$2" | tr ';\n' '\n ' | sed 's/[[:space:]]\{1,\}/ /g; s/^ //; s/ $//')

rest=$(printf '%s\n' "$text" | grep -vE '^(@hook [A-Za-z_0-9]+)?$' | head -3 || true)
if [ -n "$rest" ]; then
    echo "hooks.def: tools/build/hooknames.h has no macro for: $rest" >&2
    exit 1
fi
names=$(printf '%s\n' "$text" | sed -n 's/^@hook //p' | sort)
twice=$(printf '%s\n' "$names" | uniq -d | paste -sd' ')
if [ -n "$twice" ]; then
    echo "hooks.def: more than one line for: $twice" >&2
    exit 1
fi
printf '%s\n' "$names"
