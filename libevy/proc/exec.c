#include "proc/exec.h"

#include "core/green.h"
#include "io/io.h"
#include "proc/signals.h"
#include "real/real.h"

/* Back only if it failed. errno is the call's: the raw system calls of lending do not touch it. */
#define LENT(call)                                                                                 \
    ({                                                                                             \
        signals_lend_mask();                                                                       \
        int r_ = (call);                                                                           \
        signals_take_back_mask();                                                                  \
        r_;                                                                                        \
    })

int evy_execve(const char *path, char *const argv[], char *const envp[])
{
    return LENT(REAL(execve)(path, argv, envp));
}

int evy_execv(const char *path, char *const argv[])
{
    return LENT(REAL(execv)(path, argv));
}

int evy_execvp(const char *file, char *const argv[])
{
    return LENT(REAL(execvp)(file, argv));
}

int evy_execvpe(const char *file, char *const argv[], char *const envp[])
{
    return LENT(REAL(execvpe)(file, argv, envp));
}

int evy_fexecve(int fd, char *const argv[], char *const envp[])
{
    return LENT(REAL(fexecve)(fd, argv, envp));
}

int evy_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    return LENT(REAL(execveat)(dir, path, argv, envp, flags));
}

int evy_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    return LENT(REAL(posix_spawn)(pid, path, actions, attr, argv, envp));
}

int evy_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    return LENT(REAL(posix_spawnp)(pid, file, actions, attr, argv, envp));
}

struct green *evy_vfork_begin(void)
{
    struct green *g = self();
    if (g)
        signals_lend_mask();
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
