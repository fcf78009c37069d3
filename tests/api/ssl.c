// flags: -levy-ssl -lssl -lcrypto -lcheck -lsubunit -lm
// env: EVY_HUBS=1
// Proves: TLS between green threads, by calls of libevy-ssl alone: the program patches only pthread_create. Every case with
// light green threads and with pthreads.
#define _GNU_SOURCE
#include "../examples/cert.h"
#include "../suite.h"

#include <errno.h>
#include <evy.h>
#include <evy/ssl.h>

#include <evy/compat.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static X509 *ca;
static SSL_CTX *server_ctx, *client_ctx;
static evy_ssl *server, *client;
static int fds[2];
static int light; /* green threads of evy_spawn, else of pthread_create */

static void set_up(void)
{
    ck_assert_int_eq(evy_patch_object(NULL, EVY_PATCH_THREAD), 0);
    server_ctx = cert_server(&ca);
    client_ctx = cert_client(ca);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void set_up_light(void)
{
    light = 1;
    set_up();
}

static void wrap(unsigned flags)
{
    server = evy_wrap_ssl(fds[0], server_ctx, EVY_SSL_SERVER | flags);
    client = evy_wrap_ssl(fds[1], client_ctx, flags);
    ck_assert(server && client);
    SSL_set1_host(evy_ssl_handle(client), "localhost");
}

union thread {
    evy_gt *light;
    pthread_t pthread;
};

static union thread green(void *(*body)(void *), void *arg)
{
    union thread t;
    if (light)
        ck_assert_ptr_nonnull(t.light = evy_spawn(body, arg));
    else
        ck_assert_int_eq(pthread_create(&t.pthread, NULL, body, arg), 0);
    return t;
}

static void join(union thread t)
{
    ck_assert_int_eq(light ? evy_gt_wait(t.light, NULL) : pthread_join(t.pthread, NULL), 0);
    if (light)
        evy_gt_unref(t.light);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *echo(void *arg)
{
    char buf[1000];
    ssize_t n;
    while ((n = evy_ssl_read(server, buf, sizeof buf)) > 0)
        ck_assert_int_eq(evy_ssl_sendall(server, buf, (size_t)n), 0);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(evy_ssl_read(server, buf, 1), 0);
    evy_ssl_close(server);
    return arg;
}

/* The handshake comes with the first I/O; the peer's close_notify ends the stream for both. */
START_TEST(echoes)
{
    char buf[6] = "";
    wrap(EVY_SSL_STRICT_EOF);
    union thread t = green(echo, NULL);
    ck_assert(!SSL_is_init_finished(evy_ssl_handle(client)));
    ck_assert_int_eq(evy_ssl_write(client, "", 0), 0);
    ck_assert_int_eq(evy_ssl_write(client, "hello", 5), 5);
    ck_assert_int_eq(evy_ssl_read(client, buf, 5), 5);
    ck_assert_str_eq(buf, "hello");
    ck_assert_int_eq(SSL_get_verify_result(evy_ssl_handle(client)), X509_V_OK);
    ck_assert_int_eq(evy_ssl_shutdown(client), 0);
    ck_assert_int_eq(evy_ssl_read(client, buf, 1), 0);
    join(t);
    ck_assert_int_eq(evy_ssl_fd(client), fds[1]);
    ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    evy_ssl_close(client);
    ck_assert(fcntl(fds[1], F_GETFL) == -1 && errno == EBADF);
    evy_ssl_close(NULL);
}
END_TEST

/* A decrypted byte is in OpenSSL, not in the socket: nothing may be waited for. */
START_TEST(buffered_first)
{
    char c = 0;
    wrap(0);
    union thread t = green(echo, NULL);
    ck_assert_int_eq(evy_ssl_sendall(client, "ab", 2), 0);
    evy_ssl_set_timeout(client, 10);
    ck_assert(evy_ssl_read(client, &c, 1) == 1 && c == 'a');
    ck_assert_uint_eq(evy_ssl_pending(client), 1);
    ck_assert(evy_ssl_read(client, &c, 1) == 1 && c == 'b');
    evy_ssl_close(client);
    join(t);
}
END_TEST

#define MUCH (2 << 20)

static void *pour(void *arg)
{
    evy_ssl *s = arg;
    char *data = malloc(MUCH);
    memset(data, s == client ? 'c' : 's', MUCH);
    ck_assert_int_eq(evy_ssl_sendall(s, data, MUCH), 0);
    ck_assert_int_eq(evy_ssl_shutdown(s), 0);
    free(data);
    return NULL;
}

/* Whether all n bytes are c. */
static int all(const char *buf, size_t n, char c)
{
    return n == 0 || (buf[0] == c && memcmp(buf, buf + 1, n - 1) == 0);
}

static void *drink(void *arg)
{
    evy_ssl *s = arg;
    char buf[5000];
    ssize_t n;
    size_t got = 0;
    for (; (n = evy_ssl_read(s, buf, sizeof buf)) > 0; got += (size_t)n)
        ck_assert(all(buf, (size_t)n, s == client ? 's' : 'c'));
    ck_assert_int_eq(n, 0);
    ck_assert_uint_eq(got, MUCH);
    return NULL;
}

/* One green thread per direction and end; both ends write until the sockets are full. */
START_TEST(full_duplex)
{
    wrap(EVY_SSL_STRICT_EOF);
    union thread t[4] = {green(pour, client), green(pour, server), green(drink, client),
                         green(drink, server)};
    for (int i = 0; i < 4; i++)
        join(t[i]);
    evy_ssl_close(client);
    evy_ssl_close(server);
}
END_TEST

static void *write_runs(void *arg)
{
    char run[30000];
    memset(run, (int)(intptr_t)arg, sizeof run);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(evy_ssl_sendall(client, run, sizeof run), 0);
    return NULL;
}

/* What one sendall writes stays together though others write too. */
START_TEST(writers_take_turns)
{
    wrap(0);
    union thread t[3] = {green(write_runs, (void *)'x'), green(write_runs, (void *)'y'),
                         green(write_runs, (void *)'z')};
    char run[30000];
    for (int i = 0; i < 30; i++) {
        for (size_t got = 0; got < sizeof run;) {
            ssize_t n = evy_ssl_read(server, run + got, sizeof run - got);
            ck_assert_int_gt(n, 0);
            got += (size_t)n;
        }
        ck_assert(all(run, sizeof run, run[0]));
    }
    for (int i = 0; i < 3; i++)
        join(t[i]);
}
END_TEST

START_TEST(times_out)
{
    char c;
    wrap(0);
    evy_ssl_set_timeout(client, 0.05);
    double start = now();
    errno = 0;
    ck_assert(evy_ssl_handshake(client) == -1 && errno == ETIMEDOUT); /* a silent server */
    ck_assert(now() - start >= 0.05);
    union thread t = green(echo, NULL);
    ck_assert_int_eq(evy_ssl_handshake(client), 0); /* and goes on */
    errno = 0;
    ck_assert(evy_ssl_read(client, &c, 1) == -1 && errno == ETIMEDOUT);
    evy_ssl_close(client);
    join(t);
}
END_TEST

/* An interrupted write goes on with the same bytes, from wherever they are now. */
START_TEST(writes_the_same_again)
{
    size_t sent = 0, n = MUCH;
    char *data = malloc(n);
    memset(data, 'c', n);
    wrap(0);
    union thread hands = green((void *(*)(void *))(void *)evy_ssl_handshake, server);
    ck_assert_int_eq(evy_ssl_handshake(client), 0);
    join(hands);
    evy_ssl_set_timeout(client, 0.05);
    ssize_t r;
    while ((r = evy_ssl_write(client, data + sent, n - sent)) > 0)
        sent += (size_t)r;
    ck_assert(r == -1 && errno == ETIMEDOUT);
    ck_assert_int_eq(evy_ssl_set_timeout(client, EVY_FOREVER), 0);
    union thread t = green(drink, server);
    char *moved = malloc(n);
    memcpy(moved, data, n);
    free(data);
    ck_assert_int_eq(evy_ssl_sendall(client, moved + sent, n - sent), 0);
    ck_assert_int_eq(evy_ssl_shutdown(client), 0);
    join(t);
    free(moved);
}
END_TEST

static void *unwrap_server(void *arg)
{
    char c;
    ck_assert_int_eq(evy_ssl_read(server, &c, 1), 1);
    ck_assert_int_eq(evy_ssl_unwrap(server), fds[0]);
    ck_assert_int_eq(write(fds[0], "clear", 5), 5);
    return arg;
}

START_TEST(unwraps)
{
    char buf[6] = "";
    wrap(0);
    union thread t = green(unwrap_server, NULL);
    ck_assert_int_eq(evy_ssl_write(client, "x", 1), 1);
    ck_assert_int_eq(evy_ssl_unwrap(client), fds[1]);
    join(t);
    ck_assert_int_eq(read(fds[1], buf, 5), 5);
    ck_assert_str_eq(buf, "clear");
}
END_TEST

static void *break_off(void *arg)
{
    char c;
    ck_assert_int_eq(evy_ssl_read(server, &c, 1), 1);
    close(fds[0]);
    return arg;
}

/* An end without close_notify reads as the end of the stream, or as an error when that was asked for. */
START_TEST(ragged_end)
{
    char c;
    wrap(_i ? EVY_SSL_STRICT_EOF : 0);
    union thread t = green(break_off, NULL);
    ck_assert_int_eq(evy_ssl_write(client, "x", 1), 1);
    join(t);
    errno = 0;
    if (_i)
        ck_assert(evy_ssl_read(client, &c, 1) == -1 && errno == ECONNABORTED);
    else
        ck_assert_int_eq(evy_ssl_read(client, &c, 1), 0);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static void *fail_to_read(void *arg)
{
    char c;
    ck_assert_int_eq(evy_ssl_read(server, &c, 1), -1);
    return arg;
}

/* The wrong name: the context's verification is heard, the queue left empty, the reason kept. */
START_TEST(verifies)
{
    wrap(0);
    SSL_set1_host(evy_ssl_handle(client), "example.org");
    union thread t = green(fail_to_read, NULL);
    errno = 0;
    ck_assert(evy_ssl_write(client, "x", 1) == -1 && errno == EPROTO);
    ck_assert_int_eq(ERR_GET_REASON(evy_ssl_error(client)), SSL_R_CERTIFICATE_VERIFY_FAILED);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    evy_ssl_close(client);
    join(t);
}
END_TEST

/* What others left in the error queue is not taken for a failure. */
START_TEST(old_errors)
{
    char c;
    wrap(0);
    union thread t = green(echo, NULL);
    ERR_raise(ERR_LIB_USER, 1);
    ck_assert_int_eq(evy_ssl_write(client, "x", 1), 1);
    ERR_raise(ERR_LIB_USER, 1);
    ck_assert_int_eq(evy_ssl_read(client, &c, 1), 1);
    ck_assert_uint_eq(evy_ssl_error(client), 0);
    evy_ssl_close(client);
    join(t);
}
END_TEST

static int choose(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
                  unsigned in_n, void *arg)
{
    (void)arg;
    ck_assert_str_eq(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), "localhost");
    ck_assert_uint_eq(in_n, 9);
    *out = in + 1;
    *n = in[0];
    return SSL_TLSEXT_ERR_OK;
}

START_TEST(names_and_protocols)
{
    const unsigned char *chosen;
    unsigned n;
    SSL_CTX_set_alpn_select_cb(server_ctx, choose, NULL);
    SSL_CTX_set_alpn_protos(client_ctx, (const unsigned char *)"\x03one\x04more", 9);
    wrap(0);
    SSL_set_tlsext_host_name(evy_ssl_handle(client), "localhost");
    union thread t = green(echo, NULL);
    ck_assert_int_eq(evy_ssl_handshake(client), 0);
    SSL_get0_alpn_selected(evy_ssl_handle(client), &chosen, &n);
    ck_assert(n == 3 && memcmp(chosen, "one", 3) == 0);
    evy_ssl_close(client);
    join(t);
}
END_TEST

static void *closed_while_reading(void *arg)
{
    char c;
    errno = 0;
    ck_assert(evy_ssl_read(client, &c, 1) == -1 && errno == EBADF);
    return arg;
}

START_TEST(close_wakes)
{
    wrap(0);
    union thread t = green(closed_while_reading, NULL);
    union thread hands = green((void *(*)(void *))(void *)evy_ssl_handshake, server);
    ck_assert_int_eq(evy_ssl_handshake(client), 0);
    join(hands);
    evy_ssl_close(client);
    join(t);
}
END_TEST

START_TEST(refuses)
{
    errno = 0;
    ck_assert(!evy_wrap_ssl(-1, client_ctx, 0) && errno == EINVAL);
    errno = 0;
    ck_assert(!evy_wrap_ssl(fds[0], NULL, 0) && errno == EINVAL);
    errno = 0;
    ck_assert(!evy_wrap_ssl(fds[0], client_ctx, 64) && errno == EINVAL);
    wrap(0);
    errno = 0;
    ck_assert(evy_ssl_set_timeout(client, -1) == -1 && errno == EINVAL);
    char c;
    SSL_CTX *ctx;
    errno = 0;
    ck_assert(evy_ssl_read(NULL, &c, 1) == -1 && errno == EINVAL);
    ck_assert(evy_ssl_write(NULL, "x", 1) == -1 && evy_ssl_sendall(NULL, "x", 1) == -1);
    ck_assert(evy_ssl_handshake(NULL) == -1 && evy_ssl_shutdown(NULL) == -1);
    ck_assert(evy_ssl_unwrap(NULL) == -1 && evy_ssl_fd(NULL) == -1 && errno == EINVAL);
    ck_assert(!evy_ssl_handle(NULL) && !evy_ssl_pending(NULL) && !evy_ssl_error(NULL));
    errno = 0;
    ck_assert(evy_ssl_listener("127.0.0.1", 0, "no such file", "nor this", &ctx) == -1);
    ck_assert(!ctx && errno == ENOENT);
}
END_TEST

/* Without any green thread it blocks as plain OpenSSL does. */
START_TEST(alone)
{
    char c;
    wrap(0);
    evy_ssl_set_timeout(server, 0.05);
    errno = 0;
    ck_assert(evy_ssl_read(server, &c, 1) == -1 && errno == ETIMEDOUT);
}
END_TEST

static void *read_until_ended(void *arg)
{
    char c;
    errno = 0;
    ck_assert_int_eq(evy_ssl_read(client, &c, 1), -1);
    *(int *)arg = errno;
    return NULL;
}

/* libevy's own timeouts and kills end a wait, and the connection goes on. */
START_TEST(timeouts_and_kills)
{
    int error = 0;
    char c;
    evy_timeout t = EVY_TIMEOUT_INIT;
    wrap(0);
    union thread e = green(echo, NULL);
    ck_assert_int_eq(evy_ssl_handshake(client), 0);
    ck_assert_int_eq(evy_timeout_start(&t, 0.02, ENOSYS), 0);
    errno = 0;
    ck_assert(evy_ssl_read(client, &c, 1) == -1 && errno == ENOSYS);
    ck_assert_int_eq(evy_timeout_cancel(&t), 1);
    evy_gt *g = evy_spawn(read_until_ended, &error);
    evy_sleep(0.005);
    ck_assert_int_eq(evy_kill(g, 0), 0);
    ck_assert_int_eq(error, ECANCELED);
    evy_gt_unref(g);
    ck_assert_int_eq(evy_ssl_write(client, "x", 1), 1);
    ck_assert_int_eq(evy_ssl_read(client, &c, 1), 1);
    evy_ssl_close(client);
    join(e);
}
END_TEST

static TCase *cases(const char *name, void (*begin)(void))
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_test(tc, echoes);
    tcase_add_test(tc, buffered_first);
    tcase_add_test(tc, full_duplex);
    tcase_add_test(tc, writers_take_turns);
    tcase_add_test(tc, times_out);
    tcase_add_test(tc, writes_the_same_again);
    tcase_add_test(tc, unwraps);
    tcase_add_loop_test(tc, ragged_end, 0, 2);
    tcase_add_test(tc, verifies);
    tcase_add_test(tc, old_errors);
    tcase_add_test(tc, names_and_protocols);
    tcase_add_test(tc, close_wakes);
    tcase_add_test(tc, timeouts_and_kills);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, alone);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("ssl");
    suite_add_tcase(suite, cases("pthreads", set_up));
    suite_add_tcase(suite, cases("light", set_up_light));
    return run_suite(suite);
}
