/* GreenPool, GreenPile, maps (Eventlet's greenpool_test). */
#include "evy_case.h"

static evy_pool *pool;
static int at_once, most_at_once;

static void *work(void *arg)
{
    if (++at_once > most_at_once)
        most_at_once = at_once;
    evy_sleep(0.001);
    at_once--;
    return arg;
}

static void *say_arg(void *arg)
{
    say(arg);
    return arg;
}

static void *fails(void *arg)
{
    evy_exit_error((int)(intptr_t)arg);
}

static void *sleep_for_ever(void *arg)
{
    evy_sleep(EVY_FOREVER);
    return arg;
}

START_TEST(size_bounds_who_runs)
{
    evy_gt *g[10];
    void *res;
    pool = evy_pool_new(4);
    for (long i = 0; i < 10; i++)
        g[i] = evy_pool_spawn(pool, work, (void *)i);
    ck_assert_int_gt(evy_pool_running(pool), 0);
    ck_assert_int_eq(evy_pool_free_slots(pool), 4 - evy_pool_running(pool));
    ck_assert_fails(evy_pool_free(pool), EBUSY);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    for (long i = 0; i < 10; i++) {
        ck_assert_int_eq(evy_gt_wait(g[i], &res), 0);
        ck_assert_int_eq((long)res, i);
        evy_gt_unref(g[i]);
    }
    ck_assert_int_eq(most_at_once, 4);
    ck_assert_int_eq(evy_pool_running(pool), 0);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    ck_assert_int_eq(evy_pool_free(pool), 0);
}
END_TEST

static void *spawn_into_pool(void *arg)
{
    say(evy_pool_spawn_n(pool, say_arg, arg) ? "!" : "s");
    return NULL;
}

START_TEST(waiting_is_counted)
{
    pool = evy_pool_new(1);
    evy_gt *g = evy_pool_spawn(pool, sleep_for_ever, NULL);
    evy_gt *first = evy_spawn(spawn_into_pool, "1");
    evy_spawn_n(spawn_into_pool, "2");
    ck_assert_int_eq(evy_pool_waiting(pool), 0);
    evy_sleep(0);
    ck_assert_int_eq(evy_pool_waiting(pool), 2);
    evy_kill(first, 0);
    ck_assert_trace("!");
    ck_assert_int_eq(evy_pool_waiting(pool), 1);
    evy_kill(g, 0);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    ck_assert_trace("s2");
    ck_assert_int_eq(evy_pool_waiting(pool) + evy_pool_running(pool), 0);
    evy_gt_unref(g);
    evy_gt_unref(first);
    evy_pool_free(pool);
}
END_TEST

static evy_gt *current_seen;

static void *see_current(void *arg)
{
    current_seen = evy_getcurrent();
    return arg;
}

static void *member(void *arg)
{
    void *res = NULL;
    ck_assert_fails(evy_pool_waitall(pool), EDEADLK);
    evy_gt *g = evy_pool_spawn(pool, see_current, arg);
    ck_assert_ptr_eq(current_seen, evy_getcurrent()); /* inline */
    ck_assert_int_eq(evy_gt_dead(g), 1);
    ck_assert_int_eq(evy_gt_wait(g, &res), 0);
    ck_assert_ptr_eq(res, arg);
    evy_gt_unref(g);
    ck_assert_int_eq(evy_pool_spawn_n(pool, say_arg, "n"), 0);
    return NULL;
}

START_TEST(a_member_of_a_full_pool_runs_it_inline)
{
    pool = evy_pool_new(1);
    evy_pool_spawn_n(pool, member, trace);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    ck_assert_trace("n");
    evy_pool_free(pool);
}
END_TEST

static void *ends_inline(void *arg)
{
    evy_pool_spawn(pool, fails, arg);
    say("never");
    return NULL;
}

/* Eventlet's spawn raises what the function raises: the caller ends. */
START_TEST(an_end_inline_is_the_callers)
{
    pool = evy_pool_new(1);
    evy_gt *g = evy_pool_spawn(pool, ends_inline, (void *)(intptr_t)EDOM);
    ck_assert_fails(evy_gt_wait(g, NULL), EDOM);
    evy_gt_unref(g);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    ck_assert_trace("");
    evy_pool_free(pool);
}
END_TEST

static evy_timer *member_timer;
static evy_event *handed_over;

static void say_cb(void *arg)
{
    say(arg);
}

static void *make_timer(void *arg)
{
    member_timer = evy_hub_call_local(0.002, say_cb, arg);
    return NULL;
}

