/* Functions on kernel threads, and calls posted to hubs (Eventlet's tpool and hub). */
#include "evy_case.h"

#include "base/sys.h"
#include "core/sched.h"
#include "io/calls.h"
#include "proc/signals.h"

#include <fcntl.h>

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000

static void block(long ns)
{
    struct timespec t = {0, ns};
    while (sys3(SYS_nanosleep, &t, &t, 0) == -EINTR)
        ;
}

static atomic_int running, most, ended;

static void *blocks(void *arg)
{
    int n = atomic_fetch_add(&running, 1) + 1;
    if (n > most)
        most = n;
    block((long)(intptr_t)arg * MS);
    running--;
    ended++;
    errno = EXDEV;
    return arg;
}

static void *executes(void *arg)
{
    void *result = NULL;
    if (evy_blocking(blocks, arg, &result))
        evy_exit_error(errno);
    ck_assert_int_eq(errno, EXDEV);
    return result;
}

static void *ticks(void *arg)
{
    for (int *n = arg; *n >= 0 && evy_sleep(0.001) == 0; (*n)++)
        ;
    return NULL;
}

START_TEST(others_go_on_and_the_result_comes_back)
{
    int n = 0;
    void *result = NULL;
    evy_gt *ticker = evy_spawn(ticks, &n);
    evy_sleep(0.01);
    n = 0;
    ck_assert_int_eq(evy_blocking(blocks, (void *)300, &result), 0);
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_ptr_eq(result, (void *)300);
    ck_assert_int_gt(n, 5);
    evy_kill(ticker, 0);
    evy_gt_wait(ticker, NULL);
    evy_gt_unref(ticker);
}
END_TEST

/* The monitor alone would come after each has ended. */
START_TEST(others_go_on_at_once)
{
    enum { JOBS = 20 };
    int n = 0;
    evy_gt *ticker = evy_spawn(ticks, &n);
    for (int i = 0; i < 5 && n < 3 * JOBS; i++) {
        n = 0;
        for (int k = 0; k < JOBS; k++)
            ck_assert_int_eq(evy_blocking(blocks, (void *)6, NULL), 0);
    }
    ck_assert_int_ge(n, 3 * JOBS);
    evy_kill(ticker, 0);
    evy_gt_wait(ticker, NULL);
    evy_gt_unref(ticker);
}
END_TEST

START_TEST(many_run_at_once_but_not_more_than_the_limit)
{
    evy_gt *g[12];
    double start = seconds_now();
    ck_assert_fails(evy_blocking_set_threads(0), EINVAL);
    ck_assert_fails(evy_blocking_set_threads(1001), EINVAL);
    ck_assert_int_eq(evy_blocking_set_threads(3), 0);
    ck_assert_uint_eq(evy_blocking_threads(), 3);
    for (int i = 0; i < 12; i++)
        g[i] = evy_spawn(executes, (void *)30);
    for (int i = 0; i < 12; i++) {
        void *result = NULL;
        ck_assert_int_eq(evy_gt_wait(g[i], &result), 0);
        ck_assert_ptr_eq(result, (void *)30);
        evy_gt_unref(g[i]);
    }
    ck_assert_int_eq(most, 3);
    ck_assert(seconds_now() - start >= 0.12);
}
END_TEST

START_TEST(who_is_killed_leaves_and_the_job_completes)
{
    evy_gt *g = evy_spawn(executes, (void *)900);
    double start = seconds_now();
    evy_sleep(0.02);
    ck_assert_int_eq(evy_kill(g, 0), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), ECANCELED);
    ck_assert(seconds_now() - start < 0.8);
    ck_assert_int_eq(ended, 0);
    evy_gt_unref(g);
    ck_assert_fails(evy_blocking_finish(0.01), ETIMEDOUT);
    ck_assert_int_eq(evy_blocking_finish(EVY_FOREVER), 0);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(evy_blocking_finish(0), 0);
}
END_TEST

START_TEST(who_is_killed_in_the_queue_leaves_too)
{
    ck_assert_int_eq(evy_blocking_set_threads(1), 0);
    evy_gt *a = evy_spawn(executes, (void *)900), *b = evy_spawn(executes, (void *)1);
    evy_sleep(0.02);
    ck_assert_int_eq(evy_kill(b, ETIMEDOUT), 0);
    ck_assert_fails(evy_gt_wait(b, NULL), ETIMEDOUT);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(evy_gt_wait(a, NULL), 0);
    ck_assert_int_eq(evy_blocking_finish(5), 0);
    ck_assert_int_eq(ended, 2);
    evy_gt_unref(a);
    evy_gt_unref(b);
}
END_TEST

static int file;

/* Somebody else has the lock, and the turn. */
static void *locks(void *arg)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    if (arg)
        ck_assert_int_eq(evy_timeout_start(&t, 0.03, EXDEV), 0);
    int err = evy_flock(file, LOCK_EX) ? errno : 0;
    evy_timeout_cancel(&t);
    evy_exit_error(err ? err : ENOENT);
}

