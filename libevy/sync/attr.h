/* What a new thread is asked to be. */
#ifndef EVY_ATTR_H
#define EVY_ATTR_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct green;

struct thread_request {
    size_t stack; /* usable bytes */
    size_t guard; /* guard bytes */
    void *own;    /* the program's own memory for the stack, NULL: ours */
    bool detached;
    bool own_sched;      /* PTHREAD_EXPLICIT_SCHED: not its creator's */
    int policy;          /* scheduling policy, as sched_setscheduler's */
    int priority;        /* its priority */
    bool masked;         /* sigmask instead of the creator's */
    sigset_t sigmask;    /* valid if masked */
    cpu_set_t *affinity; /* from malloc, NULL: nothing to say; the new thread's */
};

/* attr may be NULL. Returns 0 or an error number, as pthread_create does. */
int thread_request_read(const pthread_attr_t *attr, struct thread_request *req);

/* Takes over what the kernel knows of main, the running thread. */
void sched_adopt_main(struct green *g);

/* May the process give a thread this? Returns 0, EINVAL or EPERM. Does nothing. */
int sched_check(int policy, int priority);

/* What the kernel would make of a thread's wish for these CPUs. Returns 0, EINVAL, ENOMEM. */
int affinity_wish(size_t size, const cpu_set_t *set, cpu_set_t **made);

#endif
