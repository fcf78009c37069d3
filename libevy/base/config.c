#include "base/config.h"

#include "base/log.h"
#include "base/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK_MIN ((size_t)16 << 10) /* PTHREAD_STACK_MIN of x86-64 Linux */
#define STACK_MAX ((size_t)1 << 36)

struct config config = {.patch = SUBSET_ALL, .hubs = 1, .blocking = 256, .spares = MAX_SPARES};

static const char *const subset_names[SUBSET_COUNT] = {
#define X(NAME, name) #name,
    SUBSETS(X)
#undef X
};

static const char *const method_names[] = {"epoll", "poll", "select"};
static const char *const level_names[] = {"off", "error", "warn", "info", "debug"};

/* One line, whatever the log level. */
static void bad_value(const char *name, const char *value, const char *why)
{
    log_write(LOG_OFF, "%s=%.200s: %s; using the default", name, value, why);
}

/* A variable that is set and not empty. */
static const char *env_get(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

/* Index of the n-character word among names, -1 when it is none of them. */
static int word_index(const char *word, size_t n, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == n && memcmp(names[i], word, n) == 0)
            return (int)i;
    return -1;
}

static bool word_is(const char *word, size_t n, const char *name)
{
    return word_index(word, n, &name, 1) == 0;
}

/* Applies one word of EVY_PATCH. `all` may only come first, `none` only alone. */
static int patch_word(const char *word, size_t n, bool first, unsigned *mask)
{
    if (first && word_is(word, n, "all")) {
        *mask = SUBSET_ALL;
        return 0;
    }
    bool minus = *word == '-';
    if (minus && first)
        *mask = SUBSET_ALL;
    int i = word_index(word + minus, n - minus, subset_names, SUBSET_COUNT);
    if (i < 0)
        return -EINVAL;
    *mask = minus ? *mask & ~(1u << i) : *mask | 1u << i;
    return 0;
}

int config_parse_patch(const char *value, unsigned *mask, const char **bad)
{
    unsigned m = 0;
    const char *word = value;
    if (strcmp(value, "none") != 0) {
        for (;;) {
            size_t n = strcspn(word, ",");
            if (patch_word(word, n, word == value, &m) != 0) {
                *bad = word;
                return -EINVAL;
            }
            if (word[n] == '\0')
                break;
            word += n + 1;
        }
    }
    *mask = m;
    return 0;
}

static int unit_shift(const char *unit)
{
    static const char units[] = "kmg";
    if (*unit == '\0')
        return 0;
    const char *u = strchr(units, *unit | 0x20);
    return u && unit[1] == '\0' ? (int)(u - units + 1) * 10 : -1;
}

int config_parse_size(const char *value, size_t *size)
{
    size_t n = 0;
    const char *p = value;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (size_t)(*p - '0'), &n))
            return -EINVAL;
    int shift = unit_shift(p);
    if (p == value || shift < 0 || n > SIZE_MAX >> shift)
        return -EINVAL;
    *size = n << shift;
    return 0;
}

static unsigned cpus_allowed(void)
{
    unsigned long set[1024 / sizeof(long)] = {
        0}; /* 8192 CPUs, the most a kernel can be built for */
    long bytes = sys3(SYS_sched_getaffinity, 0, sizeof(set), set);
    unsigned count = 0;
    for (long i = 0; i < bytes / (long)sizeof(long); i++)
        count += (unsigned)__builtin_popcountl(set[i]);
    return count < 1 ? 1 : count > MAX_HUBS ? MAX_HUBS : count;
}

static void load_log(const char *value)
{
    size_t n = strcspn(value, ",");
    int level = word_index(value, n, level_names, array_len(level_names));
    if (level < 0) {
        log_write(
            LOG_OFF,
            "EVY_LOG=%.200s: not off, error, warn, info or debug, perhaps with ,FILE; using warn",
            value);
        return;
    }
    log_level = (enum log_level)level;
    int err = value[n] == ',' ? log_open(value + n + 1) : 0;
    if (err)
        log_write(LOG_OFF, "EVY_LOG=%.200s: cannot open the file: %s; using stderr", value,
                  strerrordesc_np(-err));
}

