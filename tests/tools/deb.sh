#!/bin/sh
# The Debian packages: installed into an empty root they run; removed, they leave nothing behind.
# usage: deb.sh build/libevy.so
# limit: 180
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"
command -v dpkg-deb >/dev/null || { echo 'no dpkg here'; exit 77; }

top=$(realpath "$(dirname "$0")/../..")
root=$dir/root
debs=$(MAKEFLAGS='' make -s -C "$top" deb | grep '\.deb$' | sed "s|^|$top/|")
verdict 'packages are made' "$([ "$(echo "$debs" | wc -l)" -ge 3 ] || echo "these: $debs")"

# What they depend on is not in the empty root, but on this machine.
in_root() { dpkg --root="$root" --force-not-root --force-depends --log=/dev/null "$@" 2>&1; }
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
: >"$root/var/lib/dpkg/status"
: >"$root/var/lib/dpkg/available"
# Words are split on purpose:
# shellcheck disable=SC2086
said=$(in_root --install $debs)
verdict 'they install' "$(in_root --get-selections | grep -c 'install$' | grep -qx "$(echo "$debs" | wc -l)" || echo "apt says: $said")"

library=$(echo "$root"/usr/lib/*/libevy.so.0)
printf '#include <evy.h>\n#include <stdio.h>\nint main(void) { return puts(evy_version()) < 0; }\n' >"$dir/version.c"
export PKG_CONFIG_PATH="${library%/*}/pkgconfig"
# shellcheck disable=SC2046
${CC:-cc} "$dir/version.c" $(pkg-config --define-variable=prefix="$root/usr" --define-variable=libdir="${library%/*}" \
    --define-variable=includedir="$root/usr/include" --cflags --libs libevy) -o "$dir/version"
contains 'a program links' "$(LD_LIBRARY_PATH=${library%/*} "$dir/version" 2>&1)" '0.'
threads='import threading; t = threading.Thread(target=print, args=("ran",)); t.start(); t.join()'
expect 'a program runs' 0 ran env LD_PRELOAD="$library" /usr/bin/python3 -c "$threads"
contains 'the launcher runs' "$("$root/usr/bin/evy" --help)" 'usage: evy'

# Words are split on purpose:
# shellcheck disable=SC2046
in_root --purge $(in_root --get-selections | sed 's/[[:space:]].*//') >/dev/null
verdict 'they leave nothing' "$(find "$root/usr" ! -type d 2>/dev/null)"
finish
