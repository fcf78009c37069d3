/* The names of Eventlet's oldest pages (eventlet.api and eventlet.util, to 0.15), for who comes from there. evy.h does not
   include it. api.spawn and api.sleep are evy_spawn_n and evy_sleep; errors and switching are those of the functions that
   stand behind. */
#ifndef EVY_COMPAT_H
#define EVY_COMPAT_H

#include <errno.h>
#include <evy/net.h>
#include <evy/patch.h>
#include <evy/thread.h>
#include <evy/timeout.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs fn(arg) in a green thread after that many seconds, unless the caller has ended by then; evy_cancel and
   evy_gt_unref for the result. Eventlet: call_after, call_after_local. */
static inline evy_gt *evy_call_after(double seconds, evy_fn fn, void *arg)
{
    return evy_spawn_after_local(seconds, fn, arg);
}

static inline evy_gt *evy_call_after_local(double seconds, evy_fn fn, void *arg)
{
    return evy_spawn_after_local(seconds, fn, arg);
}

/* The same, also when the caller has ended. */
static inline evy_gt *evy_call_after_global(double seconds, evy_fn fn, void *arg)
{
    return evy_spawn_after(seconds, fn, arg);
}

/* A wait of the caller fails with err (0: ETIMEDOUT) after that many seconds, unless evy_timeout_cancel(t) comes before.
   Eventlet: exc_after. */
static inline int evy_exc_after(evy_timeout *t, double seconds, int err)
{
    return evy_timeout_start(t, seconds, err);
}

/* A listening socket with SO_REUSEADDR alone; backlog 0: 50. Eventlet: tcp_listener. */
static inline int evy_tcp_listener(const char *host, int port, int backlog)
{
    return evy_listen(host, port, backlog, EVY_NO_REUSEPORT);
}

static inline int evy_connect_tcp(const char *host, int port)
{
    return evy_connect_host(host, port);
}

/* Accepts for ever, with a green thread for each connection. Eventlet: tcp_server. */
static inline int evy_tcp_server(int listener, evy_handler *handler, void *arg)
{
    return evy_serve(listener, handler, arg, 0);
}

static inline int evy_wrap_socket_with_coroutine_socket(void)
{
    return evy_monkey_patch(EVY_PATCH_SOCKET | EVY_PATCH_DNS);
}

static inline int evy_wrap_select_with_coroutine_select(void)
{
    return evy_monkey_patch(EVY_PATCH_SELECT);
}

static inline int evy_wrap_pipes_with_coroutine_pipes(void)
{
    return evy_monkey_patch(EVY_PATCH_OS | EVY_PATCH_PROCESS);
}

static inline int evy_wrap_threading_local_with_coro_local(void)
{
    return evy_monkey_patch(EVY_PATCH_THREAD);
}

#ifdef EVY_SSL_H /* <evy/ssl.h> was included before */

/* A listening socket and, in *ctx, a context with the certificate and key of those PEM files, for evy_wrap_ssl(fd, *ctx,
   EVY_SSL_SERVER) of what is accepted. Returns the descriptor, or -1 with errno ENOENT (no such files, or no use) or that
   of evy_listen. Eventlet: ssl_listener. */
static inline int evy_ssl_listener(const char *host, int port, const char *certificate,
                                   const char *key, SSL_CTX **ctx)
{
    int fd = -1;
    *ctx = SSL_CTX_new(TLS_server_method());
    if (*ctx && SSL_CTX_use_certificate_chain_file(*ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(*ctx, key, SSL_FILETYPE_PEM) == 1)
        fd = evy_listen(host, port, 0, EVY_NO_REUSEPORT);
    else
        errno = ENOENT;
    if (fd < 0) {
        SSL_CTX_free(*ctx);
        *ctx = NULL;
    }
    return fd;
}

#endif

#ifdef __cplusplus
}
#endif

#endif
