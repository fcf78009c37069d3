// What a thread that could not be made has opened is closed again: the number it had is the program's.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMIT 64
#define TRIES 3

static void *nothing(void *arg)
{
    return arg;
}

static int make_thread(void)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, nothing, NULL);
    return error ? error : pthread_join(t, NULL);
}

static int fill(void)
{
    int fd, last = -1;
    while ((fd = dup(STDOUT_FILENO)) >= 0)
        last = fd;
    return last;
}

int main(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return EXIT_FAILURE;
    int last = fill();
    printf("full up to %d\n", last);
    close(last);
    for (int i = 0; i < TRIES; i++)
        make_thread(); /* natively it needs no descriptor */
    printf("the free number: %d\n", dup(STDOUT_FILENO) == last);
    printf("close: %d\n", close(last));
    for (int fd = LIMIT / 2; fd < LIMIT; fd++)
        close(fd);
    printf("with room: %d\n", make_thread());
    return EXIT_SUCCESS;
}
