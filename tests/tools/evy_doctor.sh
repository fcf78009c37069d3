#!/bin/sh
# evy doctor: imports, raw system calls, references that miss libevy.
# usage: evy_doctor.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

cat >"$dir/threads.c" <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *body(void *arg) { return arg; }
int main(int argc, char **argv)
{
    pthread_t t;
    pthread_create(&t, 0, body, 0);
    pthread_join(t, 0);
    if (argc > 1)
        printf("%p\n", dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND));
    fflush(stdout);
    return (int)pause();
}
END
cat >"$dir/raw.c" <<'END'
long raw(void)
{
    long r = 39;
#ifdef __x86_64__
    __asm__ volatile("mov $39, %%eax; syscall" : "=a"(r) : : "rcx", "r11", "memory");
#else
    __asm__ volatile("mov x8, 172; svc 0; mov %0, x0" : "=r"(r) : : "x0", "x8", "memory");
#endif
    return r;
}
END
cat >"$dir/deep.c" <<'END'
#include <unistd.h>
int deep(void) { return usleep(1); }
END
cc -pthread "$dir/threads.c" -o "$dir/threads"
cc -shared -fPIC "$dir/raw.c" -o "$dir/libraw.so"
cc -shared -fPIC "$dir/deep.c" -o "$dir/libdeep.so"
cc -pthread "$dir/threads.c" -Wl,--no-as-needed "$dir/libraw.so" -o "$dir/uses_raw"

report=$("$evy" doctor "$dir/threads")
contains 'green calls by group' "$report" '  thread   pthread_create pthread_join'
contains 'native calls' "$report" '  dlopen  '
contains 'a verdict' "$report" 'verdict: its threads become green threads'
contains 'system calls without libc' "$("$evy" doctor "$dir/uses_raw")" \
    "$dir/libraw.so: 1 places look like system calls without libc"
cat >"$dir/ring.c" <<'END'
long ring(void)
{
    long r = 426;
#ifdef __x86_64__
    __asm__ volatile("mov $426, %%eax; syscall" : "=a"(r) : : "rcx", "r11", "memory");
#else
    __asm__ volatile("mov x8, 426; svc 0; mov %0, x0" : "=r"(r) : : "x0", "x8", "memory");
#endif
    return r;
}
END
cc -shared -fPIC "$dir/ring.c" -o "$dir/libring.so"
cc -pthread "$dir/threads.c" -Wl,--no-as-needed "$dir/libring.so" -o "$dir/uses_ring"
contains 'io_uring without a library' "$("$evy" doctor "$dir/uses_ring")" \
    "$dir/libring.so: 1 places look like system calls without libc, some of them io_uring's"
mkdir "$dir/bin" && cp "$dir/libraw.so" "$dir/bin/libhere.so"
# The loader expands it:
# shellcheck disable=SC2016
cc -pthread "$dir/threads.c" -Wl,--no-as-needed -L"$dir/bin" -lhere -Wl,-rpath,'$ORIGIN' -o "$dir/bin/origin"
ln -s bin/origin "$dir/link"
contains 'libraries beside what a link names' "$("$evy" doctor "$dir/link")" 'verdict: its threads become green'
rm "$dir/bin/libhere.so"
contains 'a library that is missing' "$("$evy" doctor "$dir/bin/origin" 2>&1)" 'libhere.so: cannot open shared object file'
contains 'no threads' "$("$evy" doctor "$(command -v cat)")" 'verdict: nothing here creates threads'
printf 'int main(void) { return 5; }\n' >"$dir/static.c"
${CC:-cc} -static "$dir/static.c" -o "$dir/static"
expect 'a static program' 1 "$dir/static is statically linked: there is no loader that could preload libevy
verdict: libevy cannot work here" "$evy" doctor "$dir/static"

"$evy" run "$dir/threads" >/dev/null &
sleep 0.3
contains 'a running process' "$("$evy" doctor $!)" 'verdict: its threads become green threads'
kill $!
"$evy" run "$dir/threads" "$dir/libdeep.so" >"$dir/out" &
while [ ! -s "$dir/out" ]; do sleep 0.05; done
contains 'a call that misses libevy' "$("$evy" doctor $!)" "$dir/libdeep.so: usleep does not lead to libevy"
kill $!
"$dir/threads" &
sleep 0.3
refuse 'a process without libevy' "process $! does not run under libevy" "$evy" doctor $!
kill $!
wait
refuse 'no such process' 'process 4194305: there is none' "$evy" doctor 4194305
refuse 'a huge number' "'99999999999' is no process id" "$evy" doctor 99999999999
usage 'no argument' 'doctor: one program or process id, please; evy doctor --help tells more' "$evy" doctor
finish
