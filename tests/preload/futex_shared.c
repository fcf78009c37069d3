// Proves: futexes without FUTEX_PRIVATE_FLAG, in private memory between threads and in shared
// memory between threads of two processes; there a wake-up reaches who waits, and counts him, also when the word stays
// the same.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { TURNS = 50, THREADS = 4 };

static long futex(atomic_int *w, int op, int val, const void *timeout, atomic_int *w2)
{
    return syscall(SYS_futex, w, op, val, timeout, w2, 0);
}

static atomic_int private_words[2];

// Two players move the number on in turn.
static void play(atomic_int *w, int odd)
{
    for (int v = *w; v < 2 * TURNS; v = *w) {
        if (v % 2 != odd) {
            long r = futex(w, FUTEX_WAIT, v, NULL, NULL);
            CHECK(r == 0 || errno == EAGAIN);
        } else {
            *w = v + 1;
            futex(w, FUTEX_WAKE, 1, NULL, NULL);
        }
    }
}

static void *plays(void *arg)
{
    play(&private_words[0], (int)(intptr_t)arg);
    return NULL;
}

static void *plays_shared(void *arg)
{
    play(arg, 1);
    return NULL;
}

static void *child_plays(void *arg)
{
    play(arg, 0);
    return NULL;
}

static atomic_int awake;

static void *sleeps(void *arg)
{
    CHECK(futex(&private_words[1], FUTEX_WAIT, 0, NULL, NULL) == 0);
    awake++;
    return arg;
}

static void in_parallel(void *(*body)(void *), atomic_int *words)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(body, &words[i]);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

static atomic_int *bell; // never changes

static void *hears(void *arg)
{
    CHECK(futex(bell, FUTEX_WAIT, 0, NULL, NULL) == 0);
    return arg;
}

static void hear(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(hears, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
}

static void ring(void)
{
    double start = now();
    for (long heard = 0; heard < THREADS; usleep(1000)) {
        heard += futex(bell, FUTEX_WAKE, THREADS, NULL, NULL);
        CHECK(heard <= THREADS && now() < start + 10);
    }
}

static void between(void (*in_child)(void), void (*in_parent)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        in_child();
        _exit(0);
    }
    in_parent();
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
    pthread_t t[THREADS];
    struct timespec limit = {0, 30000000};
    int status;
    double start = now();
    for (intptr_t i = 0; i < 2; i++)
        t[i] = spawn(plays, (void *)i);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(private_words[0] == 2 * TURNS);
    CHECK(futex(&private_words[0], FUTEX_WAIT, 2 * TURNS, &limit, NULL) == -1 &&
          errno == ETIMEDOUT);
    CHECK(now() - start >= 0.029);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(sleeps, NULL);
    usleep(100000);
    private_words[1] = 1;
    CHECK(futex(&private_words[1], FUTEX_REQUEUE, 1, (void *)1, &private_words[0]) == 2);
    CHECK(futex(&private_words[1], FUTEX_WAKE, 100, NULL, NULL) == 2);
    CHECK(futex(&private_words[0], FUTEX_WAKE, 100, NULL, NULL) == 1);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(awake == THREADS);

    atomic_int *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(words != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        in_parallel(child_plays, words);
        _exit(0);
    }
    in_parallel(plays_shared, words);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(words[i] == 2 * TURNS);
    bell = &words[THREADS];
    between(ring, hear);
    between(hear, ring);
    puts("shared futexes ok");
    return 0;
}
