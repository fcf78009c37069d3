/* The program's pthread_atfork handlers, kept here instead of in glibc: there they would run on a TCB that is
   not the forking green thread's. */
#ifndef EVY_ATFORK_H
#define EVY_ATFORK_H

/* What pthread_atfork in every program and library calls. Returns 0 or ENOMEM. */
int evy___register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                          void *dso);

void atfork_prepare(void); /* last registered first */
void atfork_parent(void);  /* in the order of registration */
void atfork_child(void);

#endif