START_TEST(a_call_that_is_killed_or_times_out_in_the_queue_is_not_made)
{
    char path[] = "/tmp/blocking.XXXXXX";
    int other = mkstemp(path);
    file = open(path, O_RDWR);
    ck_assert(other >= 0 && file >= 0 && unlink(path) == 0 && flock(other, LOCK_EX) == 0);
    ck_assert_int_eq(evy_blocking_set_threads(1), 0);
    evy_gt *a = evy_spawn(executes, (void *)900);
    evy_sleep(0.01);
    evy_gt *killed = evy_spawn(locks, NULL), *late = evy_spawn(locks, &file);
    evy_sleep(0.01);
    ck_assert_int_eq(evy_kill(killed, 0), 0);
    ck_assert_fails(evy_gt_wait(killed, NULL), ECANCELED);
    ck_assert_fails(evy_gt_wait(late, NULL), EXDEV);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(evy_gt_wait(a, NULL), 0);
    ck_assert(close(file) == 0 && close(other) == 0);
    evy_gt_unref(a);
    evy_gt_unref(killed);
    evy_gt_unref(late);
}
END_TEST

static void *leaves(void *arg)
{
    pthread_exit(arg);
}

static void *nests(void *arg)
{
    sigset_t mask;
    void *result = NULL;
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    ck_assert_int_eq(evy_blocking(blocks, arg, &result), 0);
    ck_assert_fails(evy_blocking_finish(1), EDEADLK);
    return result;
}

START_TEST(jobs_may_end_their_thread_nest_and_fail)
{
    void *result = &result;
    ck_assert_fails(evy_blocking(leaves, NULL, &result), ECANCELED);
    ck_assert_ptr_eq(result, &result);
    ck_assert_int_eq(evy_blocking_set_threads(1), 0);
    ck_assert_int_eq(evy_blocking(nests, (void *)1, &result), 0);
    ck_assert_ptr_eq(result, (void *)1);
    ck_assert_fails(evy_blocking(NULL, NULL, NULL), EINVAL);
    ck_assert_int_eq(evy_blocking(blocks, NULL, NULL), 0);
}
END_TEST

static void *is_green(void *arg)
{
    *(int *)arg = self() != NULL;
    return arg;
}

static void *foreign_calls(void *arg)
{
    int green = 1;
    void *result = NULL;
    ck_assert_int_eq(evy_blocking(is_green, &green, &result), 0);
    ck_assert(!green && result == &green);
    return arg;
}

static pthread_t real_thread(void *(*body)(void *), void *arg)
{
    pthread_t t;
    ck_assert_int_eq(pthread_create(&t, NULL, body, arg), 0); /* unit tests have no hooks */
    return t;
}

START_TEST(a_foreign_thread_calls_by_itself)
{
    pthread_join(real_thread(foreign_calls, NULL), NULL);
}
END_TEST

static char fifo[40];

static void *opens(void *how)
{
    pthread_t me = pthread_self();
    int fd = evy_open(fifo, (int)(intptr_t)how, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert(pthread_equal(me, pthread_self()));
    ended++;
    evy_close(fd);
    return NULL;
}

/* Light ones share a TCB, but not while libc works for one of them: each waits for what another is to do. */
START_TEST(light_ones_block_side_by_side)
{
    evy_gt *g[6];
    snprintf(fifo, sizeof fifo, "/tmp/evy-fifo-%d", getpid());
    unlink(fifo);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    for (int i = 0; i < 5; i++)
        g[i] = evy_spawn(opens, (void *)O_RDONLY);
    evy_sleep(0.02);
    ck_assert_int_eq(ended, 0);
    g[5] = evy_spawn(opens, (void *)O_WRONLY);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(evy_gt_wait_timeout(g[i], NULL, 5), 0);
        evy_gt_unref(g[i]);
    }
    ck_assert_int_eq(ended, 6);
    unlink(fifo);
}
END_TEST

/* Posted calls */

static atomic_int called;
static evy_gt *woken;

static void say_it(void *arg)
{
    say(arg);
    called++;
}

static void must_not_wait(void *arg)
{
    (void)arg;
    ck_assert_fails(evy_sleep(1), EDEADLK);
    ck_assert_fails(evy_blocking(blocks, NULL, NULL), EDEADLK);
    woken = evy_spawn(is_green, &called);
}

START_TEST(calls_run_in_order_on_the_loop_and_may_spawn)
{
    ck_assert_fails(evy_call_soon(NULL, NULL, NULL), EINVAL);
    ck_assert_int_eq(evy_call_soon(NULL, say_it, "a"), 0);
    ck_assert_int_eq(evy_call_soon(NULL, say_it, "b"), 0);
    ck_assert_int_eq(evy_call_soon(NULL, must_not_wait, NULL), 0);
    ck_assert_trace("");
    evy_sleep(0);
    ck_assert_trace("ab");
    ck_assert_int_eq(evy_gt_wait(woken, NULL), 0);
    evy_gt_unref(woken);
}
END_TEST

