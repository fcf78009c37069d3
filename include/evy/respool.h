/* Pools of things that are costly to make: resources of any kind, and connections that age. Waits fail as evy/thread.h
   says. Their functions are the program's and may switch; they are never called with less than the pool in order. */
#ifndef EVY_RESPOOL_PUBLIC_H
#define EVY_RESPOOL_PUBLIC_H

#ifdef __cplusplus
extern "C" {
#endif

enum { EVY_RESPOOL_STACK = 1 }; /* what was put last is got first; else what was put first */

/* Holds at most max items, of which min are made at once. create makes one, NULL with errno if it cannot; destroy (may be
   NULL) takes one that is not needed. NULL with errno EINVAL (no create, min < 0, max < min), ENOMEM, or create's.
   Eventlet: pools.Pool. */
typedef struct evy_respool evy_respool;
evy_respool *evy_respool_new(int min, int max, unsigned flags, void *(*create)(void *arg),
                             void (*destroy)(void *item, void *arg), void *arg);

/* Destroys the items that are free. 0, or -1 with EBUSY while somebody waits, EINVAL. */
int evy_respool_free(evy_respool *p);

/* An item: a free one, else a new one while there are fewer than max, else one that somebody puts, first come first
   served. NULL with errno ETIMEDOUT, EINVAL, create's, or that of waits. Switches if it waits or create does. */
void *evy_respool_get(evy_respool *p, double timeout);

/* Gives an item back: to who waits longest, else to the free ones; destroyed when there are too many. NULL says that one is
   gone for good: who waits may make another. Never waits. 0 or -1 EINVAL. */
int evy_respool_put(evy_respool *p, void *item);

/* Another max, for later gets and puts; EINVAL when below 0, ENOMEM. */
int evy_respool_resize(evy_respool *p, int max);

int evy_respool_available(
    const evy_respool *p); /* free ones and those that may be made: below 0 after a resize */
int evy_respool_waiting(const evy_respool *p); /* who waits to get */

/* A pool of connections, last put first got, that closes those which are idle or alive for too long, at once when that
   time is 0. Eventlet: db_pool.ConnectionPool. All functions get arg. */
typedef struct evy_connpool evy_connpool;
typedef struct evy_connpool_conf {
    int min, max;           /* as evy_respool_new */
    double max_idle;        /* seconds a connection may lie in the pool; EVY_FOREVER: any */
    double max_age;         /* seconds from connect to the last put; EVY_FOREVER: any */
    double connect_timeout; /* for connect; EVY_FOREVER: none. Beyond it get fails with ETIMEDOUT */
    void *(*connect)(void *arg);          /* a connection, or NULL with errno */
    void (*close)(void *conn, void *arg); /* ends one */
    int (*cleanup)(
        void *conn,
        void *arg); /* makes it fit for the next user (rollback): not 0: it is closed; NULL: none */
    void *arg;
} evy_connpool_conf;
evy_connpool *evy_connpool_new(const evy_connpool_conf *conf);
int evy_connpool_free(
    evy_connpool *p); /* closes what is in it; EBUSY while connections are out or somebody waits */

/* As evy_respool_get. */
void *evy_connpool_get(evy_connpool *p, double timeout);

/* Gives back what was got: cleaned up, and kept or closed. 0, or -1 with EINVAL for what is not out. */
int evy_connpool_put(evy_connpool *p, void *conn);

/* The same for a connection that is broken: the caller has closed it. Eventlet: put(None). */
int evy_connpool_drop(evy_connpool *p, void *conn);

/* Closes all that are not out. Eventlet: clear. */
void evy_connpool_clear(evy_connpool *p);

int evy_connpool_available(const evy_connpool *p);
int evy_connpool_waiting(const evy_connpool *p);

#ifdef __cplusplus
}
#endif

#endif
