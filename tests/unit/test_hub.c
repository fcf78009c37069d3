/* Hubs: order of a turn, timers, listeners, abort, listings, blocking detection (Eventlet's hub_test, debug_test). */
#include "evy_case.h"

#include "io/calls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int fds[2];
static evy_timer *timer;

static void make_pair(void)
{
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void close_pair(void)
{
    evy_close(fds[0]);
    evy_close(fds[1]);
}

static void say_cb(void *arg)
{
    say(arg);
}

START_TEST(methods)
{
    ck_assert_str_eq(evy_hub_method(), getenv("EVY_HUB_METHOD"));
    ck_assert_fails(evy_hub_use("epoll"), EBUSY);
    ck_assert_fails(evy_hub_use("kqueue"), EINVAL);
    ck_assert_fails(evy_hub_use(""), EINVAL);
    ck_assert_int_eq(evy_hub_available("select"), 1);
    ck_assert_int_eq(evy_hub_available("libev"), 0);
    ck_assert_ptr_eq(evy_hub_get(), &hubs[0]);
    double before = evy_hub_clock();
    evy_sleep(0.002);
    ck_assert_double_ge(evy_hub_clock() - before, 0.002);
}
END_TEST

START_TEST(timers_call)
{
    timer = evy_hub_call_global(0.002, say_cb, "t");
    ck_assert_int_eq(evy_timer_pending(timer), 1);
    ck_assert_fails(evy_timer_schedule(timer, 1), EBUSY);
    ck_assert_uint_eq(evy_hub_ntimers(), 1);
    evy_sleep(0.01);
    ck_assert_trace("t");
    ck_assert_int_eq(evy_timer_pending(timer), 0);
    ck_assert_int_eq(evy_timer_cancel(timer), 0);
    evy_timer *twin = evy_timer_dup(timer);
    ck_assert_int_eq(evy_timer_pending(twin), 0);
    ck_assert_int_eq(evy_timer_schedule(twin, 0), 0);
    ck_assert_int_eq(evy_timer_schedule(timer, 5), 0);
    ck_assert_int_eq(evy_timer_cancel(timer), 1);
    evy_sleep(0.002);
    ck_assert_trace("t");
    evy_timer_schedule(timer, 5);
    evy_timer_free(timer);
    evy_timer_free(twin);
    ck_assert_null_with(evy_hub_call_global(0, NULL, NULL), EINVAL);
    ck_assert_null_with(evy_hub_call_global(0.0 / 0.0, say_cb, NULL), EINVAL);
}
END_TEST

START_TEST(timers_call_in_order)
{
    static const struct {
        double seconds;
        const char *name;
    } when[] = {{0.004, "4"}, {0, "0"},  {0.002, "2"}, {0.003, "3"},
                {0, "o"},     {-1, "n"}, {0.001, "1"}};
    evy_timer *t[7], *dropped[2000];
    for (int i = 0; i < 7; i++)
        t[i] = evy_hub_call_global(when[i].seconds, say_cb, (void *)when[i].name);
    for (int i = 0; i < 2000; i++)
        dropped[i] = evy_hub_call_global(5 + i % 7, say_cb, "?");
    for (int i = 0; i < 2000; i++)
        evy_timer_free(dropped[i]);
    ck_assert_uint_eq(evy_hub_ntimers(), 7); /* those that were cancelled are gone */
    while (strlen(trace) < 7)
        evy_sleep(0.001);
    ck_assert_trace("0on1234");
    for (int i = 0; i < 7; i++)
        evy_timer_free(t[i]);
}
END_TEST

static void *make_local(void *arg)
{
    *(evy_timer **)arg = evy_hub_call_local(0.05, say_cb, "l");
    return NULL;
}

START_TEST(a_local_timer_dies_with_its_maker)
{
    evy_timer *mine = evy_hub_call_local(0.05, say_cb, "m"), *other;
    evy_spawn_n(make_local, &other);
    evy_sleep(0);
    ck_assert_int_eq(evy_timer_pending(other), 0);
    ck_assert_int_eq(evy_timer_pending(mine), 1);
    evy_sleep(0.1);
    ck_assert_trace("m");
    evy_timer_free(mine);
    evy_timer_free(other);
}
END_TEST

static evy_queue *queue;
static evy_gt *sleeper;

static void *sleep_for_ever(void *arg)
{
    say(evy_sleep(EVY_FOREVER) ? "k" : "?");
    return arg;
}

static void in_the_hub(void *arg)
{
    void *item;
    ck_assert_int_eq(evy_sleep(0), 0); /* returns at once */
    ck_assert_fails(evy_sleep(0.01), EDEADLK);
    ck_assert_fails(evy_queue_get(queue, &item, 1), EDEADLK);
    ck_assert_fails(evy_queue_get(queue, &item, 0), EDEADLK);
    ck_assert_fails(evy_gt_wait(sleeper, NULL), EDEADLK);
    ck_assert_fails(evy_hub_abort(1), EDEADLK);
    ck_assert_fails(evy_queue_tryget(queue, &item), EAGAIN);
    ck_assert_int_eq(evy_queue_tryput(queue, arg), 0);
    ck_assert_int_eq(evy_queue_tryget(queue, &item), 0);
    ck_assert_ptr_eq(item, arg);
    ck_assert_int_eq(evy_kill(sleeper, 0), 0);
    evy_gt_unref(evy_spawn(sleep_for_ever, NULL));
    say("h");
    evy_timer_free(timer);
}

START_TEST(callbacks_may_do_all_but_wait)
{
    queue = evy_queue_new(1, EVY_Q_FIFO);
    sleeper = evy_spawn(sleep_for_ever, NULL);
    evy_sleep(0);
    timer = evy_hub_call_global(0, in_the_hub, trace);
    evy_sleep(0.005);
    ck_assert_trace("hk");
    evy_queue_free(queue);
    list_for_each (node, &hubs[0].lights.bodies)
        evy_kill(handle_of(list_entry(node, struct green, siblings)), 0);
    ck_assert_trace("k");
    evy_gt_unref(sleeper);
}
END_TEST

static evy_queue *channel;

static void *get_one(void *arg)
{
    void *item = "?";
    ck_assert_int_eq(evy_queue_get(channel, &item, 5), 0);
    say(item);
    return arg;
}

static void *put_one(void *arg)
{
    ck_assert_int_eq(evy_queue_put(channel, arg, 5), 0);
    say("p");
    return NULL;
}

static void meet_on_the_loop(void *arg)
{
    void *item;
    ck_assert_int_eq(evy_queue_tryput(channel, arg), 0);
    ck_assert_fails(evy_queue_tryput(channel, arg), EAGAIN);
    ck_assert_fails(evy_queue_tryget(channel, &item), EAGAIN);
    say("h");
}

static void take_on_the_loop(void *arg)
{
    void *item = NULL;
    ck_assert_int_eq(evy_queue_tryget(channel, &item), 0);
    ck_assert_ptr_eq(item, arg);
    ck_assert_fails(evy_queue_tryget(channel, &item), EAGAIN);
    say("h");
}

/* Callbacks put to who waits on a channel, and take from who waits. */
START_TEST(callbacks_meet_on_a_channel)
{
    channel = evy_queue_new(0, EVY_Q_FIFO);
    evy_spawn_n(get_one, NULL);
    evy_sleep(0);
    ck_assert_int_eq(evy_call_soon(NULL, meet_on_the_loop, "i"), 0);
    evy_sleep(0.002);
    ck_assert_trace("hi");
    evy_spawn_n(put_one, "j");
    evy_sleep(0);
    ck_assert_int_eq(evy_call_soon(NULL, take_on_the_loop, "j"), 0);
    evy_sleep(0.002);
    ck_assert_trace("hp");
    evy_queue_free(channel);
}
END_TEST

static void *yields(void *arg)
{
    for (int i = 0; i < 3; i++) {
        evy_sleep(0);
        say(arg);
    }
    return NULL;
}

static void *reads(void *arg)
{
    char c;
    ck_assert_int_eq((int)evy_recv(fds[0], &c, 1, 0), 1);
    say(arg);
    return NULL;
}

START_TEST(a_sleep_of_0_starves_nobody)
{
    make_pair();
    evy_spawn_n(reads, "r");
    evy_sleep(0);
    ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
    evy_spawn_n(yields, "y");
    evy_sleep(0.005);
    ck_assert_trace("ryyy"); /* what is ready runs before who slept for 0 */
    close_pair();
}
END_TEST

static volatile int go_on;

static void *busy_pair(void *arg)
{
    char c;
    for (int fd = *(int *)arg; go_on;)
        if (evy_send(fd, "x", 1, 0) != 1 || evy_recv(fd, &c, 1, 0) != 1)
            break;
    shutdown(*(int *)arg, SHUT_RDWR);
    return NULL;
}

START_TEST(a_busy_socket_starves_no_timer)
{
    make_pair();
    go_on = 1;
    evy_spawn_n(busy_pair, &fds[0]);
    evy_spawn_n(busy_pair, &fds[1]);
    double start = seconds_now();
    for (int i = 0; i < 10; i++)
        evy_sleep(0.001);
    ck_assert_double_lt(seconds_now() - start, 5);
    go_on = 0;
    evy_sleep(0.01);
    close_pair();
}
END_TEST

static void on_ready(int fd, void *arg)
{
    char c;
    ck_assert_int_eq((int)read(fd, &c, 1), 1);
    say(arg);
}

static void on_gone(int fd, int err, void *arg)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(err, EBADF);
    say("gone");
    say(arg);
}

