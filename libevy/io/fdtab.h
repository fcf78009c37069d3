/* What libevy knows about each descriptor. A slot is valid from the first wait or the hooked call that made
   the descriptor until the hooked call that closes it; numbers that libc opens or closes by itself are
   recognised by asking the kernel again. */
#ifndef EVY_FDTAB_H
#define EVY_FDTAB_H

#include "base/base.h"
#include "base/spin.h"

#include <stdatomic.h>

struct evloop_watch;
struct hub;

/* From FD_TCP on calls may wait. */
enum fd_kind {
    FD_UNKNOWN, /* not asked yet */
    FD_FILE,    /* regular files and what else is always ready: native calls */
    FD_TCP,     /* a TCP stream: a short read proves that nothing is left */
    FD_STREAM,  /* any other stream socket */
    FD_SOCKET,  /* datagrams and the like: a message is sent and received whole */
    FD_OTHER,   /* pipes, terminals, eventfds, ...: whatever epoll takes */
};

enum fd_flags {
    FD_USER_NONBLOCK = 1,    /* the program wants EAGAIN */
    FD_KERNEL_NONBLOCK = 2,  /* O_NONBLOCK is set though the program did not ask */
    FD_OURS = 4,             /* made by a hooked call in this process and never shared */
    FD_UNDRAINABLE = 8,      /* hang-up or urgent data seen: a short read proves nothing */
    FD_NO_NOWAIT = 16,       /* RWF_NOWAIT is not supported for reading */
    FD_NO_NOWAIT_WRITE = 64, /* nor for writing: an eventfd knows it for reading only */
    FD_AWAITED_WRITE = 32,   /* somebody has waited until it can be written */
    FD_PRIVATE = 128,   /* not the program's: opened by a call of ours for as long as it waits */
    FD_LOW_WATER = 256, /* SO_RCVLOWAT has been set */
    FD_READER = 512,    /* somebody is in evy_trampoline until it can be read */
    FD_WRITER = 1024,   /* or written */
    FD_TERMINAL = 2048, /* a terminal, perhaps with a clock of its own */
};

enum { FD_READ, FD_WRITE };

enum {
    TURN_FREE,
    TURN_TAKEN,   /* a blocking write is on its way */
    TURN_AWAITED, /* and others wait for theirs */
};

struct fd {
    atomic_uint seq[2];  /* grows at each edge and at close; waiters park on it. Never 0 */
    atomic_uint drained; /* value of seq[FD_READ] at which reading left nothing behind; 0: none */
    atomic_uint turn;    /* TURN_*: whose write goes on; waiters park on it */
    atomic_uint generation;               /* grows when the number is closed or reused */
    atomic_uchar kind;                    /* enum fd_kind */
    atomic_uchar strays;                  /* waits of other hubs since the last one there */
    atomic_ushort flags;                  /* enum fd_flags */
    struct spin lock;                     /* protects watch and watch_hub; nests inside nothing */
    atomic_uchar passed;                  /* reads in a row that took what others waited for */
    _Atomic(struct evloop_watch *) watch; /* persistent registration, NULL before the first wait */
    struct hub *watch_hub;                /* whose base it is registered with */
    _Atomic int64_t timeout[2];           /* SO_RCVTIMEO, SO_SNDTIMEO in ns, 0: none */
};

_Static_assert(sizeof(struct fd) == CACHE_LINE, "a request touches one line of the table");

/* Slots by number, in chunks that are mapped when first needed. */
#define FD_CHUNK_BITS 12
#define FD_CHUNK_SLOTS (1 << FD_CHUNK_BITS)
#define FD_CHUNKS 4096 /* 16 million descriptors; fs.nr_open is one million by default */
extern _Atomic(struct fd *) fd_chunks[FD_CHUNKS];

/* For fd_slot, where there is no chunk yet. */
EVY_COLD struct fd *fd_slot_new(int fd);

/* The slot of a descriptor, NULL where there is no chunk. */
static inline struct fd *fd_slot_there(int fd)
{
    unsigned i = (unsigned)fd >> FD_CHUNK_BITS;
    struct fd *chunk =
        likely(i < FD_CHUNKS) ? atomic_load_explicit(&fd_chunks[i], memory_order_acquire) : NULL;
    return likely(chunk != NULL) ? &chunk[fd & (FD_CHUNK_SLOTS - 1)] : NULL;
}

/* The slot of a descriptor, NULL for numbers no kernel gives. Never moves. */
static inline struct fd *fd_slot(int fd)
{
    struct fd *s = fd_slot_there(fd);
    return likely(s != NULL) ? s : fd_slot_new(fd);
}

/* Numbers from here on have no slot yet: nothing is known about them. */
unsigned fd_slots(void);

/* Whether the program has nothing to do with what is at fd: it is the runtime's own. */
bool fd_is_runtime(int fd);

/* A hooked call has made fd / is about to close fd. flags: FD_USER_NONBLOCK | FD_OURS. */
void fd_opened(int fd, enum fd_kind kind, unsigned flags);
void fd_closing(int fd);

/* new was made by dup & co. from old. */
void fd_duplicated(int old, int new);

/* fd is about to be passed to another process. */
void fd_share(int fd);

/* Calls fn for every slot that something is known of. */
void fd_each(void (*fn)(int fd, struct fd *s, void *arg), void *arg);

/* Every descriptor is about to be shared with a child: before fork. Nothing is left that the child would see
   and the program did not set. */
void fdtab_share_all(void);

/* Everything is forgotten: after fork in the child. */
void fdtab_forget(void);

static inline bool fd_has(const struct fd *s, unsigned flag)
{
    return atomic_load_explicit(&s->flags, memory_order_relaxed) & flag;
}

static inline void fd_set_flag(struct fd *s, unsigned flag, bool on)
{
    if (on)
        atomic_fetch_or_explicit(&s->flags, (unsigned short)flag, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&s->flags, (unsigned short)~flag, memory_order_relaxed);
}

static inline enum fd_kind fd_kind(const struct fd *s)
{
    return (enum fd_kind)atomic_load_explicit(&s->kind, memory_order_relaxed);
}

/* Asks the kernel what fd, whose slot is s, is. */
EVY_COLD void fd_learn(struct fd *s, int fd);

/* Asks for the timeouts of the socket at fd, and for SO_RCVLOWAT. */
void fd_learn_options(struct fd *s, int fd);

/* As fd_slot, with kind known: asks the kernel the first time. */
static inline struct fd *fd_known(int fd)
{
    struct fd *s = fd_slot(fd);
    if (unlikely(s && fd_kind(s) == FD_UNKNOWN))
        fd_learn(s, fd);
    return s;
}

static inline bool fd_is_socket(const struct fd *s)
{
    enum fd_kind k = fd_kind(s);
    return k == FD_TCP || k == FD_STREAM || k == FD_SOCKET;
}

static inline bool fd_is_stream(const struct fd *s)
{
    return fd_kind(s) == FD_TCP || fd_kind(s) == FD_STREAM;
}

/* Whether reading ends by VMIN and VTIME rather than with the first byte or a line. */
bool fd_times_itself(const struct fd *s, int fd);

/* The value of a SOL_SOCKET option, -1 if there is none. */
int fd_option(int fd, int option);

/* Whether poll would report any of events, or an error, at once. */
bool fd_ready(int fd, short events);

/* What socket(domain, type, protocol) makes. */
enum fd_kind fd_kind_of_socket(int domain, int type, int protocol);

#endif
