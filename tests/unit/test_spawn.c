/* Green threads: spawn, order, wait, links, kill, cancel, state, locals, attributes (Eventlet's greenthread). */
#include "core/birth.h"
#include "core/lot.h"
#include "core/sched.h"
#include "evy_case.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static void *say_arg(void *arg)
{
    say(arg);
    return arg;
}

static void *return_arg(void *arg)
{
    return arg;
}

static void *fail_with(void *arg)
{
    evy_exit_error((int)(intptr_t)arg);
}

/* Sleeps; a kill makes it say k<errno != ECANCELED>, and it goes on. */
static void *sleeper(void *arg)
{
    if (evy_sleep(arg ? 0.01 : EVY_FOREVER)) {
        say(errno == ECANCELED ? "c" : errno == EPIPE ? "p" : "?");
        if (evy_sleep(0.005) == 0)
            say("s");
    }
    return arg;
}

START_TEST(wait_gives_the_result)
{
    void *res = NULL;
    evy_gt *g = evy_spawn(return_arg, &res);
    ck_assert_int_eq(evy_gt_started(g) | evy_gt_dead(g), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(evy_gt_wait(g, &res), 0);
        ck_assert_ptr_eq(res, &res);
    }
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_sleep(0);
    ck_assert_int_eq(evy_gt_dead(g), 1);
    ck_assert_int_eq(evy_gt_started(g), 0);
    evy_gt_unref(g);
}
END_TEST

START_TEST(spawned_first_runs_first_and_never_at_once)
{
    char *names[] = {"a", "b", "c", "d"};
    evy_spawn_n(say_arg, names[0]);
    evy_gt_unref(evy_spawn(say_arg, names[1]));
    evy_gt_unref(evy_spawn_after(0, say_arg, names[2]));
    evy_spawn_n(say_arg, names[3]);
    ck_assert_trace("");
    evy_sleep(0);
    ck_assert_trace("abcd");
    evy_spawn_n(say_arg, "x");
    evy_cede();
    ck_assert_trace("x");
}
END_TEST

START_TEST(an_error_is_what_waiters_get)
{
    evy_gt *g = evy_spawn(fail_with, (void *)(intptr_t)EPIPE);
    ck_assert_int_eq(evy_gt_error(g), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), EPIPE);
    ck_assert_fails(evy_gt_wait(g, NULL), EPIPE);
    ck_assert_int_eq(evy_gt_error(g), EPIPE);
    evy_gt_unref(g);
}
END_TEST

static void *exit_early(void *arg)
{
    evy_exit(arg);
}

START_TEST(exit_gives_a_result)
{
    void *res;
    evy_gt *g = evy_spawn(exit_early, trace);
    ck_assert_int_eq(evy_gt_wait(g, &res), 0);
    ck_assert_ptr_eq(res, trace);
    evy_gt_unref(g);
}
END_TEST

START_TEST(spawn_n_lends_a_handle)
{
    evy_gt *g = evy_spawn_n(return_arg, NULL);
    ck_assert_ptr_eq(evy_gt_ref(g), g);
    ck_assert_int_eq(evy_gt_dead(g), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), EINVAL);
    evy_sleep(0);
    ck_assert_int_eq(evy_gt_dead(g), 1);
    ck_assert_int_eq(evy_kill(g, 0), 0);
    evy_gt_unref(g);
}
END_TEST

START_TEST(misuse_is_an_errno)
{
    ck_assert_null_with(evy_spawn(NULL, NULL), EINVAL);
    ck_assert_null_with(evy_spawn_n(NULL, NULL), EINVAL);
    ck_assert_null_with(evy_spawn_after(0.0 / 0.0, return_arg, NULL), EINVAL);
    ck_assert_fails(evy_gt_wait(NULL, NULL), EINVAL);
    ck_assert_fails(evy_kill(NULL, 0), EINVAL);
    ck_assert_fails(evy_kill(evy_getcurrent(), -1), EINVAL);
    ck_assert_fails(evy_cancel(NULL, 0), EINVAL);
    ck_assert_fails(evy_gt_link(NULL, NULL, NULL), EINVAL);
    ck_assert_fails(evy_sleep(0.0 / 0.0), EINVAL);
    ck_assert_fails(evy_cleanup_pop(0), EPERM);
    ck_assert_fails(evy_local_set(0, NULL), EINVAL);
    ck_assert_fails(evy_gt_wait(evy_getcurrent(), NULL), EINVAL); /* main: not ours */
    ck_assert_int_eq(evy_gt_dead(evy_getcurrent()), 0);
    ck_assert_int_eq(evy_gt_started(evy_getcurrent()), 1);
}
END_TEST

