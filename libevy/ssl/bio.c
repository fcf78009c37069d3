#include "ssl/bio.h"

#include <errno.h>
#include <evy/patch.h>
#include <stdint.h>
#include <sys/socket.h>

/* The plain calls: a green one may give way to others, and the connection is locked here. */
static ssize_t (*plain_recv)(int, void *, size_t, int);
static ssize_t (*plain_send)(int, const void *, size_t, int);

static BIO_METHOD *method;

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int transferred(BIO *bio, ssize_t r, size_t *done, int retry)
{
    BIO_clear_retry_flags(bio);
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    *done = r > 0 ? (size_t)r : 0;
    if (r == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return r > 0;
}

static int bio_read(BIO *bio, char *buf, size_t n, size_t *done)
{
    return transferred(bio, plain_recv(fd_of(bio), buf, n, MSG_DONTWAIT), done, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *buf, size_t n, size_t *done)
{
    return transferred(bio, plain_send(fd_of(bio), buf, n, MSG_DONTWAIT | MSG_NOSIGNAL), done,
                       BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
    (void)number;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_C_GET_FD:
        if (arg)
            *(int *)arg = fd_of(bio);
        return fd_of(bio);
    default:
        return 0;
    }
}

/* Our own libc calls become green, so that they are for programs that patched nothing: the mutexes of a connection are
   held while waiting. */
__attribute__((constructor)) static void bio_init(void)
{
    evy_patch_object("libevy-ssl.so.0", EVY_PATCH_DEFAULT);
    plain_recv = (ssize_t(*)(int, void *, size_t, int))evy_original("recv");
    plain_send = (ssize_t(*)(int, const void *, size_t, int))evy_original("send");
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "evy");
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

BIO *socket_bio(int fd)
{
    BIO *bio = BIO_new(method);
    if (!bio)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    return bio;
}
