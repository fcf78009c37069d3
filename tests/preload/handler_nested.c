/* A handler that asks for restart waits for a second one that does not, as threads do that are stopped and resumed by
   two signals. The call that the first has interrupted goes on. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sem_t stopped, resumed, item;
static int ends[2], ends_of_pipe[2];
static pid_t child;

static void resume(int sig)
{
    (void)sig;
}

static void stop(int sig)
{
    sigset_t all;
    (void)sig;
    sem_post(&stopped);
    sigfillset(&all);
    sigdelset(&all, SIGUSR2);
    sigsuspend(&all);
    sem_post(&resumed);
}

static int receive(void)
{
    char c;
    return (int)recv(ends[0], &c, 1, 0);
}

static int send_it(void)
{
    return (int)send(ends[1], "x", 1, 0);
}

static int read_it(void)
{
    char c;
    return (int)read(ends_of_pipe[0], &c, 1);
}

static int write_it(void)
{
    return (int)write(ends_of_pipe[1], "x", 1);
}

static int take(void)
{
    return sem_wait(&item);
}

static int post(void)
{
    return sem_post(&item);
}

static int await_child(void)
{
    return waitpid(child, NULL, 0) == child;
}

static int end_child(void)
{
    return kill(child, SIGKILL);
}

static const struct kind {
    const char *name;
    int (*wait)(void), (*end)(void);
} kinds[] = {
    {"recv", receive, send_it},
    {"read", read_it, write_it},
    {"sem_wait", take, post},
    {"waitpid", await_child, end_child},
};

static void *body(void *arg)
{
    const struct kind *k = arg;
    errno = 0;
    int r = k->wait();
    printf("%s: %d %s\n", k->name, r, r < 0 ? strerror(errno) : "");
    return NULL;
}

static void pass(long ms)
{
    struct timespec ts = {0, ms * 1000000};
    nanosleep(&ts, NULL);
}

static void handle(int sig, void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    sigfillset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

int main(void)
{
    handle(SIGUSR1, stop, SA_RESTART);
    handle(SIGUSR2, resume, 0);
    sem_init(&stopped, 0, 0);
    sem_init(&resumed, 0, 0);
    sem_init(&item, 0, 0);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || pipe(ends_of_pipe))
        return 1;
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pthread_t t;
        pthread_create(&t, NULL, body, (void *)&kinds[i]);
        for (int round = 0; round < 3; round++) {
            pass(20); /* until it waits */
            pthread_kill(t, SIGUSR1);
            sem_wait(&stopped);
            pass(5);
            pthread_kill(t, SIGUSR2);
            sem_wait(&resumed);
        }
        if (kinds[i].end() < 0)
            return 1;
        pthread_join(t, NULL);
    }
    return 0;
}
