#include "ssl/bio.h"

#include <errno.h>
#include <evy/libc.h>
#include <evy/ssl.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
#define LONGEST 1e9 /* seconds: beyond that for ever */

struct evy_ssl {
    SSL *ssl;                  /* under lock */
    int fd;                    /* the socket, -1 once closed */
    bool strict;               /* EVY_SSL_STRICT_EOF */
    atomic_int users;          /* calls inside, and one for the owner; the last one frees */
    _Atomic double timeout;    /* of each wait, seconds; negative: for ever */
    pthread_mutex_t lock;      /* held over each call of OpenSSL, never while waiting */
    pthread_mutex_t handshake; /* held by who shakes hands, also while waiting; outside lock */
    pthread_mutex_t
        writing; /* held until a write is through: its bytes must be the same at every try */
    unsigned long error; /* of the last failure; under lock */
};

API evy_ssl *evy_wrap_ssl(int fd, SSL_CTX *ctx, unsigned flags)
{
    if (fd < 0 || !ctx || flags & ~(unsigned)(EVY_SSL_SERVER | EVY_SSL_STRICT_EOF)) {
        errno = EINVAL;
        return NULL;
    }
    SSL *ssl = SSL_new(ctx);
    BIO *bio = ssl ? socket_bio(fd) : NULL;
    evy_ssl *s = bio ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        BIO_free(bio);
        SSL_free(ssl);
        ERR_clear_error();
        errno = ENOMEM;
        return NULL;
    }
    *s = (evy_ssl){ssl, fd, flags & EVY_SSL_STRICT_EOF, 1, -1, .error = 0};
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->handshake, NULL);
    pthread_mutex_init(&s->writing, NULL);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_read_ahead(ssl,
                       0); /* what follows close_notify stays in the socket for evy_ssl_unwrap */
    if (flags & EVY_SSL_SERVER)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return s;
}

static void leave(evy_ssl *s)
{
    int error = errno;
    if (atomic_fetch_sub(&s->users, 1) == 1) {
        SSL_free(s->ssl);
        free(s);
    }
    errno = error;
}

static bool is_missing(const evy_ssl *s)
{
    if (!s)
        errno = EINVAL;
    return !s;
}

/* One call of OpenSSL. */
struct step {
    int (*call)(SSL *ssl, struct step *step);
    void *buf;
    size_t n;
    size_t done; /* bytes transferred */
};

/* Calls OpenSSL once. Returns SSL_ERROR_*, with the error queue empty, errno as the socket left it, and what the
   queue said in s->error. */
static int try(evy_ssl *s, struct step *step)
{
    pthread_mutex_lock(&s->lock);
    int kind = SSL_ERROR_SYSCALL, error = EBADF;
    if (s->fd >= 0) {
        ERR_clear_error();
        errno = 0;
        int r = step->call(s->ssl, step);
        error = errno;
        kind = SSL_get_error(s->ssl, r);
        s->error = ERR_peek_error();
        ERR_clear_error();
    }
    pthread_mutex_unlock(&s->lock);
    errno = error;
    return kind;
}

static int wait_for(evy_ssl *s, short events)
{
    double seconds = atomic_load(&s->timeout);
    struct timespec limit = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    struct pollfd p = {s->fd, events, 0};
    if (p.fd < 0) /* poll would ignore it */
        return 0;
    int r = evy_ppoll(&p, 1, seconds < 0 ? NULL : &limit, NULL);
    if (r == 0)
        errno = ETIMEDOUT;
    return r > 0 ? 0 : -1;
}

