// Starts threads for its caller: green ones, or native ones when its calls are left alone.
#include <dirent.h>
#include <pthread.h>

static void *wait_at(void *barrier)
{
    pthread_barrier_wait(static_cast<pthread_barrier_t *>(barrier));
    return nullptr;
}

static int kernel_threads()
{
    int count = -2; // . and ..
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count;
}

/* The kernel threads of the process while there are n more of the library's. */
extern "C" int threads_seen(int n)
{
    pthread_t threads[64];
    pthread_barrier_t end;
    pthread_barrier_init(&end, nullptr, n + 1);
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], nullptr, wait_at, &end);
    int seen = kernel_threads();
    pthread_barrier_wait(&end);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], nullptr);
    pthread_barrier_destroy(&end);
    return seen;
}
