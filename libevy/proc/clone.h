/* Kernel threads of the program's own making. */
#ifndef EVY_CLONE_H
#define EVY_CLONE_H

/* clone with CLONE_VM and without CLONE_VFORK; words are those after arg: parent_tid, tls, child_tid. Without thread-local
   storage of its own what a green thread makes would take itself for that one, on whose TCB it runs natively: it
   gets a TCB of its own, in which everything is as in a new thread. */
int evy_clone_thread(int (*fn)(void *), void *stack, int flags, void *arg, const long *words);

#endif
