// The NT hash of a password ([MS-NLMP] 3.3.1 NTOWFv1): MD4 of its UTF-16LE text.
//
// It is as good as the password itself to an NTLM client, so it is made only where NTLM is switched
// on.
#pragma once

#include <stddef.h>
#include <stdint.h>

void nt_hash(const char *password, uint8_t out[16]);

// MD4 (RFC 1320). OpenSSL 3 has it only in a provider that need not be installed.
void md4(const uint8_t *data, size_t len, uint8_t out[16]);
