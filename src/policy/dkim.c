// Checking DKIM signatures.
#include "policy/dkim.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "policy/limits.h"

const char *dkim_status_text(enum dkim_status status) {
    static const char *const texts[] = {"none",    "pass",      "fail",     "policy",
                                        "neutral", "temperror", "permerror"};
    return texts[status];
}

static struct dkim_result result(const struct dkim_signature *s, enum dkim_status status,
                                 const char *reason) {
    return (struct dkim_result){
        .status = status,
        .reason = reason,
        .domain = s->domain,
        .selector = s->selector,
        .identity = s->identity,
        .algorithm = s->algorithm,
    };
}

// --- Reading the field ---

static bool read_canon(const char *text, struct dkim_signature *out) {
    static const char *const names[] = {"simple", "relaxed"};
    if (!text)
        return true;
    g_auto(GStrv) parts = g_strsplit(text, "/", 3);
    enum canon *to[] = {&out->header_canon, &out->body_canon};
    unsigned n = g_strv_length(parts);
    if (n == 0 || n > 2)
        return false;
    for (unsigned i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < G_N_ELEMENTS(names) && g_ascii_strcasecmp(parts[i], names[k]) != 0)
            k++;
        if (k == G_N_ELEMENTS(names))
            return false;
        *to[i] = (enum canon)k;
    }
    return true;
}

// h= as names; false: none of them is From (which must be signed), or there are too many.
static bool read_names(struct arena *arena, const char *text, struct dkim_signature *out) {
    g_auto(GStrv) parts = g_strsplit(tag_compact(arena, text), ":", DKIM_NAMES_MAX + 1);
    unsigned n = g_strv_length(parts);
    bool has_from = false;
    if (n == 0 || n > DKIM_NAMES_MAX)
        return false;
    out->names = arena_alloc(arena, n * sizeof *out->names);
    for (unsigned i = 0; i < n; i++) {
        if (!*parts[i])
            return false;
        out->names[out->n_names++] = arena_strdup(arena, parts[i]);
        has_from = has_from || g_ascii_strcasecmp(parts[i], "from") == 0;
    }
    return has_from;
}

static bool is_same_or_below(const char *name, const char *domain) {
    size_t n = strlen(name), d = strlen(domain);
    return n >= d && g_ascii_strcasecmp(name + n - d, domain) == 0 &&
           (n == d || name[n - d - 1] == '.');
}

// A name as it is asked for: labels of letters, digits, hyphens, underscores; or UTF-8.
static bool is_domain(const char *name) {
    size_t label = 0;
    for (const char *p = name; *p; p++) {
        bool is_good = g_ascii_isalnum(*p) || *p == '-' || *p == '_' || (*p & 0x80);
        if (*p == '.' ? label == 0 : !is_good)
            return false;
        label = *p == '.' ? 0 : label + 1;
    }
    return label > 0 && strlen(name) <= DNS_NAME_MAX;
}

static const char *check_times(const struct dkim_signature *s, enum dkim_status *status) {
    const char *t = tag_list_get(&s->tags, "t"), *x = tag_list_get(&s->tags, "x");
    uint64_t signed_at = 0, expires = UINT64_MAX;
    int64_t now = filetime_to_unix(clock_now());
    *status = DKIM_PERMERROR;
    if ((t && !tag_number(t, &signed_at)) || (x && !tag_number(x, &expires)))
        return "bad time";
    if (x && t && expires < signed_at)
        return "expires before it was made";
    *status = DKIM_FAIL;
    if (x && expires < (uint64_t)MAX(now - DKIM_SKEW, 0))
        return "signature expired";
    return signed_at > (uint64_t)MAX(now, 0) + DKIM_SKEW ? "signature is from the future" : NULL;
}

static const char *read_identity(struct arena *arena, struct dkim_signature *out) {
    const char *i = tag_list_get(&out->tags, "i");
    if (!i)
        return NULL;
    const char *at = strrchr(i, '@');
    out->identity = tag_compact(arena, i);
    return at && is_same_or_below(at + 1, out->domain) ? NULL : "i= is not below d=";
}