START_TEST(listeners_are_called)
{
    make_pair();
    evy_listener *l = evy_hub_add(1, fds[0], on_ready, on_gone, "l");
    ck_assert_ptr_nonnull(l);
    ck_assert_null_with(evy_hub_add(1, fds[0], on_ready, NULL, "2"), EBUSY);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
        evy_sleep(0.003);
    }
    ck_assert_trace("lll");
    ck_assert_uint_eq(evy_hub_nreaders(), 1);
    ck_assert_uint_eq(evy_hub_nwriters(), 0);
    char *text = evy_debug_format_listeners();
    ck_assert_ptr_nonnull(strstr(text, "READERS:\n  fd "));
    free(text);
    evy_close(fds[0]);
    evy_sleep(0.003);
    ck_assert_trace("gonel");
    ck_assert_int_eq(evy_hub_remove(l), 0);
    ck_assert_fails(evy_hub_remove(NULL), EINVAL);
    ck_assert_null_with(evy_hub_add(3, fds[1], on_ready, NULL, NULL), EINVAL);
    ck_assert_uint_eq(evy_hub_nreaders(), 0);
    evy_close(fds[1]);
}
END_TEST

START_TEST(the_next_listener_is_promoted)
{
    make_pair();
    ck_assert_int_eq(evy_debug_prevent_multiple_readers(0), 1);
    evy_listener *a = evy_hub_add(1, fds[0], on_ready, NULL, "a");
    evy_listener *b = evy_hub_add(1, fds[0], on_ready, NULL, "b");
    evy_listener *c = evy_hub_add(1, fds[0], on_ready, NULL, "c");
    ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
    evy_sleep(0.003);
    ck_assert_trace("a");
    evy_hub_remove(b); /* a secondary: the primary is not disturbed */
    evy_hub_remove(a);
    ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
    evy_sleep(0.003);
    ck_assert_trace("c");
    ck_assert_int_eq((int)write(fds[1], "x", 1), 1);
    evy_hub_remove_fd(fds[0]);
    ck_assert_trace("c");
    evy_sleep(0.003);
    ck_assert_trace("");
    evy_hub_remove(c);
    close_pair();
}
END_TEST

