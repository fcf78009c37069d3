#include "io/fdtab.h"

#include "base/clock.h"
#include "base/sys.h"
#include "core/lot.h"
#include "io/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

_Atomic(struct fd *) fd_chunks[FD_CHUNKS];

static struct fd *chunk_make(unsigned i)
{
    struct fd *expected = NULL;
    long p = sys_map(sizeof(struct fd) * FD_CHUNK_SLOTS);
    if (p < 0)
        return NULL;
    if (atomic_compare_exchange_strong(&fd_chunks[i], &expected, (struct fd *)p))
        return (struct fd *)p;
    sys3(SYS_munmap, p, sizeof(struct fd) * FD_CHUNK_SLOTS, 0);
    return expected;
}

struct fd *fd_slot_new(int fd)
{
    unsigned i = (unsigned)fd >> FD_CHUNK_BITS;
    struct fd *chunk = i < FD_CHUNKS ? chunk_make(i) : NULL;
    return chunk ? &chunk[fd & (FD_CHUNK_SLOTS - 1)] : NULL;
}

unsigned fd_slots(void)
{
    unsigned i = FD_CHUNKS;
    while (i > 0 && !atomic_load_explicit(&fd_chunks[i - 1], memory_order_relaxed))
        i--;
    return i * FD_CHUNK_SLOTS;
}

/* Forgets what was known under the number and wakes who still waits for it. */
static void slot_reset(struct fd *s, enum fd_kind kind, unsigned flags)
{
    watch_retire(s);
    atomic_fetch_add(&s->generation, 1);
    atomic_store_explicit(&s->kind, (unsigned char)kind, memory_order_relaxed);
    atomic_store_explicit(&s->flags, (unsigned short)flags, memory_order_relaxed);
    atomic_store_explicit(&s->drained, 0, memory_order_relaxed);
    for (int dir = FD_READ; dir <= FD_WRITE; dir++) {
        atomic_store_explicit(&s->timeout[dir], 0, memory_order_relaxed);
        fd_edge(s, dir, UINT_MAX);
    }
    if (unlikely(atomic_load_explicit(&s->turn, memory_order_relaxed)) &&
        atomic_exchange(&s->turn, TURN_FREE) == TURN_AWAITED)
        lot_unpark_fenced(&s->turn, UINT_MAX);
}

static int64_t ask_timeout(int fd, int option)
{
    struct timeval tv = {0, 0};
    socklen_t len = sizeof tv;
    if (sys_call6(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&tv, (long)&len, 0) < 0)
        return 0;
    return timeval_to_ns(&tv);
}

int fd_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    if (sys_call6(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&value, (long)&len, 0) < 0)
        return -1;
    return value;
}

bool fd_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    struct timespec zero = {0, 0};
    return sys_call6(SYS_ppoll, (long)&p, 1, (long)&zero, 0, 0, 0) != 0;
}

enum fd_kind fd_kind_of_socket(int domain, int type, int protocol)
{
    if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
        return FD_SOCKET;
    bool inet = domain == AF_INET || domain == AF_INET6;
    return inet && (protocol == 0 || protocol == IPPROTO_TCP) ? FD_TCP : FD_STREAM;
}

static enum fd_kind ask_kind(int fd, long status)
{
    struct stat st;
    if (status < 0 || status & O_PATH || sys_call4(SYS_fstat, fd, (long)&st, 0, 0) < 0)
        return FD_UNKNOWN;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return FD_FILE;
    if (!S_ISSOCK(st.st_mode))
        return FD_OTHER;
    int type = fd_option(fd, SO_TYPE);
    return fd_kind_of_socket(fd_option(fd, SO_DOMAIN), type, fd_option(fd, SO_PROTOCOL));
}

static bool ask_terminal(int fd, struct termios *t)
{
    int saved = errno;
    bool is = tcgetattr(fd, t) == 0;
    errno = saved;
    return is;
}

bool fd_times_itself(const struct fd *s, int fd)
{
    struct termios t;
    return unlikely(fd_has(s, FD_TERMINAL)) && ask_terminal(fd, &t) && !(t.c_lflag & ICANON) &&
           (t.c_cc[VMIN] != 1 || t.c_cc[VTIME]);
}

