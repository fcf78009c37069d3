// Proves: a program started by any means while threads wait finds its inherited descriptors blocking or not as the
// starting program left them.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "check.h"

extern char **environ;

static int listener, both[2], set;
static char *args[8], texts[4][16], command[8192];

static void *accepts(void *arg)
{
    CHECK(accept(listener, NULL, NULL) >= 0);
    return arg;
}

static void *reads(void *arg)
{
    char c;
    CHECK(read(both[0], &c, 1) == 1);
    return arg;
}

static void wait_for(pid_t pid)
{
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static pid_t by_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execv(args[0], args);
        _exit(1);
    }
    return pid;
}

static void start(int how)
{
    pid_t pid;
    char line[64];
    FILE *f;
    switch (how) {
    case 0:
        CHECK(posix_spawn(&pid, args[0], NULL, NULL, args, environ) == 0);
        break;
    case 1:
        pid = by_vfork();
        break;
    case 2:
        if ((pid = fork()) == 0)
            execv(args[0], args);
        break;
    case 3:
        CHECK(system(command) == 0);
        return;
    default:
        CHECK((f = popen(command, "r")) && fgets(line, sizeof line, f) && pclose(f) == 0);
        printf("%s", line);
        return;
    }
    wait_for(pid);
}

static int tell(char *argv[])
{
    for (int i = 1; argv[i]; i++)
        printf("%d%s", !!(fcntl(atoi(argv[i]), F_GETFL) & O_NONBLOCK), argv[i + 1] ? " " : "\n");
    return 0;
}

static struct sockaddr_in at = {.sin_family = AF_INET};
static socklen_t size = sizeof at;

static void name_them(void)
{
    static char self[4096];
    int fds[] = {listener, both[0], both[1], set};
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    args[0] = self;
    for (int i = 0; i < 4; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", fds[i]);
        args[i + 1] = texts[i];
    }
    snprintf(command, sizeof command, "'%s' %s %s %s %s", self, texts[0], texts[1], texts[2],
             texts[3]);
}

// All descriptors are new, so that nobody has shared them before; the last way is to exec in this process.
static void *starts(void *arg)
{
    pthread_t t[2];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int how = 0; how <= 5; how++) {
        at.sin_port = 0;
        listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(bind(listener, (void *)&at, size) == 0 && listen(listener, 5) == 0);
        CHECK(getsockname(listener, (void *)&at, &size) == 0);
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0);
        set = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        name_them();
        t[0] = spawn(accepts, NULL);
        t[1] = spawn(reads, NULL);
        usleep(10000);
        if (how == 5)
            break;
        start(how);
        int c = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(c, (void *)&at, size) == 0 && write(both[1], "x", 1) == 1);
        CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);
        close(set);
        close(c);
    }
    execv(args[0], args);
    return arg;
}

int main(int argc, char *argv[])
{
    if (argc > 1)
        return tell(argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_join(spawn(starts, NULL), NULL);
    return 1;
}