START_TEST(abort_drops_what_is_to_come)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    evy_gt *g = evy_spawn_after(5, sleep_for_ever, NULL);
    timer = evy_hub_call_global(5, say_cb, "t");
    evy_timeout_start(&t, 5, 0);
    ck_assert_uint_eq(evy_hub_ntimers(), 3);
    char *text = evy_debug_format_timers();
    ck_assert_ptr_nonnull(strstr(text, "TIMERS:\n  hub 0: in "));
    free(text);
    ck_assert_int_eq(evy_hub_abort(1), 0);
    ck_assert_uint_eq(evy_hub_ntimers(), 0);
    ck_assert_fails(evy_gt_wait(g, NULL), ECANCELED);
    ck_assert_int_eq(evy_timer_pending(timer) + evy_timeout_pending(&t), 0);
    ck_assert_int_eq(evy_sleep(0.002), 0); /* and goes on */
    evy_gt_unref(g);
    evy_timer_free(timer);
}
END_TEST

static void *fails(void *arg)
{
    evy_exit_error((int)(intptr_t)arg);
}

static void *computes(void *arg)
{
    struct stat report;
    double until = seconds_now() + 5;
    do
        fstat(2, &report);
    while (report.st_size == 0 && seconds_now() < until);
    return arg;
}

