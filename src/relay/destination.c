// Destinations: which one an address has, where that leads, and how it fares: concurrency,
// back-off, idle connections.
#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "relay/relay_internal.h"

#include <idn2.h> // after GLib, whose macro it would define

// --- From addresses to destinations ---

static bool is_address(const char *text) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

// "host:port", "[v6]:port", "host" or "[address]" as "[host]:port". NULL: it is none. (g_free)
static char *host_destination(const char *text, unsigned port) {
    const char *end, *colon;
    g_autofree char *host = NULL;
    if (*text == '[') {
        end = strchr(text, ']');
        if (!end)
            return NULL;
        host = g_strndup(text + 1, (gsize)(end - text - 1));
        colon = end[1] == ':' ? end + 1 : NULL;
        if (end[1] && !colon)
            return NULL;
    } else {
        colon = strrchr(text, ':');
        host = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    }
    guint64 number = port;
    if (colon && !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &number, NULL))
        return NULL;
    for (const char *c = host; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr(".-:_", *c))
            return NULL;
    if (!*host || (strchr(host, ':') && !is_address(host)))
        return NULL;
    g_autofree char *low = g_ascii_strdown(host, -1);
    return g_strdup_printf("[%s]:%u", low, (unsigned)number);
}

enum ec routes_read(struct relay *r) {
    if (r->options.smarthost &&
        !(r->smarthost = host_destination(r->options.smarthost, r->options.port))) {
        log_event(LOG_LEVEL_ERROR, "relay.bad_smarthost", "value", r->options.smarthost, "hint",
                  "[transport] smarthost is host:port", NULL);
        return EC_INVALID_PARAMETER;
    }
    g_auto(GStrv) items = g_strsplit(r->options.routes ? r->options.routes : "", ",", -1);
    for (char **item = items; *item; item++) {
        char *to = strchr(g_strstrip(*item), '=');
        if (!**item)
            continue;
        struct route_entry entry = {0};
        if (to) {
            *to = '\0';
            entry.domain = g_ascii_strdown(g_strstrip(*item), -1);
            entry.destination = host_destination(g_strstrip(to + 1), r->options.port);
        }
        if (!entry.destination) {
            g_free(entry.domain);
            log_event(LOG_LEVEL_ERROR, "relay.bad_route", "value", *item, "hint",
                      "[transport] routes are domain=host:port, separated by commas", NULL);
            return EC_INVALID_PARAMETER;
        }
        g_array_append_val(r->routes, entry);
    }
    return EC_OK;
}

// The most exact route counts: the domain itself, else the longest ".parent".
static const char *find_route(struct relay *r, const char *domain) {
    const char *found = NULL;
    size_t best = 0, len = strlen(domain);
    for (unsigned i = 0; i < r->routes->len; i++) {
        const struct route_entry *e = &g_array_index(r->routes, struct route_entry, i);
        size_t n = strlen(e->domain);
        if (strcmp(e->domain, domain) == 0)
            return e->destination;
        if (e->domain[0] == '.' && n > best && len > n &&
            strcmp(domain + len - n, e->domain) == 0) {
            best = n;
            found = e->destination;
        }
    }
    return found;
}

// "[192.0.2.1]" and "[IPv6:2001:db8::1]" ([RFC 5321] 4.1.3).
static const char *literal_destination(struct relay *r, struct arena *arena, const char *domain) {
    size_t len = strlen(domain);
    if (len < 3 || domain[len - 1] != ']')
        return NULL;
    char *inside = arena_strndup(arena, domain + 1, len - 2);
    if (g_ascii_strncasecmp(inside, "IPv6:", 5) == 0)
        inside += 5;
    return is_address(inside) ? arena_printf(arena, "[%s]:%u", inside, r->options.port) : NULL;
}