static void count(void *arg)
{
    (void)arg;
    called++;
}

START_TEST(a_thousand_wait_and_one_more_is_refused)
{
    for (int i = 0; i < 1024; i++)
        ck_assert_int_eq(evy_call_soon(NULL, count, NULL), 0);
    ck_assert_fails(evy_call_soon(NULL, count, NULL), EAGAIN);
    evy_sleep(0);
    ck_assert_int_eq(called, 1024);
    ck_assert_int_eq(evy_call_soon(NULL, count, NULL), 0);
    evy_sleep(0);
    ck_assert_int_eq(called, 1025);
}
END_TEST

enum { POSTERS = 4, EACH = 20000 };

static void *posts(void *arg)
{
    for (int i = 0; i < EACH; i++)
        while (evy_call_soon(NULL, count, NULL))
            sys_yield();
    return arg;
}

START_TEST(foreign_threads_post_and_wake_a_sleeping_hub)
{
    pthread_t t[POSTERS];
    for (int i = 0; i < POSTERS; i++)
        t[i] = real_thread(posts, NULL);
    while (called < POSTERS * EACH)
        ck_assert_int_eq(evy_sleep(0.01), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(t[i], NULL);
    ck_assert_int_eq(called, POSTERS * EACH);
}
END_TEST

static evy_event *posted;

static void send_posted(void *arg)
{
    evy_event_send(posted, arg);
}

static void *posts_once(void *arg)
{
    usleep(20000);
    ck_assert_int_eq(evy_call_soon(NULL, send_posted, arg), 0);
    return arg;
}

/* Nothing else would: it has no deadline. */
START_TEST(a_foreign_thread_wakes_a_hub_that_sleeps_for_ever)
{
    void *value = NULL;
    posted = evy_event_new();
    pthread_t t = real_thread(posts_once, &called);
    ck_assert_int_eq(evy_event_wait(posted, &value, EVY_FOREVER), 0);
    ck_assert_ptr_eq(value, &called);
    pthread_join(t, NULL);
    evy_event_free(posted);
}
END_TEST

static void interrupt(void *main)
{
    evy_kill(main, EINTR);
}

static void on_alarm(int sig)
{
    (void)sig;
    evy_call_soon(NULL, interrupt, evy_getcurrent());
}

START_TEST(a_signal_handler_posts)
{
    struct itimerspec in = {.it_value.tv_nsec = 20 * MS};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    evy_sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_alarm, .sa_flags = SA_RESTART},
                  NULL);
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
    ck_assert_int_eq(timer_settime(timer, 0, &in, NULL), 0);
    ck_assert_fails(evy_sleep(EVY_FOREVER), EINTR);
    ck_assert_int_eq(timer_delete(timer), 0);
}
END_TEST

START_TEST(counts_grow)
{
    evy_counts before, after;
    evy_hub_counts(&before);
    evy_sleep(0);
    evy_blocking(blocks, (void *)900, NULL);
    evy_hub_counts(&after);
    ck_assert_uint_eq(after.hubs, 1);
    ck_assert_uint_gt(after.switches, before.switches);
    ck_assert_uint_gt(after.hand_offs, before.hand_offs);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, others_go_on_and_the_result_comes_back);
    tcase_add_test(tc, others_go_on_at_once);
    tcase_add_test(tc, many_run_at_once_but_not_more_than_the_limit);
    tcase_add_test(tc, who_is_killed_leaves_and_the_job_completes);
    tcase_add_test(tc, who_is_killed_in_the_queue_leaves_too);
    tcase_add_test(tc, a_call_that_is_killed_or_times_out_in_the_queue_is_not_made);
    if (!UNDER_TSAN) /* pthread_exit is TSan's own, for kernel threads only */
        tcase_add_test(tc, jobs_may_end_their_thread_nest_and_fail);
    tcase_add_test(tc, a_foreign_thread_calls_by_itself);
    tcase_add_test(tc, light_ones_block_side_by_side);
    tcase_add_test(tc, calls_run_in_order_on_the_loop_and_may_spawn);
    tcase_add_test(tc, a_thousand_wait_and_one_more_is_refused);
    tcase_add_test(tc, foreign_threads_post_and_wake_a_sleeping_hub);
    tcase_add_test(tc, a_foreign_thread_wakes_a_hub_that_sleeps_for_ever);
    if (!UNDER_TSAN) /* which keeps a handler back until the next call that it knows */
        tcase_add_test(tc, a_signal_handler_posts);
    tcase_add_test(tc, counts_grow);
}

int main(void)
{
    return run_cases("blocking", add);
}