static void *wait_for_self(void *arg)
{
    ck_assert_fails(evy_gt_wait(evy_getcurrent(), NULL), EDEADLK);
    return arg;
}

START_TEST(waiting_for_oneself_is_refused)
{
    evy_gt *g = evy_spawn(wait_for_self, NULL);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_gt_unref(g);
}
END_TEST

static evy_gt *target;

static void *waiter(void *arg)
{
    void *res;
    say(evy_gt_wait(target, &res) == 0 ? arg : "!");
    return NULL;
}

static void note_end(evy_gt *g, void *arg)
{
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    say(arg);
}

static void link_more(evy_gt *g, void *arg)
{
    say("(");
    evy_gt_link(g, note_end, arg);
    say(")");
}

START_TEST(links_run_in_order_before_waiters)
{
    target = evy_spawn(say_arg, "x");
    evy_spawn_n(waiter, "1");
    evy_spawn_n(waiter, "2");
    evy_gt_link(target, note_end, "a");
    evy_gt_link(target, link_more, "m");
    evy_gt_link(target, note_end, "b");
    evy_gt_link(target, note_end, "never");
    ck_assert_int_eq(evy_gt_unlink(target, note_end, "never"), 0);
    ck_assert_fails(evy_gt_unlink(target, note_end, "never"), ENOENT);
    evy_sleep(0.01);
    ck_assert_trace("xa()bm12");
    evy_gt_link(target, note_end, "late");
    ck_assert_trace("late");
    ck_assert_fails(evy_gt_unlink(target, note_end, "a"), ENOENT);
    evy_gt_unref(target);
}
END_TEST

static void note_kill(evy_gt *g, void *arg)
{
    say(evy_gt_dead(g) ? "dead" : "dying");
    ck_assert_ptr_eq(evy_getcurrent(), arg);
}

START_TEST(killed_before_its_start_it_never_runs)
{
    evy_gt *g = evy_spawn(say_arg, "ran");
    evy_gt_link(g, note_kill, evy_getcurrent());
    ck_assert_int_eq(evy_kill(g, EPIPE), 0);
    ck_assert_trace("dying"); /* in the killer's context, at once */
    ck_assert_int_eq(evy_gt_dead(g), 1);
    ck_assert_int_eq(evy_kill(g, 0), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), EPIPE);
    evy_sleep(0);
    ck_assert_trace("");
    evy_gt_unref(g);
    g = evy_spawn_n(say_arg, "ran");
    ck_assert_int_eq(evy_kill(g, 0), 0);
    evy_sleep(0);
    ck_assert_trace("");
}
END_TEST

START_TEST(a_killed_one_runs_first)
{
    evy_gt *g = evy_spawn(sleeper, NULL);
    evy_sleep(0);
    evy_spawn_n(say_arg, "o");
    ck_assert_int_eq(evy_kill(g, 0), 0);
    ck_assert_trace("co"); /* the victim, then who was runnable, then the killer */
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0); /* it has swallowed the kill */
    ck_assert_trace("s");
    evy_gt_unref(g);
}
END_TEST

START_TEST(a_kill_carries_an_errno)
{
    evy_gt *g = evy_spawn(sleeper, NULL);
    evy_sleep(0);
    evy_kill(g, EPIPE);
    ck_assert_trace("p");
    evy_gt_wait(g, NULL);
    ck_assert_trace("s");
    evy_gt_unref(g);
}
END_TEST

START_TEST(many_at_once)
{
    void *results[4];
    evy_gt *g[4];
    for (int i = 0; i < 4; i++)
        g[i] = evy_spawn(i == 2 ? sleeper : return_arg, &g[i]);
    ck_assert_int_eq(evy_waitall(g, 4, results), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_eq(results[i], &g[i]);
        evy_gt_unref(g[i]);
        g[i] = evy_spawn(i == 1 ? fail_with : sleeper, i == 1 ? (void *)(intptr_t)EDOM : NULL);
    }
    evy_sleep(0);
    ck_assert_fails(evy_waitall(g + 1, 1, NULL), EDOM);
    ck_assert_int_eq(evy_killall(g, 4, 0), 0);
    ck_assert_trace("ccc");
    evy_sleep(0.02);
    ck_assert_trace("sss");
    ck_assert_fails(evy_waitall(g, 4, NULL), EDOM);
    for (int i = 0; i < 4; i++)
        evy_gt_unref(g[i]);
    ck_assert_int_eq(evy_waitall(NULL, 0, NULL), 0);
    ck_assert_fails(evy_killall(NULL, 1, 0), EINVAL);
}
END_TEST

