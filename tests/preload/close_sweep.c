// methods
// Proves: closing every descriptor number in a loop while threads live says EBADF for all that the program does not
// have, and what the threads wait for afterwards still works.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "check.h"

static int pipe_fd[2];

static void *idle(void *arg)
{
    usleep(50000);
    return arg;
}

static void *reader(void *arg)
{
    char c;
    CHECK(read(pipe_fd[0], &c, 1) == 1 && c == 'x');
    return arg;
}

int main(void)
{
    struct rlimit limit;
    int closed = 0;
    pthread_t t[2] = {spawn(idle, NULL), spawn(idle, NULL)};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int fd = 3; fd < (int)limit.rlim_cur && fd < 100000; fd++) {
        errno = 0;
        int r = close(fd);
        CHECK(r == 0 || errno == EBADF);
        closed += r == 0 && fd > 9; // a test runner may leave a few low ones
    }
    CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0 && pipe(pipe_fd) == 0);
    t[0] = spawn(reader, NULL);
    t[1] = spawn(reader, NULL);
    usleep(20000);
    CHECK(write(pipe_fd[1], "xx", 2) == 2);
    CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);
    printf("closed above 9: %d\n", closed);
    return 0;
}
