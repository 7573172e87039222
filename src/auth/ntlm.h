// The messages of NTLM ([MS-NLMP] 2.2), and the arithmetic of NTLMv2 (3.3.2). Older forms (LM,
// NTLMv1) are not read.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"

enum {
    NTLM_UNICODE = 0x00000001,
    NTLM_OEM = 0x00000002,
    NTLM_REQUEST_TARGET = 0x00000004,
    NTLM_SIGN = 0x00000010,
    NTLM_SEAL = 0x00000020,
    NTLM_NTLM = 0x00000200,
    NTLM_ANONYMOUS = 0x00000800,
    NTLM_ALWAYS_SIGN = 0x00008000,
    NTLM_TARGET_TYPE_DOMAIN = 0x00010000,
    NTLM_EXTENDED_SECURITY = 0x00080000,
    NTLM_TARGET_INFO = 0x00800000,
    NTLM_VERSION = 0x02000000,
    NTLM_128 = 0x20000000,
    NTLM_KEY_EXCHANGE = 0x40000000,
    NTLM_56 = 0x80000000u,
};

// NEGOTIATE_MESSAGE: its flags are all that counts. False: it is none.
bool ntlm_read_negotiate(const uint8_t *data, size_t len, uint32_t *flags_out);

struct ntlm_challenge {
    uint32_t flags; // of the client's NEGOTIATE_MESSAGE
    uint8_t nonce[8];
    const char *domain, *domain_dns, *computer, *computer_dns;
    filetime_t now;
};
// CHALLENGE_MESSAGE (g_byte_array_unref).
GByteArray *ntlm_write_challenge(const struct ntlm_challenge *c);

// AUTHENTICATE_MESSAGE. Bytes are borrowed from the message.
struct ntlm_authenticate {
    uint32_t flags;
    const char *user, *domain; // in the arena
    const uint8_t *proof;      // NTProofStr, 16 bytes
    const uint8_t *blob;       // what follows it in the response
    size_t blob_len;
    const uint8_t *session_key; // EncryptedRandomSessionKey, 16 bytes; NULL: none
    bool has_mic;               // the blob says so
    size_t mic_at;              // where its 16 bytes are
};
// False: it is none. `*is_refused_out`: it has no user, or its response is not NTLMv2.
bool ntlm_read_authenticate(struct arena *arena, const uint8_t *data, size_t len,
                            struct ntlm_authenticate *out, bool *is_refused_out);

// Whether the proof fits the NT hash; the key of the session goes to `key_out`.
bool ntlm_verify(const struct ntlm_authenticate *a, const uint8_t nt_hash[16],
                 const uint8_t nonce[8], uint8_t key_out[16]);
// The key that the MIC is made with: the session's, or the one sent under it.
void ntlm_exported_key(const struct ntlm_authenticate *a, const uint8_t session_key[16],
                       uint8_t out[16]);
// Whether the MIC fits the three messages; `authenticate` is changed.
bool ntlm_verify_mic(const struct ntlm_authenticate *a, const uint8_t key[16], GBytes *negotiate,
                     GBytes *challenge, uint8_t *authenticate, size_t len);

// A check sum over what one side says ([MS-NLMP] 3.4.4.2, extended session security), as the first
// of its kind in that direction. `key` is the exported one.
#define NTLM_SIGNATURE_SIZE 16
void ntlm_sign(uint32_t flags, const uint8_t key[16], bool is_client, const uint8_t *data,
               size_t len, uint8_t out[NTLM_SIGNATURE_SIZE]);
