#include "real/real.h"

#include "base/log.h"

#include <dlfcn.h>
#include <errno.h>

struct real real;

static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* Before glibc 2.36 dlsym(RTLD_NEXT) answers the oldest version of a symbol, which for pthread_cond_* is
   another ABI: where the table names a version, it is asked for. Neither call allocates when it finds. */
static void *next_definition(const char *name, const char *version)
{
    void *p = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
    if (!p)
        p = dlsym(RTLD_NEXT, name);
    return p ? p : (void *)missing;
}

void real_resolve(void)
{
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    real.name = (ret(*) params)next_definition(#name, version);
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version)                                      \
    real.name = (ret(*) params)next_definition(#name, version);
#define ALIAS(alias, name)
#define CHK(subset, name, ret, params)
#include "preload/hooks.def"
    real.resolved = true;
}
