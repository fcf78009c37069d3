// Starts threads in its constructor, which runs before main, and takes them back when asked.
#include <pthread.h>
#include <semaphore.h>

static pthread_t threads[3];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t born;
static bool stop;
static int count;
static thread_local int own = 5;

static void *body(void *)
{
    own++;
    pthread_mutex_lock(&lock);
    count += own;
    sem_post(&born);
    while (!stop)
        pthread_cond_wait(&cond, &lock);
    pthread_mutex_unlock(&lock);
    return &threads[own - 6];
}

__attribute__((constructor)) static void start()
{
    sem_init(&born, 0, 0);
    for (auto &thread : threads)
        pthread_create(&thread, nullptr, body, nullptr);
    sem_wait(&born); // one has run while there is no main yet
}

/* How often its threads have been counted, each with 6; they have ended then. */
extern "C" int born_end()
{
    void *result;
    int ended = 0;
    sem_wait(&born);
    sem_wait(&born);
    pthread_mutex_lock(&lock);
    stop = true;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    for (auto &thread : threads)
        ended += pthread_join(thread, &result) == 0 && result == &threads[0];
    return ended == 3 ? count / 6 : -1;
}
