// Takes locks in a constructor that runs before those of libraries loaded earlier.
#include <pthread.h>
#include <semaphore.h>

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem;
static int ran;

static void run_once()
{
    ran++;
}

static void lock_all()
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
    pthread_once(&once, run_once);
    sem_post(&sem);
    sem_wait(&sem);
}

__attribute__((constructor)) static void early()
{
    sem_init(&sem, 0, 0);
    lock_all();
    pthread_mutex_lock(&held);
}

extern "C" int early_again()
{
    lock_all();
    return ran;
}

extern "C" int early_release()
{
    int tried = pthread_mutex_trylock(&held);
    pthread_mutex_unlock(&held);
    return tried;
}
