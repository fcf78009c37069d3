#!/bin/sh
# What the built library must look like from outside.
# usage: object.sh build/libevy.so      (reads hooknames.txt beside it)
set -u
export LC_ALL=C

lib=$1
hooks=$(dirname "$lib")/hooknames.txt
failed=0

# verdict NAME WHY: an empty WHY is a pass.
verdict() {
    if [ -z "$2" ]; then
        echo "ok $1"
    else
        echo "FAIL: $1: $(echo "$2" | paste -sd' ')"
        failed=1
    fi
}

for file in "$lib" "$hooks"; do
    [ -s "$file" ] || { echo "FAIL: no $file"; exit 1; }
done
dynamic=$(readelf -dW "$lib") || { echo "FAIL: $lib is not an ELF object"; exit 1; }
headers=$(readelf -lW "$lib")
# Defined symbols, with their versions; the version node itself is an absolute object.
exported=$(readelf -W --dyn-syms "$lib" |
    awk '$1 ~ /^[0-9]+:$/ && $5 != "LOCAL" && $7 != "UND" && $7 != "ABS" { print $8 }' | sort -u)
bare=$(echo "$exported" | sed 's/@.*//' | sort -u)

has() { echo "$dynamic" | grep -q "$1"; }
segment() { echo "$headers" | awk -v type="$1" '$1 == type'; }

case $lib in
*san-*) runtime='|lib[a-z]*san' ;;
*) runtime= ;;
esac
needed=$(echo "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
verdict 'needs libc' "$(echo "$needed" | grep -q '^libc\.so\.6$' || echo 'no libc.so.6')"
verdict 'needs nothing else' "$(echo "$needed" | grep -vE "^(libc\.so\.6|ld-linux[-a-z0-9_]*\.so\.[0-9]+${runtime}.*)\$")"
verdict 'soname' "$(has 'SONAME.*\[libevy\.so\.[0-9]*\]' || echo missing)"

verdict 'exports only evy_* and hooks' "$(echo "$bare" | grep -v '^evy_' | comm -23 - "$hooks")"
verdict 'exports every hook' "$(echo "$bare" | comm -13 - "$hooks")"
verdict 'hooks have no version' "$(echo "$exported" | grep -v '^evy_' | grep @)"
verdict 'evy_* have one' "$(echo "$exported" | grep '^evy_' | grep -v '@@EVY_')"
verdict 'keeps evy__* to itself' "$(echo "$bare" | grep '^evy__')"
verdict 'hides libevent' \
    "$(echo "$bare" | grep -E '^(lev|event|evbuffer|evutil|bufferevent|evthread|evmap|evsig|evconnlistener|libevent)_|^(epoll|poll|select|evsig)ops')"

verdict 'no TEXTREL' "$(has TEXTREL && echo present)"
verdict 'BIND_NOW' "$(has 'BIND_NOW\|FLAGS_1.*NOW' || echo missing)"
verdict 'RELRO' "$([ -n "$(segment GNU_RELRO)" ] || echo missing)"
stack=$(segment GNU_STACK | awk '{ print $7 $8 }')
verdict 'stack is not executable' "$([ -n "$stack" ] || echo 'no GNU_STACK')$(echo "$stack" | grep E)"
verdict 'stays loaded' "$(has NODELETE || echo 'not marked NODELETE')"

tls=$(($(segment TLS | awk '{ print $6 }')))
verdict 'at most 64 bytes of static TLS' "$([ "$tls" -le 64 ] || echo "$tls")"

exit $failed
