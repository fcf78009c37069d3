/* The next definition of every hooked symbol: libc's, or that of a library preloaded after us. Generated
   from preload/hooks.def. */
#ifndef EVY_REAL_H
#define EVY_REAL_H

#include "base/base.h"
#include "real/hooktypes.h"

struct real {
    bool resolved; /* the members below are set */
#define HOOK(subset, when, ret, name, params, args, version) ret(*name) params;
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version) ret(*name) params;
#define ALIAS(alias, name)
#define CHK(subset, name, ret, params)
#include "preload/hooks.def"
};

extern struct real real;

/* recvfrom and sendto are libc's own: who makes the system calls himself passes nobody by. */
extern bool real_net_is_libc;

/* Fills the table: when the library is loaded, or at the first hooked call if that comes earlier. */
EVY_COLD void real_resolve(void);

/* REAL(read)(fd, buf, n) calls the next read. */
#define REAL(name) (likely(real.resolved) ? (void)0 : real_resolve(), real.name)

#endif
