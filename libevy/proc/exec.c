#include "proc/exec.h"

#include "body/green.h"
#include "io/fdtab.h"
#include "io/io.h"
#include "proc/children.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "real/real.h"

#include <unistd.h>

/* Back only if it failed. errno is the call's: the raw system calls of lending do not touch it. */
#define LENT(call)                                                                                 \
    ({                                                                                             \
        own_thread_for_child();                                                                    \
        fdtab_share_all();                                                                         \
        signals_lend_mask();                                                                       \
        int r_ = (call);                                                                           \
        signals_take_back_mask();                                                                  \
        r_;                                                                                        \
    })

int evy_execve(const char *path, char *const argv[], char *const envp[])
{
    CHILD_ENVIRONMENT(env, path, envp);
    return LENT(REAL(execve)(path, argv, env));
}

int evy_execv(const char *path, char *const argv[])
{
    return evy_execve(path, argv, environ);
}

int evy_execvp(const char *file, char *const argv[])
{
    return evy_execvpe(file, argv, environ);
}

int evy_execvpe(const char *file, char *const argv[], char *const envp[])
{
    CHILD_ENVIRONMENT(env, file, envp);
    return LENT(REAL(execvpe)(file, argv, env));
}

/* Only its argument tells the name of a program that is given as a descriptor. */
static const char *name_in(char *const argv[])
{
    return argv && argv[0] ? argv[0] : "";
}

int evy_fexecve(int fd, char *const argv[], char *const envp[])
{
    CHILD_ENVIRONMENT(env, name_in(argv), envp);
    return LENT(REAL(fexecve)(fd, argv, env));
}

int evy_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    CHILD_ENVIRONMENT(env, *path ? path : name_in(argv), envp);
    return LENT(REAL(execveat)(dir, path, argv, env, flags));
}

int evy_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    CHILD_ENVIRONMENT(env, path, envp);
    return LENT(REAL(posix_spawn)(pid, path, actions, attr, argv, env));
}

int evy_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    CHILD_ENVIRONMENT(env, file, envp);
    return LENT(REAL(posix_spawnp)(pid, file, actions, attr, argv, env));
}

struct green *evy_vfork_begin(void)
{
    struct green *g = self();
    own_thread_for_child();
    if (g) {
        fdtab_share_all();
        signals_lend_mask();
    }
    vforked_green = g;
    __atomic_store_n(&self_green, NULL, __ATOMIC_RELEASE);
    return g;
}

pid_t evy_vfork_end(struct green *g, long r)
{
    __atomic_store_n(&self_green, g, __ATOMIC_RELEASE);
    __atomic_store_n(&vforked_green, NULL, __ATOMIC_RELEASE);
    if (g)
        signals_take_back_mask();
    return (pid_t)errno_edge(r);
}
