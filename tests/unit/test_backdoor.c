/* The backdoor (Eventlet's), and the names of the oldest pages. */
#include "evy_case.h"

#include <errno.h>
#include <evy/backdoor.h>
#include <evy/compat.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;

static void *serve(void *listener)
{
    evy_backdoor_server((int)(intptr_t)listener);
    return NULL;
}

static int listen_unix(void)
{
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "evy-backdoor-%d", getpid());
    int fd = evy_listen_addr((struct sockaddr *)&address, sizeof address, 0, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static int dial(void)
{
    int fd = evy_connect_addr((struct sockaddr *)&address, sizeof address, NULL, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* The answer to a request, "ok" included. */
static const char *ask(int fd, const char *request)
{
    static char text[20000];
    size_t n = 0;
    ck_assert_int_eq(evy_sendall(fd, request, strlen(request)), 0);
    text[0] = 0;
    while (!strstr(text, "ok\n") && !strstr(text, "error")) {
        ssize_t r = evy_recv(fd, text + n, sizeof text - 1 - n, 0);
        ck_assert_int_gt(r, 0);
        text[n += (size_t)r] = 0;
    }
    return text;
}

static int count(const char *text, const char *word)
{
    int n = 0;
    while ((text = strstr(text, word)) && ++n)
        text++;
    return n;
}

static void *sleep_long(void *arg)
{
    evy_sleep(arg ? EVY_FOREVER : 59);
    return NULL;
}

START_TEST(tells)
{
    int listener = listen_unix();
    evy_gt *server = evy_spawn(serve, (void *)(intptr_t)listener);
    evy_gt *sleepers[2] = {evy_spawn(sleep_long, NULL), evy_spawn(sleep_long, "")};
    evy_gt_set_name(sleepers[0], "sleeper");
    evy_sleep(0);
    int fd = dial();
    const char *text = ask(fd, "threads\n");
    ck_assert_int_eq(count(text, "thread 0x"), 5); /* main, server, connection, sleepers */
    ck_assert_int_eq(count(text, "\n"), 6);
    ck_assert_int_eq(count(text, " main "), 1);
    ck_assert_int_eq(count(text, " hub 0 light "), 4);
    ck_assert_ptr_nonnull(strstr(text, "light waiting 5"));
    ck_assert_ptr_nonnull(strstr(text, " sleeper\n"));
    text = ask(fd, "hubs\r\n");
    ck_assert_ptr_nonnull(strstr(text, "hub 0 threads "));
    ck_assert_ptr_nonnull(strstr(text, " timers 1 "));
    text = ask(fd, "timers\n");
    ck_assert_int_eq(count(text, "timer hub 0 in 5"), 1);
    char of_fd[50];
    snprintf(of_fd, sizeof of_fd, "fd %d stream", fd);
    text = ask(fd, "fds\n");
    ck_assert_ptr_nonnull(strstr(text, of_fd));
    text = ask(fd, "patch\n");
    ck_assert_str_eq(text, "patch 192\nok\n");
    ck_assert_int_eq(count(ask(fd, "help\n"), "threads"), 1);
    ck_assert_int_eq(count(ask(fd, "do what\n"), "error no such request"), 1);
    evy_close(dial()); /* one that vanishes at once */
    evy_sleep(0.01);
    ck_assert_int_eq(count(ask(fd, "patch\n"), "ok"), 1);
    ck_assert_int_eq(evy_sendall(fd, "quit\n", 5), 0);
    ck_assert_int_eq(evy_recv(fd, &(char){0}, 1, 0), 0);
    evy_close(fd);
    evy_close(listener);
    ck_assert_int_eq(evy_gt_wait(server, NULL), 0);
    for (int i = 0; i < 2; i++) {
        evy_kill(sleepers[i], 0);
        evy_gt_unref(sleepers[i]);
    }
    evy_gt_unref(server);
}
END_TEST

/* Only peers of the same user, or root: others of the same machine are hung up on. */
START_TEST(knows_its_friends)
{
    int listener = listen_unix();
    evy_gt *server = evy_spawn(serve, (void *)(intptr_t)listener);
    if (getuid() == 0) {
        pid_t child = fork();
        if (child == 0) {
            char c;
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            _exit(setuid(1) || connect(fd, (struct sockaddr *)&address, sizeof address) ||
                  read(fd, &c, 1) != 0);
        }
        int status;
        ck_assert_int_eq(evy_waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    int inet = evy_listen("127.0.0.1", 0, 0, 0); /* no credentials */
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    getsockname(inet, (struct sockaddr *)&a, &len);
    evy_gt *other = evy_spawn(serve, (void *)(intptr_t)inet);
    int fd = evy_connect_addr((struct sockaddr *)&a, len, NULL, 0);
    ck_assert_int_eq(evy_recv(fd, &(char){0}, 1, 0), 0);
    evy_close(fd);
    evy_close(inet);
    evy_close(listener);
    evy_gt_wait(other, NULL);
    evy_gt_wait(server, NULL);
    evy_gt_unref(other);
    evy_gt_unref(server);
}
END_TEST

static void *say_arg(void *arg)
{
    say(arg);
    return arg;
}

static void *call_and_end(void *arg)
{
    evy_gt_unref(evy_call_after(0.005, say_arg, arg));
    evy_gt_unref(evy_call_after_local(0.005, say_arg, arg));
    evy_gt_unref(evy_call_after_global(0.005, say_arg, "g"));
    return NULL;
}

static int hang_up(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    (void)addr, (void)len;
    return evy_sendall(fd, arg, 1) || EVY_STOP_SERVE;
}

static void *tcp_server(void *listener)
{
    say(evy_tcp_server((int)(intptr_t)listener, hang_up, "x") ? "?" : "s");
    return NULL;
}

START_TEST(oldest_names)
{
    char c;
    evy_gt *g = evy_call_after(0.001, say_arg, "a"), *never = evy_call_after(10, say_arg, "n");
    ck_assert_int_eq(evy_cancel(never, 0), 1);
    evy_spawn_n(call_and_end, "d");
    evy_sleep(0.02);
    ck_assert_trace("ag"); /* d's caller was dead by then */
    evy_gt_unref(g);
    evy_gt_unref(never);
    evy_timeout t = EVY_TIMEOUT_INIT;
    ck_assert_int_eq(evy_exc_after(&t, 0.005, EPROTO), 0);
    ck_assert_fails(evy_sleep(1), EPROTO);
    ck_assert_int_eq(evy_timeout_cancel(&t), 1);
    int listener = evy_tcp_listener("127.0.0.1", 0, 0);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    getsockname(listener, (struct sockaddr *)&a, &len);
    evy_spawn_n(tcp_server, (void *)(intptr_t)listener);
    int fd = evy_connect_tcp("127.0.0.1", ntohs(a.sin_port));
    ck_assert_int_eq(evy_recv(fd, &c, 1, 0), 1);
    ck_assert_int_eq(evy_recv(fd, &c, 1, 0), 0);
    ck_assert_trace("s");
    evy_close(fd);
    evy_close(listener);
    ck_assert_int_eq(evy_wrap_socket_with_coroutine_socket(), 0);
    ck_assert_int_eq(evy_is_monkey_patched("socket,dns"), 1);
    ck_assert_int_eq(evy_wrap_select_with_coroutine_select(), 0);
    ck_assert_int_eq(evy_is_monkey_patched("select"), 1);
    ck_assert_int_eq(evy_wrap_pipes_with_coroutine_pipes(), 0);
    ck_assert_int_eq(evy_is_monkey_patched("os,process"), 1);
    ck_assert_int_eq(evy_is_monkey_patched("thread"), 0);
    ck_assert_int_eq(evy_wrap_threading_local_with_coro_local(), 0);
    ck_assert_int_eq(evy_is_monkey_patched("thread"), 1);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, tells);
    tcase_add_test(tc, knows_its_friends);
    tcase_add_test(tc, oldest_names);
}

int main(void)
{
    return run_cases("backdoor", add);
}