static void *send_event(void *arg)
{
    evy_sleep(0.001);
    ck_assert_int_eq(evy_event_send(handed_over, arg), 0);
    return NULL;
}

static void *wait_for_event(void *arg)
{
    void *value;
    ck_assert_int_eq(evy_event_wait(handed_over, &value, 5), 0);
    say(value);
    return arg;
}

/* A member's local timer dies with it; members wait for each other; nobody runs before the caller waits. */
START_TEST(members_are_green_threads)
{
    pool = evy_pool_new(2);
    handed_over = evy_event_new();
    ck_assert_int_eq(evy_pool_spawn_n(pool, wait_for_event, NULL), 0);
    ck_assert_int_eq(evy_pool_spawn_n(pool, send_event, "v"), 0);
    ck_assert_trace("");
    ck_assert_int_eq(evy_pool_spawn_n(pool, make_timer, "never"), 0);
    ck_assert_int_eq(evy_pool_waitall(pool), 0);
    evy_sleep(0.01);
    ck_assert_trace("v");
    evy_timer_free(member_timer);
    evy_event_free(handed_over);
    evy_pool_free(pool);
}
END_TEST

START_TEST(every_end_gives_the_slot_back)
{
    pool = evy_pool_new(2);
    evy_gt *g = evy_pool_spawn(pool, fails, (void *)(intptr_t)EPIPE);
    ck_assert_fails(evy_gt_wait(g, NULL), EPIPE);
    evy_gt_unref(g);
    evy_pool_spawn_n(pool, fails, NULL);
    evy_sleep(0);
    ck_assert_int_eq(evy_pool_free_slots(pool), 2);
    g = evy_pool_spawn(pool, say_arg, "never");
    evy_kill(g, 0); /* unstarted: Eventlet's spawn_n leaks the slot */
    ck_assert_int_eq(evy_pool_free_slots(pool), 2);
    evy_gt_unref(g);
    g = evy_pool_spawn(pool, sleep_for_ever, NULL);
    evy_sleep(0);
    evy_kill(g, 0);
    evy_gt_wait(g, NULL);
    ck_assert_int_eq(evy_pool_free_slots(pool), 2);
    evy_gt_unref(g);
    evy_sleep(0);
    ck_assert_trace("");
    evy_pool_free(pool);
}
END_TEST

START_TEST(killall_ends_the_members)
{
    pool = evy_pool_new(3);
    evy_pool_spawn_n(pool, sleep_for_ever, NULL);
    evy_pool_spawn_n(pool, sleep_for_ever, NULL);
    evy_sleep(0);
    evy_pool_spawn_n(pool, say_arg, "never");
    ck_assert_int_eq(evy_pool_killall(pool, 0), 0);
    evy_sleep(0);
    ck_assert_int_eq(evy_pool_running(pool), 0);
    ck_assert_trace("");
    ck_assert_int_eq(evy_pool_killall(pool, 0), 0);
    ck_assert_fails(evy_pool_killall(NULL, 0), EINVAL);
    evy_pool_free(pool);
}
END_TEST

START_TEST(resize)
{
    pool = evy_pool_new(2);
    for (int i = 0; i < 2; i++)
        evy_pool_spawn_n(pool, work, NULL);
    ck_assert_int_eq(evy_pool_resize(pool, 1), 0);
    ck_assert_int_eq(evy_pool_free_slots(pool), -1);
    evy_spawn_n(spawn_into_pool, "x");
    evy_sleep(0);
    ck_assert_int_eq(evy_pool_waiting(pool), 1);
    evy_pool_resize(pool, 3); /* wakes the spawner: Eventlet's does not */
    evy_sleep(0);
    ck_assert_trace("sx");
    evy_pool_waitall(pool);
    ck_assert_int_eq(evy_pool_free_slots(pool), 3);
    ck_assert_fails(evy_pool_resize(pool, -1), EINVAL);
    evy_pool_free(pool);
}
END_TEST

START_TEST(sizes)
{
    ck_assert_null_with(evy_pool_new(-1), EINVAL);
    ck_assert_fails(evy_pool_spawn_n(NULL, say_arg, NULL), EINVAL);
    ck_assert_null_with(evy_pile_on(NULL), EINVAL);
    pool = evy_pool_new(0);
    evy_timeout t = EVY_TIMEOUT_INIT;
    EVY_WITH_TIMEOUT(&t, 0.003)
    ck_assert_fails(evy_pool_spawn_n(pool, say_arg, "x"), ETIMEDOUT);
    ck_assert_int_eq(evy_pool_waiting(pool), 0);
    ck_assert_null_with(evy_pool_map(pool, say_arg, NULL, NULL), EINVAL);
    evy_pool_free(pool);
}
END_TEST

