/* EVY_CHILDREN: whether a program that is started keeps our entry in LD_PRELOAD. Used in children of vfork too: nothing
   is allocated, the caller lends the room on its stack. */
#ifndef EVY_CHILDREN_H
#define EVY_CHILDREN_H

#include "base/base.h"

/* Pointers that children_environment needs for this program, at least 1. */
size_t children_room(const char *file, char *const envp[]);

/* The environment for it: envp itself, or one in room, without us. */
char *const *children_environment(char *room[], const char *file, char *const envp[]);

/* Declares `env`, what the program `file` gets instead of envp. */
#define CHILD_ENVIRONMENT(env, file, envp)                                                         \
    char *room_of_##env[children_room(file, envp)];                                                \
    char *const *env = children_environment(room_of_##env, file, envp)

#endif
