/* What is not to be done is answered by an errno: NULL for every object, callers that may not, states that do not fit. */
#include "evy_case.h"

#include <evy/compat.h>
#include <pthread.h>

static int nothing(void)
{
    return 0;
}

static void *no_fn(void *arg)
{
    return arg;
}

static void no_cb(void *arg)
{
    (void)arg;
}

static const double nan_seconds = 0.0 / 0.0;

/* Each fails with EINVAL: -1, or NULL made into -1. */
#define NULLS(X)                                                                                   \
    X(evy_gt_wait(NULL, NULL))                                                                     \
    X(evy_gt_wait_timeout(NULL, NULL, 1))                                                          \
    X(evy_waitall(NULL, 1, NULL))                                                                  \
    X(evy_waitall(&(evy_gt *const){NULL}, 1, NULL))                                                \
    X(evy_gt_link(NULL, NULL, NULL))                                                               \
    X(evy_gt_unlink(NULL, NULL, NULL))                                                             \
    X(evy_kill(NULL, 0))                                                                           \
    X(evy_killall(NULL, 1, 0))                                                                     \
    X(evy_killall(&(evy_gt *const){NULL}, 1, 0))                                                   \
    X(evy_cancel(NULL, 0))                                                                         \
    X(evy_cancel(evy_getcurrent(), -1))                                                            \
    X(evy_interrupt_main(-1))                                                                      \
    X(evy_gt_set_name(NULL, "x"))                                                                  \
    X(evy_gt_set_name(evy_getcurrent(), NULL))                                                     \
    X(evy_local_set(-1, NULL))                                                                     \
    X(evy_local_set(1023, NULL))                                                                   \
    X(evy_set_stack_size(16383))                                                                   \
    X(evy_sleep(nan_seconds))                                                                      \
    X(evy_timeout_start(NULL, 1, 0))                                                               \
    X(evy_with_timeout(1, NULL, NULL, NULL))                                                       \
    X(evy_event_send(NULL, NULL))                                                                  \
    X(evy_event_send_error(NULL, 1))                                                               \
    X(evy_event_wait(NULL, NULL, 1))                                                               \
    X(evy_event_poll(NULL, NULL))                                                                  \
    X(evy_event_reset(NULL))                                                                       \
    X(evy_sem_acquire(NULL, 1))                                                                    \
    X(evy_sem_try(NULL))                                                                           \
    X(evy_sem_release(NULL))                                                                       \
    X(evy_capsem_acquire(NULL, 1))                                                                 \
    X(evy_capsem_release(NULL, 1))                                                                 \
    X(evy_capsem_try_acquire(NULL))                                                                \
    X(evy_capsem_try_release(NULL))                                                                \
    X(evy_lock_acquire(NULL, 1))                                                                   \
    X(evy_lock_try(NULL))                                                                          \
    X(evy_lock_release(NULL))                                                                      \
    X(evy_lock_reinit(NULL))                                                                       \
    X(evy_rlock_acquire(NULL, 1))                                                                  \
    X(evy_rlock_release(NULL))                                                                     \
    X(evy_wg_add(NULL, 1))                                                                         \
    X(evy_wg_done(NULL))                                                                           \
    X(evy_wg_wait(NULL, 1))                                                                        \
    X(evy_queue_put(NULL, NULL, 1))                                                                \
    X(evy_queue_tryput(NULL, NULL))                                                                \
    X(evy_queue_get(NULL, NULL, 1))                                                                \
    X(evy_queue_tryget(NULL, NULL))                                                                \
    X(evy_queue_resize(NULL, 1))                                                                   \
    X(evy_queue_task_done(NULL))                                                                   \
    X(evy_queue_join(NULL, 1))                                                                     \
    X(evy_pool_free(NULL))                                                                         \
    X(evy_pool_spawn_n(NULL, no_fn, NULL))                                                         \
    X(evy_pool_waitall(NULL))                                                                      \
    X(evy_pool_killall(NULL, 0))                                                                   \
    X(evy_pool_resize(NULL, 1))                                                                    \
    X(evy_pile_spawn(NULL, no_fn, NULL))                                                           \
    X(evy_pile_next(NULL, NULL))                                                                   \
    X(evy_map_next(NULL, NULL))                                                                    \
    X(evy_respool_free(NULL))                                                                      \
    X(evy_respool_put(NULL, NULL))                                                                 \
    X(evy_respool_resize(NULL, 1))                                                                 \
    X(evy_connpool_free(NULL))                                                                     \
    X(evy_connpool_put(NULL, NULL))                                                                \
    X(evy_connpool_drop(NULL, NULL))                                                               \
    X(evy_dag_free(NULL))                                                                          \
    X(evy_dag_spawn(NULL, "a", NULL, 0, NULL, NULL))                                               \
    X(evy_dag_next(NULL, NULL, NULL))                                                              \
    X(evy_dag_post(NULL, "a", NULL, 0))                                                            \
    X(evy_dag_post_error(NULL, "a", 1, 0))                                                         \
    X(evy_dag_kill(NULL, "a"))                                                                     \
    X(evy_dag_wait(NULL, "a", NULL, 1))                                                            \
    X(evy_dag_waitall(NULL))                                                                       \
    X(evy_dag_get(NULL, "a", NULL))                                                                \
    X(evy_dag_waiting_for(NULL, "a", NULL, 0))                                                     \
    X(evy_blocking(NULL, NULL, NULL))                                                              \
    X(evy_blocking_finish(nan_seconds))                                                            \
    X(evy_call_soon(NULL, NULL, NULL))                                                             \
    X(evy_timer_schedule(NULL, 1))                                                                 \
    X(evy_hub_remove(NULL))                                                                        \
    X(evy_hub_remove_fd(-1))                                                                       \
    X(evy_hub_use("kqueue"))                                                                       \
    X(evy_connect_host(NULL, 80))                                                                  \
    X(evy_connect_addr(NULL, 0, NULL, 0))                                                          \
    X(evy_listen_addr(NULL, 0, 0, 0))                                                              \
    X(evy_serve(0, NULL, NULL, 0))                                                                 \
    X(evy_readuntil(NULL, "\n", NULL, NULL))                                                       \
    X(evy_readuntil(stdin, NULL, NULL, NULL))                                                      \
    X(evy_trampoline(0, 3, 1))                                                                     \
    X(evy_set_timeout(0, nan_seconds))                                                             \
    X(evy_notify_opened(-1))                                                                       \
    X(evy_monkey_patch(1 << 20))                                                                   \
    X(evy_is_monkey_patched(NULL))                                                                 \
    X(evy_debug_blocking(nan_seconds))                                                             \
    X(or_null(evy_spawn(NULL, NULL)))                                                              \
    X(or_null(evy_spawn_n(NULL, NULL)))                                                            \
    X(or_null(evy_spawn_after(1, NULL, NULL)))                                                     \
    X(or_null(evy_spawn_after_local(1, NULL, NULL)))                                               \
    X(or_null(evy_spawn_after_local(nan_seconds, no_fn, NULL)))                                    \
    X(or_null(evy_spawn_ex(NULL, NULL, NULL)))                                                     \
    X(or_null(evy_gt_ref(NULL)))                                                                   \
    X(or_null(evy_gt_ref(evy_getcurrent())))                                                       \
    X(or_null(evy_sem_new(-1)))                                                                    \
    X(or_null(evy_sem_new_bounded(-1)))                                                            \
    X(or_null(evy_capsem_new(0, -1)))                                                              \
    X(or_null(evy_queue_new(0, -1)))                                                               \
    X(or_null(evy_queue_new_priority(0, NULL)))                                                    \
    X(or_null(evy_pool_new(-1)))                                                                   \
    X(or_null(evy_pool_spawn(NULL, no_fn, NULL)))                                                  \
    X(or_null(evy_pile_new(-1)))                                                                   \
    X(or_null(evy_pile_on(NULL)))                                                                  \
    X(or_null(evy_pool_map(NULL, no_fn, NULL, NULL)))                                              \
    X(or_null(evy_pool_imap(NULL, no_fn, NULL, 0)))                                                \
    X(or_null(evy_respool_new(0, 1, 0, NULL, NULL, NULL)))                                         \
    X(or_null(evy_respool_get(NULL, 1)))                                                           \
    X(or_null(evy_connpool_new(NULL)))                                                             \
    X(or_null(evy_connpool_get(NULL, 1)))                                                          \
    X(or_null(evy_dag_each(NULL, NULL, 0)))                                                        \
    X(or_null(evy_hub_call_global(1, NULL, NULL)))                                                 \
    X(or_null(evy_hub_call_local(nan_seconds, no_cb, NULL)))                                       \
    X(or_null(evy_timer_dup(NULL)))                                                                \
    X(or_null(evy_hub_add(0, 0, NULL, NULL, NULL)))                                                \
    X(or_null(evy_fdopen(0, NULL)))                                                                \
    X(or_null(evy_original(NULL)))