static const char *read_algorithm(struct dkim_signature *out) {
    if (g_ascii_strcasecmp(out->algorithm, "rsa-sha256") == 0)
        return NULL;
    out->is_ed25519 = g_ascii_strcasecmp(out->algorithm, "ed25519-sha256") == 0;
    if (g_ascii_strcasecmp(out->algorithm, "rsa-sha1") == 0)
        return "rsa-sha1 is not accepted";
    return out->is_ed25519 ? NULL : "unknown algorithm";
}

static const char *read_tags(struct arena *arena, bool is_arc, struct dkim_signature *out) {
    static const char *const required[] = {"a", "b", "bh", "d", "h", "s"};
    for (unsigned i = 0; i < G_N_ELEMENTS(required); i++)
        if (!tag_list_get(&out->tags, required[i]))
            return "a required tag is missing";
    const char *v = tag_list_get(&out->tags, "v"), *l = tag_list_get(&out->tags, "l"),
               *q = tag_list_get(&out->tags, "q"), *d = tag_list_get(&out->tags, "d"),
               *s = tag_list_get(&out->tags, "s");
    out->algorithm = tag_list_get(&out->tags, "a");
    if (!is_domain(d) || !is_domain(s))
        return "bad domain or selector";
    out->domain = d;
    out->selector = s;
    const char *problem = is_arc ? NULL : read_identity(arena, out);
    if (!problem)
        problem = read_algorithm(out);
    if (problem)
        return problem;
    if (is_arc ? v != NULL : !v || strcmp(v, "1") != 0)
        return "unknown version";
    if (!read_canon(tag_list_get(&out->tags, "c"), out))
        return "unknown canonicalization";
    if (q && !tag_has_word(q, ':', "dns/txt"))
        return "unknown query method";
    if (l && !tag_number(l, &out->body_limit))
        return "bad body length";
    if (!read_names(arena, tag_list_get(&out->tags, "h"), out))
        return "From is not signed";
    if (!tag_base64(arena, tag_list_get(&out->tags, "bh"), 64, &out->hash, &out->hash_len) ||
        !tag_base64(arena, tag_list_get(&out->tags, "b"), DKIM_RSA_MAX / 8, &out->signature,
                    &out->signature_len))
        return "bad base64";
    return NULL;
}

struct dkim_result dkim_signature_read(struct arena *arena, const struct mail_field *field,
                                       bool is_arc, struct dkim_signature *out) {
    *out = (struct dkim_signature){.field = field, .body_limit = UINT64_MAX};
    if (!tag_list_parse(arena, field->bytes + field->value_at, field->len - field->value_at,
                        &out->tags))
        return result(out, DKIM_PERMERROR, "not a list of tags");
    const char *problem = read_tags(arena, is_arc, out);
    enum dkim_status status = DKIM_PERMERROR;
    if (!problem)
        problem = check_times(out, &status);
    struct dkim_result r = result(out, problem ? status : DKIM_NONE, problem);
    const char *b = tag_list_get(&out->tags, "b");
    if (b) {
        char *compact = tag_compact(arena, b);
        r.b = arena_strndup(arena, compact, MIN(strlen(compact), 8));
    }
    return r;
}

// --- Putting together what was signed ---

void dkim_put_fields(struct arena *arena, const struct mail_fields *fields, enum canon how,
                     char *const *names, unsigned n, GString *out) {
    // For each name the place below which its fields are used up.
    bool *used = arena_alloc0(arena, fields->n + 1);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = fields->n; k-- > 0;)
            if (!used[k] && mail_field_is(&fields->items[k], names[i])) {
                used[k] = true;
                canon_field(how, fields->items[k].bytes, fields->items[k].len, out);
                break;
            }
}

void dkim_put_signature(struct arena *arena, const struct mail_field *field, enum canon how,
                        const struct tag *b, GString *out) {
    size_t start = field->value_at + b->at, rest = start + b->len;
    char *without = arena_alloc(arena, field->len);
    memcpy(without, field->bytes, start);
    memcpy(without + start, field->bytes + rest, field->len - rest);
    canon_field(how, without, field->len - b->len, out);
    g_string_truncate(out, out->len - 2);
}

