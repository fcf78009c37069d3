/* Event, semaphores, locks, wait group. */
#include "evy_case.h"

#include <pthread.h>

static evy_event *event;
static evy_sem *sem;
static evy_capsem *capsem;
static evy_lock *lock;
static evy_wg *wg;

static void *wait_event(void *arg)
{
    void *value = "?";
    if (evy_event_wait(event, &value, EVY_FOREVER))
        value = errno == EPIPE ? "p" : errno == ECANCELED ? "c" : "!";
    say(arg);
    say(value);
    return NULL;
}

START_TEST(event_wakes_all_in_order)
{
    void *v;
    event = evy_event_new();
    for (const char *n = "123"; *n; n++)
        evy_spawn_n(wait_event, letter(*n));
    evy_sleep(0);
    ck_assert_int_eq(evy_event_ready(event), 0);
    ck_assert_fails(evy_event_poll(event, &v), EAGAIN);
    ck_assert_int_eq(evy_event_send(event, "v"), 0);
    ck_assert_trace("");
    ck_assert_fails(evy_event_send(event, "w"), EALREADY);
    evy_sleep(0);
    ck_assert_trace("1v2v3v");
    ck_assert_int_eq(evy_event_wait(event, &v, 0), 0);
    ck_assert_str_eq(v, "v");
    ck_assert_int_eq(evy_event_poll(event, NULL), 0);
    evy_event_free(event);
}
END_TEST

START_TEST(event_error_stays_until_reset)
{
    event = evy_event_new();
    ck_assert_fails(evy_event_reset(event), EINVAL);
    evy_spawn_n(wait_event, "1");
    evy_sleep(0);
    evy_event_send_error(event, EPIPE);
    ck_assert_int_eq(evy_event_error(event), EPIPE);
    ck_assert_int_eq(evy_event_reset(event), 0);
    ck_assert_int_eq(evy_event_error(event), 0);
    evy_sleep(0);
    ck_assert_trace("1p"); /* what was sent before the reset */
    evy_event_send_error(event, EPIPE);
    ck_assert_fails(evy_event_wait(event, NULL, 1), EPIPE);
    ck_assert_fails(evy_event_wait(event, NULL, 1), EPIPE);
    evy_event_reset(event);
    evy_event_send(event, NULL);
    ck_assert_int_eq(evy_event_wait(event, NULL, 1), 0);
    evy_event_free(event);
}
END_TEST

START_TEST(event_wait_times_out)
{
    event = evy_event_new();
    double start = seconds_now();
    ck_assert_fails(evy_event_wait(event, NULL, 0.02), ETIMEDOUT);
    ck_assert_double_ge(seconds_now() - start, 0.02);
    evy_gt *g = evy_spawn(wait_event, "k");
    evy_spawn_n(wait_event, "l");
    evy_sleep(0);
    evy_kill(g, 0);
    evy_gt_unref(g);
    evy_event_send(event, "v");
    evy_sleep(0);
    ck_assert_trace("kclv");
    evy_event_free(event);
}
END_TEST

static void *send_from_kernel_thread(void *arg)
{
    evy_event_send(event, arg);
    return NULL;
}

START_TEST(event_is_sent_from_a_kernel_thread)
{
    pthread_t t;
    void *v;
    event = evy_event_new();
    pthread_create(&t, NULL, send_from_kernel_thread, "v");
    ck_assert_int_eq(evy_event_wait(event, &v, 5), 0); /* Eventlet's waiter never wakes */
    ck_assert_str_eq(v, "v");
    pthread_join(t, NULL);
    evy_event_free(event);
}
END_TEST

static void *take_permit(void *arg)
{
    say(evy_sem_acquire(sem, EVY_FOREVER) ? "!" : arg);
    return NULL;
}