static void *killer_of_self(void *arg)
{
    ck_assert_fails(evy_kill(evy_getcurrent(), 0), ECANCELED);
    ck_assert_int_eq(evy_sleep(0), 0); /* delivered once */
    return arg;
}

START_TEST(killing_oneself_fails_at_the_call)
{
    evy_gt *g = evy_spawn(killer_of_self, NULL);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_gt_unref(g);
    ck_assert_fails(evy_kill(evy_getcurrent(), EPIPE), EPIPE);
}
END_TEST

static void *kill_arg(void *arg)
{
    evy_kill(arg, EPIPE);
    return NULL;
}

START_TEST(main_can_be_killed)
{
    evy_spawn_n(kill_arg, evy_getcurrent());
    ck_assert_fails(evy_sleep(EVY_FOREVER), EPIPE);
    ck_assert_int_eq(evy_sleep(0), 0);
    evy_interrupt_main(EINTR);
    ck_assert_fails(evy_sleep(EVY_FOREVER), EINTR);
}
END_TEST

/* Trap: Eventlet's killer, killed while its victim runs, is woken twice. */
static void *kill_the_killer(void *arg)
{
    if (evy_sleep(EVY_FOREVER))
        evy_kill(arg, 0);
    return NULL;
}

static void *double_killer(void *arg)
{
    evy_kill(arg, 0);
    ck_assert_fails(evy_sleep(0), ECANCELED);
    double start = seconds_now();
    ck_assert_int_eq(evy_sleep(0.05), 0);
    ck_assert_double_ge(seconds_now() - start, 0.05);
    return NULL;
}

START_TEST(a_killer_that_is_killed_wakes_once)
{
    evy_gt *k = evy_spawn(double_killer, NULL), *v = evy_spawn(kill_the_killer, k);
    green_of(k)->arg = v;
    evy_kill(k, 0); /* both unstarted: nothing runs */
    evy_gt_unref(k);
    k = evy_spawn_after(0.01, double_killer, v);
    green_of(v)->arg = k;
    ck_assert_int_eq(evy_gt_wait(k, NULL), 0);
    ck_assert_int_eq(evy_gt_wait(v, NULL), 0);
    evy_gt_unref(k);
    evy_gt_unref(v);
}
END_TEST

START_TEST(spawn_after_waits)
{
    double start = seconds_now();
    evy_gt *g = evy_spawn_after(0.02, return_arg, NULL);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_double_ge(seconds_now() - start, 0.02);
    evy_gt_unref(g);
    g = evy_spawn_after(EVY_FOREVER, say_arg, "never");
    ck_assert_int_eq(evy_cancel(g, 0), 1);
    ck_assert_fails(evy_gt_wait(g, NULL), ECANCELED);
    evy_gt_unref(g);
}
END_TEST

START_TEST(cancel_acts_before_the_start_only)
{
    evy_gt *g = evy_spawn_after(60, say_arg, "never");
    ck_assert_int_eq(evy_cancel(g, EPIPE), 1);
    ck_assert_uint_eq(hubs[0].timers.count, 0); /* its timer goes at once */
    ck_assert_int_eq(evy_cancel(g, 0), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), EPIPE);
    evy_gt_unref(g);
    g = evy_spawn(sleeper, trace);
    evy_sleep(0);
    ck_assert_int_eq(evy_cancel(g, 0), 0);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_trace("");
    evy_gt_unref(g);
    g = evy_spawn_after(0.001, sleeper, NULL);
    evy_sleep(0.005);
    ck_assert_int_eq(evy_kill(g, 0), 0);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_trace("cs");
    evy_gt_unref(g);
}
END_TEST

static evy_gt *local_child;

static void *spawn_local(void *arg)
{
    local_child = evy_spawn_after_local(0.01, say_arg, "local");
    evy_gt_unref(evy_spawn(say_arg, "plain"));
    if (arg)
        evy_sleep(0.03);
    return NULL;
}

START_TEST(a_local_one_dies_with_its_spawner)
{
    evy_gt_unref(evy_spawn(spawn_local, NULL));
    evy_sleep(0);
    ck_assert_fails(evy_gt_wait(local_child, NULL), ECANCELED); /* Eventlet's waits for ever */
    ck_assert_trace("plain");
    ck_assert_int_eq(evy_gt_dead(local_child), 1);
    evy_gt_unref(local_child);
    evy_spawn_n(spawn_local, trace);
    evy_sleep(0);
    ck_assert_int_eq(evy_gt_wait(local_child, NULL), 0);
    ck_assert_trace("plainlocal");
    evy_gt_unref(local_child);
    evy_sleep(0.05);
}
END_TEST

