#include "api/patch.h"

#include "api/object.h"
#include "base/config.h"
#include "body/tcb.h"
#include "io/io.h"

#include <errno.h>
#include <evy/patch.h>

#define X(NAME, name) _Static_assert((unsigned)EVY_PATCH_##NAME == (unsigned)SUBSET_##NAME, #name);
SUBSETS(X)
#undef X

int patch_prepare(unsigned mask)
{
    if (mask & ~(unsigned)SUBSET_ANY)
        return -EINVAL;
    return mask & SUBSET_THREAD && tcb_discover() ? -ENOTSUP : 0;
}

EVY_API int evy_monkey_patch(unsigned mask)
{
    int err = patch_prepare(mask);
    if (mask & SUBSET_THREAD && !err)
        config.locks = true;
    if (!err)
        __atomic_fetch_or(&config.patch, mask, __ATOMIC_RELEASE);
    return (int)errno_edge(err);
}

EVY_API int evy_monkey_patch_but(unsigned on, unsigned off)
{
    if ((on | off) & ~(unsigned)SUBSET_ANY)
        return (int)errno_edge(-EINVAL);
    return evy_monkey_patch((on ? on : SUBSET_ALL) & ~off);
}

EVY_API unsigned evy_patched_mask(void)
{
    return __atomic_load_n(&config.patch, __ATOMIC_ACQUIRE);
}

EVY_API int evy_is_monkey_patched(const char *subset)
{
    const char *bad;
    unsigned mask;
    if (!subset || config_parse_patch(subset, &mask, &bad))
        return (int)errno_edge(-EINVAL);
    return (evy_patched_mask() & mask) == mask;
}

EVY_API void *evy_original(const char *name)
{
    void *found = name ? object_original(name) : NULL;
    if (!found)
        errno = name ? ENOENT : EINVAL;
    return found;
}
