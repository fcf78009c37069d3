// Proves: who waits in shared memory is woken from another process also where other memory was mapped at that address before
// and waited for.
#define _GNU_SOURCE
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

static sem_t *map(void *where)
{
    sem_t *sem = mmap(where, 4096, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);
    CHECK(sem != MAP_FAILED && sem_init(sem, 1, 0) == 0);
    return sem;
}

static int wait_ms(sem_t *sem, long ms)
{
    struct timespec at;
    CHECK(clock_gettime(CLOCK_REALTIME, &at) == 0);
    at.tv_nsec += ms % 1000 * 1000000;
    at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return sem_timedwait(sem, &at);
}

static void posts(sem_t *sem)
{
    usleep(20000);
    _exit(sem_post(sem));
}

static void *waits(void *arg)
{
    sem_t *sem = map(NULL);
    int status;
    for (int i = 0; i < 3; i++) {
        CHECK(wait_ms(sem, 2) == -1 && errno == ETIMEDOUT);
        sem = map(sem);
        pid_t pid = fork();
        if (pid == 0)
            posts(sem);
        CHECK(wait_ms(sem, 10000) == 0);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return arg;
}

int main(void)
{
    CHECK(pthread_join(spawn(waits, NULL), NULL) == 0);
    puts("woken each time");
    return 0;
}
