// What TLS a host must have: DANE ([RFC 7672]), MTA-STS ([RFC 8461]) or the settings; and OpenSSL
// set up accordingly.
#include <openssl/err.h>
#include <string.h>

#include "base/log.h"
#include "relay/relay_internal.h"

enum ec plan_context(const struct relay_options *options, SSL_CTX **out) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return EC_NO_MEMORY;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    // Servers that leave out close_notify are many, and SMTP's replies tell the end by themselves.
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    // The system's certificates as a folder: read one by one when they are needed.
    bool is_good = options->ca_file && *options->ca_file
                       ? SSL_CTX_load_verify_locations(ctx, options->ca_file, NULL) == 1
                       : SSL_CTX_set_default_verify_dir(ctx) == 1;
    if (!is_good || SSL_CTX_dane_enable(ctx) != 1) {
        log_event(LOG_LEVEL_ERROR, "relay.tls_failed", "ca", options->ca_file, "error",
                  ERR_reason_error_string(ERR_peek_last_error()), NULL);
        ERR_clear_error();
        SSL_CTX_free(ctx);
        return EC_INVALID_PARAMETER;
    }
    *out = ctx;
    return EC_OK;
}

static enum tls_level level_of(enum relay_tls tls) {
    switch (tls) {
    case RELAY_TLS_OFF:
        return LEVEL_NONE;
    case RELAY_TLS_REQUIRED:
        return LEVEL_ENCRYPT;
    case RELAY_TLS_VERIFIED:
    case RELAY_TLS_IMPLICIT:
        return LEVEL_VERIFY;
    case RELAY_TLS_MAY:
        break;
    }
    return LEVEL_MAY;
}

// Only DANE-TA and DANE-EE make sense for SMTP ([RFC 7672] 3.1).
static bool is_usable(const struct dns_record *r) {
    return (r->usage == 2 || r->usage == 3) && r->selector <= 1 && r->matching <= 2 && r->len > 0;
}

// TLSA records are asked for only when the way to the name was signed: else nobody could trust
// them, and old name servers choke on the question ([RFC 7672] 2.1.1).
static bool plan_dane(struct relay *r, struct arena *arena, const struct hop *hop,
                      const struct host *host, struct tls_plan *plan, struct relay_result *why) {
    struct dns_answer tlsa;
    dns_lookup(r->options.dns, arena, arena_printf(arena, "_%u._tcp.%s", hop->port, host->name),
               DNS_TLSA, &tlsa);
    if (tlsa.status == DNS_BOGUS || tlsa.status == DNS_FAILED) {
        *why = (struct relay_result){
            .verdict = RELAY_DEFERRED,
            .status = "4.7.5",
            .remote = host->name,
            .text = arena_printf(arena, "the TLSA records of %s cannot be had or are forged",
                                 host->name)};
        return false;
    }
    if (tlsa.status != DNS_OK || !tlsa.is_secure || tlsa.n == 0)
        return true;
    struct dns_record *usable = arena_alloc(arena, tlsa.n * sizeof *usable);
    for (unsigned i = 0; i < tlsa.n && plan->n_tlsa < RELAY_TLSA_MAX; i++)
        if (is_usable(&tlsa.records[i]))
            usable[plan->n_tlsa++] = tlsa.records[i];
    plan->tlsa = usable;
    // Records of which none can be used still promise TLS ([RFC 7672] 2.1.1).
    plan->level = plan->n_tlsa ? LEVEL_DANE : MAX(plan->level, LEVEL_ENCRYPT);
    plan->is_trusted = true;
    return true;
}

bool plan_make(struct relay *r, struct arena *arena, const struct hop *hop, const struct host *host,
               bool is_address_signed, const struct sts_policy *sts, struct tls_plan *out,
               struct relay_result *why) {
    *out = (struct tls_plan){
        .level = level_of(hop->tls),
        .is_implicit = hop->tls == RELAY_TLS_IMPLICIT,
        .name = host->name,
        .domain = hop->kind == HOP_DOMAIN ? hop->name : NULL,
        .is_trusted = host->is_signed,
    };
    if (out->level == LEVEL_NONE || !host->name)
        return true;
    bool is_signed = host->is_signed && is_address_signed && r->options.dns;
    if (is_signed && !r->options.no_dane && !plan_dane(r, arena, hop, host, out, why))
        return false;
    if (out->level == LEVEL_DANE || sts->mode == STS_NONE)
        return true;
    bool is_allowed = sts_policy_allows(sts, host->name);
    if (sts->mode == STS_TESTING) {
        if (!is_allowed)
            log_event(LOG_LEVEL_WARNING, "relay.sts_testing", "domain", hop->name, "host",
                      host->name, "reason", "the policy does not name this host", NULL);
        return true;
    }
    if (!is_allowed) {
        *why = (struct relay_result){
            .verdict = RELAY_DEFERRED,
            .status = "4.7.5",
            .remote = host->name,
            .text = arena_printf(arena, "the MTA-STS policy of %s does not allow its MX host %s",
                                 hop->name, host->name)};
        return false;
    }
    out->level = LEVEL_VERIFY;
    out->is_trusted = true;
    return true;
}

static bool add_tlsa(SSL *ssl, const struct tls_plan *plan) {
    if (SSL_dane_enable(ssl, plan->name) != 1)
        return false;
    // The key itself is what DANE-EE vouches for; names and dates do not count ([RFC 7672] 3.1.1).
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    unsigned n = 0;
    for (unsigned i = 0; i < plan->n_tlsa; i++) {
        const struct dns_record *t = &plan->tlsa[i];
        n += SSL_dane_tlsa_add(ssl, t->usage, t->selector, t->matching, t->data, t->len) > 0;
    }
    ERR_clear_error();
    // Without one that OpenSSL can use, verification fails: the records promised more than that.
    return n > 0 || plan->level == LEVEL_DANE;
}

SSL *plan_ssl(struct relay *r, const struct tls_plan *plan) {
    SSL *ssl = SSL_new(r->tls);
    if (!ssl)
        return NULL;
    bool is_good = true;
    if (plan->level == LEVEL_DANE)
        is_good = add_tlsa(ssl, plan);
    else if (plan->name) // checked even when nothing follows from it, for REQUIRETLS
        is_good =
            SSL_set1_host(ssl, plan->name) == 1 && SSL_set_tlsext_host_name(ssl, plan->name) == 1;
    if (is_good && plan->level == LEVEL_DANE && plan->domain)
        is_good = SSL_add1_host(ssl, plan->domain) == 1; // [RFC 7672] 3.2.2
    SSL_set_verify(ssl, plan->level >= LEVEL_VERIFY ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (is_good)
        return ssl;
    SSL_free(ssl);
    return NULL;
}
