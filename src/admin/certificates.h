// The private certificate authority of an installation and the server certificate it signs, so that
// TLS works from the first minute ([RFC 5280]).
//
// DIR/tls holds ca.pem (for clients to trust), ca-key.pem, cert.pem (the leaf, then the authority)
// and key.pem; keys have mode 0600. ECDSA on P-256.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

#define CERTIFICATE_RENEW_DAYS 30

// Makes authority and leaf in `tls_dir`, which exists. `hostname` and `domain` may be IDNs. The
// leaf's names: hostname, autodiscover.DOMAIN, localhost, 127.0.0.1, ::1. On failure *error_out
// (g_free) says what is wrong: EC_INVALID_PARAMETER (a name), EC_DISK_ERROR, EC_CALL_FAILED.
enum ec certificates_create(const char *tls_dir, const char *organization, const char *hostname,
                            const char *domain, char **error_out);

// Makes a new leaf with the key that is there, signed by the authority in `tls_dir`.
enum ec certificates_renew(const char *tls_dir, const char *hostname, const char *domain,
                           char **error_out);

// When the first certificate in a PEM file expires, in seconds since 1970. EC_NOT_FOUND,
// EC_FORMAT_ERROR.
enum ec certificate_expires(const char *cert_file, int64_t *out);

// A host name or domain as A-labels (g_free); NULL when it is none.
char *host_name_to_ascii(const char *name);
