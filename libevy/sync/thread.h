/* The life of a pthread that is a green thread. Contracts are POSIX's and glibc's. */
#ifndef EVY_THREAD_H
#define EVY_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

/* In green->done. */
enum {
    THREAD_DONE = 1,     /* its result is valid: joiners go on */
    THREAD_DETACHED = 2, /* nobody will join */
};

int evy_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                       void *arg);
__attribute__((noreturn)) void evy_pthread_exit(void *result);
int evy_pthread_join(pthread_t thread, void **result);
int evy_pthread_tryjoin_np(pthread_t thread, void **result);
int evy_pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *at);
int evy_pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                             const struct timespec *at);
int evy_pthread_detach(pthread_t thread);
int evy_sched_yield(void);

/* Main has ended: returns when no other green thread is left. */
void thread_outlast(void);

int evy_pthread_cancel(pthread_t thread);
void evy_pthread_testcancel(void);
int evy_pthread_setcancelstate(int state, int *old);
int evy_pthread_setcanceltype(int type, int *old);

int evy_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr);
int evy_pthread_setname_np(pthread_t thread, const char *name);
int evy_pthread_getname_np(pthread_t thread, char *name, size_t size);
void names_after_fork(
    void); /* in the child: its kernel thread is named as the green thread that forked */
int evy_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set);
int evy_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set);
int evy_pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *param);
int evy_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param);
int evy_pthread_setschedprio(pthread_t thread, int priority);
int evy_pthread_setattr_default_np(const pthread_attr_t *attr);

struct green;

/* The green thread behind a pthread_t, NULL when it is a thread of the kernel's that we do not run. */
struct green *thread_green(pthread_t thread);

/* The living one that gettid tells this id, NULL when there is none. */
struct green *thread_with_tid(pid_t tid);

/* The first version of what sched_setattr takes, for which libc has no type before 2.41. */
struct kernel_sched {
    unsigned size;                      /* in bytes, newer ones are larger */
    unsigned policy;                    /* SCHED_* */
    uint64_t flags;                     /* SCHED_FLAG_* */
    int nice;                           /* for the policies without priority */
    unsigned priority;                  /* for SCHED_FIFO and SCHED_RR */
    uint64_t runtime, deadline, period; /* for SCHED_DEADLINE */
};

/* For 0 or the id of a thread, as the kernel takes it; green threads' are theirs alone. */
int evy_sched_getparam(pid_t id, struct sched_param *param);
int evy_sched_setparam(pid_t id, const struct sched_param *param);
int evy_sched_getscheduler(pid_t id);
int evy_sched_setscheduler(pid_t id, int policy, const struct sched_param *param);
int evy_sched_getaffinity(pid_t id, size_t size, cpu_set_t *set);
int evy_sched_setaffinity(pid_t id, size_t size, const cpu_set_t *set);
long evy_sched_getattr(pid_t id, struct kernel_sched *attr, unsigned size, unsigned flags);
long evy_sched_setattr(pid_t id, struct kernel_sched *attr, unsigned flags);
int evy_getpriority(__priority_which_t which, id_t who);
int evy_setpriority(__priority_which_t which, id_t who, int nice);
int evy_nice(int more);
int evy_sched_getcpu(void);
int evy_getcpu(unsigned *cpu, unsigned *node);

#endif
