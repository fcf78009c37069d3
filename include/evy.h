/* libevy's interface for C programs: link with -levy. */
#ifndef EVY_H
#define EVY_H

#include <evy/backdoor.h>
#include <evy/blocking.h>
#include <evy/dag.h>
#include <evy/debug.h>
#include <evy/hub.h>
#include <evy/libc.h>
#include <evy/net.h>
#include <evy/patch.h>
#include <evy/pool.h>
#include <evy/queue.h>
#include <evy/respool.h>
#include <evy/sync.h>
#include <evy/thread.h>
#include <evy/timeout.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. */
#define EVY_VERSION "0.1.0"

/* The version of the library that runs, as "MAJOR.MINOR.PATCH"; never NULL, never freed. Does not switch, sets no errno,
   may be called from any thread and from signal handlers. Eventlet: eventlet.__version__. */
const char *evy_version(void);

#ifdef __cplusplus
}
#endif

#endif