static int or_null(const void *result)
{
    return result ? 0 : -1;
}

START_TEST(null_is_einval)
{
#define X(call) ck_assert_fails(call, EINVAL);
    NULLS(X)
#undef X
}
END_TEST

/* What answers no errno answers nothing. */
START_TEST(null_is_nothing)
{
    evy_gt_unref(NULL);
    evy_event_free(NULL);
    evy_sem_free(NULL);
    evy_capsem_free(NULL);
    evy_lock_free(NULL);
    evy_rlock_free(NULL);
    evy_wg_free(NULL);
    evy_queue_free(NULL);
    evy_pile_free(NULL);
    evy_map_free(NULL);
    evy_timer_free(NULL);
    evy_dag_each_free(NULL);
    evy_connpool_clear(NULL);
    evy_hub_counts(NULL);
    ck_assert_int_eq(evy_gt_error(NULL), EINVAL);
    ck_assert_int_eq(evy_gt_started(NULL), 0);
    ck_assert_int_eq(evy_gt_dead(NULL), 1);
    ck_assert_str_eq(evy_gt_name(NULL), "");
    ck_assert_ptr_null(evy_local_get(-1));
    ck_assert_int_eq(evy_timeout_cancel(NULL) + evy_timeout_pending(NULL) + evy_timeout_fired(NULL),
                     0);
    ck_assert_int_eq(evy_event_ready(NULL) + evy_event_error(NULL), 0);
    ck_assert_int_eq(evy_sem_locked(NULL) + evy_lock_locked(NULL) + evy_queue_full(NULL), 0);
    ck_assert_int_eq(evy_sem_value(NULL) + evy_sem_balance(NULL) + evy_capsem_balance(NULL), 0);
    ck_assert_int_eq(evy_queue_len(NULL) + evy_queue_max(NULL) + evy_queue_getting(NULL), 0);
    ck_assert_int_eq(evy_queue_putting(NULL) + evy_queue_unfinished(NULL), 0);
    ck_assert_int_eq(evy_queue_empty(NULL), 1);
    ck_assert_int_eq(evy_pool_size(NULL) + evy_pool_running(NULL), 0);
    ck_assert_int_eq(evy_pool_free_slots(NULL) + evy_pool_waiting(NULL), 0);
    ck_assert_int_eq(evy_respool_available(NULL) + evy_respool_waiting(NULL), 0);
    ck_assert_int_eq(evy_connpool_available(NULL) + evy_connpool_waiting(NULL), 0);
    ck_assert_int_eq(evy_dag_error(NULL, NULL, NULL), 0);
    ck_assert_uint_eq(evy_dag_keys(NULL, NULL, 1) + evy_dag_running(NULL, NULL, 1), 0);
    ck_assert_int_eq(evy_timer_cancel(NULL) + evy_timer_pending(NULL), 0);
    ck_assert_int_eq(evy_hub_available(NULL), 0);
}
END_TEST

