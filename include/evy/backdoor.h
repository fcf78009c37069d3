/* A way to look into a running program: a line protocol on a UNIX socket, e.g. for nc -U. Eventlet: backdoor (whose
   interpreter C does not have). */
#ifndef EVY_BACKDOOR_H
#define EVY_BACKDOOR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Answers on the connections that the listening socket gets, until it is closed or its green thread killed: run it by
   evy_spawn_n. A peer is served when it has the process's effective user id or is root (SO_PEERCRED); others, and those
   of other families than AF_UNIX, are hung up on. A request is a line:
     threads  one line per living green thread:
              thread ADDRESS hub N (light|pthread|main) (running|ready|waiting [SECONDS]) NAME
              where SECONDS is the time left to a limit of the wait
     hubs     hub N threads T switches S timers T watches W
     timers   timer hub N in SECONDS (thread ADDRESS|callback)
     fds      fd N (file|tcp|stream|socket|other) [nonblock] [hub N]
              those that green threads have used; hub N has it registered
     patch    patch MASK
     help, quit
   Each answer ends with a line "ok" or "error REASON". Returns -1 with errno of accept, ENOMEM, or that of blocking
   functions. Switches. */
int evy_backdoor_server(int listener);

#ifdef __cplusplus
}
#endif

#endif
