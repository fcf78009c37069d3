/* The variadic stdio calls, by way of their v twins, and the checked ones. */
#include "hook.h"

#include "io/stdio.h"

__attribute__((noreturn)) void __chk_fail(void); /* glibc's "buffer overflow detected" */

#define PRINTS(name, params, last, call)                                                           \
    int hook_##name params                                                                         \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, last);                                                                        \
        int r = call;                                                                              \
        va_end(ap);                                                                                \
        return r;                                                                                  \
    }

PRINTS(printf, (const char *format, ...), format, hook_vfprintf(stdout, format, ap))
PRINTS(fprintf, (FILE * f, const char *format, ...), format, hook_vfprintf(f, format, ap))
PRINTS(dprintf, (int fd, const char *format, ...), format, hook_vdprintf(fd, format, ap))
PRINTS(__printf_chk, (int flag, const char *format, ...), format,
       hook___vfprintf_chk(stdout, flag, format, ap))
PRINTS(__fprintf_chk, (FILE * f, int flag, const char *format, ...), format,
       hook___vfprintf_chk(f, flag, format, ap))
PRINTS(__dprintf_chk, (int fd, int flag, const char *format, ...), format,
       hook___vdprintf_chk(fd, flag, format, ap))
PRINTS(scanf, (const char *format, ...), format, hook_vfscanf(stdin, format, ap))
PRINTS(fscanf, (FILE * f, const char *format, ...), format, hook_vfscanf(f, format, ap))
PRINTS(__isoc99_scanf, (const char *format, ...), format, hook___isoc99_vfscanf(stdin, format, ap))
PRINTS(__isoc99_fscanf, (FILE * f, const char *format, ...), format,
       hook___isoc99_vfscanf(f, format, ap))

/* Keeps the books of descriptors and of popen, whatever is on. */
int hook_fclose(FILE *f)
{
    return likely(preload_ready) ? evy_fclose(f) : REAL(fclose)(f);
}

PRINTS(wprintf, (const wchar_t *format, ...), format, hook_vfwprintf(stdout, format, ap))
PRINTS(fwprintf, (FILE * f, const wchar_t *format, ...), format, hook_vfwprintf(f, format, ap))
PRINTS(__wprintf_chk, (int flag, const wchar_t *format, ...), format,
       hook___vfwprintf_chk(stdout, flag, format, ap))
PRINTS(__fwprintf_chk, (FILE * f, int flag, const wchar_t *format, ...), format,
       hook___vfwprintf_chk(f, flag, format, ap))
PRINTS(wscanf, (const wchar_t *format, ...), format, hook_vfwscanf(stdin, format, ap))
PRINTS(fwscanf, (FILE * f, const wchar_t *format, ...), format, hook_vfwscanf(f, format, ap))
PRINTS(__isoc99_wscanf, (const wchar_t *format, ...), format,
       hook___isoc99_vfwscanf(stdin, format, ap))
PRINTS(__isoc99_fwscanf, (FILE * f, const wchar_t *format, ...), format,
       hook___isoc99_vfwscanf(f, format, ap))

int hook_vwprintf(const wchar_t *format, va_list ap)
{
    return hook_vfwprintf(stdout, format, ap);
}

int hook_vprintf(const char *format, va_list ap)
{
    return hook_vfprintf(stdout, format, ap);
}

int hook___vprintf_chk(int flag, const char *format, va_list ap)
{
    return hook___vfprintf_chk(stdout, flag, format, ap);
}

int hook_vscanf(const char *format, va_list ap)
{
    return hook_vfscanf(stdin, format, ap);
}

int hook___isoc99_vscanf(const char *format, va_list ap)
{
    return hook___isoc99_vfscanf(stdin, format, ap);
}

static void items_fit(size_t size, size_t n, size_t room)
{
    size_t bytes;
    if (__builtin_mul_overflow(size, n, &bytes) || bytes > room)
        __chk_fail();
}

size_t hook___fread_chk(void *buf, size_t room, size_t size, size_t n, FILE *f)
{
    items_fit(size, n, room);
    return hook_fread(buf, size, n, f);
}

size_t hook___fread_unlocked_chk(void *buf, size_t room, size_t size, size_t n, FILE *f)
{
    items_fit(size, n, room);
    return hook_fread_unlocked(buf, size, n, f);
}

char *hook___fgets_chk(char *buf, size_t room, int n, FILE *f)
{
    items_fit(1, n > 0 ? (size_t)n : 0, room);
    return hook_fgets(buf, n, f);
}

char *hook___fgets_unlocked_chk(char *buf, size_t room, int n, FILE *f)
{
    items_fit(1, n > 0 ? (size_t)n : 0, room);
    return hook_fgets_unlocked(buf, n, f);
}
