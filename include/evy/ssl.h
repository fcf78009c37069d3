/* TLS for green threads, over OpenSSL: link with -levy-ssl -levy. Eventlet: green.ssl, wrap_ssl.

   The caller's SSL_CTX decides everything about the protocol: certificates, verification, ALPN, versions. What is per
   connection (SSL_set_tlsext_host_name, SSL_set1_host) is set on evy_ssl_handle() before the first I/O.

   One green thread may read while another writes; several readers or writers take turns. Calls that wait switch to other
   green threads and need none to work: without green threads they block. OpenSSL's error queue is empty after each call;
   the reason of a failure is kept in the connection (evy_ssl_error).

   Unless said otherwise a call that may wait fails with errno
     ETIMEDOUT   the connection's timeout passed, or an evy_timeout fired
     ECANCELED   the green thread was killed (or the errno of evy_kill)
     EINTR       a signal handler without SA_RESTART ran
     EBADF       the connection was closed by another green thread
     EPROTO      TLS failed, see evy_ssl_error; the connection is of no more use
     ECONNRESET, EPIPE, ENOTCONN, ...   as recv and send of the socket
   and after ETIMEDOUT, ECANCELED and EINTR it may be made again; a write then has to begin with the same bytes. NULL for
   a connection is EINVAL. */
#ifndef EVY_SSL_H
#define EVY_SSL_H

#include <openssl/ssl.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A TLS connection. */
typedef struct evy_ssl evy_ssl;

enum evy_ssl_flags {
    EVY_SSL_SERVER = 1,     /* this end accepts */
    EVY_SSL_STRICT_EOF = 2, /* an end of the stream without the peer's close_notify is an error */
};

/* Wraps a connected stream socket, whose O_NONBLOCK does not matter. No handshake yet: it is done by evy_ssl_handshake
   or the first read or write, so that a silent client cannot hold up an accept loop. ctx gets a reference. flags:
   EVY_SSL_*. Never switches. Returns NULL with errno EINVAL (bad flags, NULL, fd < 0) or ENOMEM; fd is then still the
   caller's, else it belongs to the connection. */
evy_ssl *evy_wrap_ssl(int fd, SSL_CTX *ctx, unsigned flags);

/* OpenSSL's connection and the descriptor, for settings and questions; they stay the evy_ssl's. */
SSL *evy_ssl_handle(evy_ssl *s);
int evy_ssl_fd(const evy_ssl *s);

/* How long each wait for the peer may take, in seconds; at first EVY_FOREVER. Never switches. Returns 0, or -1 with errno
   EINVAL for a negative time or NaN. Eventlet: settimeout. */
int evy_ssl_set_timeout(evy_ssl *s, double seconds);

/* Completes the handshake; 0 at once when it is done. May switch. Returns 0 or -1. */
int evy_ssl_handshake(evy_ssl *s);

/* Reads at most n bytes; plaintext that OpenSSL holds is returned without looking at the socket. May switch. Returns the
   number of bytes, 0 at the end of the stream, or -1; with EVY_SSL_STRICT_EOF errno ECONNABORTED for an end without
   close_notify, which otherwise reads as 0. */
ssize_t evy_ssl_read(evy_ssl *s, void *buf, size_t n);

/* Writes one TLS record or less. May switch. Returns the number of bytes written (0 for n = 0), or -1. */
ssize_t evy_ssl_write(evy_ssl *s, const void *buf, size_t n);

/* Writes all n bytes, contiguously. May switch. Returns 0, or -1 when some may have been sent. */
int evy_ssl_sendall(evy_ssl *s, const void *buf, size_t n);

/* Decrypted bytes that can be read without waiting. Never switches. */
size_t evy_ssl_pending(evy_ssl *s);

/* Says close_notify: the peer reads the end of the stream, this end may still read. May switch. Returns 0 or -1. */
int evy_ssl_shutdown(evy_ssl *s);

/* Exchanges close_notify with the peer and gives the plain socket back; s is gone. Nobody else may be using s. May
   switch. Returns the descriptor, or -1 (EPROTO also when the peer sent more data) with s still there. */
int evy_ssl_unwrap(evy_ssl *s);

/* Says close_notify without waiting for an answer, closes the socket and frees s; green threads that wait in it fail with
   EBADF. NULL is ignored. Does not switch. */
void evy_ssl_close(evy_ssl *s);

/* OpenSSL's code of the last failure (for ERR_error_string), 0: none, or it was not OpenSSL's. */
unsigned long evy_ssl_error(const evy_ssl *s);

#ifdef __cplusplus
}
#endif

#endif
