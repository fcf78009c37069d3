/* Threads that wait in each way, for those who look at them from outside. Prints a line when all do. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];
static volatile int spinning = 1;

static void *locks(void *arg)
{
    pthread_mutex_lock(&lock);
    return arg;
}

static void *reads(void *arg)
{
    char c;
    return read(fds[0], &c, 1) ? arg : NULL;
}

static void *sleeps(void *arg)
{
    sleep(100);
    return arg;
}

static void *spins(void *arg)
{
    while (spinning)
        ;
    return arg;
}

/* An argument is the name of the thread that reads. */
int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void *(*body)(void *);
    } kinds[] = {{"locks", locks}, {"reads", reads}, {"sleeps", sleeps}, {"spins", spins}};
    pthread_t threads[4];
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, kinds[i].body, NULL);
        pthread_setname_np(threads[i], argc > 1 && i == 1 ? argv[1] : kinds[i].name);
    }
    struct timespec settle = {0, 200 * 1000 * 1000};
    nanosleep(&settle, NULL);
    puts("ready");
    fflush(stdout);
    pthread_join(threads[0], NULL);
    return 0;
}
