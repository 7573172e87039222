// Checking ARC chains: the newest message signature and every seal ([RFC 8617] 5.2).
#include "policy/arc.h"

#include <glib.h>
#include <string.h>

#include "policy/limits.h"

// One instance: what one handler added.
struct arc_set {
    const struct mail_field *results, *signature, *seal;
};

const char *arc_status_text(enum arc_status status) {
    static const char *const texts[] = {"none", "pass", "fail"};
    return texts[status];
}

static void fail(struct arc_result *out, const char *reason) {
    out->status = ARC_FAIL;
    out->reason = reason;
}

// The instance in front of the field's tags; 0: none.
static unsigned read_instance(struct arena *arena, const struct mail_field *field) {
    const char *value = mail_field_value(arena, field);
    struct tag_list list;
    uint64_t n = 0;
    // ARC-Authentication-Results is no list of tags behind its first one.
    size_t len =
        mail_field_is(field, "ARC-Authentication-Results") ? strcspn(value, ";") : strlen(value);
    const char *i = tag_list_parse(arena, value, len, &list) ? tag_list_get(&list, "i") : NULL;
    return i && tag_number(i, &n) && n >= 1 && n <= ARC_SETS_MAX ? (unsigned)n : 0;
}

// False: a field without instance, or one twice.
static bool collect(struct arena *arena, const struct mail_fields *fields, struct arc_set *sets,
                    unsigned *n_out) {
    *n_out = 0;
    for (unsigned k = 0; k < fields->n; k++) {
        const struct mail_field *field = &fields->items[k];
        unsigned kind = mail_field_is(field, "ARC-Authentication-Results") ? 1
                        : mail_field_is(field, "ARC-Message-Signature")    ? 2
                        : mail_field_is(field, "ARC-Seal")                 ? 3
                                                                           : 0;
        if (!kind)
            continue;
        unsigned i = read_instance(arena, field);
        struct arc_set *set = &sets[i ? i - 1 : 0];
        const struct mail_field **place = kind == 1   ? &set->results
                                          : kind == 2 ? &set->signature
                                                      : &set->seal;
        if (!i || *place)
            return false;
        *place = field;
        *n_out = MAX(*n_out, i);
    }
    for (unsigned i = 0; i < *n_out; i++)
        if (!sets[i].results || !sets[i].signature || !sets[i].seal)
            return false;
    return true;
}

// The seal of set `i` (from 0), over everything that ARC added before and itself.
static const char *check_seal(const struct resolver *dns, struct arena *arena,
                              const struct arc_set *sets, unsigned i, const char **sealer_out) {
    const struct mail_field *seal = sets[i].seal;
    struct dkim_signature s = {.field = seal};
    if (!tag_list_parse(arena, seal->bytes + seal->value_at, seal->len - seal->value_at, &s.tags))
        return "a seal is not a list of tags";
    const char *cv = tag_list_get(&s.tags, "cv");
    const struct tag *b = tag_list_find(&s.tags, "b");
    s.domain = tag_list_get(&s.tags, "d");
    s.selector = tag_list_get(&s.tags, "s");
    s.algorithm = tag_list_get(&s.tags, "a");
    if (!cv || !b || !s.domain || !s.selector || !s.algorithm || tag_list_find(&s.tags, "h"))
        return "a seal lacks a tag";
    if (strcmp(cv, i == 0 ? "none" : "pass") != 0)
        return "a seal says that the chain was broken before";
    s.is_ed25519 = g_ascii_strcasecmp(s.algorithm, "ed25519-sha256") == 0;
    if (!s.is_ed25519 && g_ascii_strcasecmp(s.algorithm, "rsa-sha256") != 0)
        return "unknown algorithm in a seal";
    if (!tag_base64(arena, b->value, DKIM_RSA_MAX / 8, &s.signature, &s.signature_len))
        return "bad base64 in a seal";
    *sealer_out = s.domain;
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned k = 0; k <= i; k++) {
        canon_field(CANON_RELAXED, sets[k].results->bytes, sets[k].results->len, text);
        canon_field(CANON_RELAXED, sets[k].signature->bytes, sets[k].signature->len, text);
        if (k < i)
            canon_field(CANON_RELAXED, seal == sets[k].seal ? seal->bytes : sets[k].seal->bytes,
                        sets[k].seal->len, text);
    }
    dkim_put_signature(arena, seal, CANON_RELAXED, b, text);
    struct dkim_result r = dkim_check_hash(dns, arena, &s, text);
    return r.status == DKIM_PASS ? NULL : r.reason;
}

static const char *check_signature(const struct resolver *dns, struct arena *arena,
                                   const struct mail_fields *fields,
                                   const struct mail_field *field) {
    struct dkim_signature s;
    struct dkim_result r = dkim_signature_read(arena, field, true, &s);
    if (r.status == DKIM_NONE)
        r = dkim_signature_check(dns, arena, fields, &s);
    // An ARC-Seal must not be among what is signed (4.1.2).
    for (unsigned i = 0; i < s.n_names; i++)
        if (g_ascii_strcasecmp(s.names[i], "arc-seal") == 0)
            return "a message signature signs a seal";
    return r.status == DKIM_PASS ? NULL : r.reason;
}

void arc_check(const struct resolver *dns, struct arena *arena, const struct mail_fields *fields,
               struct arc_result *out) {
    struct arc_set sets[ARC_SETS_MAX] = {0};
    *out = (struct arc_result){0};
    if (!collect(arena, fields, sets, &out->n)) {
        fail(out, "the sets are not complete");
        return;
    }
    if (out->n == 0)
        return;
    out->sealers = arena_alloc0(arena, out->n * sizeof *out->sealers);
    const char *problem = check_signature(dns, arena, fields, sets[out->n - 1].signature);
    for (unsigned i = out->n; i-- > 0 && !problem;)
        problem = check_seal(dns, arena, sets, i, &out->sealers[i]);
    if (problem) {
        fail(out, problem);
        return;
    }
    out->status = ARC_PASS;
    const char *value = mail_field_value(arena, sets[0].results), *rest = strchr(value, ';');
    out->first_results = rest ? rest + 1 : "";
}

// Whether a result "dmarc=pass" stands in an Authentication-Results value. Comments and quoted
// texts are passed over: what they say was written by strangers.
static bool says_dmarc_passed(const char *value) {
    unsigned depth = 0;
    bool is_quoted = false, is_start = false; // behind a semicolon
    for (const char *p = value; *p; p++) {
        if (*p == '\\' && p[1] && (is_quoted || depth > 0)) {
            p++;
        } else if (is_quoted || depth > 0) {
            is_quoted = is_quoted && *p != '"';
            depth += !is_quoted && *p == '(';
            depth -= depth > 0 && *p == ')';
        } else if (*p == '"' || *p == '(') {
            is_quoted = *p == '"';
            depth = *p == '(';
        } else if (*p == ';') {
            is_start = true;
        } else if (*p != ' ' && *p != '\t') {
            if (is_start && g_ascii_strncasecmp(p, "dmarc=pass", 10) == 0 &&
                !g_ascii_isalnum(p[10]))
                return true;
            is_start = false;
        }
    }
    return false;
}

bool arc_vouches(const struct arc_result *arc, const char *trusted) {
    if (arc->status != ARC_PASS || !trusted || !*trusted)
        return false;
    for (unsigned i = 0; i < arc->n; i++)
        if (!tag_has_word(trusted, ' ', arc->sealers[i]))
            return false;
    return says_dmarc_passed(arc->first_results);
}
