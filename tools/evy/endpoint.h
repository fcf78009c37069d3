#ifndef EVY_ENDPOINT_H
#define EVY_ENDPOINT_H

/* What the process's descriptor is, in words: a file's path, a socket's addresses. From malloc. */
char *endpoint_of(int pid, int fd);

#endif