static void load_patch(const char *value)
{
    const char *bad;
    if (config_parse_patch(value, &config.patch, &bad) == 0)
        return;
    char names[128] = "";
    for (size_t i = 0; i < SUBSET_COUNT; i++)
        strcat(strcat(names, " "), subset_names[i]);
    log_write(
        LOG_OFF,
        "EVY_PATCH=%.100s: \"%.*s\" is not legal here; legal are all, none, or a list of%s, each "
        "as name or -name; using the default",
        value, (int)strcspn(bad, ","), bad, names);
}

/* A number from 1 to most, else 0. */
static unsigned parse_count(const char *value, size_t most)
{
    size_t n;
    bool no_unit = value[strspn(value, "0123456789")] == '\0';
    return no_unit && config_parse_size(value, &n) == 0 && n <= most ? (unsigned)n : 0;
}

static void load_hubs(const char *value)
{
    unsigned n = parse_count(value, MAX_HUBS);
    if (n)
        config.hubs = n;
    else
        bad_value("EVY_HUBS", value, "not a number from 1 to 64");
}

static void load_blocking(const char *value)
{
    unsigned n = parse_count(value, MAX_BLOCKING);
    if (n)
        config.blocking = config.spares = n;
    else
        bad_value("EVY_BLOCKING_THREADS", value, "not a number from 1 to 1000");
}

static void load_stack(const char *value)
{
    size_t n;
    if (config_parse_size(value, &n) == 0 && n >= STACK_MIN && n <= STACK_MAX)
        config.stack = n;
    else
        bad_value("EVY_STACK", value, "not a size from 16k to 64g such as 65536, 64k or 1m");
}

static void load_method(const char *value)
{
    int i = word_index(value, strlen(value), method_names, array_len(method_names));
    if (i >= 0)
        config.method = (enum hub_method)i;
    else
        bad_value("EVY_HUB_METHOD", value, "not epoll, poll or select");
}

static void load_trace(const char *value)
{
    config.trace = value;
}

static void load_children(const char *value)
{
    if (strcmp(value, "1") == 0)
        return;
    if (strcmp(value, "0") == 0)
        config.children = CHILDREN_NONE;
    else if (names_parse(&config.children_names, value) == 0)
        config.children = CHILDREN_SOME;
    else
        bad_value("EVY_CHILDREN", value, "not 1, 0 or a list of program names such as sh,worker*");
}

static void load_stats(const char *value)
{
    if (strlen(value) == 1 && (*value == '0' || *value == '1'))
        config.stats = *value == '1';
    else
        bad_value("EVY_STATS", value, "not 0 or 1");
}

static void load_exclude(const char *value)
{
    if (names_parse(&config.exclude, value))
        bad_value("EVY_PATCH_EXCLUDE", value,
                  "not a list of program and library names such as java,libfoo.so*");
}

bool config_excludes(const char *path)
{
    return names_match(&config.exclude, path);
}

void config_load(void)
{
    static const struct {
        const char *name;
        void (*load)(const char *value);
    } variables[] = {{"EVY_LOG", load_log}, /* first: the others may have something to say */
                     {"EVY_PATCH", load_patch},
                     {"EVY_HUBS", load_hubs},
                     {"EVY_STACK", load_stack},
                     {"EVY_HUB_METHOD", load_method},
                     {"EVY_CHILDREN", load_children},
                     {"EVY_BLOCKING_THREADS", load_blocking},
                     {"EVY_TRACE", load_trace},
                     {"EVY_STATS", load_stats},
                     {"EVY_PATCH_EXCLUDE", load_exclude}};
    config.hubs = config.linked ? 1 : cpus_allowed();
    for (size_t i = 0; i < array_len(variables); i++) {
        const char *value = env_get(variables[i].name);
        if (value)
            variables[i].load(value);
    }
}
