/* Threads on stacks of the program's own, as Lisp systems make them: each is known once, so that what looks at all
   threads, as a change of a signal mask does, finds an end; and the memory is the program's again after the join. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define STACK (256 << 10)

static pthread_barrier_t all, go;

static void *body(void *arg)
{
    char local;
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&go);
    return &local > (char *)arg && &local < (char *)arg + STACK ? arg : NULL;
}

static void set_mask(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (pthread_sigmask(how, &set, NULL))
        printf("mask\n");
}

int main(void)
{
    pthread_t t[3];
    void *result;
    char *stacks = mmap(NULL, sizeof t / sizeof *t * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_barrier_init(&all, NULL, 4);
    pthread_barrier_init(&go, NULL, 4);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            pthread_attr_setstack(&attr, stacks + i * STACK, STACK);
            printf("create %d\n", pthread_create(&t[i], &attr, body, stacks + i * STACK));
            set_mask(SIG_BLOCK);
            set_mask(SIG_UNBLOCK);
        }
        pthread_barrier_wait(&all);
        set_mask(SIG_BLOCK);
        set_mask(SIG_UNBLOCK);
        pthread_barrier_wait(&go);
        for (int i = 0; i < 3; i++) {
            pthread_join(t[i], &result);
            printf("on its stack %d\n", result == stacks + i * STACK);
        }
        memset(stacks, round, 3 * STACK);
        set_mask(SIG_BLOCK);
        set_mask(SIG_UNBLOCK);
    }
    return 0;
}