static evy_sem *sem;
static evy_rlock *rlock;
static evy_queue *queue;
static evy_pool *pool;

/* On a kernel thread that libevy does not run: objects are used, green threads are not made. */
static void *foreign(void *arg)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    evy_cleanup c;
    void *item;
    ck_assert_int_eq(evy_sem_acquire(sem, 1), 0);
    ck_assert_fails(evy_sem_acquire(sem, 0.002), ETIMEDOUT);
    ck_assert_int_eq(evy_sem_release(sem), 0);
    ck_assert_int_eq(evy_queue_put(queue, arg, 1), 0);
    ck_assert_fails(evy_queue_put(queue, arg, 0), ETIMEDOUT);
    ck_assert_int_eq(evy_queue_get(queue, &item, 1), 0);
    ck_assert_fails(evy_queue_get(queue, &item, 0.002), ETIMEDOUT);
    ck_assert_int_eq(evy_cede(), 0);
    ck_assert_uint_eq(evy_ident(), 0);
    ck_assert_null_with(evy_getcurrent(), EPERM);
    ck_assert_null_with(evy_hub_get(), EPERM);
    ck_assert_null_with(evy_spawn(no_fn, NULL), EPERM);
    ck_assert_null_with(evy_spawn_n(no_fn, NULL), EPERM);
    ck_assert_null_with(evy_spawn_after(1, no_fn, NULL), EPERM);
    ck_assert_null_with(evy_pool_spawn(pool, no_fn, NULL), EPERM);
    ck_assert_null_with(evy_hub_call_global(1, no_cb, NULL), EPERM);
    ck_assert_fails(evy_pool_spawn_n(pool, no_fn, NULL), EPERM);
    ck_assert_fails(evy_rlock_acquire(rlock, 1), EPERM);
    ck_assert_fails(evy_rlock_release(rlock), EPERM);
    ck_assert_fails(evy_local_set(0, NULL), EPERM);
    ck_assert_fails(evy_timeout_start(&t, 1, 0), EPERM);
    ck_assert_fails(evy_cleanup_push(&c, no_cb, NULL), EPERM);
    ck_assert_fails(evy_cleanup_pop(1), EPERM);
    ck_assert_fails(evy_trampoline(0, EVY_READ, 0), EPERM);
    ck_assert_fails(evy_serve(0, (evy_handler *)(void *)nothing, NULL, 0), EPERM);
    ck_assert_fails(evy_hub_abort(0), EPERM);
    ck_assert_int_eq(evy_call_soon(NULL, no_cb, NULL), 0);
    return NULL;
}

