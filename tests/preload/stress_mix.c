// Proves: random mixes of locks, waits, timeouts, cancellation and short-lived threads keep every
// invariant. Longer runs: stress_mix SEED SECONDS
// run: 1 3
#define _GNU_SOURCE
#include "stress_mix.h"

#include <stdint.h>

enum { WORKERS = 8, MEETING = 3 };

// Threads that wait for ever and are cancelled.

static pthread_mutex_t well = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static sem_t empty;
static int silent[2];
static atomic_long victims, cleaned;

static void count_cleanup(void *unlock)
{
    if (unlock)
        CHECK(pthread_mutex_unlock(unlock) == 0);
    cleaned++;
}

static void wait_at(pthread_cond_t *c)
{
    CHECK(pthread_mutex_lock(&well) == 0);
    pthread_cleanup_push(count_cleanup, &well);
    for (;;) {
        CHECK(pthread_cond_wait(c, &well) == 0);
        pthread_cond_signal(c); // it was meant for somebody else
    }
    pthread_cleanup_pop(0);
}

static void wait_otherwise(unsigned how)
{
    char byte;
    pthread_cleanup_push(count_cleanup, NULL);
    for (;;) {
        if (how == 0)
            sem_wait(&empty);
        else if (how == 1)
            CHECK(read(silent[0], &byte, 1) != 1);
        else if (how == 2)
            sleep(1000);
        else
            sched_yield(), pthread_testcancel();
    }
    pthread_cleanup_pop(0);
}

static void *victim(void *arg)
{
    unsigned how = (unsigned)(uintptr_t)arg;
    if (how < 2)
        wait_at(how ? &never : &turned);
    wait_otherwise(how - 2);
    return NULL;
}

static void cancel_one(unsigned *state)
{
    pthread_t t;
    void *result;
    CHECK(pthread_create(&t, NULL, victim, (void *)(uintptr_t)pick(state, 6)) == 0);
    for (unsigned i = pick(state, 4); i > 0; i--)
        dawdle(state);
    CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    victims++;
}

// Two threads that take turns, with single signals, at a condition where victims wait too.

static long turn;

static void *take_turns(void *arg)
{
    long mine = (long)(intptr_t)arg;
    CHECK(pthread_mutex_lock(&well) == 0);
    while (!stop) {
        while (turn % 2 != mine && !stop)
            CHECK(pthread_cond_wait(&turned, &well) == 0);
        turn++;
        CHECK(pthread_cond_signal(&turned) == 0);
    }
    CHECK(pthread_cond_broadcast(&turned) == 0);
    CHECK(pthread_mutex_unlock(&well) == 0);
    return NULL;
}

// Some that meet at a barrier: nobody is a round ahead, one of them is told so.

static pthread_barrier_t meeting;
static atomic_long arrived, serials, rounds;

static void *meet(void *arg)
{
    unsigned state = seed + (unsigned)(uintptr_t)arg;
    for (long round = 1, last = 0; !last; round++) {
        dawdle(&state);
        atomic_fetch_add(&arrived, 1);
        int r = pthread_barrier_wait(&meeting);
        CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
        CHECK(arrived >= round * MEETING);
        if (r) {
            serials++;
            rounds = stop ? -1 : round;
        }
        pthread_barrier_wait(&meeting);
        last = rounds < 0;
    }
    return NULL;
}

static void *work(void *arg)
{
    unsigned state = seed * 7919 + (unsigned)(uintptr_t)arg;
    while (!stop) {
        unsigned what = pick(&state, 16);
        if (what < 4)
            transfer(&state);
        else if (what < 7)
            read_or_write(&state);
        else if (what < 10)
            enter_room(&state);
        else if (what < 12)
            make_token();
        else if (what < 15)
            take_token(&state);
        else
            cancel_one(&state);
    }
    return NULL;
}

static void check_sums(void)
{
    long sum = 0;
    for (int i = 0; i < CELLS; i++) {
        CHECK(cells[i].value == cells[i].shadow);
        sum += cells[i].value;
    }
    int free_places;
    CHECK(sum == 0 && left == right && inside == 0 && made == taken + tokens);
    CHECK(sem_getvalue(&room, &free_places) == 0 && free_places == ROOM);
    CHECK(cleaned <= victims && victims > 0 && turn > 0 && serials > 0);
}

int main(int argc, char **argv)
{
    pthread_t threads[WORKERS + 2 + MEETING];
    unsigned n = 0;
    seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
    printf("seed %u, %u s\n", seed, seconds);
    fflush(stdout);
    cells_init();
    CHECK(sem_init(&room, 0, ROOM) == 0 && sem_init(&empty, 0, 0) == 0 && pipe(silent) == 0);
    CHECK(pthread_barrier_init(&meeting, NULL, MEETING) == 0);
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&threads[n++], NULL, work, (void *)i) == 0);
    for (uintptr_t i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[n++], NULL, take_turns, (void *)i) == 0);
    for (uintptr_t i = 0; i < MEETING; i++)
        CHECK(pthread_create(&threads[n++], NULL, meet, (void *)i) == 0);
    sleep(seconds);
    stop = true;
    CHECK(pthread_mutex_lock(&well) == 0);
    CHECK(pthread_cond_broadcast(&turned) == 0);
    CHECK(pthread_mutex_unlock(&well) == 0);
    while (n > 0)
        CHECK(pthread_join(threads[--n], NULL) == 0);
    check_sums();
    puts("every invariant held");
    return 0;
}
