// limit: 60
// Proves: what the kernel keeps for one thread changes for that thread alone, however often it waits and hubs change
// carriers, and for threads it makes from then on: working directory, umask and names of the host once unshared,
// capabilities, no_new_privs, a seccomp filter, a Landlock ruleset, the personality, file system ids, ids set by bare system
// calls, what it traces. All of that goes with the thread. Names set by prctl are the thread's.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { KINDS = 11, BYSTANDERS = 6, ROUNDS = 12 };

static atomic_int over;

static void own_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static __thread int unknown_to_kernel; /* it has no Landlock */

/* Nobody with it may make a FIFO. */
static void restrict_files(void)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_FIFO};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0) {
        CHECK(errno == ENOSYS || errno == EOPNOTSUPP);
        unknown_to_kernel = 1;
        return;
    }
    CHECK(syscall(SYS_landlock_restrict_self, rules, 0) == 0);
    close(rules);
}

static int restricted(void)
{
    char name[64];
    snprintf(name, sizeof name, "/tmp/thread_rights.%d.%d", getpid(), gettid());
    int denied = mkfifo(name, 0600) == -1 && errno == EACCES;
    CHECK(denied || unlink(name) == 0);
    return denied || unknown_to_kernel;
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, gettid()};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    int capset(void *, const void *);
    CHECK(capset((void *)16, none) == -1 && errno == EFAULT);
    CHECK(capset(&header, none) == 0);
}

static uint32_t capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, gettid()};
    struct __user_cap_data_struct data[2];
    int capget(void *, void *);
    CHECK(syscall(SYS_capget, &header, data) == 0 && header.pid == gettid());
    uint32_t effective = data[0].effective;
    CHECK(capget(&header, data) == 0 && data[0].effective == effective);
    CHECK(capget((void *)16, data) == -1 && errno == EFAULT && capget(NULL, data) == -1);
    header.version = 0;
    CHECK(capget(&header, data) == -1 && errno == EINVAL && header.version);
    return data[0].effective;
}

static void change(int kind)
{
    static const char other[] = "otherhost";
    switch (kind) {
    case 0:
        CHECK(unshare(CLONE_FS) == 0 && chdir("/tmp") == 0);
        break;
    case 1:
        CHECK(unshare(CLONE_FS) == 0);
        umask(0123);
        break;
    case 2:
        CHECK(unshare(CLONE_NEWUTS) == 0 && sethostname(other, sizeof other - 1) == 0);
        break;
    case 3:
        drop_capabilities();
        break;
    case 4:
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        break;
    case 5:
        own_filter();
        break;
    case 6:
        setfsgid(65534);
        setfsuid(65534);
        break;
    case 7:
        CHECK(syscall(SYS_setresuid, 1234, 1234, 0) == 0);
        break;
    case 8:
        CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
        break;
    case 9:
        restrict_files();
        break;
    default:
        CHECK(personality(ADDR_NO_RANDOMIZE) != -1);
    }
}

/* One bit for each kind of change that the calling thread has. */
static unsigned changes(void)
{
    char here[4096], host[100];
    mode_t mask = umask(022);
    umask(mask);
    CHECK(getcwd(here, sizeof here) && gethostname(host, sizeof host) == 0);
    unsigned set = strcmp(here, "/tmp") == 0;
    set |= (mask == 0123) << 1;
    set |= (strcmp(host, "otherhost") == 0) << 2;
    set |= (capabilities() == 0) << 3;
    set |= (unsigned)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) << 4;
    set |= (syscall(SYS_personality, 0xffffffff) == -1 && errno == EXDEV) << 5;
    set |= (setfsuid((uid_t)-1) == 65534) << 6;
    set |= (syscall(SYS_geteuid) == 1234) << 7;
    set |= (unsigned)prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) << 8;
    set |= (unsigned)restricted() << 9;
    set |= (personality(0xffffffff) == ADDR_NO_RANDOMIZE) << 10;
    return set;
}

static void computes(double seconds)
{
    double end = now() + seconds;
    while (now() < end)
        ;
}

/* Natively a thread inherits its creator's. */
static void *heir(void *arg)
{
    for (int i = 0; i < 3; i++) {
        usleep(500);
        CHECK(changes() == (unsigned)(size_t)arg);
    }
    return NULL;
}

/* Whether a program that the calling thread starts gets no new privileges. */
static int confined(void)
{
    char line[64] = "";
    FILE *f = popen("grep NoNewPrivs /proc/self/status", "r");
    CHECK(f && fgets(line, sizeof line, f) && pclose(f) == 0);
    return strstr(line, "1") != NULL;
}

