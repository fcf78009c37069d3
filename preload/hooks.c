/* The hooks whose whole body follows from the table. */
#include "hook.h"

#include "io/blocking.h"
#include "io/calls.h"
#include "proc/altstack.h"
#include "proc/atfork.h"
#include "proc/daemon.h"
#include "proc/exec.h"
#include "proc/fork.h"
#include "proc/own_thread.h"
#include "proc/setxid.h"
#include "proc/signals.h"
#include "proc/sigtimer.h"
#include "sync/c11.h"
#include "sync/cancel.h"
#include "sync/cpuclock.h"
#include "sync/sync.h"
#include "sync/thread.h"

#define CALL_PLAIN(ret, call) BLOCKING(PLAIN, ret, call)
#define CALL_POINT(ret, call) BLOCKING(POINT, ret, call)
#define CALL_LOOKUP(ret, call) BLOCKING(LOOKUP, ret, call)
#define CALL_BRIEF(ret, call)                                                                      \
    ({                                                                                             \
        cancel_point();                                                                            \
        call;                                                                                      \
    })

/* What may call out is in a function of its own: the way to the green one saves no register. */
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    static EVY_NOINLINE ret other_##name params                                                    \
    {                                                                                              \
        if (SECOND_##when(subset))                                                                 \
            return evy_##name args;                                                                \
        return REAL(name) args;                                                                    \
    }                                                                                              \
    ret hook_##name params                                                                         \
    {                                                                                              \
        if (likely(FIRST_##when(subset)))                                                          \
            return evy_##name args;                                                                \
        return other_##name args;                                                                  \
    }
#define OWN(subset, when, ret, name, params, args, version)
#define BLOCK(subset, kind, ret, name, params, args, version)                                      \
    ret hook_##name params                                                                         \
    {                                                                                              \
        if (!WHEN_GREEN(subset))                                                                   \
            return REAL(name) args;                                                                \
        return CALL_##kind(ret, REAL(name) args);                                                  \
    }
#define ALIAS(alias, name)
#define CHK(subset, name, ret, params)
#include "preload/hooks.def"
