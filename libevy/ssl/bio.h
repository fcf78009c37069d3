/* The transport of a connection: a socket that never blocks and never switches, whatever is patched. */
#ifndef EVY_SSL_BIO_H
#define EVY_SSL_BIO_H

#include <openssl/bio.h>

/* A BIO over fd, which it does not own. NULL without memory. */
BIO *socket_bio(int fd);

#endif
