#!/bin/sh
# usage: deb.sh STAGE OUT VERSION    makes Debian packages of what `make install` has put under STAGE
set -eu

stage=$1 out=$2 version=$3
architecture=$(dpkg --print-architecture)
rm -rf "$out"
mkdir -p "$out"

# packages_of FILE...: the packages whose libraries they need, but our own
packages_of() {
    for file; do readelf -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; done | sort -u |
        while read -r soname; do
            case $soname in libevy*) continue ;; esac
            dpkg-query -S "*/$soname" | sed -n 's/^\([^:, ]*\).*/\1/p' | head -1
        done | sort -u
}

# package NAME DEPENDS DESCRIPTION PATTERN...: moves what matches from the stage into a package
package() {
    name=$1 depends=$2 description=$3
    shift 3
    root=$out/$name
    for pattern; do
        (cd "$stage" && find . -path "./$pattern" ! -type d) | while read -r path; do
            mkdir -p "$root/$(dirname "$path")"
            mv "$stage/$path" "$root/$path"
        done
    done
    [ -d "$root" ] || return 0
    programs=$(find "$root" -type f \( -name '*.so.*[0-9]' -o -path '*/bin/*' \))
    # Words are split on purpose:
    # shellcheck disable=SC2086
    for needed in $(packages_of $programs); do depends=${depends:+$depends, }$needed; done
    mkdir "$root/DEBIAN"
    cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $version
Architecture: $architecture
Maintainer: libevy maintainers <maintainers@libevy.invalid>
Section: libs
Priority: optional
${depends:+Depends: $depends
}Description: $description
 libevy runs unmodified threaded programs on green threads.
END
    case $name in
    lib*[0-9]) echo 'activate-noawait ldconfig' >"$root/DEBIAN/triggers" ;;
    esac
    dpkg-deb --root-owner-group --build "$root" "$out" >/dev/null
    rm -rf "$root"
}

package libevy0 '' 'green threads for threaded programs: library' \
    'usr/lib/*/libevy.so.*' 'usr/share/gdb/*' 'usr/share/man/man7/*'
package libevy-ssl0 "libevy0 (= $version)" 'green threads for threaded programs: TLS' 'usr/lib/*/libevy-ssl.so.*'
package evy "libevy0 (= $version)" 'green threads for threaded programs: launcher and observers' \
    'usr/bin/*' 'usr/share/man/man1/*' 'usr/share/bash-completion/*'
package libevy-dev "libevy0 (= $version)" 'green threads for C programs: headers' 'usr/*'

left=$(find "$stage" ! -type d)
[ -z "$left" ] || { echo "deb.sh: in no package: $left" >&2; exit 1; }
ls "$out"/*.deb
