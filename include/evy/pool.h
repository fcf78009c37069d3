/* Pools of green threads, piles of results in order, and maps. Members run on the hub of who spawns them. Waits fail as
   evy/thread.h says; a kill or timeout in the middle of a wait for a slot leaves pool and pile as they were. */
#ifndef EVY_POOL_PUBLIC_H
#define EVY_POOL_PUBLIC_H

#include <evy/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* At most size green threads at a time. A size of 0 is legal: then spawning waits for a resize. NULL with errno EINVAL (size
   below 0), ENOMEM. Eventlet: GreenPool. */
typedef struct evy_pool evy_pool;
evy_pool *evy_pool_new(int size);

/* 0, or -1 with EBUSY while members run or somebody waits in it, EINVAL for NULL. */
int evy_pool_free(evy_pool *p);

/* As evy_spawn, but waits while all slots are taken. When they are and the caller is a member itself, fn(arg) is called
   here and now instead, and the handle is one that has ended (evy_exit in fn ends the caller then). A slot is given back when the member ends, however that
   comes. NULL with the errno of evy_spawn and of waits. Eventlet: GreenPool.spawn. */
evy_gt *evy_pool_spawn(evy_pool *p, evy_fn fn, void *arg);

/* As evy_pool_spawn and evy_spawn_n, without a handle: 0 or -1. Eventlet: GreenPool.spawn_n. */
int evy_pool_spawn_n(evy_pool *p, evy_fn fn, void *arg);

/* Waits until nobody runs and nobody waits for a slot. 0, or -1 with EDEADLK (the caller is a member) & co. */
int evy_pool_waitall(evy_pool *p);

/* Kills every member there is now (evy_kill; not the caller itself), begun or not; who ignores it goes on. 0, or -1 with ENOMEM, EINVAL. Eventlet:
   pool.Pool.killall. */
int evy_pool_killall(evy_pool *p, int err);

/* Another size, EINVAL below 0. Members run on; who waits for a slot and has one now goes on. 0 or -1. */
int evy_pool_resize(evy_pool *p, int size);

int evy_pool_size(const evy_pool *p);
int evy_pool_running(const evy_pool *p);    /* members that run or will run */
int evy_pool_free_slots(const evy_pool *p); /* size - running: below 0 after a resize */
int evy_pool_waiting(const evy_pool *p);    /* who waits for a slot */

/* Results in the order of spawning. For the order of completion let each put its result into an evy_queue. evy_pile_new makes a pool of its own of that size; evy_pile_on uses one that others
   may use, too, and that must outlive the pile's members. NULL with EINVAL, ENOMEM. Eventlet: GreenPile. */
typedef struct evy_pile evy_pile;
evy_pile *evy_pile_new(int size);
evy_pile *evy_pile_on(evy_pool *p);

/* Results nobody asked for are dropped; members run on. */
void evy_pile_free(evy_pile *p);

/* As evy_pool_spawn_n; the result is kept. */
int evy_pile_spawn(evy_pile *p, evy_fn fn, void *arg);

/* The next result: 1 with *result, 0 when all that was spawned has been handed out, -1 with errno: what that green thread
   ended with, in its place, and the next call goes on behind it; or what the caller's own wait failed with, and the
   next call waits for the same one again. */
int evy_pile_next(evy_pile *p, void **result);

/* fn applied to each item that next gives, at most size of p at a time, results in order. next(arg, &item) answers 1 with
   an item, 0 at the end, -1 with errno for an error, which ends the items and is the last result; it is first called
   when somebody asks for a result, and runs ahead of the results by about twice the size only. fn NULL: the items
   themselves. A map has green threads of its own: it neither uses nor counts in p, which gives the size only and may
   be freed. NULL with EINVAL (a size of 0, too), ENOMEM. Eventlet: GreenPool.imap, starmap. */
typedef struct evy_map evy_map;
evy_map *evy_pool_map(evy_pool *p, evy_fn fn, int (*next)(void *arg, void **item), void *arg);

/* The same over n pointers. */
evy_map *evy_pool_imap(evy_pool *p, evy_fn fn, void *const *items, size_t n);

/* As evy_pile_next. */
int evy_map_next(evy_map *m, void **result);

/* Ends it, at any time: nothing is pulled or started any more, what runs ends by itself. May switch. */
void evy_map_free(evy_map *m);

#ifdef __cplusplus
}
#endif

#endif
