/* Sockets of the explicit API: connect, listen, serve, sendall, streams, trampoline, libc's calls (Eventlet's convenience,
   greenio, hubs.trampoline). */
#include "evy_case.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, name, &value, &len), 0);
    return value;
}

static int listener(void)
{
    int fd = evy_listen("127.0.0.1", 0, 0, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static int client(int server)
{
    int fd = evy_connect_host("127.0.0.1", port_of(server));
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Reads to the end of the stream, at most n bytes. */
static size_t read_all(int fd, char *buf, size_t n)
{
    size_t got = 0;
    ssize_t r;
    while (got < n && (r = evy_recv(fd, buf + got, n - got, 0)) > 0)
        got += (size_t)r;
    return got;
}

START_TEST(listens_as_eventlet_does)
{
    int any = listener();
    ck_assert_int_eq(option(any, SO_REUSEADDR), 1);
    ck_assert_int_eq(option(any, SO_REUSEPORT), 0);
    int fixed = evy_listen("127.0.0.1", port_of(any), 5, EVY_NO_REUSEPORT);
    ck_assert(fixed == -1 && errno == EADDRINUSE);
    int port = port_of(any);
    evy_close(any);
    fixed = evy_listen("127.0.0.1", port, 5, 0);
    ck_assert_int_eq(option(fixed, SO_REUSEPORT), 1);
    int second = evy_listen("127.0.0.1", port, 5, 0);
    ck_assert_int_ge(second, 0);
    evy_close(second);
    evy_close(fixed);
    int plain = evy_listen(NULL, 0, 0, EVY_NO_REUSEADDR | EVY_REUSEPORT);
    ck_assert_int_eq(option(plain, SO_REUSEADDR), 0);
    ck_assert_int_eq(option(plain, SO_REUSEPORT), 1);
    ck_assert_int_ne(fcntl(plain, F_GETFD) & FD_CLOEXEC, 0);
    evy_close(plain);
}
END_TEST

START_TEST(refuses_bad_arguments)
{
    ck_assert_fails(evy_listen("127.0.0.1", 65536, 0, 0), EINVAL);
    ck_assert_fails(evy_listen("127.0.0.1", -1, 0, 0), EINVAL);
    ck_assert_fails(evy_listen("127.0.0.1", 0, 0, 8), EINVAL);
    ck_assert_fails(evy_listen("127.0.0.1", 0, 0, EVY_REUSEPORT | EVY_NO_REUSEPORT), EINVAL);
    ck_assert_fails(evy_listen("1.2.3", 0, 0, 0), EADDRNOTAVAIL);
    ck_assert_fails(evy_connect_host(NULL, 80), EINVAL);
    ck_assert_fails(evy_connect_host("127.0.0.1", 0), EINVAL);
    ck_assert_fails(evy_connect_host("no.such.host.invalid", 80), ENOENT);
    ck_assert_fails(evy_serve(-1, NULL, NULL, 0), EINVAL);
    ck_assert_fails(evy_trampoline(0, 0, 0), EINVAL);
    ck_assert_fails(evy_trampoline(0, EVY_READ | EVY_WRITE, 0), EINVAL);
    ck_assert_fails(evy_trampoline(-1, EVY_READ, 0), EBADF);
    ck_assert_fails(evy_trampoline(0, EVY_READ, 0.0 / 0.0), EINVAL);
    ck_assert_fails(evy_notify_opened(-1), EINVAL);
    ck_assert_fails(evy_set_timeout(0, 0), EINVAL);
    ck_assert_fails(evy_set_nonblocking(-1), EBADF);
    ck_assert_null_with(evy_fdopen(0, "r+"), EINVAL);
    ck_assert_null_with(evy_fdopen(-1, "r"), EBADF);
    char *line = NULL;
    size_t size = 0;
    ck_assert_fails(evy_readuntil(stdin, "", &line, &size), EINVAL);
}
END_TEST

START_TEST(refused_connection)
{
    int server = listener(), port = port_of(server);
    evy_close(server);
    ck_assert_fails(evy_connect_host("127.0.0.1", port), ECONNREFUSED);
}
END_TEST

START_TEST(connects_from_an_address)
{
    int server = listener();
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from, peer;
    socklen_t len = sizeof peer;
    from.sin_addr.s_addr = inet_addr("127.0.0.2");
    to.sin_addr.s_addr = inet_addr("127.0.0.1");
    to.sin_port = htons((uint16_t)port_of(server));
    int c =
        evy_connect_addr((struct sockaddr *)&to, sizeof to, (struct sockaddr *)&from, sizeof from);
    int s = evy_accept(server, (struct sockaddr *)&peer, &len);
    ck_assert_int_ge(c, 0);
    ck_assert_uint_eq(peer.sin_addr.s_addr, from.sin_addr.s_addr);
    evy_close(c);
    evy_close(s);
    evy_close(server);
}
END_TEST

START_TEST(unix_sockets)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "evy-test-%d", getpid());
    int server = evy_listen_addr((struct sockaddr *)&a, sizeof a, 0, 0);
    ck_assert_int_ge(server, 0);
    int c = evy_connect_addr((struct sockaddr *)&a, sizeof a, NULL, 0);
    ck_assert_int_ge(c, 0);
    evy_close(c);
    evy_close(server);
}
END_TEST

static int echo(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    char buf[100];
    ssize_t n;
    ck_assert(addr->sa_family == AF_INET && len == sizeof(struct sockaddr_in));
    ck_assert_str_eq(arg, "arg");
    while ((n = evy_recv(fd, buf, sizeof buf, 0)) > 0) {
        if (buf[0] == 'S')
            return EVY_STOP_SERVE;
        if (buf[0] == 'E') {
            errno = EPROTO;
            return -1;
        }
        if (buf[0] == 'K')
            return evy_kill(evy_getcurrent(), 0);
        ck_assert_int_eq(evy_sendall(fd, buf, (size_t)n), 0);
    }
    return n < 0 ? -1 : 0;
}

struct serving {
    int listener;
    unsigned concurrency;
    int result, error;
};

static void *serve(void *arg)
{
    struct serving *s = arg;
    s->result = evy_serve(s->listener, echo, "arg", s->concurrency);
    s->error = errno;
    return NULL;
}

static void ask(int fd, const char *what, const char *answer)
{
    char buf[10] = "";
    ck_assert_int_eq(evy_sendall(fd, what, strlen(what)), 0);
    ck_assert_int_eq(evy_recv(fd, buf, sizeof buf - 1, 0), (int)strlen(answer));
    ck_assert_str_eq(buf, answer);
}

/* StopServe ends the loop alone: the other handlers and the listening socket live on. */
START_TEST(serves_until_stopped)
{
    struct serving s = {listener(), 0, -2, 0};
    evy_gt *g = evy_spawn(serve, &s);
    int a = client(s.listener), b = client(s.listener);
    ask(a, "a", "a");
    ask(b, "b", "b");
    ask(a, "S", "");
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_int_eq(s.result, 0);
    ask(b, "still", "still");
    int c = client(s.listener), d = evy_accept(s.listener, NULL, NULL);
    ck_assert_int_ge(d, 0);
    evy_shutdown_safe(b);
    ck_assert_int_eq(evy_recv(b, &(char){0}, 1, 0), 0);
    evy_gt_unref(g);
    for (int fds[] = {a, b, c, d, s.listener}, i = 0; i < 5; i++)
        evy_close(fds[i]);
}
END_TEST

START_TEST(a_failing_handler_ends_serve)
{
    struct serving s = {listener(), 0, -2, 0};
    evy_gt *g = evy_spawn(serve, &s);
    int a = client(s.listener), b = client(s.listener);
    ask(b, "K", ""); /* a killed one does not */
    ask(a, "a", "a");
    ask(a, "E", "");
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_int_eq(s.result, -1);
    ck_assert_int_eq(s.error, EPROTO);
    evy_gt_unref(g);
    for (int fds[] = {a, b, s.listener}, i = 0; i < 3; i++)
        evy_close(fds[i]);
}
END_TEST

START_TEST(concurrency_is_a_limit)
{
    struct serving s = {listener(), 1, -2, 0};
    evy_gt *g = evy_spawn(serve, &s);
    int a = client(s.listener), b = client(s.listener);
    ask(a, "a", "a");
    ck_assert_int_eq(evy_sendall(b, "S", 1), 0);
    evy_sleep(0.02);
    ck_assert_int_eq(s.result, -2); /* b has not been accepted */
    evy_close(a);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert_int_eq(s.result, 0);
    evy_gt_unref(g);
    evy_close(b);
    evy_close(s.listener);
}
END_TEST

START_TEST(errors_of_accept_end_serve)
{
    struct serving s = {listener(), 0, -2, 0};
    evy_gt *g = evy_spawn(serve, &s);
    evy_sleep(0);
    evy_close(s.listener);
    ck_assert_int_eq(evy_gt_wait(g, NULL), 0);
    ck_assert(s.result == -1 && s.error == EBADF);
    evy_gt_unref(g);
    s = (struct serving){listener(), 0, -2, 0};
    g = evy_spawn(serve, &s);
    evy_sleep(0);
    evy_kill(g, 0);
    ck_assert(s.result == -1 && s.error == ECANCELED);
    evy_gt_unref(g);
    evy_close(s.listener);
}
END_TEST

#define MUCH 1000000

static void *send_much(void *arg)
{
    char *data = calloc(1, MUCH);
    ck_assert_int_eq(evy_sendall(*(int *)arg, data, MUCH), 0);
    free(data);
    evy_close(*(int *)arg);
    return NULL;
}

START_TEST(sends_all)
{
    int fds[2], pipes[2], small = 4096;
    char *buf = malloc(MUCH + 1);
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(evy_setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    evy_spawn_n(send_much, &fds[0]);
    ck_assert_uint_eq(read_all(fds[1], buf, MUCH + 1), MUCH);
    ck_assert_fails(evy_sendall(fds[1], "x", 1), EPIPE); /* and no SIGPIPE */
    ck_assert_int_eq(evy_sendall(fds[1], "", 0), 0);
    evy_close(fds[1]);
    ck_assert_int_eq(evy_pipe(pipes), 0);
    evy_spawn_n(send_much, &pipes[1]);
    ssize_t n;
    size_t got = 0;
    while ((n = evy_read(pipes[0], buf, MUCH)) > 0)
        got += (size_t)n;
    ck_assert_uint_eq(got, MUCH);
    evy_close(pipes[0]);
    free(buf);
}
END_TEST

static void *write_lines(void *arg)
{
    FILE *f = evy_fdopen(*(int *)arg, "w");
    ck_assert_ptr_nonnull(f);
    setbuf(f, NULL);
    static const char text[] = "one\ntwo\r\nand the rest";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        ck_assert_int_eq(fputc(text[i], f), text[i]);
        evy_sleep(0);
    }
    ck_assert_int_eq(fclose(f), 0);
    return NULL;
}

/* A reader of lines against one who writes letter by letter; the last stream to be closed closes. */
START_TEST(streams)
{
    int fds[2];
    char *line = NULL;
    size_t size = 0;
    ck_assert_int_eq(evy_pipe(fds), 0);
    evy_spawn_n(write_lines, &fds[1]);
    FILE *f = evy_fdopen(fds[0], "r");
    ck_assert_int_eq(getline(&line, &size, f), 4);
    ck_assert_str_eq(line, "one\n");
    ck_assert_int_eq(evy_readuntil(f, "\r\n", &line, &size), 5);
    ck_assert_str_eq(line, "two\r\n");
    ck_assert_int_eq(evy_readuntil(f, "\r\n", &line, &size), 12);
    ck_assert_str_eq(line, "and the rest");
    errno = 0;
    ck_assert(evy_readuntil(f, "\n", &line, &size) == -1 && errno == 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert(fcntl(fds[0], F_GETFD) == -1 && fcntl(fds[1], F_GETFD) == -1);
    free(line);
}
END_TEST

static void *wait_for_byte(void *arg)
{
    int *fds = arg, r = evy_wait_read(fds[0], EVY_FOREVER);
    say(r == 0 ? "r" : errno == EBADF ? "b" : errno == ECANCELED ? "c" : "?");
    return NULL;
}

START_TEST(trampolines)
{
    int fds[2];
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(evy_wait_write(fds[0], 0), 0); /* ready is ready, also in no time */
    ck_assert_fails(evy_wait_read(fds[0], 0), ETIMEDOUT);
    ck_assert_fails(evy_wait_read(fds[0], -1), ETIMEDOUT);
    double start = seconds_now();
    ck_assert_fails(evy_wait_read(fds[0], 0.02), ETIMEDOUT);
    ck_assert(seconds_now() - start >= 0.02);
    evy_spawn_n(wait_for_byte, fds);
    evy_sleep(0);
    ck_assert_int_eq(evy_sendall(fds[1], "x", 1), 0);
    ck_assert_trace("");
    ck_assert_int_eq(evy_sleep(0.01), 0);
    ck_assert_trace("r");
    ck_assert_int_eq(evy_wait_read(fds[0], 0), 0);
    ck_assert_int_eq(evy_recv(fds[0], &(char){0}, 1, 0), 1);
    evy_kill(evy_spawn_n(wait_for_byte, fds), 0);
    ck_assert_trace("");
    evy_gt *g = evy_spawn(wait_for_byte, fds);
    evy_sleep(0);
    evy_kill(g, 0);
    ck_assert_trace("c");
    evy_gt_unref(g);
    evy_close(fds[1]);
    ck_assert_int_eq(evy_wait_read(fds[0], 1), 0); /* the peer's end counts */
    evy_close(fds[0]);
}
END_TEST

/* One reader and one writer; a second reader is told unless it is allowed, and leaves the first alone. */
START_TEST(one_reader)
{
    int fds[2];
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    evy_spawn_n(wait_for_byte, fds);
    evy_sleep(0);
    ck_assert_fails(evy_wait_read(fds[0], 1), EBUSY);
    ck_assert_int_eq(evy_wait_write(fds[0], 1), 0);
    ck_assert_int_eq(evy_debug_prevent_multiple_readers(0), 1);
    ck_assert_fails(evy_wait_read(fds[0], 0.01), ETIMEDOUT);
    evy_spawn_n(wait_for_byte, fds);
    evy_sleep(0);
    ck_assert_int_eq(evy_sendall(fds[1], "x", 1), 0);
    evy_sleep(0.01);
    ck_assert_trace("rr");
    ck_assert_int_eq(evy_debug_prevent_multiple_readers(1), 0);
    ck_assert_int_eq(evy_wait_read(fds[0], 0), 0);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

/* A number that gets another meaning behind the library's back. */
START_TEST(notices_new_descriptors)
{
    int fds[2];
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    evy_spawn_n(wait_for_byte, fds);
    evy_sleep(0);
    ck_assert_int_eq(evy_notify_opened(fds[0]), 0);
    evy_sleep(0.01);
    ck_assert_trace("b");
    evy_spawn_n(wait_for_byte, fds);
    evy_sleep(0);
    evy_close(fds[0]);
    evy_sleep(0.01);
    ck_assert_trace("b");
    evy_close(fds[1]);
}
END_TEST

START_TEST(timeouts_of_sockets)
{
    int fds[2];
    char c;
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(evy_set_timeout(fds[0], 0.02), 0);
    double start = seconds_now();
    ck_assert_fails(evy_recv(fds[0], &c, 1, 0), EAGAIN);
    ck_assert(seconds_now() - start >= 0.02);
    ck_assert_int_eq(evy_set_timeout(fds[0], 100), 0);
    ck_assert_int_eq(evy_set_nonblocking(fds[0]), 0);
    ck_assert_fails(evy_recv(fds[0], &c, 1, 0), EAGAIN);
    ck_assert_int_eq(evy_set_timeout(fds[1], EVY_FOREVER), 0);
    evy_close(fds[0]);
    evy_close(fds[1]);
    int server = listener(); /* what it accepts begins with its limits, as with the kernel's */
    ck_assert_fails((evy_set_timeout(server, 0.002), evy_accept(server, NULL, NULL)), EAGAIN);
    int a = client(server), b = evy_accept(server, NULL, NULL);
    ck_assert_fails(evy_recv(b, &c, 1, 0), EAGAIN);
    evy_close(a);
    evy_close(b);
    evy_close(server);
}
END_TEST

START_TEST(shutdown_is_safe)
{
    int fds[2], plain = evy_socket(AF_INET, SOCK_STREAM, 0);
    errno = 0;
    ck_assert_int_eq(evy_shutdown_safe(plain), 0);
    ck_assert_int_eq(evy_shutdown_safe(-1), 0);
    ck_assert_int_eq(evy_pipe(fds), 0);
    ck_assert_int_eq(evy_shutdown_safe(fds[0]), 0);
    ck_assert_int_eq(errno, 0);
    evy_close(plain);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

static void *tick(void *arg)
{
    for (int i = 0; i < 3; i++) {
        evy_sleep(0.005);
        say(".");
    }
    return arg;
}

static void *release_child(void *fd)
{
    while (!trace[0])
        evy_sleep(0.001);
    ck_assert_int_eq(evy_write((int)(intptr_t)fd, "x", 1), 1);
    return NULL;
}

/* While one green thread is in one of libc's calls, by its public name, the others run. */
START_TEST(libc_calls_are_green)
{
    int fds[2], ep = epoll_create1(0), status;
    struct timespec t = {0, 30000000};
    struct timeval tv = {0, 30000};
    struct epoll_event event = {.events = EPOLLIN};
    ck_assert_int_eq(evy_pipe(fds), 0);
    ck_assert_int_eq(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), 0);
    struct pollfd p = {fds[0], POLLIN, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    pid_t child = _i == 5 ? fork() : -1;
    if (child == 0) {
        char c;
        _exit(read(fds[0], &c, 1) == 1 ? 3 : 4);
    }
    evy_spawn_n(tick, NULL);
    if (child > 0)
        evy_spawn_n(release_child, (void *)(intptr_t)fds[1]);
    switch (_i) {
    case 0:
        ck_assert_int_eq(evy_poll(&p, 1, 30), 0);
        break;
    case 1:
        ck_assert_int_eq(evy_select(fds[0] + 1, &set, NULL, NULL, &tv), 0);
        break;
    case 2:
        ck_assert_int_eq(evy_epoll_wait(ep, &event, 1, 30), 0);
        break;
    case 3:
        ck_assert_int_eq(evy_nanosleep(&t, NULL), 0);
        break;
    case 4:
        ck_assert_int_eq(evy_usleep(30000), 0);
        break;
    case 5:
        ck_assert_int_eq(evy_waitpid(child, &status, 0), child);
        ck_assert_int_eq(WEXITSTATUS(status), 3);
        break;
    case 6:
        ck_assert_int_eq(evy_system("sleep 0.03"), 0);
    }
    ck_assert_int_eq(trace[0], '.');
    while (strlen(trace) < 3)
        evy_sleep(0.001);
    evy_close(ep);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

/* Descriptors made, copied and asked by their public names. */
START_TEST(descriptors)
{
    char dir[] = "/tmp/evy_XXXXXX", buf[8] = "";
    int fds[2], waiting = 0;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    int d = evy_open(dir, O_RDONLY | O_DIRECTORY, 0);
    int f = evy_openat(d, "file", O_CREAT | O_RDWR, 0600);
    ck_assert_int_ge(f, 0);
    ck_assert_int_eq(evy_lockf(f, F_LOCK, 0), 0);
    ck_assert_int_eq(evy_lockf(f, F_ULOCK, 0), 0);
    evy_close(f);
    ck_assert_int_eq(unlinkat(d, "file", 0), 0);
    ck_assert_fails(evy_creat(dir, 0600), EISDIR);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(evy_pipe2(fds, O_CLOEXEC), 0);
    ck_assert_int_eq(evy_dup2(fds[0], d), d);
    ck_assert_int_eq(evy_fcntl(d, F_GETFD, 0), 0);
    ck_assert_int_eq(evy_dup3(fds[0], d, O_CLOEXEC), d);
    ck_assert_int_eq(evy_fcntl(d, F_GETFD, 0), FD_CLOEXEC);
    ck_assert_int_eq(evy_fcntl(d, F_GETFL, 0) & O_NONBLOCK, 0);
    ck_assert_int_eq(evy_write(fds[1], "abc", 3), 3);
    ck_assert_int_eq(evy_ioctl(d, FIONREAD, &waiting), 0);
    ck_assert_int_eq(waiting, 3);
    FILE *p = evy_popen("echo done", "r");
    ck_assert_ptr_nonnull(p);
    ck_assert_int_ge(evy_read(fileno(p), buf, sizeof buf), 5);
    ck_assert_int_eq(evy_pclose(p), 0);
    ck_assert_str_eq(buf, "done\n");
    evy_close(d);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

static void *write_letters(void *arg)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(evy_send(*(int *)arg, "0123456789", 10, 0), 10);
    return NULL;
}

static void *read_letters(void *arg)
{
    char buf[10];
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(evy_recv(*(int *)arg, buf, 10, MSG_WAITALL), 10);
    return NULL;
}

/* A reader and a writer on one socket, at both ends. */
START_TEST(full_duplex)
{
    int fds[2];
    evy_gt *g[4];
    ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (int i = 0; i < 4; i++)
        g[i] = evy_spawn(i < 2 ? write_letters : read_letters, &fds[i % 2]);
    ck_assert_int_eq(evy_waitall(g, 4, NULL), 0);
    for (int i = 0; i < 4; i++)
        evy_gt_unref(g[i]);
    evy_close(fds[0]);
    evy_close(fds[1]);
}
END_TEST

/* A stream and the descriptor it is a copy of are closed in any order; the last one closes. */
START_TEST(streams_close_by_themselves)
{
    char c;
    for (int stream_first = 0; stream_first < 2; stream_first++) {
        int fds[2];
        ck_assert_int_eq(evy_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        FILE *f = evy_fdopen(evy_dup(fds[0]), "w");
        fputs("line\n", f);
        if (stream_first)
            ck_assert_int_eq(fclose(f), 0);
        else
            evy_close(fds[0]);
        if (stream_first)
            evy_close(fds[0]);
        else
            ck_assert_int_eq(fclose(f), 0);
        for (const char *l = "line\n"; *l; l++)
            ck_assert(evy_recv(fds[1], &c, 1, 0) == 1 && c == *l);
        ck_assert_int_eq(evy_recv(fds[1], &c, 1, 0), 0);
        evy_close(fds[1]);
    }
}
END_TEST

/* What the kernel answers is answered: no end of the stream is made of a reset, and nobody waits on a socket that is
   not connected. A limit that has passed leaves nothing behind. */
START_TEST(errors_are_the_kernels)
{
    char c;
    struct linger hard = {1, 0};
    int server = listener(), a = client(server), b = evy_accept(server, NULL, NULL);
    ck_assert_int_eq(evy_setsockopt(b, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    evy_close(b);
    ck_assert_fails(evy_recv(a, &c, 1, 0), ECONNRESET);
    evy_close(a);
    a = evy_socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_fails(evy_recv(a, &c, 1, 0), ENOTCONN);
    evy_close(a);
    a = client(server);
    b = evy_accept(server, NULL, NULL);
    ck_assert_int_eq(evy_set_timeout(a, 0.003), 0);
    ck_assert_fails(evy_recv(a, &c, 1, 0), EAGAIN);
    ck_assert_int_eq(evy_set_timeout(a, EVY_FOREVER), 0);
    ck_assert_int_eq(evy_send(b, "x", 1, 0), 1); /* wakes nobody up who is not in recv */
    double start = seconds_now();
    ck_assert_int_eq(evy_sleep(0.01), 0);
    ck_assert(seconds_now() - start >= 0.01);
    ck_assert_int_eq(evy_recv(a, &c, 1, 0), 1);
    evy_close(a);
    evy_close(b);
    evy_close(server);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, listens_as_eventlet_does);
    tcase_add_test(tc, refuses_bad_arguments);
    tcase_add_test(tc, refused_connection);
    tcase_add_test(tc, connects_from_an_address);
    tcase_add_test(tc, unix_sockets);
    tcase_add_test(tc, serves_until_stopped);
    tcase_add_test(tc, a_failing_handler_ends_serve);
    tcase_add_test(tc, concurrency_is_a_limit);
    tcase_add_test(tc, errors_of_accept_end_serve);
    tcase_add_test(tc, sends_all);
    tcase_add_test(tc, streams);
    tcase_add_test(tc, trampolines);
    tcase_add_test(tc, one_reader);
    tcase_add_test(tc, notices_new_descriptors);
    tcase_add_test(tc, timeouts_of_sockets);
    tcase_add_test(tc, shutdown_is_safe);
    tcase_add_loop_test(tc, libc_calls_are_green, 0, 7);
    tcase_add_test(tc, descriptors);
    tcase_add_test(tc, full_duplex);
    tcase_add_test(tc, streams_close_by_themselves);
    tcase_add_test(tc, errors_are_the_kernels);
}

int main(void)
{
    return run_cases("net", add);
}
