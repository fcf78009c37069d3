/* Resource pool and connection pool (Eventlet's pools_test, db_pool_test). */
#include "evy_case.h"

static evy_respool *pool;
static intptr_t made, destroyed;

static void *create(void *arg)
{
    if (arg)
        evy_sleep(0.002); /* a slow one */
    return (void *)++made;
}

static void *create_never(void *arg)
{
    errno = EPROTO;
    return arg;
}

static void destroy(void *item, void *arg)
{
    (void)arg;
    destroyed += (intptr_t)item;
}

static void *get_one(void *arg)
{
    void *item = evy_respool_get(pool, EVY_FOREVER);
    say(item ? arg : "!");
    return item;
}

START_TEST(items_are_made_kept_and_reused)
{
    void *a, *b, *c;
    pool = evy_respool_new(1, 3, 0, create, destroy, NULL);
    ck_assert_int_eq(made, 1);
    ck_assert_int_eq(evy_respool_available(pool), 3);
    a = evy_respool_get(pool, 0);
    b = evy_respool_get(pool, 0);
    c = evy_respool_get(pool, 0);
    ck_assert_int_eq((intptr_t)a + (intptr_t)b + (intptr_t)c, 6);
    ck_assert_int_eq(evy_respool_available(pool), 0);
    ck_assert_null_with(evy_respool_get(pool, 0.002), ETIMEDOUT);
    evy_respool_put(pool, b);
    evy_respool_put(pool, a);
    ck_assert_ptr_eq(evy_respool_get(pool, 0), b); /* first in, first out */
    ck_assert_ptr_eq(evy_respool_get(pool, 0), a);
    evy_respool_put(pool, c);
    ck_assert_int_eq(evy_respool_free(pool), 0);
    ck_assert_int_eq(destroyed, 3);
}
END_TEST

START_TEST(a_waiter_is_given_what_is_put)
{
    void *item;
    pool = evy_respool_new(0, 1, EVY_RESPOOL_STACK, create, destroy, NULL);
    item = evy_respool_get(pool, 0);
    evy_gt *g = evy_spawn(get_one, "1");
    evy_spawn_n(get_one, "2");
    evy_sleep(0);
    ck_assert_int_eq(evy_respool_waiting(pool), 2);
    ck_assert_fails(evy_respool_free(pool), EBUSY);
    evy_respool_put(pool, item);
    ck_assert_int_eq(evy_respool_waiting(pool), 1);
    evy_sleep(0);
    ck_assert_trace("1");
    evy_respool_put(pool, NULL); /* 1's is gone: 2 makes another */
    evy_sleep(0);
    ck_assert_trace("2");
    ck_assert_int_eq(made, 2);
    evy_gt_unref(g);
    g = evy_spawn(get_one, "3");
    evy_sleep(0);
    evy_kill(g, 0);
    ck_assert_trace("!");
    evy_gt_unref(g);
    evy_respool_put(pool, (void *)2); /* nobody waits any more */
    ck_assert_int_eq(evy_respool_available(pool), 1);
    evy_respool_free(pool);
}
END_TEST

START_TEST(never_too_many)
{
    pool = evy_respool_new(0, 4, EVY_RESPOOL_STACK, create, destroy, trace);
    for (int i = 0; i < 6; i++)
        evy_spawn_n(get_one, "g");
    evy_sleep(0.02);
    ck_assert_int_eq(made, 4);
    ck_assert_trace("gggg");
    evy_respool_resize(pool, 5);
    evy_sleep(0.02);
    ck_assert_int_eq(made, 5);
    evy_respool_resize(pool, 2);
    ck_assert_int_eq(evy_respool_available(pool), -3);
    evy_respool_put(pool, (void *)1); /* too many: destroyed though one waits */
    ck_assert_int_eq(destroyed, 1);
    evy_respool_put(pool, (void *)2);
    evy_respool_put(pool, (void *)3);
    ck_assert_int_eq(destroyed, 6);
    evy_respool_put(pool, (void *)4);
    evy_sleep(0);
    ck_assert_trace("gg");
    evy_respool_put(pool, (void *)4);
    evy_respool_put(pool, (void *)5);
    ck_assert_ptr_eq(evy_respool_get(pool, 0), (void *)5); /* a stack */
    evy_respool_free(pool);
}
END_TEST

