/* C11 threads: glibc's types are its pthread ones under other names, and its calls do not pass our hooks. */
#ifndef EVY_C11_H
#define EVY_C11_H

#include <threads.h>

int evy_thrd_create(thrd_t *thread, thrd_start_t start, void *arg);
int evy_thrd_join(thrd_t thread, int *result);
int evy_thrd_detach(thrd_t thread);
__attribute__((noreturn)) void evy_thrd_exit(int result);
int evy_thrd_sleep(const struct timespec *duration, struct timespec *left);
void evy_thrd_yield(void);

int evy_mtx_lock(mtx_t *m);
int evy_mtx_trylock(mtx_t *m);
int evy_mtx_timedlock(mtx_t *m, const struct timespec *at);
int evy_mtx_unlock(mtx_t *m);
void evy_mtx_destroy(mtx_t *m);

int evy_cnd_wait(cnd_t *c, mtx_t *m);
int evy_cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *at);
int evy_cnd_signal(cnd_t *c);
int evy_cnd_broadcast(cnd_t *c);
void evy_cnd_destroy(cnd_t *c);

void evy_call_once(once_flag *flag, void (*init)(void));

#endif
