/* The program's pthread_atfork handlers, kept here instead of in glibc: there they would run on a TCB that is
   not the forking green thread's. */
#ifndef EVY_ATFORK_H
#define EVY_ATFORK_H

#include <stddef.h>

/* What pthread_atfork in every program and library calls. Returns 0 or ENOMEM. */
int evy___register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                          void *dso);

/* A library is closed: its handlers go. */
void atfork_drop(const void *dso);

/* Those that are registered meanwhile are not for this fork: n is what atfork_prepare has returned. */
size_t atfork_prepare(void);  /* last registered first */
void atfork_parent(size_t n); /* in the order of registration */
void atfork_child(size_t n);

#endif
