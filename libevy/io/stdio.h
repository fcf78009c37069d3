/* Green versions of the stdio calls; same arguments, results and errno. The _unlocked ones lock
   too: who has the lock takes it once more, who asked for none with __fsetlocking gets none. */
#ifndef EVY_STDIO_H
#define EVY_STDIO_H

#include "io/public.h"

/* stdio_in.c */
int evy___underflow(FILE *f);
int evy___uflow(FILE *f);
int evy_getc(FILE *f);
size_t evy_fread(void *buf, size_t size, size_t n, FILE *f);
char *evy_fgets(char *buf, int n, FILE *f);
ssize_t evy_getdelim(char **line, size_t *size, int delim, FILE *f);
int evy_vfscanf(FILE *f, const char *format, va_list ap);
int evy___isoc99_vfscanf(FILE *f, const char *format, va_list ap);

#define evy_fgetc evy_getc
#define evy_getc_unlocked evy_getc
#define evy_fread_unlocked evy_fread
#define evy_fgets_unlocked evy_fgets
#define evy_getchar() evy_getc(stdin)
#define evy_getchar_unlocked() evy_getc(stdin)
#define evy_getline(line, size, f) evy_getdelim(line, size, '\n', f)

/* stdio_out.c */
int evy___overflow(FILE *f, int c);
int evy_putc(int c, FILE *f);
size_t evy_fwrite(const void *buf, size_t size, size_t n, FILE *f);
int evy_fputs(const char *s, FILE *f);
int evy_puts(const char *s);
int evy_fflush(FILE *f);
int evy___vfprintf_chk(FILE *f, int flag, const char *format, va_list ap);
int evy___vdprintf_chk(int fd, int flag, const char *format, va_list ap);

#define evy_fputc evy_putc
#define evy_putc_unlocked evy_putc
#define evy_putchar(c) evy_putc(c, stdout)
#define evy_putchar_unlocked(c) evy_putc(c, stdout)
#define evy_fwrite_unlocked evy_fwrite
#define evy_fputs_unlocked evy_fputs
#define evy_fflush_unlocked evy_fflush
#define evy_vfprintf(f, format, ap) evy___vfprintf_chk(f, 0, format, ap)
#define evy_vdprintf(fd, format, ap) evy___vdprintf_chk(fd, 0, format, ap)

void evy_perror(const char *what);

/* stdio_wide.c */
wint_t evy_fgetwc(FILE *f);
wchar_t *evy_fgetws(wchar_t *s, int n, FILE *f);
int evy_vfwscanf(FILE *f, const wchar_t *format, va_list ap);
int evy___isoc99_vfwscanf(FILE *f, const wchar_t *format, va_list ap);
wint_t evy_fputwc(wchar_t c, FILE *f);
int evy_fputws(const wchar_t *s, FILE *f);
int evy_vfwprintf(FILE *f, const wchar_t *format, va_list ap);
int evy___vfwprintf_chk(FILE *f, int flag, const wchar_t *format, va_list ap);

#define evy_getwc evy_fgetwc
#define evy_putwc evy_fputwc
#define evy_getwchar() evy_fgetwc(stdin)
#define evy_putwchar(c) evy_fputwc(c, stdout)
#define evy_fgetwc_unlocked evy_fgetwc
#define evy_fgetws_unlocked evy_fgetws
#define evy_fputwc_unlocked evy_fputwc
#define evy_fputws_unlocked evy_fputws

/* stdio_open.c: streams come and go; calls that only want the lock */
FILE *evy_fopen(const char *path, const char *mode);
FILE *evy_freopen(const char *path, const char *mode, FILE *f);
int evy_fclose(FILE *f);
void evy_flockfile(FILE *f);
void evy_funlockfile(FILE *f);
int evy_ungetc(int c, FILE *f);
int evy_feof(FILE *f);
int evy_ferror(FILE *f);
void evy_clearerr(FILE *f);
int evy_fseek(FILE *f, long offset, int whence);
int evy_fseeko(FILE *f, off_t offset, int whence);
long evy_ftell(FILE *f);
off_t evy_ftello(FILE *f);
void evy_rewind(FILE *f);
int evy_setvbuf(FILE *f, char *buf, int mode, size_t size);

/* popen.c */

/* Takes f off the list of popen's streams. Returns the child, or 0 when it is none. */
pid_t popen_take(FILE *f);

#endif