START_TEST(a_foreign_thread_is_told)
{
    pthread_t t;
    sem = evy_sem_new(1);
    rlock = evy_rlock_new();
    queue = evy_queue_new(1, EVY_Q_FIFO);
    pool = evy_pool_new(1);
    ck_assert_int_eq(pthread_create(&t, NULL, foreign, NULL), 0);
    pthread_join(t, NULL);
    ck_assert_int_eq(evy_pool_free_slots(pool), 1);
    evy_sem_free(sem);
    evy_rlock_free(rlock);
    evy_queue_free(queue);
    evy_pool_free(pool);
    evy_sleep(0);
}
END_TEST

/* With the state that would make it wrong. */
START_TEST(states_are_told)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    evy_event *e = evy_event_new();
    ck_assert_int_eq(evy_timeout_start(&t, 5, 0), 0);
    ck_assert_fails(evy_timeout_start(&t, 5, 0), EBUSY);
    evy_timeout_cancel(&t);
    ck_assert_fails(evy_event_reset(e), EINVAL);
    ck_assert_fails(evy_event_send_error(e, 0), EINVAL);
    ck_assert_fails(evy_event_send_error(e, -1), EINVAL);
    ck_assert_int_eq(evy_event_send_error(e, EPIPE), 0);
    ck_assert_fails(evy_event_send(e, NULL), EALREADY);
    evy_event_free(e);
    ck_assert_fails(evy_timeout_start(&t, 5, -1), EINVAL);
    ck_assert_fails(evy_hub_use(NULL), EBUSY);
    ck_assert_fails(evy_gt_wait(evy_getcurrent(), NULL), EINVAL); /* main: nobody's handle */
    evy_gt *g = evy_spawn(no_fn, NULL);
    ck_assert_fails(evy_gt_link(g, NULL, NULL), EINVAL);
    ck_assert_fails(evy_gt_wait_timeout(g, NULL, nan_seconds), EINVAL);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    evy_gt_unref(g);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, null_is_einval);
    tcase_add_test(tc, null_is_nothing);
    tcase_add_test(tc, a_foreign_thread_is_told);
    tcase_add_test(tc, states_are_told);
}

int main(void)
{
    return run_cases("misuse", add);
}