/* What call writes to stderr. */
static char *stderr_of(void (*call)(void))
{
    static char text[4096];
    char name[] = "/tmp/evy_XXXXXX";
    int fd = mkstemp(name), saved = dup(2);
    unlink(name);
    dup2(fd, 2);
    call();
    dup2(saved, 2);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    close(fd);
    close(saved);
    return text;
}

static void make_exceptions(void)
{
    evy_spawn_n(fails, (void *)(intptr_t)EPIPE);
    evy_sleep(0);
    ck_assert_int_eq(evy_debug_hub_exceptions(1), 0);
    evy_spawn_n(fails, (void *)(intptr_t)EDOM);
    evy_spawn_n(fails, (void *)(intptr_t)ECANCELED);
    evy_sleep(0);
    ck_assert_int_eq(evy_debug_hub_exceptions(0), 1);
}

static void hold_up(void)
{
    evy_attr attr = {.name = "hog"};
    ck_assert_int_eq(evy_debug_blocking(0.05), 0);
    evy_gt *g = evy_spawn_ex(&attr, computes, NULL);
    evy_gt_wait(g, NULL);
    evy_gt_unref(g);
    ck_assert_int_eq(evy_debug_blocking(0), 0);
    evy_sleep(0.05);
}

START_TEST(debug_reports)
{
    char *text = stderr_of(make_exceptions);
    ck_assert_ptr_nonnull(strstr(text, "ended: Numerical argument out of domain\n"));
    ck_assert_ptr_null(strstr(text, "Broken pipe"));
    ck_assert_ptr_null(strstr(text, "canceled"));
    text = stderr_of(hold_up);
    ck_assert_ptr_nonnull(strstr(text, " hog has not given way for 0."));
    evy_spawn_n(fails, NULL);
    text = evy_debug_format_threads();
    ck_assert_ptr_nonnull(strstr(text, "not begun"));
    free(text);
    ck_assert_fails(evy_debug_blocking(0.0 / 0.0), EINVAL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, methods);
    tcase_add_test(tc, timers_call);
    tcase_add_test(tc, timers_call_in_order);
    tcase_add_test(tc, a_local_timer_dies_with_its_maker);
    tcase_add_test(tc, callbacks_may_do_all_but_wait);
    tcase_add_test(tc, callbacks_meet_on_a_channel);
    tcase_add_test(tc, a_sleep_of_0_starves_nobody);
    tcase_add_test(tc, a_busy_socket_starves_no_timer);
    tcase_add_test(tc, listeners_are_called);
    tcase_add_test(tc, the_next_listener_is_promoted);
    tcase_add_test(tc, abort_drops_what_is_to_come);
    tcase_add_test(tc, debug_reports);
}

int main(void)
{
    return run_cases("hub", add);
}
