/* The two values of glibc's pthread_spinlock_t, x86-64: it counts down. */
#ifndef EVY_SPINWORD_H
#define EVY_SPINWORD_H

#define SPINWORD_FREE 1
#define SPINWORD_HELD 0

#endif
