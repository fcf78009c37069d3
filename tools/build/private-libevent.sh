#!/bin/sh
# Makes libevent_private.a: the part of a static libevent_core.a that an event_base needs, with the
# libc calls that libevy hooks renamed to lev_*. Such an archive links into a shared object, and
# never meets our hooks nor the program's own libevent.
#
# usage: private-libevent.sh LIBEVENT_CORE.A SYMS OUT.A      (NM, OBJCOPY, AR from the environment)
set -eu
export LC_ALL=C

archive=$1
syms=$2
out=$3
: "${NM:=nm}" "${OBJCOPY:=objcopy}" "${AR:=ar}"

die() {
    echo "libevent_private: $*" >&2
    exit 1
}

column() { awk -v kind="$1" '$1 == kind { print $2 }' "$syms"; }

[ -f "$archive" ] || die "no libevent_core.a ('$archive'): run 'make deps', or install libevent-dev"

work=$out.d
rm -rf "$work" "$out"
mkdir -p "$work"

column object >"$work/objects"
"$AR" t "$archive" | sort >"$work/members"
lost=$(sort "$work/objects" | comm -23 - "$work/members" | paste -sd' ')
[ -z "$lost" ] || die "$archive lacks $lost"

archive=$(realpath "$archive")

(cd "$work" && xargs "$AR" x "$archive" <objects)

(cd "$work" && xargs "$NM" -g --defined-only <objects) | awk 'NF == 3 { print $3 }' |
    sort -u >"$work/defined"
(cd "$work" && xargs "$NM" -u <objects) | awk 'NF == 2 && $2 != "_GLOBAL_OFFSET_TABLE_" { print $2 }' |
    sort -u | comm -23 - "$work/defined" >"$work/undefined"
{ column lev; column libc; } | sort -u >"$work/reviewed"

[ -s "$work/undefined" ] || die "found no undefined symbol in $archive: not an archive of ELF objects?"
unknown=$(comm -23 "$work/undefined" "$work/reviewed" | paste -sd' ')
[ -z "$unknown" ] ||
    die "$archive uses names nobody reviewed, say lev or libc for each in $syms: $unknown"

column lev | awk '{ print $1, "lev_" $1 }' >"$work/rename"
while read -r object; do
    "$OBJCOPY" --redefine-syms="$work/rename" "$work/$object"
done <"$work/objects"

(cd "$work" && xargs "$AR" rcsD "private.a" <objects)
mv "$work/private.a" "$out"
rm -rf "$work"
