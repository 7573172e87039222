// Writing Authentication-Results. Every name and text in it was chosen by strangers, so each goes
// through results_put_value.
#include "policy/results.h"

#include <string.h>

#define VALUE_MAX 256 // characters

// A token ([RFC 2045] 5.1), or a mailbox or domain, which may stand there as they are.
static bool is_plain(const char *value) {
    if (!*value)
        return false;
    for (const char *p = value; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("!#$%&'*+-.^_`{|}~@", *p))
            return false;
    return true;
}

void results_put_value(GString *out, const char *value) {
    if (strlen(value) <= VALUE_MAX && is_plain(value)) {
        g_string_append(out, value);
        return;
    }
    g_string_append_c(out, '"');
    for (size_t n = 0; value[n] && n < VALUE_MAX; n++) {
        char c = value[n];
        if (c == '"' || c == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, c < ' ' || c > '~' ? '?' : c);
    }
    g_string_append_c(out, '"');
}

static void put_property(GString *out, const char *name, const char *value) {
    if (!value || !*value)
        return;
    g_string_append_printf(out, "\r\n\t %s=", name);
    results_put_value(out, value);
}

static void begin(GString *out, const char *method, const char *result, const char *reason) {
    g_string_append_printf(out, ";\r\n\t%s=%s", method, result);
    if (reason)
        g_string_append_printf(out, " reason=\"%s\"", reason); // our own words
}

static void put_spf(GString *out, const struct policy_findings *f) {
    begin(out, "spf", spf_result_text(f->spf.result), NULL);
    if (f->mail_from && *f->mail_from)
        put_property(out, "smtp.mailfrom", f->mail_from);
    else
        put_property(out, "smtp.helo", f->helo);
}

static void put_dkim(GString *out, const struct dkim_result *r) {
    begin(out, "dkim", dkim_status_text(r->status), r->reason);
    put_property(out, "header.d", r->domain);
    put_property(out, "header.i", r->identity);
    put_property(out, "header.s", r->selector);
    put_property(out, "header.a", r->algorithm);
    put_property(out, "header.b", r->b);
}

void results_put(const char *hostname, const struct policy_findings *f, GString *out) {
    g_string_append(out, "Authentication-Results: ");
    results_put_value(out, hostname);
    if (!f) {
        g_string_append(out, "; none\r\n");
        return;
    }
    put_spf(out, f);
    for (unsigned i = 0; i < f->n_dkim; i++)
        put_dkim(out, &f->dkim[i]);
    if (f->n_dkim == 0)
        begin(out, "dkim", "none", NULL);
    if (f->arc.status != ARC_NONE)
        begin(out, "arc", arc_status_text(f->arc.status), f->arc.reason);
    const char *how = f->is_vouched_for ? "a trusted chain vouches for it" : NULL;
    begin(out, "dmarc", dmarc_status_text(f->dmarc.status), how);
    if (f->dmarc.status == DMARC_PASS || f->dmarc.status == DMARC_FAIL)
        put_property(out, "policy.published-domain-policy", dmarc_policy_text(f->dmarc.policy));
    put_property(out, "header.from", f->dmarc.domain);
    g_string_append(out, "\r\n");
}
