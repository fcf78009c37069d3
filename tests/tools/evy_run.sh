#!/bin/sh
# evy run: what it sets, and what it refuses.
# usage: evy_run.sh build/libevy.so
# What the shell inside shall expand is in single quotes:
# shellcheck disable=SC2016
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

threads='import threading; t = threading.Thread(target=print, args=(open("/proc/self/maps").read().count("libevy.so") > 0,)); t.start(); t.join()'
python=/usr/bin/python3

expect 'runs a program under libevy' 0 True "$evy" run "$python" -c "$threads"
expect 'passes arguments and status on' 7 'a b' "$evy" run -- sh -c 'echo "$*"; exit 7' sh a b
expect 'finds a program in PATH' 0 x "$evy" run echo x
expect 'sets the variables' 0 '3 socket,time 64k poll error' "$evy" run --hubs 3 --patch socket,time \
    --stack 64k --method poll --log error sh -c \
    'echo $EVY_HUBS $EVY_PATCH $EVY_STACK $EVY_HUB_METHOD $EVY_LOG'
LD_PRELOAD=libm.so.6 expect "keeps the user's preload" 0 "$library:libm.so.6" "$evy" run sh -c 'echo $LD_PRELOAD'

contains 'statistics' "$("$evy" run --stats --hubs 1 "$python" -c "$threads" 2>&1)" \
    'libevy: stats: 1 threads made, at most 1 at a time, 1 hubs, '
expect 'statistics without threads' 0 'libevy: stats: no thread was made; peak memory N MB' sh -c \
    "'$evy' run --stats true 2>&1 | sed 's/[0-9]* MB/N MB/'"
expect 'a bad value' 0 'libevy: EVY_STATS=yes: not 0 or 1; using the default' env EVY_STATS=yes "$evy" run true

printf '#!/usr/bin/env -S sh -eu\necho script $1\n' >"$dir/script"
chmod +x "$dir/script"
expect 'runs a script' 0 'script 1' "$evy" run "$dir/script" 1

printf 'int main(void) { return 5; }\n' >"$dir/static.c"
${CC:-cc} -static "$dir/static.c" -o "$dir/static"
refuse 'a static program' "$dir/static is statically linked: there is no loader that could preload libevy" \
    "$evy" run "$dir/static"
"$evy" run --force "$dir/static" 2>/dev/null
verdict 'runs it by --force' "$([ $? = 5 ] || echo wrong status)"

cc "$dir/static.c" -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -o "$dir/musl"
refuse 'musl' "$dir/musl is linked with musl; libevy needs the GNU C library" "$evy" run "$dir/musl"
cc "$dir/static.c" -o "$dir/go" && printf go >"$dir/note" &&
    objcopy --add-section .go.buildinfo="$dir/note" "$dir/go"
refuse 'Go' "$dir/go is a Go program: it makes system calls of its own, past libevy" "$evy" run "$dir/go"
if command -v aarch64-linux-gnu-gcc >/dev/null; then
    aarch64-linux-gnu-gcc "$dir/static.c" -o "$dir/other"
    refuse 'another architecture' "$dir/other is made for aarch64, this libevy for x86-64" "$evy" run "$dir/other"
fi
if [ "$(id -u)" = 0 ]; then
    cp "$dir/go" "$dir/setuid" && chown 1:1 "$dir/setuid" && chmod 4755 "$dir/setuid"
    refuse 'setuid' "$dir/setuid is setuid: the loader ignores LD_PRELOAD for it" "$evy" run "$dir/setuid"
fi
head -c 400 "$(command -v cat)" >"$dir/short" && chmod +x "$dir/short"
refuse 'a truncated program' "$dir/short is a damaged ELF file" "$evy" run "$dir/short"
echo text >"$dir/text" && chmod +x "$dir/text"
refuse 'a text' "$dir/text: neither an ELF program nor a script with #!" "$evy" run "$dir/text"
printf '#!/no/such/sh\n' >"$dir/lost" && chmod +x "$dir/lost"
refuse 'a script without interpreter' "$dir/lost: its interpreter /no/such/sh: No such file or directory" "$evy" run "$dir/lost"
cc -shared -fPIC "$dir/static.c" -o "$dir/shared.so"
refuse 'a library' "$dir/shared.so is no program but a shared library" "$evy" run "$dir/shared.so"
cc -c "$dir/static.c" -o "$dir/object.o" && chmod +x "$dir/object.o"
refuse 'an object file' "$dir/object.o is no program but an object or core file" "$evy" run "$dir/object.o"
${CC:-cc} -static-pie "$dir/static.c" -o "$dir/pie"
refuse 'a static PIE' "$dir/pie is statically linked: there is no loader that could preload libevy" "$evy" run "$dir/pie"
mkfifo "$dir/fifo" && chmod +x "$dir/fifo"
refuse 'a FIFO' "$dir/fifo: is no regular file" "$evy" run "$dir/fifo"
: >"$dir/empty" && chmod +x "$dir/empty"
refuse 'an empty file' "$dir/empty: neither an ELF program nor a script with #!" "$evy" run "$dir/empty"
refuse 'an empty name' "'': not found in PATH" "$evy" run ''
refuse '/dev/null' '/dev/null: Permission denied' "$evy" run /dev/null
refuse 'a folder' "$dir: is a directory" "$evy" run "$dir"
refuse 'an unknown name' 'no-such-program: not found in PATH' "$evy" run no-such-program

usage 'no program' 'run: no program named; evy run --help tells more' "$evy" run
usage 'an unknown option' "run: unrecognized option '--fast'" "$evy" run --fast true
usage 'an unknown command' 'walk: no such command; evy --help lists them' "$evy" walk
expect 'help' 0 'usage: evy run [OPTIONS] [--] PROGRAM [ARGUMENTS]' sh -c "'$evy' run --help | head -1"
finish