struct dkim_result dkim_check_hash(const struct resolver *dns, struct arena *arena,
                                   const struct dkim_signature *s, const GString *signed_text) {
    static const struct {
        enum dkim_status status;
        const char *reason;
    } failures[] = {
        [DKIM_KEY_NONE] = {DKIM_PERMERROR, "no key"},
        [DKIM_KEY_REVOKED] = {DKIM_PERMERROR, "key revoked"},
        [DKIM_KEY_BAD] = {DKIM_PERMERROR, "bad key"},
        [DKIM_KEY_TEMPORARY] = {DKIM_TEMPERROR, "the DNS does not answer"},
    };
    struct dkim_key key;
    enum dkim_key_status status = dkim_key_fetch(dns, arena, s->selector, s->domain, &key);
    if (status != DKIM_KEY_OK)
        return result(s, failures[status].status, failures[status].reason);
    const char *at = s->identity ? strrchr(s->identity, '@') : NULL;
    struct dkim_result r;
    if (key.is_ed25519 != s->is_ed25519)
        r = result(s, DKIM_PERMERROR, "the key is of another kind");
    else if (!key.is_ed25519 && (key.bits < DKIM_RSA_MIN || key.bits > DKIM_RSA_MAX))
        r = result(s, DKIM_PERMERROR, "key too short or too long");
    else if (!key.is_for_email || !key.allows_sha256)
        r = result(s, DKIM_PERMERROR, "the key is not for this use");
    else if (key.is_exact && at && g_ascii_strcasecmp(at + 1, s->domain) != 0)
        r = result(s, DKIM_PERMERROR, "the key is not for subdomains");
    else {
        uint8_t hash[CANON_HASH_SIZE];
        EVP_Digest(signed_text->str, signed_text->len, hash, NULL, EVP_sha256(), NULL);
        bool is_good = dkim_key_verify(&key, hash, s->signature, s->signature_len);
        r = is_good          ? result(s, DKIM_PASS, NULL)
            : key.is_testing ? result(s, DKIM_NEUTRAL, "wrong signature, domain is testing")
                             : result(s, DKIM_FAIL, "wrong signature");
    }
    EVP_PKEY_free(key.key);
    return r;
}

struct dkim_result dkim_signature_check(const struct resolver *dns, struct arena *arena,
                                        const struct mail_fields *fields,
                                        const struct dkim_signature *s) {
    uint8_t hash[CANON_HASH_SIZE];
    uint64_t len;
    canon_body_hash(s->body_canon, fields->body, fields->body_len, s->body_limit, hash, &len);
    if (s->body_limit != UINT64_MAX && s->body_limit > len)
        return result(s, DKIM_PERMERROR, "the body is shorter than l=");
    if (s->hash_len != sizeof hash || memcmp(hash, s->hash, sizeof hash) != 0)
        return result(s, DKIM_FAIL, "the body was changed");
    g_autoptr(GString) text = g_string_sized_new(2048);
    dkim_put_fields(arena, fields, s->header_canon, s->names, s->n_names, text);
    dkim_put_signature(arena, s->field, s->header_canon, tag_list_find(&s->tags, "b"), text);
    struct dkim_result r = dkim_check_hash(dns, arena, s, text);
    // What was appended to the body could say anything ([RFC 6376] 8.2).
    if (r.status == DKIM_PASS && s->body_limit < len)
        r = result(s, DKIM_POLICY, "the end of the body is not signed");
    return r;
}

struct dkim_result *dkim_verify(const struct resolver *dns, struct arena *arena,
                                const struct mail_fields *fields, unsigned *n_out) {
    struct dkim_result *results = arena_alloc(arena, DKIM_SIGNATURES_MAX * sizeof *results);
    unsigned n = 0;
    const struct mail_field *field;
    while (n < DKIM_SIGNATURES_MAX &&
           (field = mail_fields_find(fields, "DKIM-Signature", n)) != NULL) {
        struct dkim_signature s;
        struct dkim_result first = dkim_signature_read(arena, field, false, &s);
        results[n] = first;
        if (first.status == DKIM_NONE)
            results[n] = dkim_signature_check(dns, arena, fields, &s);
        results[n++].b = first.b;
    }
    *n_out = n;
    return results;
}
