/* DAG pool (Eventlet's dagpool_test). */
#include "evy_case.h"

#include <evy/dag.h>

static evy_dag *dag;

/* Says its name after those of what it has got, in brackets. */
static void *join(evy_dag_results *in, void *arg)
{
    const char *key;
    void *value;
    int r;
    say("[");
    while ((r = evy_dag_next(in, &key, &value)) == 1)
        say(value);
    if (r < 0)
        evy_exit_error(errno);
    say(arg);
    say("]");
    return arg;
}

static void *fails(evy_dag_results *in, void *arg)
{
    (void)in;
    evy_exit_error((int)(intptr_t)arg);
}

static void *sleeps(evy_dag_results *in, void *arg)
{
    (void)in;
    evy_sleep(EVY_FOREVER);
    return arg;
}

static const char *const a[] = {"a"}, *const b[] = {"b"}, *const bc[] = {"b", "c"};

START_TEST(a_diamond)
{
    void *value;
    dag = evy_dag_new();
    ck_assert_int_eq(evy_dag_spawn(dag, "d", bc, 2, join, "D"), 0);
    ck_assert_int_eq(evy_dag_spawn(dag, "b", a, 1, join, "B"), 0);
    ck_assert_int_eq(evy_dag_spawn(dag, "c", a, 1, join, "C"), 0);
    ck_assert_fails(evy_dag_spawn(dag, "c", a, 1, join, "C"), EEXIST);
    evy_sleep(0);
    const char *lacks[4];
    ck_assert_int_eq(evy_dag_waiting_for(dag, "d", lacks, 4), 2);
    ck_assert_str_eq(lacks[0], "b");
    ck_assert_int_eq(evy_dag_waiting_for(dag, "b", lacks, 4), 1);
    ck_assert_fails(evy_dag_waiting_for(dag, "z", NULL, 0), ENOENT);
    ck_assert_uint_eq(evy_dag_running(dag, lacks, 4), 3);
    ck_assert_fails(evy_dag_get(dag, "d", &value), EAGAIN);
    ck_assert_fails(evy_dag_wait(dag, "d", &value, 0.002), ETIMEDOUT);
    ck_assert_fails(evy_dag_free(dag), EBUSY);
    ck_assert_int_eq(evy_dag_post(dag, "a", "x", 0), 0);
    ck_assert_int_eq(evy_dag_wait(dag, "d", &value, 1), 0);
    ck_assert_str_eq(value, "D");
    ck_assert_trace("[[[xB]xC]BCD]");
    ck_assert_int_eq(evy_dag_waitall(dag), 0);
    ck_assert_uint_eq(evy_dag_keys(dag, NULL, 0), 4);
    ck_assert_int_eq(evy_dag_waiting_for(dag, "d", NULL, 0), 0);
    ck_assert_fails(evy_dag_spawn(dag, "a", NULL, 0, join, "A"), EEXIST);
    ck_assert_int_eq(evy_dag_free(dag), 0);
}
END_TEST

START_TEST(a_failure_goes_down_the_chain)
{
    const char *root;
    dag = evy_dag_new();
    evy_dag_spawn(dag, "a", NULL, 0, fails, (void *)(intptr_t)EDOM);
    evy_dag_spawn(dag, "b", a, 1, join, "B");
    evy_dag_spawn(dag, "c", b, 1, join, "C");
    ck_assert_fails(evy_dag_waitall(dag), EDOM);
    ck_assert_fails(evy_dag_wait(dag, "c", NULL, 1), EDOM);
    ck_assert_int_eq(evy_dag_error(dag, "c", &root), EDOM);
    ck_assert_str_eq(root, "a");
    ck_assert_int_eq(evy_dag_error(dag, "z", &root), 0);
    evy_dag_results *in = evy_dag_each(dag, NULL, 0);
    ck_assert_fails(evy_dag_next(in, &root, NULL), EDOM);
    ck_assert_str_eq(root, "a");
    evy_dag_each_free(in);
    evy_dag_post_error(dag, "e", EPIPE, 0);
    ck_assert_fails(evy_dag_get(dag, "e", NULL), EPIPE);
    ck_assert_int_eq(evy_dag_free(dag), 0);
}
END_TEST

