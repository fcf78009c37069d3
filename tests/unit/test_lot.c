/* The parking lot: what a wait answers, order, requeue, both kinds of waiters, races. */
#include "../suite.h"
#include "greens.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static atomic_uint word, other, woken_order, result[8];

static void *park_thread(void *arg)
{
    int r = lot_park(&word, 0, DEADLINE_NEVER, LOT_CANCEL | LOT_SIGNAL);
    if (r == -EINTR)
        atomic_fetch_and(&self()->interrupted,
                         ~(unsigned)INTERRUPT_SIGNAL); /* nobody delivers here */
    atomic_store((atomic_uint *)arg, (unsigned)-r + 100);
    atomic_fetch_add(&woken_order, 1);
    return NULL;
}

/* A wait answers 100 - r. */
#define ANSWER(r) ((unsigned)-(r) + 100)

static void let_run(void)
{
    for (int i = 0; i < 20; i++) {
        if (self())
            lot_sleep(clock_now() + MS);
        else
            usleep(1000);
    }
}

static void check_answers(void)
{
    ck_assert_int_eq(lot_park(&word, 1, DEADLINE_NEVER, 0), -EAGAIN);
    ck_assert_int_eq(lot_park(&word, 1, 1, 0), -EAGAIN);
    ck_assert_int_eq(lot_park(&word, 0, 1, 0), -ETIMEDOUT);
    int64_t start = clock_now();
    ck_assert_int_eq(lot_park(&word, 0, start + 20 * MS, 0), -ETIMEDOUT);
    ck_assert_int_ge(clock_now() - start, 20 * MS);
    ck_assert_uint_eq(lot_unpark(&word, 1), 0);
}

START_TEST(kernel_thread_answers)
{
    check_answers();
}
END_TEST

START_TEST(green_answers)
{
    greens_start(1);
    check_answers();
}
END_TEST

START_TEST(kernel_threads_are_woken)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, park_thread, &result[i]);
    let_run();
    ck_assert_uint_eq(lot_unpark(&word, 2), 2);
    ck_assert_uint_eq(lot_unpark(&word, UINT_MAX), 1);
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        ck_assert_uint_eq(result[i], ANSWER(0));
    }
}
END_TEST

START_TEST(greens_are_woken_oldest_first)
{
    greens_start(1);
    for (int i = 0; i < 4; i++)
        greens_spawn(park_thread, &result[i]);
    let_run();
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(lot_unpark(&word, 1), 1);
        let_run();
        ck_assert_uint_eq(result[i], ANSWER(0));
        ck_assert_uint_eq(woken_order, (unsigned)i + 1);
    }
}
END_TEST

START_TEST(interruptions_answer_by_flags)
{
    greens_start(1);
    struct green *g = greens_spawn(park_thread, &result[0]);
    struct green *h = greens_spawn(park_thread, &result[1]);
    struct green *off = greens_spawn(park_thread, &result[2]);
    let_run();
    off->flags |= GREEN_CANCEL_OFF;
    atomic_fetch_or(&g->interrupted, INTERRUPT_CANCEL);
    atomic_fetch_or(&h->interrupted, INTERRUPT_SIGNAL);
    atomic_fetch_or(&off->interrupted, INTERRUPT_CANCEL);
    sched_unpark(g);
    sched_unpark(h);
    sched_unpark(off);
    let_run();
    ck_assert_uint_eq(result[0], ANSWER(-ECANCELED));
    ck_assert_uint_eq(result[1], ANSWER(-EINTR));
    ck_assert_uint_eq(result[2], 0);
    ck_assert_uint_eq(lot_unpark(&word, UINT_MAX), 1);
    greens_join(3);
    ck_assert_uint_eq(result[2], ANSWER(0));
}
END_TEST

START_TEST(a_wake_beats_a_cancel)
{
    greens_start(1);
    struct green *g = greens_spawn(park_thread, &result[0]);
    let_run();
    atomic_fetch_or(&g->interrupted, INTERRUPT_CANCEL);
    ck_assert_uint_eq(lot_unpark(&word, 1), 1);
    greens_join(1);
    ck_assert_uint_eq(result[0], ANSWER(0));
}
END_TEST

START_TEST(requeue_moves_and_compares)
{
    greens_start(1);
    for (int i = 0; i < 4; i++)
        greens_spawn(park_thread, &result[i]);
    let_run();
    uint32_t wrong = 1, right = 0;
    ck_assert_int_eq(lot_requeue(&word, &other, 1, 2, &wrong), -EAGAIN);
    ck_assert_int_eq(lot_requeue(&word, &other, 1, 2, &right), 3);
    let_run();
    ck_assert_uint_eq(result[0], ANSWER(0));
    ck_assert_uint_eq(result[1], 0);
    ck_assert_uint_eq(lot_unpark(&word, UINT_MAX), 1);
    ck_assert_uint_eq(lot_unpark(&other, UINT_MAX), 2);
    greens_join(4);
}
END_TEST

static void *park_bits(void *arg)
{
    ck_assert_int_eq(lot_park_bits(&word, 0, (uint32_t)(uintptr_t)arg, DEADLINE_NEVER, 0), 0);
    return NULL;
}

START_TEST(bits_select)
{
    greens_start(1);
    greens_spawn(park_bits, (void *)1);
    greens_spawn(park_bits, (void *)2);
    let_run();
    ck_assert_uint_eq(lot_unpark_bits(&word, UINT_MAX, 4), 0);
    ck_assert_uint_eq(lot_unpark_bits(&word, UINT_MAX, 2), 1);
    ck_assert_uint_eq(lot_unpark_bits(&word, UINT_MAX, 3), 1);
    greens_join(2);
}
END_TEST

