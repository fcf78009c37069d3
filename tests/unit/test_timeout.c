/* Timeouts: what they end, nesting, identity (Eventlet's Timeout). */
#include "evy_case.h"

#include "io/calls.h"
#include "sync/sync.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static evy_timeout a = EVY_TIMEOUT_INIT, b = EVY_TIMEOUT_INIT;

START_TEST(it_ends_one_wait)
{
    double start = seconds_now();
    ck_assert_int_eq(evy_timeout_start(&a, 0.02, 0), 0);
    ck_assert_int_eq(evy_timeout_pending(&a), 1);
    ck_assert_fails(evy_timeout_start(&a, 1, 0), EBUSY);
    ck_assert_fails(evy_sleep(5), ETIMEDOUT);
    ck_assert_double_ge(seconds_now() - start, 0.02);
    ck_assert_ptr_eq(evy_timeout_last(), &a);
    ck_assert_int_eq(evy_timeout_fired(&a), 1);
    ck_assert_int_eq(evy_timeout_pending(&a), 0);
    ck_assert_int_eq(evy_sleep(0.001), 0);
    ck_assert_int_eq(evy_timeout_cancel(&a), 1);
    ck_assert_int_eq(evy_timeout_start(&a, 5, 0), 0);
    ck_assert_int_eq(evy_timeout_cancel(&a), 0);
    ck_assert_int_eq(evy_timeout_cancel(&a), 0);
    ck_assert_int_eq(evy_timeout_fired(&a), 0);
}
END_TEST

START_TEST(zero_fires_at_the_next_wait)
{
    for (int i = 0; i < 2; i++) {
        evy_timeout_start(&a, -i, EPIPE);
        ck_assert_int_eq(evy_timeout_pending(&a), 1);
        ck_assert_fails(evy_sleep(1), EPIPE);
        evy_timeout_cancel(&a);
        evy_timeout_start(&a, -i, 0);
        ck_assert_fails(evy_sleep(0), ETIMEDOUT);
        evy_timeout_cancel(&a);
    }
    ck_assert_int_eq(evy_timeout_start(&a, EVY_FOREVER, 0), 0);
    ck_assert_int_eq(evy_sleep(0.005), 0);
    ck_assert_int_eq(evy_timeout_cancel(&a), 0);
}
END_TEST

START_TEST(they_nest)
{
    evy_timeout_start(&a, 0.01, 0);
    evy_timeout_start(&b, 5, 0);
    ck_assert_fails(evy_sleep(5), ETIMEDOUT);
    ck_assert_int_eq(evy_timeout_fired(&a), 1);
    ck_assert_int_eq(evy_timeout_pending(&b), 1);
    evy_timeout_cancel(&a);
    evy_timeout_cancel(&b);
    evy_timeout_start(&a, 5, 0);
    evy_timeout_start(&b, 0.01, 0);
    ck_assert_fails(evy_sleep(5), ETIMEDOUT);
    ck_assert_ptr_eq(evy_timeout_last(), &b);
    ck_assert_int_eq(evy_timeout_pending(&a), 1);
    evy_timeout_cancel(&a);
    evy_timeout_cancel(&b);
}
END_TEST

START_TEST(equal_ones_fire_in_order_each_at_a_wait)
{
    evy_timeout_start(&a, 0, EPIPE);
    evy_timeout_start(&b, 0, EDOM);
    ck_assert_fails(evy_sleep(1), EPIPE);
    ck_assert_fails(evy_sleep(1), EDOM);
    ck_assert_int_eq(evy_sleep(0), 0);
    evy_timeout_start(&a, 0, EPIPE);
    evy_timeout_start(&b, 0, EDOM);
    ck_assert_fails(evy_sleep(1), EPIPE);
    ck_assert_int_eq(evy_timeout_cancel(&b), 1); /* fired, and is withdrawn */
    ck_assert_int_eq(evy_sleep(0), 0);
}
END_TEST

static int sleep_long(void *arg)
{
    return evy_sleep(*(double *)arg);
}

static int inner_with_timeout(void *arg)
{
    int mine;
    int r = evy_with_timeout(5, sleep_long, arg, &mine);
    ck_assert_int_eq(mine, 0); /* the outer, shorter one wins */
    return r;
}

START_TEST(with_timeout_knows_its_own)
{
    double zero = 0, long_time = 5;
    int mine = 7;
    ck_assert_int_eq(evy_with_timeout(1, sleep_long, &zero, &mine), 0);
    ck_assert_int_eq(mine, 0);
    ck_assert_fails(evy_with_timeout(0.01, sleep_long, &long_time, &mine), ETIMEDOUT);
    ck_assert_int_eq(mine, 1);
    ck_assert_fails(evy_with_timeout(0.01, inner_with_timeout, &long_time, &mine), ETIMEDOUT);
    ck_assert_int_eq(mine, 1);
    ck_assert_fails(evy_with_timeout(1, NULL, NULL, NULL), EINVAL);
    ck_assert_int_eq(evy_is_timeout(ETIMEDOUT), 1);
    ck_assert_int_eq(evy_is_timeout(ECANCELED), 0);
}
END_TEST

