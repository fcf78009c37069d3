/* The two values of glibc's pthread_spinlock_t, aarch64: the generic ones. */
#ifndef EVY_SPINWORD_H
#define EVY_SPINWORD_H

#define SPINWORD_FREE 0
#define SPINWORD_HELD 1

#endif
