// OpenSSL 3. Its macros, which Swift does not see, as inline functions and constants.
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// MARK: options and modes

static const uint64_t copenssl_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION,
                      copenssl_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION,
                      copenssl_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE,
                      copenssl_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA,
                      copenssl_OP_NO_TICKET = SSL_OP_NO_TICKET;

static inline long copenssl_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static const long copenssl_MODE_ACCEPT_MOVING_WRITE_BUFFER = SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;

static inline long copenssl_CTX_set_min_proto_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_min_proto_version(context, version);
}
static inline long copenssl_CTX_set_max_proto_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_max_proto_version(context, version);
}
static inline long copenssl_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
  return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline long copenssl_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
  return SSL_CTX_add1_chain_cert(context, certificate);
}
// The keys that tickets are sealed with: 80 bytes; returns 1.
static inline long copenssl_CTX_get_ticket_keys(SSL_CTX *context, void *keys, int count) {
  return SSL_CTX_get_tlsext_ticket_keys(context, keys, count);
}
static inline long copenssl_CTX_set_ticket_keys(SSL_CTX *context, void *keys, int count) {
  return SSL_CTX_set_tlsext_ticket_keys(context, keys, count);
}

// MARK: names

typedef int (*copenssl_servername_callback)(SSL *session, int *alert, void *argument);
static inline void copenssl_CTX_set_servername_callback(
    SSL_CTX *context, copenssl_servername_callback callback, void *argument) {
  SSL_CTX_set_tlsext_servername_callback(context, callback);
  SSL_CTX_set_tlsext_servername_arg(context, argument);
}
static inline long copenssl_set_host_name(SSL *session, const char *name) {
  return SSL_set_tlsext_host_name(session, name);
}
static inline int copenssl_general_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *copenssl_general_name(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}
// The text of a DNS name, or NULL for names of other kinds.
static inline const ASN1_STRING *copenssl_dns_name(const GENERAL_NAME *name) {
  return name->type == GEN_DNS ? name->d.dNSName : NULL;
}
static inline void copenssl_free_general_names(void *names) { GENERAL_NAMES_free((GENERAL_NAMES *)names); }

static const unsigned long copenssl_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;

// MARK: BIOs and errors

static inline void copenssl_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void copenssl_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int copenssl_error_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int copenssl_error_reason(unsigned long error) { return ERR_GET_REASON(error); }
