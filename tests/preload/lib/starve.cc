// Stands behind libevy and refuses memory: STARVE=FIRST-LAST numbers the allocations that fail.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
}

static unsigned asked;
static unsigned first, last;

__attribute__((constructor)) static void read_range()
{
    const char *range = getenv("STARVE");
    if (!range || sscanf(range, "%u-%u", &first, &last) != 2)
        first = last = 0;
    asked = 0;
}

static bool refused()
{
    unsigned n = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    if (n < first || n > last)
        return false;
    (void)!write(STDERR_FILENO, "starved\n", 8);
    errno = ENOMEM;
    return true;
}

extern "C" {
void *malloc(size_t size)
{
    return refused() ? nullptr : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? nullptr : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refused() ? nullptr : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = refused() ? nullptr : __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
}
