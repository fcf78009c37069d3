#include "proc/children.h"

#include "base/config.h"

#include <dlfcn.h>
#include <string.h>

static const char variable[] = "LD_PRELOAD=";

static bool is_preload(const char *entry)
{
    return strncmp(entry, variable, sizeof variable - 1) == 0;
}

static bool inherits(const char *file)
{
    return config.children == CHILDREN_ALL ||
           (config.children == CHILDREN_SOME && names_match(&config.children_names, file));
}

size_t children_room(const char *file, char *const envp[])
{
    size_t count = 1, longest = 0;
    if (inherits(file) || !envp)
        return 1;
    for (; *envp; envp++, count++)
        if (is_preload(*envp))
            longest += strlen(*envp) + 1;
    return count + (longest + sizeof *envp - 1) / sizeof *envp;
}

/* The name we were loaded by, whatever its directory. */
static bool is_ours(const char *word, size_t length)
{
    static const char us;
    Dl_info info;
    if (dladdr(&us, &info) == 0)
        return false;
    const char *own = strrchr(info.dli_fname, '/'), *slash = memrchr(word, '/', length);
    own = own ? own + 1 : info.dli_fname;
    if (slash) {
        length -= (size_t)(slash + 1 - word);
        word = slash + 1;
    }
    return strlen(own) == length && memcmp(own, word, length) == 0;
}

/* Writes entry, an LD_PRELOAD, to `to` without us. Returns its length with the final NUL, 0 when nothing is left. */
static size_t strip(char *to, const char *entry)
{
    size_t used = sizeof variable - 1;
    memcpy(to, entry, used);
    for (const char *word = entry + used; *word;) {
        size_t length = strcspn(word, ": ");
        if (length && !is_ours(word, length)) {
            if (used > sizeof variable - 1)
                to[used++] = ':';
            memcpy(to + used, word, length);
            used += length;
        }
        word += length + (word[length] != '\0');
    }
    to[used] = '\0';
    return used > sizeof variable - 1 ? used + 1 : 0;
}

char *const *children_environment(char *room[], const char *file, char *const envp[])
{
    if (inherits(file) || !envp)
        return envp;
    size_t count = 0, at = 0;
    while (envp[count])
        count++;
    char *text = (char *)(room + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = is_preload(envp[i]) ? strip(text, envp[i]) : 0;
        if (length || !is_preload(envp[i]))
            room[at++] = length ? text : envp[i];
        text += length;
    }
    room[at] = NULL;
    return room;
}
