#include "base/names.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

int names_parse(struct names *n, const char *value)
{
    size_t length = strlen(value);
    if (length > sizeof n->text - 2 || strchr(value, '/') || strstr(value, ",,") || *value == ',' ||
        !length || value[length - 1] == ',')
        return -EINVAL;
    memset(n->text, 0, sizeof n->text);
    memcpy(n->text, value, length);
    for (char *comma = n->text; (comma = strchr(comma, ','));)
        *comma++ = '\0';
    return 0;
}

bool names_match(const struct names *n, const char *path)
{
    const char *slash = strrchr(path, '/');
    for (const char *pattern = n->text; *pattern; pattern += strlen(pattern) + 1)
        if (fnmatch(pattern, slash ? slash + 1 : path, 0) == 0)
            return true;
    return false;
}
