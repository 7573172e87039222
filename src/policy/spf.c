// Evaluating SPF: check_host() of [RFC 7208] 4, with its limits on lookups.
#include "policy/spf.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "policy/limits.h"
#include "policy/spf_internal.h"

struct check {
    const struct resolver *dns;
    struct arena *arena;
    struct spf_macro_values values;
    unsigned lookups, voids;
    gint64 deadline; // of the monotonic clock
    const char *explanation;
};

const char *spf_result_text(enum spf_result result) {
    static const char *const texts[] = {"none",     "neutral",   "pass",     "fail",
                                        "softfail", "temperror", "permerror"};
    return texts[result];
}

enum found { FOUND_NO, FOUND_YES, FOUND_TEMPERROR, FOUND_PERMERROR };

static enum spf_result check_host(struct check *c, const char *domain);

// --- Questions ---

// Asks; an answer without records counts as void. FOUND_YES: there are records.
static enum found ask(struct check *c, const char *name, enum dns_type type,
                      struct dns_answer *out) {
    *out = (struct dns_answer){.status = DNS_FAILED};
    if (g_get_monotonic_time() > c->deadline)
        return FOUND_TEMPERROR;
    resolver_ask(c->dns, c->arena, name, type, out);
    if (out->status == DNS_OK)
        return FOUND_YES;
    if (out->status == DNS_FAILED || out->status == DNS_BOGUS)
        return FOUND_TEMPERROR;
    return FOUND_NO;
}

// The same for a term's own question: too many without an answer are an error.
static enum found ask_for_term(struct check *c, const char *name, enum dns_type type,
                               struct dns_answer *out) {
    enum found found = ask(c, name, type, out);
    if (found == FOUND_NO && ++c->voids > SPF_VOIDS_MAX)
        return FOUND_PERMERROR;
    return found;
}

static bool in_network(const struct check *c, const uint8_t *network, bool is_v6, unsigned prefix) {
    if (is_v6 != c->values.is_ipv6)
        return false;
    unsigned bytes = prefix / 8, bits = prefix % 8;
    if (memcmp(network, c->values.address, bytes) != 0)
        return false;
    return bits == 0 || (network[bytes] ^ c->values.address[bytes]) >> (8 - bits) == 0;
}

static bool is_address_of(const struct check *c, const struct dns_answer *answer,
                          const struct spf_term *term) {
    bool is_v6 = c->values.is_ipv6;
    for (unsigned i = 0; i < answer->n; i++) {
        uint8_t bytes[16];
        if (inet_pton(is_v6 ? AF_INET6 : AF_INET, answer->records[i].address, bytes) == 1 &&
            in_network(c, bytes, is_v6, is_v6 ? term->prefix6 : term->prefix4))
            return true;
    }
    return false;
}

// --- Mechanisms ---

static enum found match_a(struct check *c, const char *name, const struct spf_term *term) {
    struct dns_answer answer;
    enum found found = ask_for_term(c, name, c->values.is_ipv6 ? DNS_AAAA : DNS_A, &answer);
    return found == FOUND_YES && !is_address_of(c, &answer, term) ? FOUND_NO : found;
}

static enum found match_mx(struct check *c, const char *name, const struct spf_term *term) {
    struct dns_answer hosts;
    enum found found = ask_for_term(c, name, DNS_MX, &hosts);
    if (found != FOUND_YES)
        return found;
    if (hosts.n > SPF_NAMES_MAX)
        return FOUND_PERMERROR;
    for (unsigned i = 0; i < hosts.n; i++) {
        if (!*hosts.records[i].host)
            continue;
        found = match_a(c, hosts.records[i].host, term);
        if (found != FOUND_NO)
            return found;
    }
    return FOUND_NO;
}

static bool is_below(const char *name, const char *domain) {
    size_t n = strlen(name), d = strlen(domain);
    return n >= d && g_ascii_strcasecmp(name + n - d, domain) == 0 &&
           (n == d || name[n - d - 1] == '.');
}

// Names of the client that lead back to it; failures count as no match ([RFC 7208] 5.5).
static enum found match_ptr(struct check *c, const char *domain) {
    char text[INET6_ADDRSTRLEN];
    struct dns_answer names, addresses;
    bool is_v6 = c->values.is_ipv6;
    struct spf_term exact = {.prefix4 = 32, .prefix6 = 128};
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, c->values.address, text, sizeof text);
    enum found found = ask_for_term(c, dns_reverse_name(c->arena, text), DNS_PTR, &names);
    if (found != FOUND_YES)
        return found == FOUND_PERMERROR ? found : FOUND_NO;
    for (unsigned i = 0; i < MIN(names.n, SPF_NAMES_MAX); i++)
        if (is_below(names.records[i].host, domain) &&
            ask(c, names.records[i].host, is_v6 ? DNS_AAAA : DNS_A, &addresses) == FOUND_YES &&
            is_address_of(c, &addresses, &exact))
            return FOUND_YES;
    return FOUND_NO;
}

static enum found match_include(struct check *c, const char *name) {
    const char *domain = c->values.domain;
    enum spf_result result = check_host(c, name);
    c->values.domain = domain;
    switch (result) {
    case SPF_PASS:
        return FOUND_YES;
    case SPF_TEMPERROR:
        return FOUND_TEMPERROR;
    case SPF_NONE:
    case SPF_PERMERROR:
        return FOUND_PERMERROR;
    default:
        return FOUND_NO;
    }
}

