#!/bin/sh
# Installs what a Debian or Ubuntu machine lacks to build, test and demonstrate libevy; elsewhere it
# says what is missing. Touches nothing when everything is there.
#
# Lists of packages are split into words on purpose:
# shellcheck disable=SC2086
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Per line: package, how to see that it is there (command, /file, pc:module), what it is for.
table() {
    cat <<'END'
gcc                    gcc                                 build
libc6-dev              /usr/include/stdio.h                build
make                   make                                build
pkg-config             pkg-config                          build
libelf-dev             pc:libelf                           build
libdw-dev              pc:libdw                            build
libncurses-dev         pc:ncursesw                         build
libevent-dev           pc:libevent_core                    build
libssl-dev             pc:openssl                          build
check                  pc:check                            tests
python3                /usr/bin/python3                    build
g++                    g++                                 tests
strace                 strace                              tests
gdb                    gdb                                 tests
valgrind               valgrind                            tests
xz-utils               xz                                  tests
procps                 ps                                  tests
tmux                   tmux                                tests
mandoc                 mandoc                              tests
iproute2               ss                                  tests
netcat-openbsd         nc.openbsd                          tests
curl                   curl                                tests
openssl                openssl                             tests
microsocks             microsocks                          tests
tinyproxy              tinyproxy                           tests
stunnel4               stunnel4                            tests
siege                  siege                               tests
nginx-light            nginx                               tests
ruby                   ruby                                tests
redis-server           redis-server                        tests
redis-tools            redis-cli                           tests
wget                   wget                                tests
socat                  socat                               tests
git                    git                                 tests
rsync                  rsync                               tests
openssh-client         ssh                                 tests
openssh-server         sshd                                tests
memcached              memcached                           tests
mariadb-server-core    mariadbd                            tests
mariadb-client-core    mariadb                             tests
haproxy                haproxy                             tests
lighttpd               lighttpd                            tests
unbound                unbound                             tests
dnsmasq-base           dnsmasq                             tests
bind9-dnsutils         dig                                 tests
mosquitto              mosquitto                           tests
mosquitto-clients      mosquitto_pub                       tests
apache2-bin            apache2                             tests
gunicorn               gunicorn                            tests
uwsgi-core             uwsgi                               tests
uwsgi-plugin-python3   /usr/lib/uwsgi/plugins/python3_plugin.so  tests
postgresql             /usr/lib/postgresql                 tests
python3-eventlet       /usr/lib/python3/dist-packages/eventlet  bench
libst-dev              /usr/include/st.h                   bench
libpth-dev             /usr/include/pth.h                  bench
sysbench               sysbench                            bench
gcc-aarch64-linux-gnu  aarch64-linux-gnu-gcc               aarch64
libc6-dev-arm64-cross  /usr/aarch64-linux-gnu/include/stdio.h  aarch64
qemu-user              qemu-aarch64                        aarch64
clang                  clang                               lint
clang-format           clang-format                        lint
shellcheck             shellcheck                          lint
END
}

present() {
    case $1 in
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# Prints "package purpose" for everything that is not there.
missing() {
    table | while read -r package sign purpose; do
        present "$sign" || echo "$package $purpose"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

# Packages of servers start them when installed. A policy-rc.d of ours forbids that meanwhile; one that
# is already there knows better than we do.
policy=/usr/sbin/policy-rc.d
forbid_services() {
    [ ! -e $policy ] || return 0
    trap 'as_root rm -f $policy' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
}

# And none of those that we brought starts at the next boot.
disable_services() {
    command -v systemctl >/dev/null || return 0
    for unit in nginx tinyproxy stunnel4 redis-server microsocks rsync ssh memcached haproxy lighttpd unbound \
        mosquitto postgresql; do
        case " $* " in *" $unit "* | *" $unit-light "* | *" open$unit-server "*)
            as_root systemctl --quiet disable "$unit.service" >/dev/null 2>&1 || true ;;
        esac
    done
}

explain() {
    echo "libevy: missing:" >&2
    missing | sed 's/^\([^ ]*\) \(.*\)/  \1 (for: \2)/' >&2
    echo "libevy: $1" >&2
}

# With only the tests' or lint's share missing one can still build.
finish() {
    if missing | grep -q ' build$'; then exit 1; fi
    exit 0
}

packages=$(missing | cut -d' ' -f1)
[ -n "$packages" ] || { echo "deps: everything is there"; exit 0; }

if ! command -v apt-get >/dev/null; then
    explain "no apt-get here: install these (named as in Debian) with this system's package manager"
    finish
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    explain "not root and no sudo: as root, run: apt-get install $(echo "$packages" | paste -sd' ')"
    finish
fi

available() {
    for p in $packages; do
        if apt-cache policy "$p" 2>/dev/null | grep -q 'Candidate: [^(]'; then
            echo "$p"
        fi
    done
}

echo "deps: installing $(echo "$packages" | paste -sd' ')"
ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt_get update
forbid_services
wanted=$(available)
# Lists may be older than the archive: one update and one more try.
apt_get install -y --no-install-recommends $wanted >/dev/null || {
    apt_get update
    wanted=$(available)
    apt_get install -y --no-install-recommends $wanted >/dev/null
}
disable_services $wanted

if [ -n "$(missing)" ]; then
    explain "this distribution's archive does not have them; what needs them is skipped"
    finish
fi
echo "deps: done"
