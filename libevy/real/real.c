#include "real/real.h"

#include "base/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>

struct real real;
bool real_net_is_libc;

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

static void *object_of(void *address)
{
    Dl_info info;
    return dladdr(address, &info) ? info.dli_fbase : NULL;
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
    const void *libc = object_of((void *)gnu_get_libc_version);
    real_net_is_libc =
        libc && object_of((void *)real.recvfrom) == libc && object_of((void *)real.sendto) == libc;
    real.resolved = true;
}
