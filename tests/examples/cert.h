/* A certificate for "localhost" that signs itself, and contexts that use it. */
#ifndef CERT_H
#define CERT_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static inline void cert_need(int good)
{
    if (!good)
        abort();
}

/* The server's context; *ca becomes what a client has to trust. */
static inline SSL_CTX *cert_server(X509 **ca)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    cert_need(key && x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_set_version(x, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *alt = X509V3_EXT_nconf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x, alt, -1);
    X509_EXTENSION_free(alt);
    cert_need(X509_sign(x, key, EVP_sha256()) > 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    cert_need(ctx && SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    EVP_PKEY_free(key);
    *ca = x;
    return ctx;
}

/* A client's context that trusts ca alone. */
static inline SSL_CTX *cert_client(X509 *ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    cert_need(ctx && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

#endif
