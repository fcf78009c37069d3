/* Queues: bounds, channels, order, who leaves, resize, tasks (Eventlet's queue_test). */
#include "evy_case.h"

#include <stdio.h>

static evy_queue *queue;

static void begin(long max)
{
    queue = evy_queue_new(max, EVY_Q_FIFO);
    ck_assert_ptr_nonnull(queue);
}

static void end(void)
{
    evy_queue_free(queue);
}

static void *putter(void *arg)
{
    say("p");
    say(evy_queue_put(queue, arg, EVY_FOREVER) ? "!" : arg);
    return NULL;
}

static void *getter(void *arg)
{
    void *item = "?";
    if (evy_queue_get(queue, &item, EVY_FOREVER))
        item = "!";
    say(arg);
    say(item);
    return NULL;
}

static const char *get_now(void)
{
    void *item;
    return evy_queue_tryget(queue, &item) ? "none" : item;
}

START_TEST(first_in_first_out)
{
    void *item;
    begin(-1);
    ck_assert_int_eq(evy_queue_empty(queue), 1);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(evy_queue_put(queue, &trace[i], 0), 0);
    ck_assert_int_eq(evy_queue_len(queue), 100);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(evy_queue_get(queue, &item, 0), 0);
        ck_assert_ptr_eq(item, &trace[i]);
    }
    ck_assert_fails(evy_queue_tryget(queue, &item), EAGAIN);
    ck_assert_fails(evy_queue_get(queue, &item, 0), ETIMEDOUT);
    ck_assert_fails(evy_queue_get(queue, &item, -1), ETIMEDOUT);
    ck_assert_fails(evy_queue_get(queue, &item, 0.003), ETIMEDOUT);
    ck_assert_int_eq(evy_queue_full(queue), 0);
    end();
}
END_TEST

START_TEST(getters_are_served_in_order)
{
    begin(-1);
    for (const char *n = "123"; *n; n++)
        evy_spawn_n(getter, letter(*n));
    evy_sleep(0);
    ck_assert_int_eq(evy_queue_getting(queue), 3);
    evy_queue_put(queue, "a", 0);
    ck_assert_str_eq(get_now(), "none"); /* it is 1's: nobody steals it */
    evy_queue_put(queue, "b", 0);
    evy_queue_put(queue, "c", 0);
    ck_assert_trace("");
    evy_sleep(0);
    ck_assert_trace("1a2b3c");
    end();
}
END_TEST

START_TEST(a_full_queue_waits)
{
    begin(2);
    evy_queue_put(queue, "x", 0);
    evy_queue_put(queue, "y", 0);
    ck_assert_int_eq(evy_queue_full(queue), 1);
    ck_assert_fails(evy_queue_tryput(queue, "z"), EAGAIN);
    ck_assert_fails(evy_queue_put(queue, "z", 0.002), ETIMEDOUT);
    evy_spawn_n(putter, "z");
    evy_sleep(0);
    ck_assert_trace("p");
    ck_assert_int_eq(evy_queue_putting(queue), 1);
    ck_assert_str_eq(get_now(), "x");
    evy_sleep(0);
    ck_assert_trace("z");
    ck_assert_str_eq(get_now(), "y");
    ck_assert_str_eq(get_now(), "z");
    ck_assert_str_eq(get_now(), "none");
    end();
}
END_TEST

START_TEST(sender_first_on_a_channel)
{
    begin(0);
    ck_assert_int_eq(evy_queue_full(queue) + evy_queue_empty(queue), 2);
    ck_assert_fails(evy_queue_tryput(queue, "x"), EAGAIN);
    ck_assert_fails(evy_queue_put(queue, "x", 0.002), ETIMEDOUT);
    evy_spawn_n(putter, "a");
    evy_sleep(0);
    ck_assert_trace("p");
    evy_spawn_n(getter, "1");
    evy_sleep(0.002);
    ck_assert_trace("1aa"); /* the receiver goes on first */
    evy_spawn_n(putter, "b");
    evy_sleep(0);
    ck_assert_str_eq(get_now(), "b"); /* Eventlet's says Empty */
    evy_sleep(0);
    ck_assert_trace("pb");
    end();
}
END_TEST

