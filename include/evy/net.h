/* Sockets for green threads: Eventlet's convenience functions, and what its sockets do beyond libc's calls
   (evy/libc.h). What waits switches, and fails also as every blocking function of evy/thread.h does. Descriptors made here
   are close-on-exec. Lengths of time are seconds. */
#ifndef EVY_NET_H
#define EVY_NET_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stream connection to host (a name or figures, IPv4 or IPv6) and port: the addresses are tried one after another.
   Returns a descriptor, or -1 with errno of the last try, or
     ENOENT   no such host; EAGAIN: the resolver did not answer; ENOMEM
     EINVAL   host is NULL, port is not 1 to 65535
   Eventlet: connect. */
int evy_connect_host(const char *host, int port);

/* A stream connection to an address of any family, from a local address if bind_to is not NULL. Returns a descriptor, or
   -1 with errno of socket, bind or connect, EINVAL for NULL. Eventlet: connect(addr, family, bind). */
int evy_connect_addr(const struct sockaddr *addr, socklen_t len, const struct sockaddr *bind_to,
                     socklen_t bind_len);

/* How evy_listen binds. SO_REUSEADDR is set unless forbidden; SO_REUSEPORT as Eventlet does: for a fixed port, not for
   port 0, where it would let others share a number that chance has given. */
enum evy_listen_flags { EVY_NO_REUSEADDR = 1, EVY_REUSEPORT = 2, EVY_NO_REUSEPORT = 4 };

/* A listening stream socket on host (NULL: every address, IPv4) and port (0: any that is free). backlog 0: Eventlet's
   50. Returns a descriptor, or -1 with errno EINVAL (port, flags), ENOENT, EAGAIN, ENOMEM as evy_connect_host, or that of
   socket, bind or listen. Eventlet: listen. */
int evy_listen(const char *host, int port, int backlog, unsigned flags);

/* The same on an address of any family; one of AF_UNIX counts as a fixed port. Does not switch. */
int evy_listen_addr(const struct sockaddr *addr, socklen_t len, int backlog, unsigned flags);

/* What a handler of evy_serve returns to end it. */
#define EVY_STOP_SERVE 1

/* Serves one connection from addr, in a green thread of its own; fd is closed when it ends, however it does: what would
   close it too (fclose, evy_ssl_close) gets evy_dup(fd). Returns 0; or
   EVY_STOP_SERVE; or -1, and evy_serve fails with the errno (ECANCELED excepted: the handler was killed). */
typedef int evy_handler(int fd, const struct sockaddr *addr, socklen_t len, void *arg);

/* Accepts from the listening socket and runs handler for each connection, at most concurrency at a time (0: Eventlet's
   1000): then nothing is accepted until one ends. Returns 0 after a handler said EVY_STOP_SERVE, or -1 with errno of
   accept, of a handler, EINVAL, or ENOMEM, EAGAIN when a connection got no green thread. The listening socket stays open
   and the other handlers go on. evy_kill ends it from outside (ECANCELED), the handlers not. Switches. Eventlet: serve,
   StopServe. */
int evy_serve(int listener, evy_handler *handler, void *arg, unsigned concurrency);

/* Sends all n bytes, however many calls that takes; to a socket without SIGPIPE. Returns 0, or -1 with errno of send or
   write when some may have been sent. Timeouts are for each wait. Eventlet: sendall. */
int evy_sendall(int fd, const void *buf, size_t n);

/* A stdio stream over fd whose reads and writes are green whatever is patched; fclose closes fd. mode as fopen's "r" or
   "w". A socket takes one stream per direction, the second over a dup of it. One green thread at a time may use it. NULL
   with errno EBADF, EINVAL (another mode) or ENOMEM. Does not switch. Eventlet: makefile, GreenPipe. */
FILE *evy_fdopen(int fd, const char *mode);

/* Reads from f up to and including terminator into *line, which has room for *size bytes and is grown by realloc, as
   getline's. Returns the number of bytes (a NUL follows them), fewer than up to the terminator at the end of the stream;
   -1 at the end with nothing read (errno untouched), or with errno of read, EINVAL (NULL, an empty terminator) or ENOMEM.
   Eventlet: readuntil (to 0.9.2), readline. */
ssize_t evy_readuntil(FILE *f, const char *terminator, char **line, size_t *size);

/* Shuts both directions down; that it is not connected, no socket or closed already is no error. Returns 0, or -1 with
   another errno of shutdown. Does not switch. Eventlet: shutdown_safe. */
int evy_shutdown_safe(int fd);

/* How long each wait of later calls on the socket may take, in both directions (SO_RCVTIMEO, SO_SNDTIMEO: they then fail
   with EAGAIN). As the kernel has it, what a listening socket accepts begins with its limits (Eventlet's without).
   EVY_FOREVER: no limit. Returns 0, or -1 with errno EINVAL (NaN, zero or less: set O_NONBLOCK for that)
   or that of setsockopt. Does not switch. Eventlet: settimeout. */
int evy_set_timeout(int fd, double seconds);

/* Adds O_NONBLOCK: calls on fd give EAGAIN instead of waiting. Returns 0 or -1. Does not switch. Eventlet:
   set_nonblocking. */
int evy_set_nonblocking(int fd);

enum evy_direction { EVY_READ = 1, EVY_WRITE = 2 };

/* Waits until fd can be read, or written (an error or the peer's end counts). A descriptor that is ready is found so even
   with 0 seconds. Returns 0, or -1 with errno ETIMEDOUT, EBADF (closed, also meanwhile), EBUSY (another is in it for the
   same descriptor and direction: see evy_debug_prevent_multiple_readers), EINVAL (not exactly one direction; NaN), or
   that of blocking functions. Switches. Eventlet: trampoline; Evy: wait_read, wait_write. */
int evy_trampoline(int fd, unsigned direction, double seconds);
int evy_wait_read(int fd, double seconds);
int evy_wait_write(int fd, double seconds);

/* Says that fd was opened by a call libevy does not see (a raw system call, a library's inside): who still waits for the
   number's former meaning gets EBADF. EINVAL for a number no kernel gives. Does not switch. Eventlet: notify_opened. */
int evy_notify_opened(int fd);

#ifdef __cplusplus
}
#endif

#endif