START_TEST(sem_serves_in_order)
{
    sem = evy_sem_new(0);
    ck_assert_int_eq(evy_sem_locked(sem), 1);
    for (const char *n = "123"; *n; n++)
        evy_spawn_n(take_permit, letter(*n));
    evy_sleep(0);
    ck_assert_int_eq(evy_sem_balance(sem), -3);
    evy_sem_release(sem);
    ck_assert_trace("");
    ck_assert_fails(evy_sem_try(sem), EAGAIN); /* it is 1's already */
    evy_sleep(0);
    ck_assert_trace("1");
    evy_sem_release(sem);
    evy_sem_release(sem);
    evy_sem_release(sem);
    evy_sleep(0);
    ck_assert_trace("23");
    ck_assert_int_eq(evy_sem_value(sem), 1);
    ck_assert_int_eq(evy_sem_try(sem), 0);
    evy_sem_free(sem);
}
END_TEST

START_TEST(sem_survives_who_leaves)
{
    sem = evy_sem_new(0);
    evy_gt *dies = evy_spawn(take_permit, "d");
    evy_spawn_n(take_permit, "2");
    evy_sleep(0);
    evy_sem_release(sem); /* to dies, which is then killed: the kill comes too late */
    evy_kill(dies, 0);
    ck_assert_trace("d");
    evy_gt_unref(dies);
    ck_assert_fails(evy_sem_acquire(sem, 0.005), ETIMEDOUT);
    ck_assert_fails(evy_sem_acquire(sem, 0), ETIMEDOUT);
    ck_assert_fails(evy_sem_acquire(sem, -1), ETIMEDOUT);
    ck_assert_int_eq(evy_sem_balance(sem), -1);
    evy_sem_release(sem);
    evy_sleep(0);
    ck_assert_trace("2");
    evy_sem_free(sem);
}
END_TEST

START_TEST(sem_arguments)
{
    ck_assert_null_with(evy_sem_new(-1), EINVAL);
    ck_assert_null_with(evy_capsem_new(-1, 1), EINVAL);
    ck_assert_null_with(evy_capsem_new(2, 1), EINVAL);
    ck_assert_fails(evy_sem_acquire(NULL, 1), EINVAL);
    ck_assert_fails(evy_sem_release(NULL), EINVAL);
    sem = evy_sem_new_bounded(1);
    ck_assert_fails(evy_sem_release(sem), EOVERFLOW);
    ck_assert_fails(evy_sem_acquire(sem, 0.0 / 0.0), EINVAL);
    ck_assert_int_eq(evy_sem_acquire(sem, 0), 0);
    ck_assert_int_eq(evy_sem_release(sem), 0);
    evy_sem_free(sem);
}
END_TEST

static void *cap_acquire(void *arg)
{
    say(evy_capsem_acquire(capsem, EVY_FOREVER) ? "!" : arg);
    return NULL;
}

static void *cap_release(void *arg)
{
    say(evy_capsem_release(capsem, EVY_FOREVER) ? "!" : arg);
    return NULL;
}

START_TEST(capsem_waits_on_both_sides)
{
    capsem = evy_capsem_new(0, 2);
    ck_assert_int_eq(evy_capsem_balance(capsem), -2);
    for (int i = 0; i < 3; i++)
        evy_spawn_n(cap_acquire, "a");
    evy_sleep(0);
    ck_assert_int_eq(evy_capsem_balance(capsem), -8);
    for (int i = 0; i < 3; i++)
        evy_spawn_n(cap_release, "r");
    evy_sleep(0.01);
    ck_assert_str_eq("rrraaa", trace);
    ck_assert_trace("rrraaa");
    ck_assert_int_eq(evy_capsem_try_release(capsem), 0);
    ck_assert_int_eq(evy_capsem_try_release(capsem), 0);
    ck_assert_fails(evy_capsem_try_release(capsem), EAGAIN);
    ck_assert_fails(evy_capsem_release(capsem, 0.002), ETIMEDOUT);
    ck_assert_int_eq(evy_capsem_try_acquire(capsem), 0);
    ck_assert_int_eq(evy_capsem_try_acquire(capsem), 0);
    ck_assert_fails(evy_capsem_try_acquire(capsem), EAGAIN);
    evy_capsem_free(capsem);
}
END_TEST