START_TEST(receiver_first_on_a_channel)
{
    begin(0);
    evy_spawn_n(getter, "1");
    evy_sleep(0);
    evy_spawn_n(putter, "a");
    evy_sleep(0.002);
    ck_assert_trace("p1aa");
    evy_spawn_n(getter, "2");
    evy_sleep(0);
    ck_assert_int_eq(evy_queue_tryput(queue, "b"), 0);
    ck_assert_trace("2b"); /* has got it already */
    end();
}
END_TEST

START_TEST(many_meet_on_a_channel)
{
    begin(0);
    for (const char *n = "123"; *n; n++)
        evy_spawn_n(putter, letter(*n));
    for (const char *n = "abc"; *n; n++)
        evy_spawn_n(getter, letter(*n));
    while (strlen(trace) < 12)
        evy_sleep(0.001);
    ck_assert_trace("pppa1b2c3123");
    end();
}
END_TEST

START_TEST(who_leaves_takes_nothing)
{
    void *item;
    begin(-1);
    evy_gt *dies = evy_spawn(getter, "d");
    evy_spawn_n(getter, "2");
    evy_sleep(0);
    evy_kill(dies, 0);
    ck_assert_trace("d!");
    evy_queue_put(queue, "a", 0);
    evy_sleep(0);
    ck_assert_trace("2a");
    evy_gt_unref(dies);
    ck_assert_fails(evy_queue_get(queue, &item, 0.002), ETIMEDOUT);
    evy_queue_put(queue, "b", 0);
    ck_assert_str_eq(get_now(), "b");
    ck_assert_int_eq(evy_queue_getting(queue), 0);
    end();
}
END_TEST

/* Half of those who wait leave: what is put goes to the others, in order. */
START_TEST(half_of_the_getters_leave)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    evy_gt *g[10];
    begin(0);
    for (int i = 0; i < 10; i++)
        g[i] = evy_spawn(getter, (void *)names[i]);
    evy_sleep(0);
    for (int i = 0; i < 10; i += 2)
        evy_kill(g[i], 0);
    ck_assert_trace("0!2!4!6!8!");
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(evy_queue_put(queue, (void *)names[i], 1), 0);
    ck_assert_fails(evy_queue_tryput(queue, "z"), EAGAIN);
    evy_sleep(0);
    ck_assert_trace("1031527394");
    for (int i = 0; i < 10; i++)
        evy_gt_unref(g[i]);
    end();
}
END_TEST

START_TEST(resize)
{
    begin(1);
    evy_queue_put(queue, "x", 0);
    evy_spawn_n(putter, "y");
    evy_spawn_n(putter, "z");
    evy_sleep(0);
    evy_queue_resize(queue, 2);
    evy_sleep(0);
    ck_assert_trace("ppy");
    evy_queue_resize(queue, -7);
    ck_assert_int_eq(evy_queue_max(queue), -1);
    ck_assert_int_eq(evy_queue_full(queue), 0);
    evy_sleep(0);
    ck_assert_trace("z");
    evy_queue_resize(queue, 1); /* what is in it stays */
    ck_assert_int_eq(evy_queue_len(queue), 3);
    ck_assert_int_eq(evy_queue_full(queue), 1);
    ck_assert_str_eq(get_now(), "x");
    ck_assert_int_eq(evy_queue_full(queue), 1);
    evy_queue_resize(queue, 0);
    ck_assert_str_eq(get_now(), "y");
    ck_assert_str_eq(get_now(), "z");
    ck_assert_fails(evy_queue_tryput(queue, "q"), EAGAIN);
    end();
}
END_TEST

