/* Which libc calls are green: in the whole program (evy_monkey_patch), or in one library (evy_import_patched).

   A program that is linked with -levy starts with plain libc calls, but for EVY_PATCH_PROCESS and EVY_PATCH_SIGNAL,
   which keep fork, exec and handlers right around green threads; EVY_PATCH in the environment says otherwise. Only
   green threads are concerned: before the first one is spawned, and on threads libevy did not make, every call is
   libc's, but for those of locks, which are shared: a green thread that waits for one parks. No function here
   switches. */
#ifndef EVY_PATCH_H
#define EVY_PATCH_H

#ifdef __cplusplus
extern "C" {
#endif

/* Groups of calls, the words of EVY_PATCH. Eventlet: socket, select, time, thread and os; its dns is part of socket,
   subprocess is PROCESS, builtins is STDIO. */
enum evy_patch {
    EVY_PATCH_SOCKET = 1,
    EVY_PATCH_SELECT = 2,
    EVY_PATCH_TIME = 4,
    EVY_PATCH_THREAD = 8,
    EVY_PATCH_OS = 16,
    EVY_PATCH_DNS = 32,
    EVY_PATCH_SIGNAL = 64,
    EVY_PATCH_PROCESS = 128,
    EVY_PATCH_STDIO = 256,
    EVY_PATCH_FILE = 512, /* reads and writes of regular files; not in ALL: see README */
    EVY_PATCH_DEFAULT = 1 | 2 | 4 | 8 | 16 | 32, /* what evy_import_patched takes for 0 */
    EVY_PATCH_ALL = 511
};

/* Turns the subsets of mask on for every call the program makes from now on; those that are on stay on, for good.
   Dispatch is by call, so it is never too late: locks, conditions and semaphores are the library's from the start, so
   what kernel threads hold or wait for when threads become green is theirs and green threads' alike. Returns 0, or -1
   with errno
     EINVAL   mask has a bit that is no subset
     ENOTSUP  threads cannot be green with this libc (one line on stderr says why); nothing was turned on.
   Call it from the main thread when it names EVY_PATCH_THREAD. Eventlet: patcher.monkey_patch. */
int evy_monkey_patch(unsigned mask);

/* As evy_monkey_patch with Eventlet's rule for its keyword arguments: on are those named True, off those named False
   (which win). Without any True all are turned on but off. all=True is on = EVY_PATCH_ALL; all=False has no need of a
   word, as evy_monkey_patch_but(on, 0) turns on no more than on. Same errors. */
int evy_monkey_patch_but(unsigned on, unsigned off);

/* The subsets that are on. Sets no errno. */
unsigned evy_patched_mask(void);

/* Whether every subset of a list such as "socket" or "socket,time" (the grammar of EVY_PATCH) is on: 1 or 0; -1 with
   errno EINVAL when a word is none. Eventlet: patcher.is_monkey_patched. */
int evy_is_monkey_patched(const char *subsets);

/* The plain function of that name, which blocks the kernel thread: libc's or that of a library preloaded behind
   libevy. NULL with errno ENOENT when there is none, EINVAL for NULL. Eventlet: patcher.original. */
void *evy_original(const char *name);

/* Loads a library, as dlopen(library, RTLD_NOW | RTLD_LOCAL), and makes the calls of mask (0: EVY_PATCH_DEFAULT) that
   it and the libraries loaded for it alone do green, also those it finds by dlsym; the calls of everybody else stay as
   they are. What somebody has loaded before is loaded once more, as a copy with data of its own. Idempotent: a second
   call returns the same handle, with the subsets of both masks. A name without a slash is not looked for in the
   RUNPATH of the caller: give the path then. Constructors of the library find it patched already;
   what it opens itself by dlopen is not patched. The library is never unloaded. Returns a handle for dlsym, or NULL
   with errno
     EINVAL   library is NULL or mask has a bit that is no subset
     ENOENT   the library cannot be loaded; dlerror() says why
     ENOTSUP  as evy_monkey_patch
     ENOMEM, EACCES   its pages cannot be made writable
   Eventlet: patcher.import_patched. */
void *evy_import_patched(const char *library, unsigned mask);

/* Makes the calls of mask (0: EVY_PATCH_DEFAULT) green in one loaded object, e.g. "libfoo.so.1"; NULL is the program
   itself. Returns 0, or -1 with errno ENOENT (not loaded) or as evy_import_patched. Eventlet: patcher.inject. */
int evy_patch_object(const char *object, unsigned mask);

/* Gives one loaded object libc's own functions back, for code that must really block, whatever is patched for the
   program. Returns 0, or -1 with errno ENOENT (not loaded), ENOMEM, EACCES. Eventlet: what its asyncio hub does to
   asyncio's modules. */
int evy_unpatch_object(const char *object);

#ifdef __cplusplus
}
#endif

#endif
