/* The mutexes that are more than a word between free and held: robust, PI, PP, and shared between processes. */
#ifndef EVY_MUTEX_FULL_H
#define EVY_MUTEX_FULL_H

#include "sync/deadline.h"
#include "sync/words.h"

/* users: 1, or 0 for a condition wait, which has stayed one. Results are those of pthread_mutex_*. */
int full_lock(struct mutex *m, unsigned kind, struct limit limit, unsigned users);
int full_trylock(struct mutex *m, unsigned kind);
int full_unlock(struct mutex *m, unsigned kind, unsigned users);

/* Whether the calling thread has it. */
bool full_mine(struct mutex *m, unsigned kind);

/* In holder when it is no thread of ours. UNKNOWN: nobody has it, or glibc has locked it for the first thread, before we
   were there or while nobody else was. */
enum { HOLDER_UNKNOWN = 0, HOLDER_NONE = -1 };

/* glibc has locked m for the caller, who is noted as its holder. */
void full_adopt(struct mutex *m);

/* robust.c: a robust mutex is on its owner's list, which the kernel walks when the owner dies. Between begin and
   end the kernel takes m for one whose word may already be the owner's. owner is shared_thread(). */
void robust_begin(uintptr_t owner, struct mutex *m);
void robust_end(uintptr_t owner);
void robust_insert(uintptr_t owner, struct mutex *m); /* between the two */
void robust_remove(struct mutex *m);                  /* between the two */

/* The calling thread ends: the robust mutexes it holds go to whoever locks them next, with EOWNERDEAD. */
void robust_thread_ends(void);

void robust_after_fork(void);

/* prio.c: while the process is alone glibc locks PP mutexes, and the kernel raises the one thread. What it has locked it
   unlocks. */
bool prio_is_kernels(unsigned kind, unsigned users);
int prio_lock(struct mutex *m, struct limit limit);
int prio_trylock(struct mutex *m);
int prio_unlock(struct mutex *m);

/* prio.c: 0, or why the caller may not lock a PP mutex of that ceiling. */
int prio_check(unsigned word);

#endif