static void *changer(void *arg)
{
    int kind = (int)(size_t)arg;
    char name[16];
    CHECK(changes() == 0);
    CHECK(prctl(PR_SET_NAME, "a name that is too long") == 0 && prctl(PR_GET_NAME, name) == 0);
    CHECK(strcmp(name, "a name that is ") == 0);
    change(kind);
    unsigned mine = changes();
    CHECK(mine & 1u << kind);
    for (int i = 0; i < ROUNDS; i++) {
        usleep(1000);
        if (i % 4 == 0)
            computes(0.02);
        CHECK(changes() == mine);
    }
    pthread_t t = spawn(heir, (void *)(size_t)mine);
    pthread_join(t, NULL);
    CHECK((unsigned)confined() == (mine >> 4 & 1));
    CHECK(changes() == mine);
    return (void *)(size_t)mine;
}

static void *bystander(void *arg)
{
    while (!over) {
        CHECK(changes() == 0);
        if ((size_t)arg % 3 == 0)
            computes(0.015);
        else if ((size_t)arg % 3 == 1)
            sched_yield();
        usleep(300);
    }
    return arg;
}

static void several(void)
{
    pthread_t t[KINDS], by[BYSTANDERS];
    over = 0;
    for (size_t i = 0; i < BYSTANDERS; i++)
        by[i] = spawn(bystander, (void *)i);
    for (size_t i = 0; i < KINDS; i++)
        t[i] = spawn(changer, (void *)i);
    for (int i = 0; i < KINDS; i++) {
        void *set;
        pthread_join(t[i], &set);
        printf(" %lx", (unsigned long)set);
    }
    CHECK(changes() == 0);
    over = 1;
    for (int i = 0; i < BYSTANDERS; i++)
        pthread_join(by[i], NULL);
    puts("");
}

/* Each leaves the descriptor it has waited for to a thread that waits for it, too. */
static void *waits_and_leaves(void *fd)
{
    char c;
    CHECK(unshare(CLONE_FS) == 0 && chdir("/tmp") == 0);
    CHECK(read((int)(size_t)fd, &c, 1) == 1);
    return NULL;
}

static void *waits(void *fd)
{
    char c;
    CHECK(read((int)(size_t)fd, &c, 1) == 1);
    return NULL;
}

static void many(void)
{
    for (int i = 0; i < 60; i++) {
        int fds[2];
        pthread_t t[8];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        for (int j = 0; j < 8; j++)
            t[j] = spawn(j % 4 ? waits : waits_and_leaves, (void *)(size_t)fds[0]);
        for (int j = 0; j < 8; j++) {
            CHECK(write(fds[1], "x", 1) == 1);
            if (j == 3)
                usleep(1000);
        }
        for (int j = 0; j < 8; j++)
            pthread_join(t[j], NULL);
        close(fds[0]);
        close(fds[1]);
    }
    CHECK(changes() == 0);
    puts("they come and go");
}

static void *debugs(void *arg)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        raise(SIGUSR1);
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL) == 0);
    computes(0.02);
    usleep(1000);
    CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WSTOPSIG(status) == SIGUSR1);
    usleep(1000);
    computes(0.02);
    CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    return arg;
}

static void *enters(void *arg)
{
    int fd = open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC);
    change(2);
    CHECK(changes() & 4);
    CHECK(setns(fd, CLONE_NEWUTS) == 0 && changes() == 0);
    close(fd);
    return arg;
}

/* What main changes, its children and later threads have, earlier threads have not. */
static void of_main(void)
{
    int status;
    pthread_t by = spawn(bystander, (void *)1);
    CHECK(unshare(CLONE_FS) == 0 && chdir("/tmp") == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    unsigned mine = changes();
    for (int i = 0; i < 20; i++) {
        usleep(300);
        CHECK(changes() == mine);
    }
    pthread_t t = spawn(heir, (void *)(size_t)mine);
    pthread_join(t, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        t = spawn(heir, (void *)(size_t)mine);
        pthread_join(t, NULL);
        _exit(changes() == mine ? 5 : 6);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    printf("main %x, its child ends with %x\n", mine, status);
    CHECK(system("/bin/pwd; grep NoNewPrivs /proc/self/status") == 0);
    over = 1;
    pthread_join(by, NULL);
}

int main(void)
{
    if (geteuid() != 0) {
        puts("nothing to change without rights");
        return 0;
    }
    umask(022);
    several();
    many();
    over = 0;
    pthread_t by = spawn(bystander, (void *)1), t[3];
    debugs(NULL);
    pthread_join(spawn(enters, NULL), NULL);
    for (int i = 0; i < 3; i++)
        t[i] = spawn(debugs, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    over = 1;
    pthread_join(by, NULL);
    puts("traced");
    over = 0;
    fflush(stdout);
    of_main();
    return 0;
}