START_TEST(wait_gives_up_after_a_while)
{
    evy_gt *g = evy_spawn(sleeper, trace);
    ck_assert_fails(evy_gt_wait_timeout(g, NULL, 0), ETIMEDOUT);
    ck_assert_fails(evy_gt_wait_timeout(g, NULL, -1), ETIMEDOUT);
    ck_assert_fails(evy_gt_wait_timeout(g, NULL, 0.002), ETIMEDOUT);
    ck_assert_int_eq(evy_gt_wait_timeout(g, NULL, 5), 0);
    ck_assert_int_eq(evy_gt_wait_timeout(g, NULL, 0), 0);
    evy_gt_unref(g);
}
END_TEST

static void *errno_keeper(void *arg)
{
    errno = (int)(intptr_t)arg;
    for (int i = 0; i < 3; i++) {
        evy_cede();
        ck_assert_int_eq(errno, (int)(intptr_t)arg);
    }
    return NULL;
}

START_TEST(each_has_its_errno)
{
    for (intptr_t i = 1; i < 4; i++)
        evy_spawn_n(errno_keeper, (void *)i);
    errno = EDOM;
    for (int i = 0; i < 5; i++)
        evy_cede();
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void *self_of_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    ck_assert(evy_ident() == (unsigned long)evy_getcurrent());
    return NULL;
}

START_TEST(a_tcb_is_shared_or_own)
{
    pthread_t self[3];
    evy_attr own = {.flags = EVY_OWN_TCB, .name = "owner", .stack = 256 << 10};
    evy_spawn_n(self_of_thread, &self[0]);
    evy_spawn_n(self_of_thread, &self[1]);
    evy_gt *g = evy_spawn_ex(&own, self_of_thread, &self[2]);
    ck_assert_str_eq(evy_gt_name(g), "owner");
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert(pthread_equal(self[0], self[1]));
    ck_assert(!pthread_equal(self[0], self[2]));
    ck_assert(!pthread_equal(self[0], pthread_self()));
    evy_gt_unref(g);
    ck_assert_null_with(evy_spawn_ex(&(evy_attr){.stack = 1}, return_arg, NULL), EINVAL);
    ck_assert_null_with(evy_spawn_ex(&(evy_attr){.flags = 8}, return_arg, NULL), EINVAL);
    ck_assert_fails(evy_gt_set_name(evy_getcurrent(), "much too long a name"), ERANGE);
    ck_assert_int_eq(evy_gt_set_name(evy_getcurrent(), "main"), 0);
    ck_assert_str_eq(evy_gt_name(evy_getcurrent()), "main");
}
END_TEST

static int key;

static void say_value(void *value)
{
    say(value);
}

static void *use_local(void *arg)
{
    ck_assert_ptr_null(evy_local_get(key));
    evy_local_set(key, arg);
    evy_sleep(0);
    ck_assert_ptr_eq(evy_local_get(key), arg);
    return NULL;
}

START_TEST(locals_are_each_ones_own)
{
    key = evy_local_key_create(say_value);
    int other = evy_local_key_create(NULL);
    ck_assert_int_ne(key, other);
    evy_spawn_n(use_local, "1");
    evy_spawn_n(use_local, "2");
    ck_assert_int_eq(evy_local_set(other, trace), 0);
    ck_assert_ptr_null(evy_local_get(key));
    evy_sleep(0.01);
    ck_assert_trace("12");
    ck_assert_ptr_eq(evy_local_get(other), trace);
    ck_assert_ptr_null(evy_local_get(77));
}
END_TEST

static void *with_cleanups(void *arg)
{
    evy_cleanup a, b, c;
    evy_cleanup_push(&a, say_value, "a");
    evy_cleanup_push(&b, say_value, "b");
    evy_cleanup_push(&c, say_value, "c");
    evy_cleanup_pop(1);
    if (evy_sleep(EVY_FOREVER))
        evy_exit_error(errno);
    return arg;
}

START_TEST(cleanups_run_at_the_end)
{
    evy_gt *g = evy_spawn(with_cleanups, NULL);
    evy_sleep(0);
    ck_assert_trace("c");
    evy_kill(g, 0);
    ck_assert_trace("ba");
    ck_assert_fails(evy_gt_wait(g, NULL), ECANCELED);
    evy_gt_unref(g);
}
END_TEST

static volatile int computing, other_ran_meanwhile, free_ran_meanwhile;