static void *posts_itself(evy_dag_results *in, void *arg)
{
    (void)in;
    ck_assert_int_eq(evy_dag_post(dag, "p", "own", 0), 0);
    return arg;
}

START_TEST(posting)
{
    void *value;
    dag = evy_dag_new();
    evy_dag_post(dag, "a", "1", 0);
    ck_assert_fails(evy_dag_post(dag, "a", "2", 0), EEXIST);
    ck_assert_int_eq(evy_dag_post(dag, "a", "2", 1), 0);
    ck_assert_int_eq(evy_dag_get(dag, "a", &value), 0);
    ck_assert_str_eq(value, "2");
    evy_dag_spawn(dag, "p", NULL, 0, posts_itself, "dropped");
    ck_assert_fails(evy_dag_post(dag, "p", "x", 1), EEXIST); /* it runs */
    ck_assert_int_eq(evy_dag_wait(dag, "p", &value, 1), 0);
    ck_assert_str_eq(value, "own");
    ck_assert_int_eq(evy_dag_waitall(dag), 0);
    ck_assert_int_eq(evy_dag_get(dag, "p", &value), 0);
    ck_assert_str_eq(value, "own");
    ck_assert_fails(evy_dag_post(dag, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(evy_dag_free(dag), 0);
}
END_TEST

START_TEST(a_killed_key_is_used_anew)
{
    void *value;
    dag = evy_dag_new();
    ck_assert_fails(evy_dag_kill(dag, "a"), ENOENT);
    for (int begun = 0; begun < 2; begun++) {
        evy_dag_spawn(dag, "a", NULL, 0, sleeps, NULL);
        if (begun)
            evy_sleep(0);
        ck_assert_int_eq(evy_dag_kill(dag, "a"), 0);
        ck_assert_fails(evy_dag_get(dag, "a", NULL), EAGAIN);
    }
    evy_dag_spawn(dag, "b", a, 1, join, "B");
    evy_sleep(0);
    ck_assert_int_eq(evy_dag_spawn(dag, "a", NULL, 0, join, "A"), 0);
    ck_assert_int_eq(evy_dag_wait(dag, "b", &value, 1), 0);
    ck_assert_trace("[[A]AB]");
    evy_sleep(0);
    ck_assert_int_eq(evy_dag_free(dag), 0);
}
END_TEST

START_TEST(each_in_the_order_of_arrival)
{
    const char *key;
    void *value;
    static const char *const all[] = {"a", "b", "c"};
    dag = evy_dag_new();
    evy_dag_results *in = evy_dag_each(dag, all, 3);
    evy_dag_post(dag, "c", "3", 0);
    evy_dag_post(dag, "a", "1", 0);
    ck_assert_int_eq(evy_dag_next(in, &key, &value), 1);
    ck_assert_str_eq(key, "c");
    ck_assert_str_eq(value, "3");
    ck_assert_int_eq(evy_dag_next(in, &key, &value), 1);
    ck_assert_str_eq(key, "a");
    evy_timeout t = EVY_TIMEOUT_INIT;
    EVY_WITH_TIMEOUT(&t, 0.002)
    ck_assert_fails(evy_dag_next(in, &key, &value), ETIMEDOUT);
    ck_assert_ptr_null(key);
    evy_dag_post(dag, "b", "2", 0);
    ck_assert_int_eq(evy_dag_next(in, NULL, NULL), 1);
    ck_assert_int_eq(evy_dag_next(in, &key, &value), 0);
    evy_dag_each_free(in);
    in = evy_dag_each(dag, NULL, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(evy_dag_next(in, NULL, NULL), 1);
    evy_dag_each_free(in);
    ck_assert_int_eq(evy_dag_free(dag), 0);
    ck_assert_null_with(evy_dag_each(NULL, NULL, 0), EINVAL);
    ck_assert_fails(evy_dag_spawn(NULL, "a", NULL, 0, join, NULL), EINVAL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, a_diamond);
    tcase_add_test(tc, a_failure_goes_down_the_chain);
    tcase_add_test(tc, posting);
    tcase_add_test(tc, a_killed_key_is_used_anew);
    tcase_add_test(tc, each_in_the_order_of_arrival);
}

int main(void)
{
    return run_cases("dag", add);
}