static void *wait_any(void *arg)
{
    struct waiter w[2];
    lot_enqueue(&w[0], &word, LOT_ALL);
    lot_enqueue(&w[1], &other, LOT_ALL);
    ck_assert_int_eq(lot_wait_any(w, 2, clock_now() + 5 * MS), -ETIMEDOUT);
    ck_assert_int_eq(lot_wait_any(w, 2, DEADLINE_NEVER), 0);
    ck_assert(lot_leave(&w[0]));
    ck_assert(!lot_leave(&w[1]));
    return arg;
}

START_TEST(all_waiters_come_on_top)
{
    greens_start(1);
    greens_spawn(wait_any, NULL);
    let_run();
    greens_spawn(park_thread, &result[0]);
    let_run();
    ck_assert_uint_eq(lot_unpark(&other, 1), 0);
    greens_join(1);
    ck_assert_uint_eq(lot_unpark(&word, 1), 1);
    greens_join(2);
}
END_TEST

/* Ping-pong over two words: every wake-up is needed, a lost one hangs the test. */
enum { TURNS = 20000 };

static atomic_uint turn;

static void *player(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < TURNS; i++) {
        unsigned now;
        while (((now = atomic_load(&turn)) & 1) != me) {
            /* every third wait times out now and then: that must not lose the wake-up either */
            deadline_t d = i % 3 ? DEADLINE_NEVER : clock_now() + 2000;
            lot_park(&turn, now, d, 0);
        }
        atomic_fetch_add(&turn, 1);
        lot_unpark_fenced(&turn, 1);
    }
    return NULL;
}

static void play(unsigned hub_number)
{
    greens_start(hub_number);
    greens_spawn(player, (void *)0);
    greens_spawn(player, (void *)1);
    greens_join(2);
    ck_assert_uint_eq(turn, 2 * TURNS);
}

START_TEST(ping_pong_on_one_hub)
{
    play(1);
}
END_TEST

START_TEST(ping_pong_on_two_hubs)
{
    play(2);
}
END_TEST

START_TEST(green_and_kernel_thread_play)
{
    pthread_t t;
    greens_start(1);
    REAL(pthread_create)(&t, NULL, player, (void *)1);
    greens_spawn(player, (void *)0);
    greens_join(1);
    REAL(pthread_join)(t, NULL);
    ck_assert_uint_eq(turn, 2 * TURNS);
}
END_TEST

/* How often eventfds have been written, as none of them is ever read with epoll. */
static unsigned long kicks(void)
{
    unsigned long sum = 0, count;
    char path[64], line[64];
    for (int fd = 0; fd < 4096; fd++) {
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "eventfd-count: %lx", &count) == 1)
                sum += count;
        if (f)
            fclose(f);
    }
    return sum;
}

static atomic_bool over;
static atomic_uint last; /* the turn that was answered last */

static void *never_waits(void *unused)
{
    while (!over)
        sched_yield_now();
    return unused;
}

static void *answers(void *unused)
{
    while (!over) {
        unsigned seen = last;
        lot_park(&turn, seen, DEADLINE_NEVER, 0);
        last = turn;
    }
    return unused;
}

static void on_hub_1(void *(*body)(void *))
{
    struct green *g = greens_make(body, NULL);
    g->flags |= GREEN_STAYS;
    g->hub = &hubs[1];
    sched_start(g);
}

static void wake_hub_1(unsigned times)
{
    while (times--) {
        unsigned now = atomic_fetch_add(&turn, 1) + 1;
        lot_unpark_fenced(&turn, 1);
        while (last != now)
            sched_yield_now();
    }
}

/* A wake-up across hubs is a system call only where the other hub sleeps. */
START_TEST(a_hub_that_runs_is_not_kicked)
{
    greens_start(2);
    on_hub_1(answers);
    wake_hub_1(1);
    for (int i = 0; i < 20; i++) {
        while (!hubs[1].asleep)
            sched_yield_now();
        wake_hub_1(1);
    }
    unsigned long asleep = kicks();
    on_hub_1(never_waits);
    lot_sleep(clock_now() + 5000000);
    unsigned long before = kicks();
    wake_hub_1(1000);
    unsigned long awake = kicks() - before;
    over = true;
    atomic_fetch_add(&turn, 1);
    lot_unpark_fenced(&turn, 1);
    greens_join(2);
    ck_assert_uint_ge(asleep, 10);
    ck_assert_uint_le(awake, 10);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lot");
    TCase *tc = tcase_create("lot");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, kernel_thread_answers);
    tcase_add_test(tc, green_answers);
    tcase_add_test(tc, kernel_threads_are_woken);
    tcase_add_test(tc, greens_are_woken_oldest_first);
    tcase_add_test(tc, interruptions_answer_by_flags);
    tcase_add_test(tc, a_wake_beats_a_cancel);
    tcase_add_test(tc, requeue_moves_and_compares);
    tcase_add_test(tc, bits_select);
    tcase_add_test(tc, all_waiters_come_on_top);
    tcase_add_test(tc, ping_pong_on_one_hub);
    tcase_add_test(tc, ping_pong_on_two_hubs);
    tcase_add_test(tc, green_and_kernel_thread_play);
    tcase_add_test(tc, a_hub_that_runs_is_not_kicked);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