START_TEST(a_block_has_a_timeout)
{
    int r = 0;
    EVY_WITH_TIMEOUT(&a, 0.005)
    {
        ck_assert_int_eq(evy_timeout_pending(&a), 1);
        r = evy_sleep(5);
    }
    ck_assert_int_eq(r, -1);
    ck_assert_int_eq(evy_timeout_fired(&a), 1);
    EVY_WITH_TIMEOUT(&a, 5)
    {
        r = evy_sleep(0);
    }
    ck_assert_int_eq(r, 0);
    ck_assert_int_eq(evy_timeout_pending(&a) + evy_timeout_fired(&a), 0);
}
END_TEST

START_TEST(green_libc_calls_are_interrupted)
{
    int fds[2];
    char c;
    sem_t sem;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    sem_init(&sem, 0, 0);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_fails(evy_recv(fds[0], &c, 1, 0), ETIMEDOUT);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_fails(evy_read(fds[0], &c, 1), ETIMEDOUT);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_fails(evy_poll(&p, 1, 5000), ETIMEDOUT);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_fails(evy_usleep(5000000), ETIMEDOUT);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_fails(evy_sem_wait(&sem), ETIMEDOUT);
    pthread_mutex_lock(&m);
    EVY_WITH_TIMEOUT(&a, 0.005) ck_assert_int_eq(evy_pthread_cond_wait(&cond, &m), ETIMEDOUT);
    pthread_mutex_unlock(&m);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

/* Left by continue, and cancelled inside; a silent inner one lets the outer one through. */
START_TEST(blocks_nest)
{
    int r = 0;
    EVY_WITH_TIMEOUT(&a, 5)
    {
        if (evy_timeout_pending(&a))
            continue;
        r = 1;
    }
    ck_assert_int_eq(r + evy_timeout_pending(&a), 0);
    EVY_WITH_TIMEOUT(&a, 0.002)
    {
        ck_assert_int_eq(evy_timeout_cancel(&a), 0);
        ck_assert_int_eq(evy_sleep(0.005), 0);
    }
    EVY_WITH_TIMEOUT(&a, 0.002)
    {
        EVY_WITH_TIMEOUT(&b, 5)
        {
            ck_assert_fails(evy_sleep(5), ETIMEDOUT);
            ck_assert_int_eq(evy_timeout_pending(&b), 1);
        }
        ck_assert_int_eq(evy_timeout_fired(&b), 0);
    }
    ck_assert_int_eq(evy_timeout_fired(&a), 1);
    EVY_WITH_TIMEOUT(&a, EVY_FOREVER) r = evy_sleep(0.001);
    ck_assert_int_eq(r, 0);
}
END_TEST

static void *reader(void *arg)
{
    char c;
    ck_assert_fails(evy_recv((int)(intptr_t)arg, &c, 1, 0), ECANCELED);
    ck_assert_int_eq((int)evy_recv((int)(intptr_t)arg, &c, 1, 0), 1);
    return NULL;
}

START_TEST(a_killed_reader_reads_on)
{
    int fds[2];
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    evy_gt *g = evy_spawn(reader, (void *)(intptr_t)fds[0]);
    evy_sleep(0);
    evy_kill(g, 0);
    ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_gt_unref(g);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

static void *forgets(void *arg)
{
    evy_timeout_start(&a, 0.01, 0);
    return arg;
}

START_TEST(a_dead_owner_is_harmless)
{
    evy_gt_unref(evy_spawn(forgets, NULL));
    ck_assert_int_eq(evy_sleep(0.03), 0);
    ck_assert_int_eq(evy_timeout_fired(&a), 0);
    ck_assert_uint_eq(hubs[0].timers.count, 0);
}
END_TEST

START_TEST(misuse_is_an_errno)
{
    ck_assert_fails(evy_timeout_start(NULL, 1, 0), EINVAL);
    ck_assert_fails(evy_timeout_start(&a, 0.0 / 0.0, 0), EINVAL);
    ck_assert_fails(evy_timeout_start(&a, 1, -3), EINVAL);
    ck_assert_int_eq(evy_timeout_cancel(NULL), 0);
    ck_assert_ptr_null(evy_timeout_last());
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, it_ends_one_wait);
    tcase_add_test(tc, zero_fires_at_the_next_wait);
    tcase_add_test(tc, they_nest);
    tcase_add_test(tc, equal_ones_fire_in_order_each_at_a_wait);
    tcase_add_test(tc, with_timeout_knows_its_own);
    tcase_add_test(tc, a_block_has_a_timeout);
    tcase_add_test(tc, blocks_nest);
    tcase_add_test(tc, green_libc_calls_are_interrupted);
    tcase_add_test(tc, a_killed_reader_reads_on);
    tcase_add_test(tc, a_dead_owner_is_harmless);
    tcase_add_test(tc, misuse_is_an_errno);
}

int main(void)
{
    return run_cases("timeout", add);
}
