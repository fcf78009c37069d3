/* clone(), whatever it makes. */
#ifndef EVY_CLONE_H
#define EVY_CLONE_H

/* words are those after arg: parent_tid, tls, child_tid. Processes with all of their own are as those of _Fork, those that stop
   their parent as those of vfork. With CLONE_VM alone it is a kernel thread of the program's own: without thread-local
   storage it would take itself for the green thread that makes it, on whose TCB it runs natively, and gets a TCB of
   its own, in which everything is as in a new thread. */
int evy_clone(int (*fn)(void *), void *stack, int flags, void *arg, const long *words);

#endif
