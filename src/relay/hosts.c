// Which hosts take a domain's mail ([RFC 5321] 5.1, [RFC 7505]), and what their addresses are.
#include <arpa/inet.h>
#include <string.h>

#include "relay/relay_internal.h"

static bool answer_with(struct relay_result *why, enum relay_verdict verdict, const char *status,
                        const char *text) {
    *why = (struct relay_result){.verdict = verdict, .status = status, .text = text};
    return false;
}

// The DNS could not say, for the time being.
static bool not_now(struct arena *arena, struct relay_result *why, const char *name,
                    enum dns_status status) {
    return answer_with(
        why, RELAY_DEFERRED, "4.4.3",
        arena_printf(arena, "the DNS %s for %s",
                     status == DNS_BOGUS ? "gives an answer that is forged" : "gives no answer",
                     name));
}

static bool is_failure(enum dns_status status) {
    return status == DNS_BOGUS || status == DNS_FAILED;
}

// Equal preferences in random order ([RFC 5321] 5.1).
static void shuffle(struct dns_record *records, unsigned n) {
    for (unsigned first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && records[end].number == records[first].number;)
            end++;
        for (unsigned i = end - first; i > 1; i--) {
            unsigned k = (unsigned)g_random_int_range(0, (gint32)i);
            struct dns_record swap = records[first + i - 1];
            records[first + i - 1] = records[first + k];
            records[first + k] = swap;
        }
    }
}

// We are one of the hosts: what is not better than us would send it back.
static unsigned cut_at_ourselves(struct relay *r, const struct dns_record *records, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        if (g_ascii_strcasecmp(records[i].host, r->options.hostname) != 0)
            continue;
        unsigned better = 0;
        while (records[better].number < records[i].number)
            better++;
        return better;
    }
    return n;
}

static bool take_mx(struct relay *r, struct arena *arena, const struct hop *hop,
                    struct dns_answer *mx, struct hosts *out, struct relay_result *why) {
    if (mx->n == 1 && !*mx->records[0].host)
        return answer_with(why, RELAY_FAILED, "5.1.10",
                           arena_printf(arena, "%s takes no mail (null MX)", hop->name));
    unsigned n = cut_at_ourselves(r, mx->records, mx->n);
    if (n == 0)
        return answer_with(why, RELAY_FAILED, "5.4.6",
                           arena_printf(arena,
                                        "mail for %s would come back to us: its MX record"
                                        " names this server, which has no such domain",
                                        hop->name));
    shuffle(mx->records, n);
    for (unsigned i = 0; i < n && out->n < RELAY_HOSTS_MAX; i++)
        if (*mx->records[i].host)
            out->items[out->n++] =
                (struct host){.name = mx->records[i].host, .is_signed = mx->is_secure};
    return out->n > 0 ||
           answer_with(why, RELAY_FAILED, "5.4.4",
                       arena_printf(arena, "%s has no MX record that can be used", hop->name));
}

bool hosts_find(struct relay *r, struct arena *arena, const struct hop *hop, struct hosts *out,
                struct relay_result *why) {
    *out = (struct hosts){.n = 0};
    if (hop->kind == HOP_ADDRESS) {
        out->items[out->n++] = (struct host){.address = hop->name, .is_signed = true};
        return true;
    }
    if (hop->kind == HOP_HOST) {
        out->items[out->n++] = (struct host){.name = hop->name, .is_signed = true};
        return true;
    }
    if (!r->options.dns)
        return answer_with(why, RELAY_DEFERRED, "4.4.3", "there is no DNS to ask");
    struct dns_answer mx;
    dns_lookup(r->options.dns, arena, hop->name, DNS_MX, &mx);
    if (is_failure(mx.status))
        return not_now(arena, why, hop->name, mx.status);
    if (mx.status == DNS_NO_NAME)
        return answer_with(why, RELAY_FAILED, "5.1.2",
                           arena_printf(arena, "there is no domain %s", hop->name));
    if (mx.status == DNS_OK && mx.n > 0)
        return take_mx(r, arena, hop, &mx, out, why);
    // Without MX records the domain is its own host.
    if (g_ascii_strcasecmp(hop->name, r->options.hostname) == 0)
        return answer_with(
            why, RELAY_FAILED, "5.4.6",
            arena_printf(arena, "%s is this server, which has no such domain", hop->name));
    out->items[out->n++] = (struct host){.name = hop->name, .is_signed = mx.is_secure};
    return true;
}

bool host_addresses(struct relay *r, struct arena *arena, const struct host *host,
                    const char *out[RELAY_ADDRESSES_MAX], unsigned *n_out, bool *is_signed_out,
                    struct relay_result *why) {
    *n_out = 0;
    *is_signed_out = host->is_signed;
    if (host->address) {
        out[(*n_out)++] = host->address;
        return true;
    }
    if (!r->options.dns)
        return answer_with(why, RELAY_DEFERRED, "4.4.3", "there is no DNS to ask");
    struct dns_answer answers[2];
    dns_lookup(r->options.dns, arena, host->name, DNS_AAAA, &answers[0]);
    dns_lookup(r->options.dns, arena, host->name, DNS_A, &answers[1]);
    *is_signed_out = answers[0].is_secure && answers[1].is_secure;
    // Half an answer of a signed zone must not pass for one of an unsigned zone, where nobody would
    // look for TLSA records ([RFC 7672] 2.2.2).
    for (unsigned i = 0; i < 2; i++)
        if (host->is_signed && is_failure(answers[i].status) && answers[1 - i].is_secure)
            return not_now(arena, why, host->name, answers[i].status);
    // In turn, so that a network without one of the two does not cost all tries.
    unsigned start = (unsigned)g_random_int_range(0, 1 << 16);
    for (unsigned k = 0; k < RELAY_ADDRESSES_MAX; k++)
        for (unsigned i = 0; i < 2; i++)
            if (answers[i].status == DNS_OK && k < answers[i].n && *n_out < RELAY_ADDRESSES_MAX)
                out[(*n_out)++] = answers[i].records[(start + k) % answers[i].n].address;
    if (*n_out > 0)
        return true;
    for (unsigned i = 0; i < 2; i++)
        if (is_failure(answers[i].status))
            return not_now(arena, why, host->name, answers[i].status);
    return answer_with(why, RELAY_FAILED, "5.4.4",
                       arena_printf(arena, "there is no address of %s", host->name));
}
