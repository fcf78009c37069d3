/* Wide characters. libc converts them in buffers of its own that it alone can fill and empty: it does so on a kernel
   thread that nobody waits for, once there is something to read. */
#include "io/stdio.h"

#include "io/blocking.h"
#include "io/stream.h"
#include "real/real.h"

#define WIDE_INPUT(ret, name, params, args)                                                        \
    ret evy_##name params                                                                          \
    {                                                                                              \
        ret r;                                                                                     \
        if (!stream_enter_wide(f)) {                                                               \
            r = REAL(name) args;                                                                   \
        } else {                                                                                   \
            if (!stream_has_wide(f))                                                               \
                stream_await_input(f);                                                             \
            r = BLOCKING(LOOKUP, ret, REAL(name) args);                                            \
        }                                                                                          \
        stream_leave(f);                                                                           \
        return r;                                                                                  \
    }

#define WIDE_OUTPUT(ret, name, params, args)                                                       \
    ret evy_##name params                                                                          \
    {                                                                                              \
        ret r = stream_enter_wide(f) ? BLOCKING(LOOKUP, ret, REAL(name) args) : REAL(name) args;   \
        stream_leave(f);                                                                           \
        return r;                                                                                  \
    }

WIDE_INPUT(wint_t, fgetwc, (FILE * f), (f))
WIDE_INPUT(wchar_t *, fgetws, (wchar_t * s, int n, FILE *f), (s, n, f))
WIDE_INPUT(int, vfwscanf, (FILE * f, const wchar_t *format, va_list ap), (f, format, ap))
WIDE_INPUT(int, __isoc99_vfwscanf, (FILE * f, const wchar_t *format, va_list ap), (f, format, ap))
WIDE_OUTPUT(wint_t, fputwc, (wchar_t c, FILE *f), (c, f))
WIDE_OUTPUT(int, fputws, (const wchar_t *s, FILE *f), (s, f))
WIDE_OUTPUT(int, vfwprintf, (FILE * f, const wchar_t *format, va_list ap), (f, format, ap))
WIDE_OUTPUT(int, __vfwprintf_chk, (FILE * f, int flag, const wchar_t *format, va_list ap),
            (f, flag, format, ap))