/* Until it has been seen to, on a busy machine, too. */
static void *hog(void *arg)
{
    double start = seconds_now();
    computing = 1;
    while (seconds_now() < start + (free_ran_meanwhile ? 0.1 : 5))
        ;
    computing = 0;
    return arg;
}

static void *cooperative_witness(void *arg)
{
    for (int i = 0; i < 50; i++) {
        if (computing)
            other_ran_meanwhile = 1;
        evy_sleep(0.001);
    }
    return arg;
}

static void free_witness(struct green *g)
{
    while (!free_ran_meanwhile) {
        if (computing)
            free_ran_meanwhile = 1;
        lot_sleep(clock_now() + 2000000);
    }
    sched_exit((void (*)(void *))green_free, g);
}

/* Others of the hub go on while one computes, but none of those who were promised to run alone. */
START_TEST(cooperative_ones_never_run_in_parallel)
{
    int err;
    struct green *g = green_new(64 << 10, 4096, free_witness, &err);
    g->hub = &hubs[0];
    sched_start(g);
    evy_gt *w = evy_spawn(cooperative_witness, NULL), *h = evy_spawn_after(0.01, hog, NULL);
    ck_assert_int_eq(evy_gt_wait(h, NULL), 0);
    ck_assert_int_eq(computing, 0); /* main is cooperative too */
    ck_assert_int_eq(evy_gt_wait(w, NULL), 0);
    ck_assert(!other_ran_meanwhile);
    ck_assert(free_ran_meanwhile);
    evy_gt_unref(w);
    evy_gt_unref(h);
    while (sched_alive() > 1)
        evy_sleep(0.01);
}
END_TEST

static atomic_int ended;

static void *count_end(void *arg)
{
    evy_cede();
    ended++;
    return arg;
}

START_TEST(memory_is_used_again)
{
    for (int round = 0; round < 3; round++) {
        ended = 0;
        for (int i = 0; i < 1000; i++)
            ck_assert_ptr_nonnull(evy_spawn_n(count_end, NULL));
        while (ended < 1000)
            evy_sleep(0);
        unsigned bodies = 0;
        list_for_each (node, &hubs[0].lights.bodies)
            bodies++;
        ck_assert_uint_eq(bodies, 1000);
    }
}
END_TEST

static void *foreign(void *arg)
{
    ck_assert_ptr_null(evy_spawn(return_arg, NULL));
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(evy_sleep(0.001), 0);
    ck_assert_int_eq(evy_gt_wait(arg, NULL), 0);
    evy_gt_unref(arg);
    return NULL;
}

START_TEST(kernel_threads_may_wait_but_not_spawn)
{
    pthread_t t;
    evy_gt *g = evy_spawn(sleeper, trace);
    ck_assert_int_eq(pthread_create(&t, NULL, foreign, evy_gt_ref(g)), 0);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_gt_unref(g);
    evy_sleep(0.05);
    pthread_join(t, NULL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, wait_gives_the_result);
    tcase_add_test(tc, spawned_first_runs_first_and_never_at_once);
    tcase_add_test(tc, an_error_is_what_waiters_get);
    tcase_add_test(tc, exit_gives_a_result);
    tcase_add_test(tc, spawn_n_lends_a_handle);
    tcase_add_test(tc, misuse_is_an_errno);
    tcase_add_test(tc, waiting_for_oneself_is_refused);
    tcase_add_test(tc, links_run_in_order_before_waiters);
    tcase_add_test(tc, killed_before_its_start_it_never_runs);
    tcase_add_test(tc, a_killed_one_runs_first);
    tcase_add_test(tc, a_kill_carries_an_errno);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, killing_oneself_fails_at_the_call);
    tcase_add_test(tc, main_can_be_killed);
    tcase_add_test(tc, a_killer_that_is_killed_wakes_once);
    tcase_add_test(tc, spawn_after_waits);
    tcase_add_test(tc, cancel_acts_before_the_start_only);
    tcase_add_test(tc, a_local_one_dies_with_its_spawner);
    tcase_add_test(tc, wait_gives_up_after_a_while);
    tcase_add_test(tc, each_has_its_errno);
    tcase_add_test(tc, a_tcb_is_shared_or_own);
    tcase_add_test(tc, locals_are_each_ones_own);
    tcase_add_test(tc, cleanups_run_at_the_end);
    tcase_add_test(tc, cooperative_ones_never_run_in_parallel);
    tcase_add_test(tc, memory_is_used_again);
    tcase_add_test(tc, kernel_threads_may_wait_but_not_spawn);
}

int main(void)
{
    return run_cases("spawn", add);
}
