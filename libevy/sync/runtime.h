/* How libevy comes to life: first it learns about its surroundings, and at the first thread hubs begin to run. */
#ifndef EVY_RUNTIME_H
#define EVY_RUNTIME_H

/* Reads the environment, resolves libc. No descriptor, no thread, no allocation. Idempotent. */
void runtime_prepare(void);

/* Makes hubs and carriers; the calling thread becomes the main green thread. Returns 0 or -errno: -EAGAIN, -ENOTSUP
   (this libc's layout is not understood). Idempotent. */
int runtime_start(void);

#endif