static enum found match(struct check *c, const struct spf_term *term) {
    struct dns_answer answer;
    if (term->mechanism == SPF_ALL)
        return FOUND_YES;
    if (term->mechanism == SPF_IP4)
        return in_network(c, term->network, false, term->prefix4) ? FOUND_YES : FOUND_NO;
    if (term->mechanism == SPF_IP6)
        return in_network(c, term->network, true, term->prefix6) ? FOUND_YES : FOUND_NO;
    if (++c->lookups > SPF_LOOKUPS_MAX)
        return FOUND_PERMERROR;
    const char *name = term->domain ? spf_macro_expand(c->arena, term->domain, &c->values, true)
                                    : c->values.domain;
    switch (term->mechanism) {
    case SPF_A:
        return match_a(c, name, term);
    case SPF_MX:
        return match_mx(c, name, term);
    case SPF_PTR:
        return match_ptr(c, name);
    case SPF_INCLUDE:
        return match_include(c, name);
    default: // exists: an A record of any value
        return ask_for_term(c, name, DNS_A, &answer);
    }
}

// --- The record ---

// [RFC 7208] 4.3: at least two labels, none too long or empty.
static bool is_domain(const char *name) {
    size_t label = 0, len = strlen(name);
    unsigned labels = 1;
    if (len == 0 || len > DNS_NAME_MAX || *name == '[') // an address is no domain
        return false;
    for (const char *p = name; *p; p++) {
        if (*p == '.' && label == 0)
            return false;
        labels += *p == '.';
        label = *p == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && labels > 1;
}

// SPF_PASS: *out is the record's text.
static enum spf_result fetch(struct check *c, const char *domain, const char **out) {
    struct dns_answer answer;
    enum found found = ask(c, domain, DNS_TXT, &answer);
    if (found == FOUND_TEMPERROR)
        return SPF_TEMPERROR;
    unsigned n = 0;
    for (unsigned i = 0; i < answer.n; i++)
        if (spf_is_record(answer.records[i].text) && n++ == 0)
            *out = answer.records[i].text;
    return n == 0 ? SPF_NONE : n == 1 ? SPF_PASS : SPF_PERMERROR;
}

// What the domain's owner has to say of a fail; anything wrong with it means: nothing.
static void explain(struct check *c, const char *exp) {
    struct dns_answer answer;
    const char *name = spf_macro_expand(c->arena, exp, &c->values, true);
    if (ask(c, name, DNS_TXT, &answer) != FOUND_YES || answer.n != 1 ||
        !spf_macro_is_valid(answer.records[0].text, false, true))
        return;
    const char *text = spf_macro_expand(c->arena, answer.records[0].text, &c->values, false);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return;
    if (len > 0)
        c->explanation = arena_strndup(c->arena, text, MIN(len, SPF_EXPLANATION_MAX));
}

static enum spf_result check_host(struct check *c, const char *domain) {
    // redirect= is the same again with another domain; each one costs a lookup, so it ends.
    for (bool is_redirected = false;; is_redirected = true) {
        const char *text = NULL;
        struct spf_record record;
        if (!is_domain(domain))
            return is_redirected ? SPF_PERMERROR : SPF_NONE;
        c->values.domain = domain;
        enum spf_result result = fetch(c, domain, &text);
        if (result != SPF_PASS)
            return result == SPF_NONE && is_redirected ? SPF_PERMERROR : result;
        if (!spf_record_parse(c->arena, text, &record))
            return SPF_PERMERROR;
        for (unsigned i = 0; i < record.n; i++) {
            enum found found = match(c, &record.terms[i]);
            if (found == FOUND_NO)
                continue;
            if (found != FOUND_YES)
                return found == FOUND_TEMPERROR ? SPF_TEMPERROR : SPF_PERMERROR;
            c->explanation = NULL; // not that of an include
            if (record.terms[i].result == SPF_FAIL && record.exp)
                explain(c, record.exp);
            return record.terms[i].result;
        }
        if (!record.redirect)
            return SPF_NEUTRAL;
        if (++c->lookups > SPF_LOOKUPS_MAX)
            return SPF_PERMERROR;
        domain = spf_macro_expand(c->arena, record.redirect, &c->values, true);
    }
}

// --- The question ---

static bool read_client(const char *text, struct spf_macro_values *out) {
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, out->address) == 1)
        return true;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    out->is_ipv6 = !IN6_IS_ADDR_V4MAPPED(&v6);
    memcpy(out->address, v6.s6_addr + (out->is_ipv6 ? 0 : 12), out->is_ipv6 ? 16 : 4);
    return true;
}

void spf_check(const struct resolver *dns, struct arena *arena, const struct spf_question *question,
               struct spf_answer *out) {
    struct check c = {.dns = dns, .arena = arena};
    const char *helo = question->helo ? question->helo : "";
    const char *sender = question->sender && *question->sender
                             ? question->sender
                             : arena_printf(arena, "postmaster@%s", helo);
    const char *at = strrchr(sender, '@');
    c.values.helo = helo;
    c.values.hostname = question->hostname;
    c.values.local =
        at && at > sender ? arena_strndup(arena, sender, (size_t)(at - sender)) : "postmaster";
    c.values.sender_domain = at ? at + 1 : sender;
    c.values.sender = arena_printf(arena, "%s@%s", c.values.local, c.values.sender_domain);
    c.deadline = g_get_monotonic_time() + SPF_SECONDS * G_USEC_PER_SEC;
    *out = (struct spf_answer){.domain = c.values.sender_domain};
    if (!question->client || !read_client(question->client, &c.values))
        return;
    out->result = check_host(&c, c.values.sender_domain);
    out->explanation = out->result == SPF_FAIL ? c.explanation : NULL;
}
