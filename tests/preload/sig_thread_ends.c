// Proves: a signal for the process, for which main was chosen, is main's: threads that end before main comes to run do
// not take it, and main's poll answers EINTR.
#include <poll.h>
#include <signal.h>

#include "check.h"

enum { TIMES = 20, THREADS = 50, TIMEOUT_MS = 5000 };

static pthread_t main_thread, handler_ran_on;
static pthread_barrier_t begun;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int sig)
{
    (void)sig;
    handler_ran_on = pthread_self();
}

static void *end_behind_gate(void *arg)
{
    pthread_barrier_wait(&begun);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *send_and_open(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_barrier_wait(&begun);
    usleep(5000);
    CHECK(kill(getpid(), SIGTERM) == 0);
    pthread_mutex_unlock(&gate);
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    main_thread = pthread_self();
    CHECK(signal(SIGTERM, on_signal) == SIG_DFL);
    for (int i = 0; i < TIMES; i++) {
        CHECK(pthread_barrier_init(&begun, NULL, THREADS) == 0);
        handler_ran_on = 0;
        for (int k = 0; k < THREADS; k++)
            t[k] = spawn(k ? end_behind_gate : send_and_open, NULL);
        CHECK(poll(NULL, 0, TIMEOUT_MS) == -1 && errno == EINTR);
        CHECK(pthread_equal(handler_ran_on, main_thread));
        for (int k = 0; k < THREADS; k++)
            CHECK(pthread_join(t[k], NULL) == 0);
    }
    puts("main handled every signal");
    return 0;
}