static void *later_first(void *arg)
{
    evy_sleep(0.004 - 0.001 * (double)(intptr_t)arg);
    if ((intptr_t)arg == 2)
        evy_exit_error(EDOM);
    return arg;
}

START_TEST(a_pile_is_in_order)
{
    void *res;
    evy_pile *pile = evy_pile_new(5);
    ck_assert_int_eq(evy_pile_next(pile, &res), 0); /* empty */
    for (intptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(evy_pile_spawn(pile, later_first, (void *)i), 0);
    for (intptr_t i = 0; i < 4; i++) {
        if (i == 2) {
            ck_assert_fails(evy_pile_next(pile, &res), EDOM);
            continue;
        }
        ck_assert_int_eq(evy_pile_next(pile, &res), 1);
        ck_assert_int_eq((intptr_t)res, i);
    }
    ck_assert_int_eq(evy_pile_next(pile, &res), 0);
    evy_pile_free(pile);
}
END_TEST

START_TEST(an_interrupted_pile_goes_on)
{
    void *res;
    evy_timeout t = EVY_TIMEOUT_INIT;
    evy_pile *pile = evy_pile_new(1);
    evy_pile_spawn(pile, work, "1");
    EVY_WITH_TIMEOUT(&t, 0)
    ck_assert_fails(evy_pile_spawn(pile, work, "2"), ETIMEDOUT);
    evy_timeout_start(&t, 0, 0);
    ck_assert_fails(evy_pile_next(pile, &res), ETIMEDOUT);
    evy_timeout_cancel(&t);
    ck_assert_int_eq(evy_pile_next(pile, &res), 1);
    ck_assert_str_eq(res, "1");
    ck_assert_int_eq(evy_pile_next(pile, &res), 0);
    evy_pile_spawn(pile, work, "3");
    evy_pile_free(pile); /* nobody asks for the result */
    evy_sleep(0.01);
}
END_TEST

START_TEST(two_piles_share_a_pool)
{
    void *res;
    pool = evy_pool_new(2);
    evy_pile *a = evy_pile_on(pool), *b = evy_pile_on(pool);
    for (intptr_t i = 0; i < 6; i++)
        evy_pile_spawn(i % 2 ? b : a, work, (void *)i);
    for (intptr_t i = 0; i < 6; i++) {
        ck_assert_int_eq(evy_pile_next(i % 2 ? b : a, &res), 1);
        ck_assert_int_eq((intptr_t)res, i);
    }
    evy_pile_free(a);
    evy_pile_free(b);
    ck_assert_int_eq(most_at_once, 2);
    evy_pool_waitall(pool);
    evy_pool_free(pool);
}
END_TEST

static intptr_t pulled;

/* 1, 2, ... up to *arg, then the end, or an error when *arg is negative. */
static int count_up(void *arg, void **item)
{
    intptr_t limit = *(intptr_t *)arg;
    if (pulled == (limit < 0 ? -limit : limit)) {
        errno = EBADMSG;
        return limit < 0 ? -1 : 0;
    }
    *item = (void *)++pulled;
    return 1;
}

static void *three_fails(void *arg)
{
    evy_sleep(0);
    if ((intptr_t)arg == 3)
        evy_exit_error(EDOM);
    return arg;
}

START_TEST(a_map_is_lazy_and_in_order)
{
    void *res;
    intptr_t limit = 1000;
    pool = evy_pool_new(4);
    evy_map *m = evy_pool_map(pool, three_fails, count_up, &limit);
    evy_sleep(0.002);
    ck_assert_int_eq(pulled, 0);
    for (intptr_t i = 1; i <= limit; i++) {
        if (i == 3)
            ck_assert_fails(evy_map_next(m, &res), EDOM);
        else
            ck_assert_int_eq(evy_map_next(m, &res), 1);
        if (i != 3)
            ck_assert_int_eq((intptr_t)res, i);
        ck_assert_int_le(pulled, i + 2 * 4 + 2); /* so far it runs ahead */
    }
    ck_assert_int_eq(evy_map_next(m, &res), 0);
    ck_assert_int_eq(evy_map_next(m, &res), 0);
    ck_assert_int_eq(evy_pool_running(pool), 0); /* it has a pool of its own */
    evy_map_free(m);
    evy_pool_free(pool);
}
END_TEST

START_TEST(an_error_of_the_producer_is_reported)
{
    void *res;
    intptr_t limit = -2;
    pool = evy_pool_new(4);
    evy_map *m = evy_pool_map(pool, NULL, count_up, &limit);
    ck_assert_int_eq(evy_map_next(m, &res), 1);
    ck_assert_int_eq(evy_map_next(m, &res), 1);
    ck_assert_int_eq((intptr_t)res, 2);
    ck_assert_fails(evy_map_next(m, &res), EBADMSG); /* Eventlet's hangs */
    ck_assert_int_eq(evy_map_next(m, &res), 0);
    evy_map_free(m);
    evy_pool_free(pool);
}
END_TEST

START_TEST(a_map_can_be_given_up)
{
    void *res;
    intptr_t limit = 1 << 30;
    pool = evy_pool_new(2);
    evy_map *m = evy_pool_map(pool, three_fails, count_up, &limit);
    ck_assert_int_eq(evy_map_next(m, &res), 1);
    evy_map_free(m);
    evy_map_free(evy_pool_map(pool, three_fails, count_up, &limit)); /* never asked */
    void *items[] = {"a", "b", "c"};
    m = evy_pool_imap(pool, say_arg, items, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(evy_map_next(m, &res), 1);
        ck_assert_ptr_eq(res, items[i]);
    }
    ck_assert_int_eq(evy_map_next(m, &res), 0);
    ck_assert_trace("abc");
    evy_map_free(m);
    m = evy_pool_imap(pool, say_arg, items, 0);
    ck_assert_int_eq(evy_map_next(m, &res), 0);
    evy_map_free(m);
    evy_sleep(0.01);
    evy_pool_free(pool);
}
END_TEST

static evy_pile *pile;

struct ticket {
    long producer, number;
};

struct producer {
    long number;
    struct ticket tickets[1000];
};

static void *give_back(void *arg)
{
    evy_sleep(0);
    return arg;
}

static void *many(void *arg)
{
    struct producer *p = arg;
    for (long i = 0; i < 1000; i++) {
        p->tickets[i] = (struct ticket){p->number, i};
        ck_assert_int_eq(evy_pile_spawn(pile, give_back, &p->tickets[i]), 0);
    }
    return NULL;
}

/* What each of three spawns comes in its order, at any size of the pool. */
START_TEST(a_pile_under_load_loses_nothing)
{
    void *res;
    long count = 0, last[3] = {-1, -1, -1};
    struct producer from[3];
    evy_gt *g[3];
    pile = evy_pile_new(_i);
    for (int i = 0; i < 3; i++) {
        from[i] = (struct producer){.number = i};
        g[i] = evy_spawn(many, &from[i]);
    }
    while (count < 3000) {
        if (evy_pile_next(pile, &res) == 0) {
            evy_sleep(0);
            continue;
        }
        struct ticket *t = res;
        ck_assert_int_eq(t->number, last[t->producer] + 1);
        last[t->producer] = t->number;
        count++;
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(evy_gt_wait(g[i], NULL), 0);
        evy_gt_unref(g[i]);
    }
    ck_assert_int_eq(evy_pile_next(pile, &res), 0);
    evy_pile_free(pile);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, size_bounds_who_runs);
    tcase_add_test(tc, waiting_is_counted);
    tcase_add_test(tc, a_member_of_a_full_pool_runs_it_inline);
    tcase_add_test(tc, an_end_inline_is_the_callers);
    tcase_add_test(tc, members_are_green_threads);
    tcase_add_test(tc, every_end_gives_the_slot_back);
    tcase_add_test(tc, killall_ends_the_members);
    tcase_add_test(tc, resize);
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, a_pile_is_in_order);
    tcase_add_test(tc, an_interrupted_pile_goes_on);
    tcase_add_test(tc, two_piles_share_a_pool);
    tcase_add_test(tc, a_map_is_lazy_and_in_order);
    tcase_add_test(tc, an_error_of_the_producer_is_reported);
    tcase_add_test(tc, a_map_can_be_given_up);
    tcase_add_loop_test(tc, a_pile_under_load_loses_nothing, 5, 6);
    tcase_add_loop_test(tc, a_pile_under_load_loses_nothing, 50, 51);
}

int main(void)
{
    return run_cases("pool", add);
}
