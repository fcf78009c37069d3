#include "body/guard.h"

#include "base/sys.h"
#include "body/observe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>

#ifndef MADV_GUARD_INSTALL /* asm-generic/mman-common.h, Linux 6.13 */
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#define MAP_COUNT_DEFAULT 65530 /* vm.max_map_count where /proc cannot be read */

enum guard_kind { GUARD_NONE, GUARD_PROTECT, GUARD_MADVISE };

static enum guard_kind guard_kind;
static atomic_long protect_budget; /* guards that may still split a mapping */

static long max_map_count(void)
{
    char text[32];
    sys_read_text("/proc/sys/vm/max_map_count", text, sizeof text);
    long n = atol(text);
    return n > 0 ? n : MAP_COUNT_DEFAULT;
}

/* Emulators and sandboxes accept advice they do not know: the kernel itself must be unable to write there.
   (Valgrind reads itself what a call would read, and dies of it.) */
static bool unwritable(void *at)
{
    return sys3(SYS_getrandom, at, 1, GRND_NONBLOCK) == -EFAULT;
}

/* Tools look at the permissions of mappings. */
static bool advice_works(size_t page)
{
    long at = observes(OBSERVE_TOOLS) ? -ENOTSUP : sys_map(page);
    if (at < 0 && at > -4096)
        return false;
    bool works = sys3(SYS_madvise, at, page, MADV_GUARD_INSTALL) == 0 && unwritable((void *)at);
    sys3(SYS_munmap, at, page, 0);
    return works;
}

void guard_init(void)
{
    guard_kind = advice_works(getauxval(AT_PAGESZ)) ? GUARD_MADVISE : GUARD_PROTECT;
    /* Half of the mappings are the program's; each guard of ours takes two of the other half. */
    atomic_store(&protect_budget, max_map_count() / 4);
}

static bool protect(char *at, size_t n)
{
    if (atomic_fetch_sub(&protect_budget, 1) > 0 && sys3(SYS_mprotect, at, n, PROT_NONE) == 0)
        return true;
    atomic_fetch_add(&protect_budget, 1);
    return false;
}

/* Light guards are refused on locked memory (mlockall), so each one has its own way back. */
size_t guard_install(char *at, size_t n)
{
    if (guard_kind == GUARD_MADVISE && sys3(SYS_madvise, at, n, MADV_GUARD_INSTALL) == 0)
        return n;
    return protect(at, n) ? n : 0;
}

void guard_remove(char *at, size_t n)
{
    if (guard_kind == GUARD_MADVISE)
        sys3(SYS_madvise, at, n, MADV_GUARD_REMOVE);
    sys3(SYS_mprotect, at, n, PROT_READ | PROT_WRITE);
}

int guard_kind_left(void)
{
    bool left = guard_kind == GUARD_MADVISE || atomic_load(&protect_budget) > 0;
    return left ? (int)guard_kind : GUARD_NONE;
}