const char *relay_destination(struct relay *r, struct arena *arena, const char *address) {
    const char *at = strrchr(address, '@');
    if (!at || !at[1])
        return NULL;
    const char *domain = at + 1;
    bool is_literal = domain[0] == '[';
    if (!is_literal) {
        uint8_t *ascii = NULL;
        if (idn2_lookup_u8((const uint8_t *)domain, &ascii,
                           IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK &&
            idn2_lookup_u8((const uint8_t *)domain, &ascii, IDN2_NO_TR46) != IDN2_OK)
            return NULL;
        domain = arena_strdup(arena, (const char *)ascii);
        idn2_free(ascii);
        for (char *c = (char *)domain; *c; c++)
            *c = g_ascii_tolower(*c);
        const char *route = find_route(r, domain);
        if (route)
            return arena_strdup(arena, route);
    }
    if (r->smarthost)
        return arena_strdup(arena, r->smarthost);
    return is_literal ? literal_destination(r, arena, domain) : domain;
}

// --- From destinations to hops ---

static void read_hop(struct relay *r, struct destination *d) {
    struct hop *hop = &d->hop;
    hop->port = r->options.port;
    hop->tls = r->options.tls;
    hop->kind = HOP_DOMAIN;
    hop->name = g_strdup(d->name);
    const char *end = d->name[0] == '[' ? strrchr(d->name, ']') : NULL;
    if (end) {
        g_free((char *)hop->name);
        hop->name = g_strndup(d->name + 1, (gsize)(end - d->name - 1));
        hop->port = end[1] == ':' ? (unsigned)g_ascii_strtoull(end + 2, NULL, 10) : hop->port;
        hop->kind = is_address(hop->name) ? HOP_ADDRESS : HOP_HOST;
    }
    if (r->smarthost && strcmp(d->name, r->smarthost) == 0) {
        hop->tls = r->options.smarthost_tls;
        hop->user = r->options.smarthost_user;
        hop->password = r->options.smarthost_password;
    }
}

struct destination *destination_get(struct relay *r, const char *name) {
    struct destination *d = g_hash_table_lookup(r->destinations, name);
    if (d)
        return d;
    d = g_new0(struct destination, 1);
    d->name = g_strdup(name);
    d->limit = MIN(RELAY_FIRST_LIMIT, r->options.connections_per_destination);
    d->last_used = g_get_monotonic_time();
    g_queue_init(&d->jobs);
    g_queue_init(&d->idle);
    read_hop(r, d);
    g_hash_table_insert(r->destinations, d->name, d);
    return d;
}

static void forget_failure(struct destination *d) {
    g_clear_pointer(&d->status, g_free);
    g_clear_pointer(&d->reason, g_free);
    g_clear_pointer(&d->remote, g_free);
    g_clear_pointer(&d->reply, g_free);
}

void destination_free(void *destination) {
    struct destination *d = destination;
    for (GList *link; (link = g_queue_pop_head_link(&d->idle));)
        connection_close(link->data);
    forget_failure(d);
    g_free((char *)d->hop.name);
    g_free(d->name);
    g_free(d);
}

// --- How it fares ---

void destination_succeeded(struct relay *r, struct destination *d) {
    d->failures = 0;
    d->down_until = 0;
    d->last_success = g_get_monotonic_time();
    if (d->limit < r->options.connections_per_destination && d->n_sessions >= d->limit)
        d->limit++;
}

void destination_failed(struct relay *r, struct destination *d, const struct relay_result *why,
                        GQueue *out) {
    forget_failure(d);
    d->status = g_strdup(why->status);
    d->reason = g_strdup(why->text);
    d->remote = g_strdup(why->remote);
    d->reply = g_strdup(why->reply);
    d->is_permanent = why->verdict == RELAY_FAILED;
    d->limit = MAX(1, d->limit / 2);
    // What fails for good is not down: the next message may find that it was put right.
    if (!d->is_permanent) {
        int64_t ms = r->options.backoff_ms;
        for (unsigned i = 0; i < d->failures && ms < r->options.backoff_max_ms; i++)
            ms *= 2;
        ms = MIN(ms, r->options.backoff_max_ms);
        d->failures++;
        d->down_until = g_get_monotonic_time() + (int64_t)(ms * g_random_double_range(800, 1200));
        log_event(LOG_LEVEL_WARNING, "relay.destination_down", "destination", d->name, "reason",
                  d->reason, "seconds", log_u64((uint64_t)ms / 1000), NULL);
    }
    for (GList *link; (link = g_queue_pop_head_link(&d->jobs));) {
        g_queue_push_tail_link(out, link);
        r->n_jobs--;
    }
}

struct relay_result destination_problem(const struct destination *d, struct arena *arena) {
    return (struct relay_result){
        .verdict = d->is_permanent ? RELAY_FAILED : RELAY_DEFERRED,
        .status = d->status ? arena_strdup(arena, d->status) : "4.4.1",
        .text = d->reason ? arena_strdup(arena, d->reason) : "no connection",
        .remote = arena_strdup(arena, d->remote),
        .reply = arena_strdup(arena, d->reply),
    };
}

static void close_old(struct relay *r, struct destination *d, int64_t now) {
    for (;;) {
        struct connection *oldest = d->idle.tail ? d->idle.tail->data : NULL;
        if (!oldest || now - oldest->idle_since < (int64_t)r->options.idle_ms * 1000)
            return;
        g_queue_unlink(&d->idle, &oldest->link);
        connection_close(oldest);
    }
}

void destinations_sweep(struct relay *r, int64_t now) {
    r->last_swept = now;
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, r->destinations);
    bool is_crowded = g_hash_table_size(r->destinations) > RELAY_DESTINATIONS_KEPT;
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct destination *d = value;
        close_old(r, d, now);
        const struct relay_job *first = d->jobs.head ? d->jobs.head->data : NULL;
        if (first && now - first->since > G_TIME_SPAN_SECOND && !d->is_ready) {
            d->is_urgent = true;
            destination_offer(r, d);
        }
        // The history of a failure is kept for as long as its back-off may grow.
        bool is_used = d->jobs.length || d->n_sessions || d->idle.length || d->is_ready;
        int64_t keep = is_crowded    ? 0
                       : d->failures ? (int64_t)r->options.backoff_max_ms * 2000
                                     : 60 * G_TIME_SPAN_SECOND;
        if (!is_used && now > d->down_until && now - d->last_used > keep)
            g_hash_table_iter_remove(&iter);
    }
}
