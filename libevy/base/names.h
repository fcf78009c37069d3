/* Lists of file name patterns, as EVY_CHILDREN and EVY_PATCH_EXCLUDE give them. */
#ifndef EVY_NAMES_H
#define EVY_NAMES_H

#include "base/base.h"

/* Copied: programs write over their environment (setproctitle). */
struct names {
    char text[512]; /* patterns, each followed by a NUL, then an empty one */
};

/* Splits "a,b*" into *n. Returns 0, or -EINVAL when a pattern is empty or has a slash, or all are too long. */
int names_parse(struct names *n, const char *value);

/* Whether the last component of path matches one of the patterns. */
bool names_match(const struct names *n, const char *path);

#endif