void fd_learn_options(struct fd *s, int fd)
{
    atomic_store(&s->timeout[FD_READ], ask_timeout(fd, SO_RCVTIMEO));
    atomic_store(&s->timeout[FD_WRITE], ask_timeout(fd, SO_SNDTIMEO));
    fd_set_flag(s, FD_LOW_WATER, fd_option(fd, SO_RCVLOWAT) > 1);
}

/* A descriptor that came from outside or from a call we did not see. */
void fd_learn(struct fd *s, int fd)
{
    long status = sys_fcntl(fd, F_GETFL, 0);
    enum fd_kind kind = ask_kind(fd, status);
    if (kind == FD_UNKNOWN)
        return;
    if (kind == FD_TCP || kind == FD_STREAM || kind == FD_SOCKET)
        fd_learn_options(s, fd);
    struct termios t;
    fd_set_flag(s, FD_TERMINAL, kind == FD_OTHER && ask_terminal(fd, &t));
    fd_set_flag(s, FD_USER_NONBLOCK, status & O_NONBLOCK);
    unsigned zero = 0;
    atomic_compare_exchange_strong(&s->seq[FD_READ], &zero, 1);
    zero = 0;
    atomic_compare_exchange_strong(&s->seq[FD_WRITE], &zero, 1);
    atomic_store_explicit(&s->kind, (unsigned char)kind, memory_order_release);
}

void fd_opened(int fd, enum fd_kind kind, unsigned flags)
{
    struct fd *s = fd_slot(fd);
    if (s)
        slot_reset(s, kind, flags);
}

void fd_closing(int fd)
{
    struct fd *s = fd_slot(fd);
    if (s && atomic_load_explicit(&s->generation, memory_order_relaxed) + fd_kind(s))
        slot_reset(s, FD_UNKNOWN, 0);
}

void fd_duplicated(int old, int new)
{
    struct fd *from = fd_slot(old), *to = fd_slot(new);
    if (!from || !to)
        return;
    fd_set_flag(from, FD_OURS, false);
    unsigned keep = FD_USER_NONBLOCK | FD_KERNEL_NONBLOCK | FD_NO_NOWAIT | FD_NO_NOWAIT_WRITE |
                    FD_LOW_WATER | FD_TERMINAL | FD_UNDRAINABLE;
    slot_reset(to, fd_kind(from), atomic_load(&from->flags) & keep);
    for (int dir = FD_READ; dir <= FD_WRITE; dir++)
        atomic_store_explicit(&to->timeout[dir], atomic_load(&from->timeout[dir]),
                              memory_order_relaxed);
}

void fdtab_forget(void)
{
    for (unsigned i = 0; i < FD_CHUNKS; i++) {
        struct fd *chunk = atomic_load(&fd_chunks[i]);
        if (chunk)
            sys3(SYS_madvise, chunk, sizeof(struct fd) * FD_CHUNK_SLOTS, MADV_DONTNEED);
    }
}

static void share(struct fd *s, int fd)
{
    unsigned flags = atomic_load_explicit(&s->flags, memory_order_relaxed);
    if (!(flags & (FD_OURS | FD_KERNEL_NONBLOCK)))
        return;
    atomic_fetch_and(&s->flags, (unsigned short)~(FD_OURS | FD_KERNEL_NONBLOCK));
    long status =
        flags & FD_KERNEL_NONBLOCK && !(flags & FD_USER_NONBLOCK) ? sys_fcntl(fd, F_GETFL, 0) : -1;
    if (status >= 0)
        sys_fcntl(fd, F_SETFL, status & ~O_NONBLOCK);
}

void fd_share(int fd)
{
    struct fd *s = fd_slot(fd);
    if (s)
        share(s, fd);
}

void fdtab_share_all(void)
{
    for (int i = 0; i < FD_CHUNKS; i++) {
        struct fd *chunk = atomic_load_explicit(&fd_chunks[i], memory_order_acquire);
        for (int n = 0; chunk && n < FD_CHUNK_SLOTS; n++)
            share(&chunk[n], i * FD_CHUNK_SLOTS + n);
    }
}

void fd_each(void (*fn)(int fd, struct fd *s, void *arg), void *arg)
{
    for (unsigned i = 0; i < FD_CHUNKS; i++) {
        struct fd *chunk = atomic_load(&fd_chunks[i]);
        for (int j = 0; chunk && j < FD_CHUNK_SLOTS; j++)
            if (fd_kind(&chunk[j]) != FD_UNKNOWN)
                fn((int)(i << FD_CHUNK_BITS) + j, &chunk[j], arg);
    }
}