static int by_first(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

START_TEST(kinds)
{
    static const char *const in[] = {"c1", "a1", "b1", "a2", "c2", "a3"};
    queue = evy_queue_new_priority(-1, by_first);
    for (int i = 0; i < 6; i++)
        evy_queue_put(queue, (void *)in[i], 0);
    for (int i = 0; i < 6; i++)
        say(get_now());
    ck_assert_trace("a1a2a3b1c1c2");
    end();
    queue = evy_queue_new(-1, EVY_Q_LIFO);
    for (int i = 0; i < 3; i++)
        evy_queue_put(queue, (void *)in[i], 0);
    for (int i = 0; i < 3; i++)
        say(get_now());
    ck_assert_trace("b1a1c1");
    end();
    queue = evy_queue_new(0, EVY_Q_STDLIB);
    ck_assert_int_eq(evy_queue_max(queue), -1);
    ck_assert_int_eq(evy_queue_tryput(queue, "x"), 0);
    end();
    ck_assert_null_with(evy_queue_new(1, 64), EINVAL);
    ck_assert_null_with(evy_queue_new_priority(1, NULL), EINVAL);
    ck_assert_fails(evy_queue_put(NULL, NULL, 0), EINVAL);
    ck_assert_fails(evy_queue_get(NULL, NULL, 0), EINVAL);
}
END_TEST

START_TEST(a_large_heap_is_in_order)
{
    static char values[1000];
    void *item;
    char last = -128;
    queue = evy_queue_new_priority(-1, by_first);
    for (unsigned i = 0; i < sizeof values; i++) {
        values[i] = (char)(i * 37 % 101);
        evy_queue_put(queue, &values[i], 0);
    }
    for (unsigned i = 0; i < sizeof values; i++) {
        ck_assert_int_eq(evy_queue_tryget(queue, &item), 0);
        ck_assert_int_le(last, *(char *)item);
        last = *(char *)item;
    }
    end();
}
END_TEST

static void *joiner(void *arg)
{
    evy_queue_join(queue, EVY_FOREVER);
    say(arg);
    return NULL;
}

START_TEST(tasks)
{
    begin(-1);
    ck_assert_int_eq(evy_queue_join(queue, 0), 0);
    ck_assert_fails(evy_queue_task_done(queue), EINVAL);
    evy_queue_put(queue, "x", 0);
    evy_queue_put(queue, "y", 0);
    evy_spawn_n(joiner, "j");
    evy_sleep(0);
    get_now();
    get_now();
    ck_assert_int_eq(evy_queue_unfinished(queue), 2);
    ck_assert_fails(evy_queue_join(queue, 0.001), ETIMEDOUT);
    evy_queue_task_done(queue);
    evy_sleep(0);
    ck_assert_trace("");
    evy_queue_task_done(queue);
    evy_sleep(0);
    ck_assert_trace("j");
    end();
    begin(0);
    evy_spawn_n(putter, "x");
    evy_sleep(0);
    ck_assert_int_eq(evy_queue_unfinished(queue), 0);
    get_now();
    ck_assert_int_eq(evy_queue_unfinished(queue), 1);
    evy_sleep(0);
    end();
}
END_TEST

static void *produce(void *arg)
{
    for (long i = 1; i <= 1000; i++)
        ck_assert_int_eq(evy_queue_put(queue, (void *)i, EVY_FOREVER), 0);
    return arg;
}

static void *consume(void *arg)
{
    void *item;
    for (int i = 0; i < 1500; i++) {
        ck_assert_int_eq(evy_queue_get(queue, &item, EVY_FOREVER), 0);
        *(long *)arg += (long)item;
    }
    return NULL;
}

START_TEST(producers_and_consumers)
{
    static const long bounds[] = {0, 1, 7, -1};
    for (int b = 0; b < 4; b++) {
        long sums[2] = {0, 0};
        evy_gt *all[5];
        begin(bounds[b]);
        for (int i = 0; i < 3; i++)
            all[i] = evy_spawn(produce, NULL);
        for (int i = 0; i < 2; i++)
            all[3 + i] = evy_spawn(consume, &sums[i]);
        for (int i = 0; i < 5; i++) {
            ck_assert_int_eq(evy_gt_wait(all[i], NULL), 0);
            evy_gt_unref(all[i]);
        }
        ck_assert_int_eq(sums[0] + sums[1], 3L * 1000 * 1001 / 2);
        end();
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, first_in_first_out);
    tcase_add_test(tc, getters_are_served_in_order);
    tcase_add_test(tc, a_full_queue_waits);
    tcase_add_test(tc, sender_first_on_a_channel);
    tcase_add_test(tc, receiver_first_on_a_channel);
    tcase_add_test(tc, many_meet_on_a_channel);
    tcase_add_test(tc, who_leaves_takes_nothing);
    tcase_add_test(tc, half_of_the_getters_leave);
    tcase_add_test(tc, resize);
    tcase_add_test(tc, kinds);
    tcase_add_test(tc, a_large_heap_is_in_order);
    tcase_add_test(tc, tasks);
    tcase_add_test(tc, producers_and_consumers);
}

int main(void)
{
    return run_cases("queue", add);
}