START_TEST(what_cannot_be_made_takes_no_place)
{
    ck_assert_null_with(evy_respool_new(0, 1, 0, NULL, NULL, NULL), EINVAL);
    ck_assert_null_with(evy_respool_new(2, 1, 0, create, NULL, NULL), EINVAL);
    ck_assert_null_with(evy_respool_new(1, 1, 0, create_never, NULL, NULL), EPROTO);
    pool = evy_respool_new(0, 1, 0, create_never, NULL, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_null_with(evy_respool_get(pool, 0), EPROTO);
    ck_assert_int_eq(evy_respool_available(pool), 1);
    evy_respool_free(pool);
}
END_TEST

static int closed, dirty;

static void *dial(void *arg)
{
    if (arg && evy_sleep(EVY_FOREVER))
        return NULL;
    return (void *)++made;
}

static void hang_up(void *conn, void *arg)
{
    (void)conn, (void)arg;
    closed++;
}

static int roll_back(void *conn, void *arg)
{
    (void)conn, (void)arg;
    return dirty;
}

static evy_connpool_conf conf(int max, double idle, double age)
{
    return (evy_connpool_conf){.max = max,
                               .max_idle = idle,
                               .max_age = age,
                               .connect_timeout = EVY_FOREVER,
                               .connect = dial,
                               .close = hang_up,
                               .cleanup = roll_back};
}

START_TEST(connections_are_reused)
{
    evy_connpool_conf f = conf(2, EVY_FOREVER, EVY_FOREVER);
    evy_connpool *p = evy_connpool_new(&f);
    void *a = evy_connpool_get(p, 0), *b = evy_connpool_get(p, 0);
    ck_assert_null_with(evy_connpool_get(p, 0.002), ETIMEDOUT);
    ck_assert_fails(evy_connpool_free(p), EBUSY);
    evy_connpool_put(p, a);
    evy_connpool_put(p, b);
    ck_assert_fails(evy_connpool_put(p, b), EINVAL); /* not twice */
    ck_assert_ptr_eq(evy_connpool_get(p, 0), b);
    dirty = 1;
    evy_connpool_put(p, b);
    ck_assert_int_eq(closed, 1);
    dirty = 0;
    ck_assert_ptr_eq(evy_connpool_get(p, 0), a);
    ck_assert_int_eq((intptr_t)evy_connpool_get(p, 0), 3);
    ck_assert_int_eq(evy_connpool_available(p), 0);
    evy_connpool_drop(p, (void *)3);
    ck_assert_int_eq(closed, 1);
    ck_assert_int_eq(evy_connpool_available(p), 1);
    evy_connpool_put(p, a);
    evy_connpool_clear(p);
    ck_assert_int_eq(closed, 2);
    ck_assert_int_eq((intptr_t)evy_connpool_get(p, 0), 4);
    evy_connpool_put(p, (void *)4);
    ck_assert_int_eq(evy_connpool_free(p), 0);
    ck_assert_int_eq(closed, 3);
}
END_TEST

START_TEST(connections_grow_old)
{
    evy_connpool_conf f = conf(3, 0.01, EVY_FOREVER);
    f.min = 2;
    evy_connpool *p = evy_connpool_new(&f);
    ck_assert_int_eq(made, 2);
    evy_sleep(0.03);
    ck_assert_int_eq(closed, 2);
    evy_connpool_put(p, evy_connpool_get(p, 0));
    evy_sleep(0.03);
    ck_assert_int_eq(closed, 3);
    evy_connpool_free(p);
    f = conf(1, 0, EVY_FOREVER); /* none is kept */
    p = evy_connpool_new(&f);
    evy_connpool_put(p, evy_connpool_get(p, 0));
    ck_assert_int_eq(closed, 4);
    evy_connpool_free(p);
    f = conf(1, 5, 0.01);
    p = evy_connpool_new(&f);
    void *c = evy_connpool_get(p, 0);
    evy_sleep(0.02);
    evy_connpool_put(p, c); /* too old by now */
    ck_assert_int_eq(closed, 5);
    evy_connpool_put(p, evy_connpool_get(p, 0));
    evy_connpool_free(p);
    ck_assert_int_eq(closed, 6);
}
END_TEST

START_TEST(a_connect_that_takes_too_long)
{
    evy_connpool_conf f = conf(1, EVY_FOREVER, EVY_FOREVER);
    f.arg = trace;
    f.connect_timeout = 0.003;
    evy_connpool *p = evy_connpool_new(&f);
    for (int i = 0; i < 2; i++)
        ck_assert_null_with(evy_connpool_get(p, 1), ETIMEDOUT);
    ck_assert_int_eq(evy_connpool_available(p), 1);
    evy_connpool_free(p);
    ck_assert_null_with(evy_connpool_new(NULL), EINVAL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, items_are_made_kept_and_reused);
    tcase_add_test(tc, a_waiter_is_given_what_is_put);
    tcase_add_test(tc, never_too_many);
    tcase_add_test(tc, what_cannot_be_made_takes_no_place);
    tcase_add_test(tc, connections_are_reused);
    tcase_add_test(tc, connections_grow_old);
    tcase_add_test(tc, a_connect_that_takes_too_long);
}

int main(void)
{
    return run_cases("respool", add);
}
