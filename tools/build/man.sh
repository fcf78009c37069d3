#!/bin/sh
# usage: man.sh "CC and flags" GROUPS.H PAGE.in    prints the page with @GROUPS@ filled from the hook table
set -eu
export LC_ALL=C

# The preprocessor command is several words on purpose.
# shellcheck disable=SC2086
table=$($1 -E -P -x c "$2" | tr ';\n' '\n ' | sed -n 's/^ *@hook \([A-Z]*\) \([a-zA-Z_0-9]*\).*/\1 \2/p' | sort -u)

groups() {
    for group in $(printf '%s\n' "$table" | cut -d' ' -f1 | uniq); do
        printf '.It Cm %s\n' "$(echo "$group" | tr '[:upper:]' '[:lower:]')"
        printf '%s\n' "$table" | awk -v group="$group" '$1 == group && $2 !~ /^__/ { print $2 }' | paste -sd, |
            sed 's/,/, /g; s/$/./' | fmt -w 78
    done
}

sed -n '/^@GROUPS@$/!p; /^@GROUPS@$/q' "$3"
groups
sed '1,/^@GROUPS@$/d' "$3"
