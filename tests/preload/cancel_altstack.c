// Proves: a thread that is cancelled or ends itself in a handler on its alternate stack runs the cleanups there, then those
// of what the handler interrupted on the thread's own stack; whether it was put off or ran at once.
#include "check.h"

#include <signal.h>

static char alternate[64 << 10], order[16];
static volatile sig_atomic_t on_it, in_body, in_handler;
static volatile unsigned long spun;
static int fds[2];

static void waits(void)
{
    char c;
    CHECK(read(fds[0], &c, 1) == 1);
}

static void spins(void)
{
    for (;;)
        spun++;
}

static void cancels_itself(void)
{
    int old;
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old) == 0);
    CHECK(pthread_cancel(pthread_self()) == 0);
}

static void ends(void)
{
    pthread_exit(PTHREAD_CANCELED);
}

/* volatile: the compiler shall not know that some of them call nothing that unwinds. */
static void (*volatile body_does)(void);
static void (*volatile handler_does)(void);

static void note(void *what)
{
    size_t at = (size_t)((char *)&what - alternate);
    strcat(order, (const char *)what);
    strcat(order, at < sizeof alternate ? "a" : "n");
}

static __attribute__((noinline)) void in_handlers_call(void)
{
    pthread_cleanup_push(note, (void *)"1");
    in_handler = 1;
    handler_does();
    pthread_cleanup_pop(0);
}

static void handler(int sig)
{
    stack_t now;
    (void)sig;
    on_it = sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK;
    pthread_cleanup_push(note, (void *)"2");
    in_handlers_call();
    pthread_cleanup_pop(0);
}

static __attribute__((noinline)) void in_bodys_call(void)
{
    pthread_cleanup_push(note, (void *)"3");
    in_body = 1;
    body_does();
    pthread_cleanup_pop(0);
}

static void *body(void *arg)
{
    stack_t mine = {};
    mine.ss_sp = alternate;
    mine.ss_size = sizeof alternate;
    CHECK(sigaltstack(&mine, NULL) == 0);
    pthread_cleanup_push(note, (void *)"4");
    in_bodys_call();
    pthread_cleanup_pop(0);
    return arg;
}

static void end_in_handler(void (*interrupted)(void), void (*then)(void))
{
    void *result;
    body_does = interrupted;
    handler_does = then;
    *order = 0;
    on_it = in_body = in_handler = 0;
    pthread_t t = spawn(body, NULL);
    while (!in_body)
        usleep(1000);
    usleep(10000);
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    while (!in_handler)
        usleep(1000);
    usleep(10000);
    if (then == waits)
        CHECK(pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    printf("%s%s\n", order, on_it ? "" : " elsewhere");
}

int main(void)
{
    struct sigaction act = {};
    act.sa_handler = handler;
    act.sa_flags = SA_ONSTACK;
    CHECK(pipe(fds) == 0 && sigaction(SIGUSR1, &act, NULL) == 0);
    end_in_handler(waits, waits);
    end_in_handler(waits, cancels_itself);
    end_in_handler(waits, ends);
    end_in_handler(spins, waits);
    end_in_handler(spins, cancels_itself);
    end_in_handler(spins, ends);
    return 0;
}
