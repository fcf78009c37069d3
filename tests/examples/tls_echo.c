// flags: -levy-ssl -lssl -lcrypto
// A TLS echo server and its clients. The handshake is the handler's affair: a client that says nothing holds up nobody.
#include "cert.h"
#include "example.h"

#include <evy/ssl.h>

#define CLIENTS 20

static SSL_CTX *server_ctx, *client_ctx;
static int listener;

static int echo(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    char buf[1000];
    ssize_t n;
    (void)addr, (void)len, (void)arg;
    evy_ssl *s = evy_wrap_ssl(evy_dup(fd), server_ctx, EVY_SSL_SERVER);
    NEED(s && evy_ssl_set_timeout(s, 10) == 0);
    while ((n = evy_ssl_read(s, buf, sizeof buf)) > 0 && evy_ssl_sendall(s, buf, (size_t)n) == 0)
        ;
    evy_ssl_close(s);
    return 0;
}

static void *serve(void *arg)
{
    evy_serve(listener, echo, NULL, 0);
    return arg;
}

static void *talk(void *number)
{
    char text[3000], answer[sizeof text];
    ssize_t n;
    memset(text, 'a' + (int)(intptr_t)number, sizeof text);
    evy_ssl *s = evy_wrap_ssl(evy_connect_host("127.0.0.1", port_of(listener)), client_ctx,
                              EVY_SSL_STRICT_EOF);
    NEED(s && SSL_set_tlsext_host_name(evy_ssl_handle(s), "localhost") == 1 &&
         SSL_set1_host(evy_ssl_handle(s), "localhost") == 1);
    NEED(evy_ssl_sendall(s, text, sizeof text) == 0);
    for (size_t got = 0; got < sizeof answer; got += (size_t)n)
        NEED((n = evy_ssl_read(s, answer + got, sizeof answer - got)) > 0);
    NEED(memcmp(text, answer, sizeof text) == 0);
    NEED(evy_ssl_shutdown(s) == 0 && evy_ssl_read(s, answer, 1) == 0);
    evy_ssl_close(s);
    return NULL;
}

int main(void)
{
    X509 *ca;
    server_ctx = cert_server(&ca);
    client_ctx = cert_client(ca);
    listener = evy_listen("127.0.0.1", 0, 0, 0);
    NEED(listener >= 0 && evy_spawn_n(serve, NULL));
    int silent = evy_connect_host("127.0.0.1", port_of(listener));
    evy_pool *clients = evy_pool_new(CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        NEED(evy_pool_spawn_n(clients, talk, (void *)(intptr_t)i) == 0);
    NEED(evy_pool_waitall(clients) == 0);
    evy_close(silent);
    printf("%d clients had their bytes back\n", CLIENTS);
    return evy_pool_free(clients);
}
