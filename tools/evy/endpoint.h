/* What the descriptors of another process are. */
#ifndef EVY_ENDPOINT_H
#define EVY_ENDPOINT_H

struct endpoints;

/* Reads the tables of internet sockets that the process sees. */
struct endpoints *endpoints_new(int pid);
void endpoints_free(struct endpoints *e);

/* What its descriptor fd is, such as "tcp 127.0.0.1:80 - 127.0.0.1:4711"; from malloc. */
char *endpoint_of(const struct endpoints *e, int fd);

#endif
