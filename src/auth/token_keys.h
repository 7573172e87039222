// The public keys of a token's issuer.
#pragma once

#include <openssl/evp.h>

#include "auth/token.h"

enum token_algorithm { TOKEN_RS256, TOKEN_ES256, TOKEN_EDDSA };
struct token_key {
    EVP_PKEY *key;
    enum token_algorithm algorithm; // the one that the key is for
    char *id;                       // NULL: none
};
// The keys of the file's text; what is not understood is passed over. (GPtrArray of struct
// token_key.)
GPtrArray *token_keys_parse(const char *text, size_t len);
// As they are in the file now. EC_DISK_ERROR: it cannot be read.
enum ec token_keys_get(struct token_keys *keys, GPtrArray **out);
// "" to bytes from base64url without padding ([RFC 7515] 2); NULL: it is none.
uint8_t *token_base64url(struct arena *arena, const char *text, size_t len, size_t *len_out);
// A JSON object; NULL: it is none, or nested too deeply. (json_object_unref.)
struct _JsonObject *token_json_object(const char *text, size_t len);