START_TEST(capsem_of_0_is_a_meeting)
{
    capsem = evy_capsem_new(0, 0);
    evy_spawn_n(cap_release, "r");
    evy_sleep(0);
    ck_assert_trace("");
    evy_spawn_n(cap_acquire, "a");
    evy_sleep(0.005);
    ck_assert_trace("ar");
    ck_assert_fails(evy_capsem_acquire(capsem, 0.002), ETIMEDOUT);
    ck_assert_fails(evy_capsem_release(capsem, 0.002), ETIMEDOUT);
    evy_capsem_free(capsem);
}
END_TEST

static void *take_lock(void *arg)
{
    evy_lock_acquire(lock, EVY_FOREVER);
    say(arg);
    evy_sleep(0.001);
    say(arg);
    ck_assert_int_eq(evy_lock_release(lock), 0);
    return NULL;
}

START_TEST(lock_excludes)
{
    lock = evy_lock_new();
    ck_assert_fails(evy_lock_release(lock), EPERM);
    evy_spawn_n(take_lock, "1");
    evy_spawn_n(take_lock, "2");
    evy_sleep(0);
    ck_assert_fails(evy_lock_try(lock), EAGAIN);
    ck_assert_int_eq(evy_lock_locked(lock), 1);
    while (strlen(trace) < 4)
        evy_sleep(0.001);
    ck_assert_trace("1122");
    ck_assert_int_eq(evy_lock_try(lock), 0);
    ck_assert_int_eq(evy_lock_reinit(lock), 0);
    ck_assert_int_eq(evy_lock_locked(lock), 0);
    evy_lock_free(lock);
}
END_TEST

static void *steal(void *arg)
{
    ck_assert_fails(evy_rlock_release(arg), EPERM);
    ck_assert_fails(evy_rlock_acquire(arg, 0.001), ETIMEDOUT);
    return NULL;
}

START_TEST(rlock_counts)
{
    evy_rlock *l = evy_rlock_new();
    ck_assert_fails(evy_rlock_release(l), EPERM);
    ck_assert_int_eq(evy_rlock_acquire(l, 1), 0);
    ck_assert_int_eq(evy_rlock_acquire(l, 1), 0);
    evy_spawn_n(steal, l);
    evy_sleep(0.01);
    ck_assert_int_eq(evy_rlock_release(l), 0);
    ck_assert_int_eq(evy_rlock_release(l), 0);
    ck_assert_fails(evy_rlock_release(l), EPERM);
    evy_rlock_free(l);
}
END_TEST

static void *wait_wg(void *arg)
{
    evy_wg_wait(wg, EVY_FOREVER);
    say(arg);
    return NULL;
}

START_TEST(wait_group)
{
    wg = evy_wg_new();
    ck_assert_int_eq(evy_wg_wait(wg, 0), 0);
    ck_assert_fails(evy_wg_done(wg), EINVAL);
    ck_assert_fails(evy_wg_add(wg, 0), EINVAL);
    evy_wg_add(wg, 2);
    evy_spawn_n(wait_wg, "1");
    evy_spawn_n(wait_wg, "2");
    evy_sleep(0);
    ck_assert_fails(evy_wg_wait(wg, 0.001), ETIMEDOUT);
    evy_wg_done(wg);
    evy_sleep(0);
    ck_assert_trace("");
    evy_wg_done(wg);
    evy_sleep(0);
    ck_assert_trace("12");
    evy_wg_free(wg);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, event_wakes_all_in_order);
    tcase_add_test(tc, event_error_stays_until_reset);
    tcase_add_test(tc, event_wait_times_out);
    tcase_add_test(tc, event_is_sent_from_a_kernel_thread);
    tcase_add_test(tc, sem_serves_in_order);
    tcase_add_test(tc, sem_survives_who_leaves);
    tcase_add_test(tc, sem_arguments);
    tcase_add_test(tc, capsem_waits_on_both_sides);
    tcase_add_test(tc, capsem_of_0_is_a_meeting);
    tcase_add_test(tc, lock_excludes);
    tcase_add_test(tc, rlock_counts);
    tcase_add_test(tc, wait_group);
}

int main(void)
{
    return run_cases("event_sem", add);
}
