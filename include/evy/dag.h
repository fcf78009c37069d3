/* Green threads that depend on each other's results, named by strings: each begins at once and takes what it depends on as
   that arrives. To be used by the green threads of one hub. Waits fail as evy/thread.h says. NULL arguments are EINVAL.
   Eventlet: dagpool.DAGPool. Left out: preload and spawn_many, loops over evy_dag_post and evy_dag_spawn; wait_each_success
   and wait_each_exception, which evy_dag_next's answer tells apart; items, a loop over evy_dag_keys. */
#ifndef EVY_DAG_PUBLIC_H
#define EVY_DAG_PUBLIC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evy_dag evy_dag;

/* Results on their way to somebody: to a green thread of the graph, or to who asked by evy_dag_each. */
typedef struct evy_dag_results evy_dag_results;

evy_dag *evy_dag_new(void);   /* NULL: ENOMEM */
int evy_dag_free(evy_dag *d); /* 0, or -1 with EBUSY while green threads of it run */

/* A green thread calls fn(in, arg), where in brings the results of the count keys in deps; what fn returns is the result of
   key. It fails when fn ends by evy_exit_error. 0, or -1 with errno EEXIST (key runs or has a result), ENOMEM & co. Does
   not switch. */
int evy_dag_spawn(evy_dag *d, const char *key, const char *const *deps, size_t count,
                  void *(*fn)(evy_dag_results *in, void *arg), void *arg);

/* The next result, in the order of arrival: 1 with *key and *value (each may be NULL); 0 after the last; -1 with errno: that
   of a result which is a failure, and *key is set; or what the wait failed with, and *key is NULL. A green thread
   that then ends by evy_exit_error(errno) hands the failure on: see evy_dag_error. Switches if it waits. */
int evy_dag_next(evy_dag_results *in, const char **key, void **value);

/* The results of those keys (all keys known now when keys is NULL) for evy_dag_next, and their end. */
evy_dag_results *evy_dag_each(evy_dag *d, const char *const *keys, size_t count);
void evy_dag_each_free(evy_dag_results *in);

/* Gives key a result from outside, or an error. EEXIST when it runs, unless the caller is what runs (then what that
   returns is dropped), or has a result and replace is 0. 0 or -1. Does not switch. */
int evy_dag_post(evy_dag *d, const char *key, void *value, int replace);
int evy_dag_post_error(evy_dag *d, const char *key, int err, int replace);

/* Ends the green thread of key by evy_kill: afterwards the key may be used anew, and who depends on it waits again. 0, or -1
   with ENOENT when it does not run. */
int evy_dag_kill(evy_dag *d, const char *key);

/* Waits for the result of key, known or not yet. 0 with *value, or -1 with errno. */
int evy_dag_wait(evy_dag *d, const char *key, void **value, double timeout);

/* Waits until nothing runs. 0, or -1 with the errno of a failure, if there is one. */
int evy_dag_waitall(evy_dag *d);

/* The result of key if it is there: as evy_dag_wait, but EAGAIN. Does not switch. */
int evy_dag_get(evy_dag *d, const char *key, void **value);

/* The errno that key has failed with, 0 if not; *root, if not NULL, is the key whose failure that was at first. */
int evy_dag_error(evy_dag *d, const char *key, const char **root);

/* How many keys have a result, and the first max of them. */
size_t evy_dag_keys(evy_dag *d, const char **keys, size_t max);

/* How many run, and the first max of them. */
size_t evy_dag_running(evy_dag *d, const char **keys, size_t max);

/* How many results the green thread of key lacks, and the first max of their keys: 0 when it has ended; -1 with ENOENT for a
   key nobody has named. */
long evy_dag_waiting_for(evy_dag *d, const char *key, const char **keys, size_t max);

#ifdef __cplusplus
}
#endif

#endif
