// DKIM signatures on what comes in ([RFC 6376], [RFC 8301], [RFC 8463]), and what ARC shares with
// them.
#pragma once

#include "policy/canon.h"
#include "policy/dkim_key.h"
#include "policy/fields.h"
#include "policy/resolver.h"
#include "policy/tags.h"

enum dkim_status { // as in Authentication-Results
    DKIM_NONE,
    DKIM_PASS,
    DKIM_FAIL,
    DKIM_POLICY,  // right, and still not accepted: not everything is signed
    DKIM_NEUTRAL, // wrong, by a domain that only tests
    DKIM_TEMPERROR,
    DKIM_PERMERROR,
};
const char *dkim_status_text(enum dkim_status status);

struct dkim_result {
    enum dkim_status status;
    const char *reason;    // a few words; NULL: none
    const char *domain;    // d=; NULL when there is none that is a name
    const char *selector;  // s=
    const char *identity;  // i=; NULL: not given
    const char *algorithm; // a=
    const char *b;         // the first 8 characters of the signature
};

// Checks every DKIM-Signature field from the top, DKIM_SIGNATURES_MAX at most. The results (n goes
// to *n_out) are in the arena.
struct dkim_result *dkim_verify(const struct resolver *dns, struct arena *arena,
                                const struct mail_fields *fields, unsigned *n_out);

// --- Shared with arc.c and dkim_sign.c ---

// What a signature field says.
struct dkim_signature {
    const struct mail_field *field;
    struct tag_list tags;
    const char *domain, *selector, *identity, *algorithm;
    enum canon header_canon, body_canon;
    char **names; // h=
    unsigned n_names;
    uint64_t body_limit; // l=; UINT64_MAX: not given
    uint8_t *hash, *signature;
    size_t hash_len, signature_len;
    bool is_ed25519;
};
// The result is DKIM_NONE when it can be checked further. `is_arc`: an ARC-Message-Signature, which
// has no v= and i= is a number there.
struct dkim_result dkim_signature_read(struct arena *arena, const struct mail_field *field,
                                       bool is_arc, struct dkim_signature *out);
struct dkim_result dkim_signature_check(const struct resolver *dns, struct arena *arena,
                                        const struct mail_fields *fields,
                                        const struct dkim_signature *s);
// Appends the fields that `names` choose, from the bottom up, in canonical form ([RFC 6376] 5.4.2).
void dkim_put_fields(struct arena *arena, const struct mail_fields *fields, enum canon how,
                     char *const *names, unsigned n, GString *out);
// Appends a signature field without the value of its b= and without its last CRLF.
void dkim_put_signature(struct arena *arena, const struct mail_field *field, enum canon how,
                        const struct tag *b, GString *out);
// Checks a hash of what was put together with the key that `s` names.
struct dkim_result dkim_check_hash(const struct resolver *dns, struct arena *arena,
                                   const struct dkim_signature *s, const GString *signed_text);
