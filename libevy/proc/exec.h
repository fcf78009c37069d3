/* Starting other programs: they inherit the signal mask of the calling green thread, not its carrier's. exec is also
   called in children of vfork, on our memory: nothing of ours changes there. */
#ifndef EVY_EXEC_H
#define EVY_EXEC_H

#include <spawn.h>

int evy_execve(const char *path, char *const argv[], char *const envp[]);
int evy_execv(const char *path, char *const argv[]);
int evy_execvp(const char *file, char *const argv[]);
int evy_execvpe(const char *file, char *const argv[], char *const envp[]);
int evy_fexecve(int fd, char *const argv[], char *const envp[]);
int evy_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags);
int evy_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                    const posix_spawnattr_t *attr, char *const argv[], char *const envp[]);
int evy_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attr, char *const argv[], char *const envp[]);

/* Around vfork's system call. The child, which runs on our memory, is no green thread: what it does to descriptors,
   signals and locks is the kernel's business alone. It has the caller's signal mask. */
struct green *evy_vfork_begin(void);
pid_t evy_vfork_end(struct green *g, long r);

#endif
