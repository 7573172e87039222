// Evaluating DMARC.
#include "policy/dmarc.h"

#include <glib.h>
#include <idn2.h>
#include <libpsl.h>
#include <string.h>

#include "base/text.h"
#include "formats/mime.h"

const char *dmarc_status_text(enum dmarc_status status) {
    static const char *const texts[] = {"none", "pass", "fail", "temperror", "permerror"};
    return texts[status];
}

const char *dmarc_policy_text(enum dmarc_policy policy) {
    static const char *const texts[] = {"none", "quarantine", "reject"};
    return texts[policy];
}

// --- Domains ---

static gpointer load_suffixes(gpointer data) {
    (void)data;
    return psl_latest(NULL); // the package's list, or the one in the library
}

const char *dmarc_organization(struct arena *arena, const char *domain) {
    static GOnce once = G_ONCE_INIT;
    const psl_ctx_t *suffixes = g_once(&once, load_suffixes, NULL);
    const char *name = suffixes ? psl_registrable_domain(suffixes, domain) : NULL;
    return arena_strdup(arena, name ? name : domain);
}

static const char *ascii_domain(struct arena *arena, const char *domain) {
    char *made = NULL;
    const char *ascii = domain;
    if (!text_is_ascii(domain, strlen(domain))) {
        if (idn2_to_ascii_8z(domain, &made, IDN2_NONTRANSITIONAL) != IDN2_OK)
            return NULL;
        ascii = made;
    }
    char *lower = arena_strdup(arena, ascii);
    idn2_free(made);
    for (char *p = lower; *p; p++)
        *p = g_ascii_tolower(*p);
    size_t len = strlen(lower);
    return len > 0 && len <= DNS_NAME_MAX && !strpbrk(lower, " \t\"(),:;<>@[\\]") ? lower : NULL;
}

const char *dmarc_from_domain(struct arena *arena, const struct mail_fields *fields) {
    const struct mail_field *from = mail_fields_find(fields, "From", 0);
    if (!from || mail_fields_find(fields, "From", 1))
        return NULL;
    const char *domain = NULL;
    const struct mime_address *a = mime_parse_addresses(arena, mail_field_value(arena, from));
    for (; a; a = a->next) {
        if (!a->domain) // a group begins or ends
            continue;
        if (!*a->domain || (domain && g_ascii_strcasecmp(domain, a->domain) != 0))
            return NULL;
        domain = a->domain;
    }
    return domain ? ascii_domain(arena, domain) : NULL;
}

static bool is_aligned(struct arena *arena, const char *from, const char *other, bool is_strict) {
    const char *domain = other ? ascii_domain(arena, other) : NULL;
    if (!domain)
        return false;
    if (is_strict)
        return strcmp(from, domain) == 0;
    return strcmp(dmarc_organization(arena, from), dmarc_organization(arena, domain)) == 0;
}

// --- Records ---

static bool read_policy(const char *text, enum dmarc_policy *out) {
    for (enum dmarc_policy p = DMARC_POLICY_NONE; p <= DMARC_POLICY_REJECT; p++)
        if (text && g_ascii_strcasecmp(text, dmarc_policy_text(p)) == 0) {
            *out = p;
            return true;
        }
    return false;
}

bool dmarc_record_parse(struct arena *arena, const char *text, struct dmarc_record *out) {
    struct tag_list list;
    uint64_t percent;
    *out = (struct dmarc_record){.percent = 100};
    // v= comes first and is exact ([RFC 7489] 6.3).
    if (!tag_list_parse(arena, text, strlen(text), &list) || strcmp(list.items[0].name, "v") != 0 ||
        strcmp(list.items[0].value, "DMARC1") != 0)
        return false;
    // Without a policy that makes sense it is "none", if reports are asked for (6.6.3).
    if (!read_policy(tag_list_get(&list, "p"), &out->policy) && !tag_list_get(&list, "rua"))
        return false;
    if (!read_policy(tag_list_get(&list, "sp"), &out->subdomain_policy))
        out->subdomain_policy = out->policy;
    const char *adkim = tag_list_get(&list, "adkim"), *aspf = tag_list_get(&list, "aspf"),
               *pct = tag_list_get(&list, "pct");
    out->is_strict_dkim = adkim && g_ascii_strcasecmp(adkim, "s") == 0;
    out->is_strict_spf = aspf && g_ascii_strcasecmp(aspf, "s") == 0;
    if (pct && tag_number(pct, &percent) && percent <= 100)
        out->percent = (unsigned)percent;
    return true;
}

// DMARC_PASS: found.
static enum dmarc_status fetch(const struct resolver *dns, struct arena *arena, const char *domain,
                               struct dmarc_record *out) {
    struct dns_answer answer;
    unsigned n = 0;
    resolver_ask(dns, arena, arena_printf(arena, "_dmarc.%s", domain), DNS_TXT, &answer);
    if (answer.status == DNS_FAILED || answer.status == DNS_BOGUS)
        return DMARC_TEMPERROR;
    for (unsigned i = 0; i < answer.n; i++) {
        struct dmarc_record record;
        if (dmarc_record_parse(arena, answer.records[i].text, &record) && n++ == 0)
            *out = record;
    }
    return n == 1 ? DMARC_PASS : DMARC_NONE; // two are none
}

// --- The check ---

static enum dmarc_policy sample(enum dmarc_policy policy, unsigned percent) {
    if (policy == DMARC_POLICY_NONE || (unsigned)g_random_int_range(0, 100) < percent)
        return policy;
    return policy - 1; // the next milder one ([RFC 7489] 6.6.4)
}

void dmarc_check(const struct resolver *dns, struct arena *arena, const struct mail_fields *fields,
                 const struct spf_answer *spf, const struct dkim_result *dkim, unsigned n_dkim,
                 struct dmarc_result *out) {
    struct dmarc_record record;
    *out = (struct dmarc_result){.domain = dmarc_from_domain(arena, fields)};
    if (!out->domain) {
        out->status = DMARC_PERMERROR;
        return;
    }
    enum dmarc_status found = fetch(dns, arena, out->domain, &record);
    const char *organization = dmarc_organization(arena, out->domain);
    bool is_subdomain = false;
    if (found == DMARC_NONE && strcmp(organization, out->domain) != 0) {
        found = fetch(dns, arena, organization, &record);
        is_subdomain = true;
    }
    out->status = found;
    if (found != DMARC_PASS)
        return;
    out->policy = is_subdomain ? record.subdomain_policy : record.policy;
    bool is_good = spf->result == SPF_PASS &&
                   is_aligned(arena, out->domain, spf->domain, record.is_strict_spf);
    bool may_come_good = spf->result == SPF_TEMPERROR;
    for (unsigned i = 0; i < n_dkim && !is_good; i++) {
        is_good = dkim[i].status == DKIM_PASS &&
                  is_aligned(arena, out->domain, dkim[i].domain, record.is_strict_dkim);
        may_come_good = may_come_good || dkim[i].status == DKIM_TEMPERROR;
    }
    out->status = is_good ? DMARC_PASS : may_come_good ? DMARC_TEMPERROR : DMARC_FAIL;
    if (out->status == DMARC_FAIL)
        out->requested = sample(out->policy, record.percent);
}
