/* What the environment asks for. The only reader of EVY_*. */
#ifndef EVY_CONFIG_H
#define EVY_CONFIG_H

#include "base/base.h"
#include "base/names.h"

/* Subsets of hooks that can be switched, one bit each. */
#define SUBSETS(X)                                                                                 \
    X(SOCKET, socket)                                                                              \
    X(SELECT, select)                                                                              \
    X(TIME, time)                                                                                  \
    X(THREAD, thread)                                                                              \
    X(OS, os)                                                                                      \
    X(DNS, dns)                                                                                    \
    X(SIGNAL, signal)                                                                              \
    X(PROCESS, process)                                                                            \
    X(STDIO, stdio)                                                                                \
    X(FILE, file)

enum subset_index {
#define X(NAME, name) SUBSET_INDEX_##NAME,
    SUBSETS(X)
#undef X
        SUBSET_COUNT
};

enum subset {
#define X(NAME, name) SUBSET_##NAME = 1u << SUBSET_INDEX_##NAME,
    SUBSETS(X)
#undef X
        SUBSET_ANY = (1u << SUBSET_COUNT) - 1,
    SUBSET_ALL = SUBSET_ANY & ~SUBSET_FILE /* "all": disks are quick enough for most programs */
};

/* Which programs that are started keep the preload. */
enum children { CHILDREN_ALL, CHILDREN_NONE, CHILDREN_SOME };

enum hub_method { METHOD_EPOLL, METHOD_POLL, METHOD_SELECT };

#define MAX_HUBS 64
#define MAX_APART 256 /* hubs beyond them, for green threads with a kernel thread of their own */
#define MAX_BLOCKING 1000
#define MAX_SPARES 4000

struct config {
    unsigned patch; /* mask of SUBSET_*: which subsets are green (EVY_PATCH) */
    bool locks;     /* whether locks are ours: SUBSET_THREAD is green, or may become so */
    bool
        linked; /* the program links the library, and says itself what it wants green; set before config_load */
    unsigned
        hubs; /* 1..MAX_HUBS (EVY_HUBS; default: 1 when linked, else the CPUs this process may use) */
    size_t stack; /* stack reserve for threads that ask for none, 0: as glibc (EVY_STACK) */
    enum hub_method method; /* libevent backend (EVY_HUB_METHOD) */
    bool stats;             /* whether the process ends with a line of statistics (EVY_STATS) */
    const char *trace;      /* prefix of the trace file's name, NULL: none (EVY_TRACE) */
    enum children children; /* EVY_CHILDREN */
    struct names children_names; /* which ones, with CHILDREN_SOME */
    struct names
        exclude; /* programs and libraries that stay native; empty: none (EVY_PATCH_EXCLUDE) */
    unsigned blocking; /* most calls that block at a time (EVY_BLOCKING_THREADS) */
    unsigned spares;   /* most carriers beyond one per hub; as blocking where the variable is set */
};

extern struct config config;

/* Reads EVY_* with secure_getenv. A bad value is one line on stderr naming variable, value and what is
   legal, and the default stays. EVY_LOG is "LEVEL" or "LEVEL,FILE", LEVEL one of off error warn info
   debug (default warn). */
void config_load(void);

/* Parses an EVY_PATCH value into *mask. Returns 0, or -EINVAL with *mask untouched and *bad pointing at
   the word that is not legal. Grammar: `all` (but file), `none`, a list `socket,time`, exclusions `all,-thread`
   or `-thread` (from all). */
int config_parse_patch(const char *value, unsigned *mask, const char **bad);

/* Whether EVY_PATCH_EXCLUDE names a program or library of that path. Its patterns, between commas, are those of
   fnmatch(3), for the last part of a path. */
bool config_excludes(const char *path);

/* Parses sizes as 65536, 64k, 1m, 1g. Returns 0 or -EINVAL. */
int config_parse_size(const char *value, size_t *size);

#endif