/* What a failure that is not a wish to wait means for the caller: 0 for the end of the stream. */
static int failed(evy_ssl *s, int kind)
{
    bool ragged =
        (kind == SSL_ERROR_SSL && ERR_GET_REASON(s->error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) ||
        (kind == SSL_ERROR_SYSCALL && errno == 0);
    if (kind == SSL_ERROR_ZERO_RETURN || (ragged && !s->strict))
        return 0;
    if (ragged)
        errno = ECONNABORTED;
    else if (kind != SSL_ERROR_SYSCALL)
        errno = EPROTO;
    return -1;
}

/* Repeats a step until it does not wish to wait. Returns 1 when it is done, 0 at the end of the stream, or -1. */
static int complete(evy_ssl *s, struct step *step)
{
    for (;;) {
        int kind = try(s, step);
        if (kind == SSL_ERROR_NONE)
            return 1;
        if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
            return failed(s, kind);
        if (wait_for(s, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
            return -1;
    }
}

static int step_handshake(SSL *ssl, struct step *step)
{
    (void)step;
    return SSL_do_handshake(ssl);
}

/* One thread shakes hands, the others wait for it: two that poll the same socket for the same records would take
   each other's wake-ups. */
static int shake_hands(evy_ssl *s)
{
    if (SSL_is_init_finished(s->ssl))
        return 0;
    pthread_mutex_lock(&s->handshake);
    int r = complete(s, &(struct step){.call = step_handshake});
    if (r == 0)
        errno = ECONNRESET;
    int error = errno;
    pthread_mutex_unlock(&s->handshake);
    errno = error;
    return r > 0 ? 0 : -1;
}

API int evy_ssl_handshake(evy_ssl *s)
{
    if (is_missing(s))
        return -1;
    atomic_fetch_add(&s->users, 1);
    int r = shake_hands(s);
    leave(s);
    return r;
}

static int step_read(SSL *ssl, struct step *step)
{
    return SSL_read_ex(ssl, step->buf, step->n, &step->done);
}

API ssize_t evy_ssl_read(evy_ssl *s, void *buf, size_t n)
{
    struct step step = {step_read, buf, n, 0};
    if (is_missing(s))
        return -1;
    atomic_fetch_add(&s->users, 1);
    int r = shake_hands(s);
    if (r == 0)
        r = complete(s, &step);
    leave(s);
    return r > 0 ? (ssize_t)step.done : r;
}

static int step_write(SSL *ssl, struct step *step)
{
    return SSL_write_ex(ssl, step->buf, step->n, &step->done);
}

/* Writes some (or all when whole) of n bytes. */
static ssize_t write_bytes(evy_ssl *s, const char *buf, size_t n, bool whole)
{
    struct step step = {.call = step_write};
    size_t sent = 0;
    int r = 1;
    pthread_mutex_lock(&s->writing);
    while (r > 0 && sent < n && (whole || !sent)) {
        step.buf = (char *)buf + sent;
        step.n = n - sent;
        r = complete(s, &step);
        sent += r > 0 ? step.done : 0;
    }
    int error = r == 0 ? EPIPE : errno;
    pthread_mutex_unlock(&s->writing);
    errno = error;
    return r > 0 ? (ssize_t)sent : -1;
}

static ssize_t write_inside(evy_ssl *s, const void *buf, size_t n, bool whole)
{
    if (is_missing(s))
        return -1;
    if (n == 0)
        return 0;
    atomic_fetch_add(&s->users, 1);
    ssize_t r = shake_hands(s) ? -1 : write_bytes(s, buf, n, whole);
    leave(s);
    return r;
}

API ssize_t evy_ssl_write(evy_ssl *s, const void *buf, size_t n)
{
    return write_inside(s, buf, n, false);
}

API int evy_ssl_sendall(evy_ssl *s, const void *buf, size_t n)
{
    return write_inside(s, buf, n, true) < 0 ? -1 : 0;
}

/* SSL_shutdown says 0 when the peer has not answered yet; n = 0: no need to know. */
static int step_shutdown(SSL *ssl, struct step *step)
{
    int r = SSL_shutdown(ssl);
    return r == 0 && step->n ? SSL_shutdown(ssl) : r == 0 ? 1 : r;
}

API int evy_ssl_shutdown(evy_ssl *s)
{
    if (is_missing(s))
        return -1;
    atomic_fetch_add(&s->users, 1);
    int r = complete(s, &(struct step){.call = step_shutdown});
    leave(s);
    return r < 0 ? -1 : 0;
}

API int evy_ssl_unwrap(evy_ssl *s)
{
    if (is_missing(s))
        return -1;
    if (complete(s, &(struct step){.call = step_shutdown, .n = 1}) < 0)
        return -1;
    int fd = s->fd;
    s->fd = -1;
    leave(s);
    return fd;
}

API void evy_ssl_close(evy_ssl *s)
{
    if (!s)
        return;
    int error = errno;
    if (SSL_is_init_finished(s->ssl))
        try(s, &(struct step){.call = step_shutdown});
    pthread_mutex_lock(&s->lock);
    int fd = s->fd;
    s->fd = -1;
    pthread_mutex_unlock(&s->lock);
    close(fd);
    leave(s);
    errno = error;
}

API SSL *evy_ssl_handle(evy_ssl *s)
{
    return is_missing(s) ? NULL : s->ssl;
}

API int evy_ssl_fd(const evy_ssl *s)
{
    return is_missing(s) ? -1 : s->fd;
}

API int evy_ssl_set_timeout(evy_ssl *s, double seconds)
{
    if (!s || !(seconds >= 0)) {
        errno = EINVAL;
        return -1;
    }
    atomic_store(&s->timeout, seconds < LONGEST ? seconds : -1);
    return 0;
}

API size_t evy_ssl_pending(evy_ssl *s)
{
    if (!s)
        return 0;
    pthread_mutex_lock(&s->lock);
    int n = SSL_pending(s->ssl);
    pthread_mutex_unlock(&s->lock);
    return (size_t)n;
}

API unsigned long evy_ssl_error(const evy_ssl *s)
{
    return s ? s->error : 0;
}
