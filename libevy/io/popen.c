/* popen and pclose. libc keeps a stream's child to itself, so the shell is started here from the
   start and whoever closes the stream later knows whom to wait for. */
#include "io/stdio.h"

#include "base/config.h"
#include "body/green.h"
#include "io/calls.h"
#include "io/popen_spawn.h"
#include "proc/fork.h"
#include "real/real.h"
#include "sync/sync.h"
#include "sync/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct child {
    struct child *next;
    FILE *f;
    pid_t pid;
};

static pthread_mutex_t children_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct child *) children; /* changed under children_lock */

static void children_add(struct child *c)
{
    evy_pthread_mutex_lock(&children_lock);
    c->next = children;
    children = c;
    evy_pthread_mutex_unlock(&children_lock);
}

/* Unlinks the entry of f, NULL when there is none. */
static struct child *unlink_child(FILE *f)
{
    struct child *before = NULL, *c = children;
    for (; c && c->f != f; c = c->next)
        before = c;
    if (c && before)
        before->next = c->next;
    else if (c)
        children = c->next;
    return c;
}

pid_t popen_take(FILE *f)
{
    if (!children) /* f's own entry would be seen */
        return 0;
    evy_pthread_mutex_lock(&children_lock);
    struct child *c = unlink_child(f);
    evy_pthread_mutex_unlock(&children_lock);
    pid_t pid = c ? c->pid : 0;
    free(c);
    return pid;
}

/* The streams of earlier popen calls stay open here only. */
static int close_earlier(posix_spawn_file_actions_t *actions, int except)
{
    int err = 0;
    evy_pthread_mutex_lock(&children_lock);
    for (struct child *c = children; c && !err; c = c->next) {
        int fd = fileno(c->f);
        if (fd >= 0 && fd != except)
            err = posix_spawn_file_actions_addclose(actions, fd);
    }
    evy_pthread_mutex_unlock(&children_lock);
    return err;
}

/* "r" or "w", perhaps with "e". Returns 0, 'r' or 'w' and the flag. */
static int parse_mode(const char *mode, bool *close_on_exec)
{
    int kind = 0;
    *close_on_exec = false;
    for (; *mode; mode++) {
        if (*mode == 'e')
            *close_on_exec = true;
        else if ((*mode != 'r' && *mode != 'w') || (kind && kind != *mode))
            return 0;
        else
            kind = *mode;
    }
    return kind;
}

static int spawn_piped(pid_t *pid, const char *command, int theirs, int target)
{
    posix_spawn_file_actions_t actions;
    int err = posix_spawn_file_actions_init(&actions);
    if (err)
        return err;
    err = posix_spawn_file_actions_adddup2(&actions, theirs, target);
    if (!err)
        err = close_earlier(&actions, target);
    if (!err)
        err = spawn_shell(pid, command, &actions, NULL);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

static int pipe_of(int fds[2])
{
    return self() ? evy_pipe2(fds, O_CLOEXEC) : REAL(pipe2)(fds, O_CLOEXEC);
}

static void close_end(int fd)
{
    if (self())
        evy_close(fd);
    else
        REAL(close)(fd);
}

/* Fills c, whose stream is ours. Returns 0 or an error number. */
static int open_child(struct child *c, const char *command, int kind, bool close_on_exec)
{
    int fds[2], err;
    if (pipe_of(fds))
        return errno;
    int ours = kind == 'r' ? fds[0] : fds[1], theirs = kind == 'r' ? fds[1] : fds[0];
    c->f = fdopen(ours, kind == 'r' ? "r" : "w");
    if (c->f)
        fwide(c->f, -1); /* POSIX: byte-oriented */
    err = c->f ? spawn_piped(&c->pid, command, theirs, kind == 'r') : errno;
    close_end(theirs);
    if (!err && !close_on_exec)
        real.fcntl(ours, F_SETFD, 0);
    if (err && c->f)
        evy_fclose(c->f);
    else if (err)
        close_end(ours);
    return err;
}

FILE *evy_popen(const char *command, const char *mode)
{
    bool close_on_exec;
    int kind = parse_mode(mode, &close_on_exec);
    struct child *c = kind ? malloc(sizeof *c) : NULL;
    int state; /* neither popen nor pclose is a cancellation point in glibc */
    evy_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int err = !kind ? EINVAL : !c ? ENOMEM : open_child(c, command, kind, close_on_exec);
    evy_pthread_setcancelstate(state, NULL);
    if (!err) {
        children_add(c);
        return c->f;
    }
    free(c);
    errno = err;
    return NULL;
}

static int close_and_wait(FILE *f, pid_t pid)
{
    int status = -1;
    evy_fclose(f);
    while (evy_waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

int evy_pclose(FILE *f)
{
    pid_t pid = popen_take(f);
    if (!pid)
        return REAL(pclose)(f);
    int state;
    evy_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int status = close_and_wait(f, pid);
    evy_pthread_setcancelstate(state, NULL);
    return status;
}
