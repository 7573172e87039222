// Which records, and comparing them with what the DNS says.
#include "admin/dns_records.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define STRING_MAX 255 // of one string in a TXT record

static void add(GArray *out, const char *name, const char *type, enum dns_type code,
                const char *data, enum record_need need, const char *why) {
    struct dns_needed record = {name, type, code, data, why, need};
    g_array_append_val(out, record);
}

// A text as the quoted strings of a TXT record.
static const char *quoted(struct arena *arena, const char *text) {
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t n = 0; *text || out->len == 0; text += n) {
        n = MIN(strlen(text), STRING_MAX);
        g_string_append_printf(out, "%s\"%.*s\"", out->len ? " " : "", (int)n, text);
    }
    return arena_strdup(arena, out->str);
}

static void add_text(GArray *out, struct arena *arena, const char *name, const char *text,
                     enum record_need need, const char *why) {
    add(out, name, "TXT", DNS_TXT, quoted(arena, text), need, why);
}

// The TLSA data of a certificate: its public key's SHA-256 (3 1 1, [RFC 7671] 5.1). NULL: no such
// file.
static const char *tlsa_data(struct arena *arena, const char *file) {
    BIO *bio = file ? BIO_new_file(file, "r") : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    unsigned char *bytes = NULL, hash[32];
    int len = key ? i2d_PUBKEY(key, &bytes) : 0;
    const char *data = NULL;
    if (len > 0 && EVP_Digest(bytes, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1) {
        g_autoptr(GString) hex = g_string_new("3 1 1 ");
        for (unsigned i = 0; i < sizeof hash; i++)
            g_string_append_printf(hex, "%02x", hash[i]);
        data = arena_strdup(arena, hex->str);
    }
    OPENSSL_free(bytes);
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return data;
}

// The port of a listener: where it really is, else the usual one. 0: it is off.
static unsigned port_of(const char *listeners, const char *name, unsigned usual) {
    if (!listeners)
        return usual;
    g_auto(GStrv) lines = g_strsplit(listeners, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *colon = strrchr(*line, ':');
        size_t len = strlen(name);
        if (strncmp(*line, name, len) == 0 && (*line)[len] == ' ' && colon)
            return (unsigned)g_ascii_strtoull(colon + 1, NULL, 10);
    }
    return 0;
}

static void add_services(GArray *out, struct arena *arena, const struct dns_wanted *w) {
    static const struct {
        const char *service, *listener;
        unsigned usual, priority;
        enum record_need need;
        const char *why;
    } services[] = {
        {"_submissions", "submissions", 465, 0, RECORD_ADVISED, "clients send mail here"},
        {"_submission", "submission", 587, 10, RECORD_ADVISED, "clients send mail here"},
        {"_imaps", "imaps", 993, 0, RECORD_ADVISED, "clients read mail here"},
        {"_imap", "imap", 143, 10, RECORD_OPTIONAL, "clients read mail here"},
        {"_pop3s", "pop3s", 995, 20, RECORD_OPTIONAL, "clients fetch mail here"},
        {"_autodiscover", "https", 443, 0, RECORD_OPTIONAL, "Outlook finds its settings"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(services); i++) {
        unsigned port = port_of(w->listeners, services[i].listener, services[i].usual);
        if (port)
            add(out, arena_printf(arena, "%s._tcp.%s", services[i].service, w->domain), "SRV",
                DNS_SRV,
                arena_printf(arena, "%u 1 %u %s.", services[i].priority, port, w->hostname),
                services[i].need, services[i].why);
    }
    add(out, arena_printf(arena, "autodiscover.%s", w->domain), "CNAME", DNS_CNAME,
        arena_printf(arena, "%s.", w->hostname), RECORD_OPTIONAL, "Outlook finds its settings");
}

GArray *dns_records_of(struct arena *arena, const struct dns_wanted *w) {
    GArray *out = g_array_new(FALSE, FALSE, sizeof(struct dns_needed));
    const char *d = w->domain;
    add(out, d, "MX", DNS_MX, arena_printf(arena, "10 %s.", w->hostname), RECORD_NEEDED,
        "other servers deliver here");
    add_text(out, arena, d, "v=spf1 mx -all", RECORD_NEEDED, "SPF: only this server sends for it");
    unsigned n;
    const struct policy_key *keys = policy_keys_of(w->keys, d, &n);
    for (unsigned i = 0; i < n; i++)
        add_text(out, arena, arena_printf(arena, "%s._domainkey.%s", keys[i].selector, d),
                 policy_key_record(arena, &keys[i]), RECORD_NEEDED, "DKIM: the key we sign with");
    add_text(out, arena, arena_printf(arena, "_dmarc.%s", d),
             arena_printf(arena, "v=DMARC1; p=quarantine; rua=mailto:postmaster@%s", d),
             RECORD_NEEDED, "DMARC: what others are to do with forged mail");
    add_services(out, arena, w);
    const char *tlsa = tlsa_data(arena, w->certificate);
    if (tlsa)
        add(out, arena_printf(arena, "_25._tcp.%s", w->hostname), "TLSA", DNS_TLSA, tlsa,
            RECORD_ADVISED, "DANE: our certificate's key (only in a zone with DNSSEC)");
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, w->hostname, -1);
    add_text(out, arena, arena_printf(arena, "_mta-sts.%s", d),
             arena_printf(arena, "v=STSv1; id=%.16s", sum), RECORD_OPTIONAL,
             "MTA-STS: needs the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt");
    add_text(out, arena, arena_printf(arena, "_smtp._tls.%s", d),
             arena_printf(arena, "v=TLSRPTv1; rua=mailto:postmaster@%s", d), RECORD_ADVISED,
             "TLS-RPT: others report failures of TLS");
    add(out, d, "CAA", 0, "0 issue \"letsencrypt.org\"", RECORD_OPTIONAL,
        "which authority may issue certificates; name your own");
    return out;
}

// --- Comparing ---

// One record of an answer as in a zone file.
static const char *record_text(struct arena *arena, enum dns_type type,
                               const struct dns_record *r) {
    switch (type) {
    case DNS_MX:
        return arena_printf(arena, "%u %s.", r->number, r->host);
    case DNS_SRV:
        return arena_printf(arena, "%u %u %u %s.", r->number, r->weight, r->port, r->host);
    case DNS_CNAME:
        return arena_printf(arena, "%s.", r->host);
    case DNS_TLSA: {
        g_autoptr(GString) hex = g_string_new(NULL);
        g_string_printf(hex, "%u %u %u ", r->usage, r->selector, r->matching);
        for (size_t i = 0; i < r->len; i++)
            g_string_append_printf(hex, "%02x", r->data[i]);
        return arena_strdup(arena, hex->str);
    }
    default:
        return quoted(arena, r->text);
    }
}

// Texts of the same kind: two SPF records, two DMARC records.
static bool is_same_kind(const char *a, const char *b) {
    size_t len = strcspn(a, " ;");
    return strncmp(a, b, len) == 0;
}

const char *dns_record_check(struct dns *dns, struct arena *arena, const struct dns_needed *record,
                             const char **found_out) {
    struct dns_answer answer;
    *found_out = NULL;
    if (!record->code)
        return "unknown";
    dns_lookup(dns, arena, record->name, record->code, &answer);
    if (answer.status == DNS_FAILED || answer.status == DNS_BOGUS)
        return "unknown";
    for (unsigned i = 0; i < answer.n; i++) {
        const char *text = record_text(arena, record->code, &answer.records[i]);
        bool is_same = g_ascii_strcasecmp(text, record->data) == 0;
        if (!is_same && record->code == DNS_TXT && !is_same_kind(record->data, text))
            continue;
        if (!*found_out || is_same)
            *found_out = text;
        if (is_same)
            return "ok";
    }
    return *found_out ? "different" : "missing";
}
