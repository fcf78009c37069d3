#!/bin/sh
# The manual pages, as built: no complaint of mandoc's, and each command has one that names all its options.
# usage: man.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"
command -v mandoc >/dev/null || { echo 'no mandoc'; exit 77; }

pages=$(dirname "$library")/man
for page in "$pages"/*; do
    # Pages of other packages are perhaps not installed here.
    verdict "${page##*/}" "$(mandoc -Tlint "$page" 2>&1 | grep -vE 'referenced manual not found|mandoc\.db')"
done
plain() { mandoc -Tascii "$1" | col -b; }
for command in $("$evy" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    text=$(plain "$pages/evy-$command.1")
    for option in $("$evy" "$command" --help | awk -F '  +' '/^  -/ { print $2 }' | grep -oE -- '--?[a-z]+'); do
        contains "evy-$command.1 knows $option" "$text" "$option"
    done
    contains "evy.1 knows $command" "$(plain "$pages/evy.1")" "evy-$command(1)"
done
manual=$(plain "$pages/libevy.7")
variables=$(grep -oE 'EVY_[A-Z_]+' "$(dirname "$0")/../../libevy/base/config.c" | sort -u)
for variable in $variables; do
    contains "libevy.7 knows $variable" "$manual" "$variable"
done
contains 'libevy.7 lists the hooks' "$manual" 'accept, accept4, connect'
finish
