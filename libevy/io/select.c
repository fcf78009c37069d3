/* Green select. */
#include "arch/probe.h"
#include "io/calls.h"
#include "io/io.h"
#include "io/look.h"
#include "real/real.h"

#include "body/critical.h"
#include "sync/cancel.h"

#include <stdlib.h>
#include <string.h>

struct fd_sets {
    int n;              /* highest descriptor plus one */
    fd_set *program[3]; /* read, write, except: NULL where not given */
    size_t bytes;       /* of each set that matter: the program's sets may be longer than fd_set */
};

#define WORD_BITS ((int)(8 * sizeof(unsigned long)))

/* The word of a set that fd is in. */
static unsigned long word_at(const struct fd_sets *s, int which, int fd)
{
    const unsigned long *words = (const unsigned long *)s->program[which];
    return words ? words[fd / WORD_BITS] : 0;
}

static unsigned long word_of_any(const struct fd_sets *s, int fd)
{
    return word_at(s, 0, fd) | word_at(s, 1, fd) | word_at(s, 2, fd);
}

static bool in_set(const struct fd_sets *s, int which, int fd)
{
    return word_at(s, which, fd) >> fd % WORD_BITS & 1;
}

static size_t count_fds(const struct fd_sets *s)
{
    size_t count = 0;
    for (int fd = 0; fd < s->n; fd++)
        count += word_of_any(s, fd) >> fd % WORD_BITS & 1;
    return count;
}

static void watch_sets(struct room *room, const struct fd_sets *s)
{
    for (int fd = 0; fd < s->n; fd++) {
        bool read = in_set(s, 0, fd) || in_set(s, 2, fd);
        bool write = in_set(s, 1, fd);
        if (read || write)
            room_watch(room, fd, read, write);
    }
}

/* The real select overwrites the sets: each look is at copies, kept in scratch (three sets). */
static long look_at_sets(const struct fd_sets *s, char *scratch)
{
    fd_set *copy[3];
    for (int i = 0; i < 3; i++) {
        copy[i] = s->program[i] ? (fd_set *)(scratch + (size_t)i * s->bytes) : NULL;
        if (copy[i])
            memcpy(copy[i], s->program[i], s->bytes);
    }
    struct timeval zero = {0, 0};
    long r = or_errno(real.select(s->n, copy[0], copy[1], copy[2], &zero));
    for (int i = 0; r > 0 && i < 3; i++)
        if (copy[i])
            memcpy(s->program[i], copy[i], s->bytes);
    return r;
}

static void clear_sets(const struct fd_sets *s)
{
    for (int i = 0; i < 3; i++)
        if (s->program[i])
            memset(s->program[i], 0, s->bytes);
}

static long select_until(const struct fd_sets *s, deadline_t deadline)
{
    struct green *g = self();
    struct room room;
    critical_enter_as(g);
    long r = room_make(&room, count_fds(s));
    char *scratch = malloc(3 * s->bytes + 1);
    if (!scratch)
        r = -ENOMEM;
    while (r == 0) {
        watch_sets(&room, s);
        r = look_at_sets(s, scratch);
        if (r == 0)
            r = never_restart(fd_wait_any(&room.set, deadline));
    }
    free(scratch);
    free(room.many);
    if (r == -ETIMEDOUT)
        clear_sets(s);
    return look_ends(g, r);
}

static bool sets_are_good(const struct fd_sets *s)
{
    bool good = true;
    for (int i = 0; i < 3; i++)
        good &= probe_given(s->program[i], s->bytes);
    return good;
}

static bool has_been_opened(int fd)
{
    const struct fd *s = fd_slot(fd);
    return !fd_is_runtime(fd) &&
           ((s && atomic_load(&s->generation)) || or_errno(real.fcntl(fd, F_GETFD)) >= 0);
}

static size_t bytes_of(int n)
{
    return ((size_t)n + WORD_BITS - 1) / WORD_BITS * sizeof(unsigned long);
}

/* Programs say getdtablesize() where their sets are of FD_SETSIZE: natively the kernel looks no further than its table
   of descriptors reaches, which the runtime's own make longer. */
static int sets_end(const struct fd_sets *s)
{
    int end = sets_are_good(s) ? s->n : FD_SETSIZE;
    while (end > FD_SETSIZE) {
        unsigned long word = word_of_any(s, end - 1);
        if (!word)
            end = (end - 1) / WORD_BITS * WORD_BITS;
        else if (word >> (end - 1) % WORD_BITS & 1 && has_been_opened(end - 1))
            break;
        else
            end--;
    }
    return end;
}

static struct fd_sets sets_of(int n, fd_set *r, fd_set *w, fd_set *e)
{
    struct fd_sets s = {n, {r, w, e}, bytes_of(n)};
    if (unlikely(n > FD_SETSIZE)) {
        s.n = sets_end(&s);
        s.bytes = bytes_of(s.n);
    }
    return s;
}

int evy_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    cancel_point();
    if (!self() || n < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return REAL(select)(n, r, w, e, timeout);
    struct fd_sets sets = sets_of(n, r, w, e);
    if (!sets_are_good(&sets))
        return REAL(select)(sets.n, r, w, e, timeout);
    deadline_t deadline = timeout ? deadline_after(timeval_to_ns(timeout)) : DEADLINE_NEVER;
    long result = select_until(&sets, deadline);
    if (timeout) { /* Linux tells what is left */
        struct timespec left = ns_to_timespec(deadline_left(deadline));
        timeout->tv_sec = left.tv_sec;
        timeout->tv_usec = left.tv_nsec / 1000;
    }
    return (int)errno_edge(result);
}

int evy_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
                const sigset_t *mask)
{
    deadline_t deadline;
    cancel_point();
    if (!self() || n < 0 || deadline_from_rel(timeout, &deadline))
        return REAL(pselect)(n, r, w, e, timeout, mask);
    struct fd_sets sets = sets_of(n, r, w, e);
    if (!sets_are_good(&sets) || !probe_given(mask, MASK_BYTES))
        return REAL(pselect)(sets.n, r, w, e, timeout, mask);
    struct signal_mask_swap swap;
    signals_swap_mask(&swap, mask);
    long result = select_until(&sets, deadline);
    signals_restore_mask(&swap);
    return (int)errno_edge(result);
}
