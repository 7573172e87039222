// The messages of SPNEGO ([RFC 4178] 4.2) as far as a server needs them that chooses NTLM: GSSAPI
// reads them itself where Kerberos is chosen.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// negTokenInit or negTokenResp of a client. Bytes are borrowed from the message.
struct spnego_message {
    bool is_init; // negTokenInit
    bool has_kerberos, has_ntlm;
    bool is_ntlm_first;        // the token is NTLM's
    const uint8_t *mechanisms; // MechTypeList as it stands there, which the check sum is over
    size_t mechanisms_len;
    const uint8_t *token; // NULL: none
    size_t token_len;
    const uint8_t *check; // mechListMIC; NULL: none
    size_t check_len;
};
// False: it is none.
bool spnego_read(const uint8_t *data, size_t len, struct spnego_message *out);

enum spnego_state {
    SPNEGO_COMPLETED = 0,
    SPNEGO_INCOMPLETE = 1,
    SPNEGO_REJECTED = 2,
    SPNEGO_REQUEST_MIC = 3,
};
// negTokenResp (g_byte_array_unref). `names_ntlm`: supportedMech, in the first one. Token and check
// may be NULL.
GByteArray *spnego_write(enum spnego_state state, bool names_ntlm, const uint8_t *token,
                         size_t token_len, const uint8_t *check, size_t check_len);
