// Asking libunbound: one context with a worker thread of its own, and a thread here that takes its
// answers and hands them to those who wait. Each question has a deadline; one that is late is
// cancelled and its answer, should it still come, dropped.
#include "dns/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>

#include "base/log.h"
#include "dns/dns_internal.h"

#define DEFAULT_TIMEOUT_MS 10000
#define CLASS_IN 1
#define LATE_IN_A_ROW 5  // questions without an answer in time: then the name servers are down
#define LATE_FRACTION 10 // and further ones wait only this part of the time
#define RCODE_OK 0
#define RCODE_NO_NAME 3

struct dns {
    struct ub_ctx *ctx;
    bool is_off; // no questions leave
    unsigned timeout_ms;
    int wake; // eventfd: the thread is to end
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; // of what follows and of every question
    struct dns_stats stats;
    unsigned late; // in a row
};

// One question; freed by whoever lets go of it last: the asker or the callback.
struct question {
    struct dns *dns;
    pthread_cond_t answered;
    struct ub_result *result; // NULL while there is none
    bool is_done;
    unsigned refs;
};

// --- Questions ---

static struct question *question_new(struct dns *dns) {
    struct question *q = g_new0(struct question, 1);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    q->dns = dns;
    q->refs = 2; // the asker's and the callback's
    return q;
}

// Under the lock.
static void question_unref(struct question *q) {
    if (--q->refs > 0)
        return;
    if (q->result)
        ub_resolve_free(q->result);
    pthread_cond_destroy(&q->answered);
    g_free(q);
}

static void on_answer(void *arg, int error, struct ub_result *result) {
    struct question *q = arg;
    struct dns *dns = q->dns;
    pthread_mutex_lock(&dns->lock);
    q->is_done = true;
    q->result = error == 0 ? result : NULL;
    if (error != 0 && result)
        ub_resolve_free(result);
    pthread_cond_signal(&q->answered);
    question_unref(q);
    pthread_mutex_unlock(&dns->lock);
}

static void *take_answers(void *arg) {
    struct dns *dns = arg;
    struct pollfd fds[] = {{.fd = ub_fd(dns->ctx), .events = POLLIN},
                           {.fd = dns->wake, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, G_N_ELEMENTS(fds), -1);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0 && fds[1].revents)
            break;
        if (n > 0 && fds[0].revents)
            ub_process(dns->ctx);
    }
    return NULL;
}

// --- Starting ---

static enum ec refuse(const char *what, const char *value, int error) {
    log_event(LOG_LEVEL_ERROR, "dns.bad_option", "option", what, "value", value, "reason",
              error ? ub_strerror(error) : "not an address", NULL);
    return EC_INVALID_PARAMETER;
}

// "192.0.2.53", "192.0.2.53:5353", "2001:db8::1", "[2001:db8::1]:5353" as unbound writes it:
// address@port. NULL: none of these.
static char *server_address(const char *text) {
    g_autofree char *host = g_strdup(text);
    const char *port = NULL;
    char *end = strrchr(host, ']'), *colon = strrchr(host, ':');
    if (host[0] == '[' && end) {
        if (end[1] != 0 && end[1] != ':')
            return NULL;
        port = end[1] ? end + 2 : NULL;
        *end = 0;
        memmove(host, host + 1, strlen(host));
    } else if (colon && strchr(host, ':') == colon) {
        *colon = 0;
        port = colon + 1;
    }
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
        return NULL;
    guint64 number = 53;
    if (port && !g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return NULL;
    return g_strdup_printf("%s@%u", host, (unsigned)number);
}

static enum ec set_servers(struct dns *dns, const char *servers) {
    if (strcmp(servers, "root") == 0)
        return EC_OK;
    if (*servers == 0) { // without such a file: from the root
        ub_ctx_resolvconf(dns->ctx, NULL);
        ub_ctx_hosts(dns->ctx, NULL);
        return EC_OK;
    }
    g_auto(GStrv) words = g_strsplit_set(servers, " ,\t", -1);
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        g_autofree char *address = server_address(*word);
        int error = 0;
        if (!address || (error = ub_ctx_set_fwd(dns->ctx, address)) != 0)
            return refuse("servers", *word, error);
    }
    return EC_OK;
}

static enum ec set_anchor(struct dns *dns, const char *anchor) {
    static const char *const usual[] = {"/usr/share/dns/root.key", "/var/lib/unbound/root.key"};
    if (anchor && strcmp(anchor, "none") == 0)
        return EC_OK;
    if (anchor && *anchor) {
        int error = access(anchor, R_OK) == 0 ? ub_ctx_add_ta_file(dns->ctx, anchor) : UB_READFILE;
        return error == 0 ? EC_OK : refuse("trust_anchor", anchor, error);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(usual); i++)
        if (access(usual[i], R_OK) == 0 && ub_ctx_add_ta_file(dns->ctx, usual[i]) == 0)
            return EC_OK;
    log_event(LOG_LEVEL_INFO, "dns.no_trust_anchor", "hint",
              "nothing is validated; install dns-root-data", NULL);
    return EC_OK;
}

static enum ec configure(struct dns *dns, const struct dns_options *options) {
    static const char *const fixed[][2] = {
        {"do-not-query-localhost:", "no"}, // a resolver of one's own is the usual case
        {"unblock-lan-zones:", "yes"},     // PTR of private addresses: the resolver may know
        {"infra-keep-probing:", "yes"},    // a server that was down is found again soon
        {"outgoing-range:", "256"},        {"num-queries-per-thread:", "1024"},
        {"outgoing-num-tcp:", "16"},       {"msg-cache-size:", "8m"},
        {"rrset-cache-size:", "16m"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++) {
        int error = ub_ctx_set_option(dns->ctx, fixed[i][0], fixed[i][1]);
        if (error != 0)
            return refuse(fixed[i][0], fixed[i][1], error);
    }
    const char *servers = options->servers ? options->servers : "";
    EC_TRY(set_servers(dns, servers));
    EC_TRY(set_anchor(dns, options->trust_anchor));
    ub_ctx_async(dns->ctx, 1);
    // Names that unbound answers by itself: here the named servers are to be asked.
    static const char *const own[] = {"test.", "home.arpa.", "127.in-addr.arpa."};
    for (unsigned i = 0; i < G_N_ELEMENTS(own); i++) {
        int error = ub_ctx_zone_remove(dns->ctx, own[i]);
        if (error != 0) // the first such call puts the settings into force
            return refuse("servers", servers, error);
    }
    return EC_OK;
}

enum ec dns_new(const struct dns_options *options, struct dns **out) {
    struct dns *dns = g_new0(struct dns, 1);
    pthread_mutex_init(&dns->lock, NULL);
    dns->timeout_ms = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    dns->is_off = options->servers && strcmp(options->servers, "off") == 0;
    dns->wake = -1;
    enum ec ec = EC_OK;
    if (!dns->is_off) {
        dns->wake = eventfd(0, EFD_CLOEXEC);
        dns->ctx = ub_ctx_create();
        ec = dns->ctx && dns->wake >= 0 ? configure(dns, options) : EC_NOT_ENOUGH_RESOURCES;
        if (ec == EC_OK && pthread_create(&dns->thread, NULL, take_answers, dns) != 0)
            ec = EC_NOT_ENOUGH_RESOURCES;
        dns->has_thread = ec == EC_OK;
    }
    if (ec != EC_OK) {
        dns_free(dns);
        return ec;
    }
    *out = dns;
    return EC_OK;
}

void dns_free(struct dns *dns) {
    if (!dns)
        return;
    if (dns->has_thread) {
        uint64_t one = 1;
        ssize_t n = write(dns->wake, &one, sizeof one);
        g_assert(n == sizeof one);
        pthread_join(dns->thread, NULL);
    }
    if (dns->ctx)
        ub_ctx_delete(dns->ctx);
    if (dns->wake >= 0)
        close(dns->wake);
    pthread_mutex_destroy(&dns->lock);
    g_free(dns);
}

// --- Asking ---

static struct timespec deadline_after(unsigned ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

// The question is the caller's to let go of. NULL: it could not be asked.
static struct question *ask(struct dns *dns, const char *name, enum dns_type type) {
    struct question *q = question_new(dns);
    pthread_mutex_lock(&dns->lock);
    bool is_down = dns->late >= LATE_IN_A_ROW;
    pthread_mutex_unlock(&dns->lock);
    struct timespec deadline =
        deadline_after(is_down ? dns->timeout_ms / LATE_FRACTION : dns->timeout_ms);
    int id = 0;
    g_autofree char *absolute = g_strconcat(name, ".", NULL);
    if (ub_resolve_async(dns->ctx, absolute, type, CLASS_IN, q, on_answer, &id) != 0) {
        pthread_cond_destroy(&q->answered);
        g_free(q);
        return NULL;
    }
    pthread_mutex_lock(&dns->lock);
    int error = 0;
    while (!q->is_done && error == 0)
        error = pthread_cond_timedwait(&q->answered, &dns->lock, &deadline);
    bool is_late = !q->is_done;
    dns->late = is_late ? dns->late + 1 : 0;
    pthread_mutex_unlock(&dns->lock);
    // Cancelled: the callback will not run. Not: it has run or is about to, with its own reference.
    if (is_late && ub_cancel(dns->ctx, id) == 0) {
        pthread_mutex_lock(&dns->lock);
        q->refs--;
        pthread_mutex_unlock(&dns->lock);
    }
    return q;
}

static int compare_records(const void *a, const void *b) {
    const struct dns_record *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void take_records(struct arena *arena, const struct ub_result *result, enum dns_type type,
                         struct dns_answer *out) {
    unsigned n = 0;
    while (n < DNS_RECORDS_MAX && result->data[n])
        n++;
    out->records = arena_alloc(arena, (n ? n : 1) * sizeof *out->records);
    for (unsigned i = 0; i < n; i++)
        if (result->len[i] >= 0 && dns_rdata_parse(arena, type, result->data[i],
                                                   (size_t)result->len[i], &out->records[out->n]))
            out->n++;
    if (type == DNS_MX || type == DNS_SRV)
        qsort(out->records, out->n, sizeof *out->records, compare_records);
}

static void take_result(struct arena *arena, const struct ub_result *result, enum dns_type type,
                        struct dns_answer *out) {
    out->is_secure = result->secure;
    out->ttl = result->ttl > 0 ? (uint32_t)result->ttl : 0;
    if (result->bogus) {
        out->status = DNS_BOGUS;
        log_event(LOG_LEVEL_WARNING, "dns.bogus", "name", result->qname, "reason",
                  result->why_bogus, NULL);
    } else if (result->havedata) {
        take_records(arena, result, type, out);
        out->status = out->n > 0 ? DNS_OK : DNS_NO_DATA;
    } else if (result->nxdomain || result->rcode == RCODE_NO_NAME) {
        out->status = DNS_NO_NAME;
    } else {
        out->status = result->rcode == RCODE_OK ? DNS_NO_DATA : DNS_FAILED;
    }
}

void dns_lookup(struct dns *dns, struct arena *arena, const char *name, enum dns_type type,
                struct dns_answer *out) {
    *out = (struct dns_answer){.status = DNS_FAILED};
    const char *ascii = dns_name_ascii(arena, name);
    if (!ascii) {
        out->status = DNS_NO_NAME;
        return;
    }
    struct question *q = dns->is_off ? NULL : ask(dns, ascii, type);
    pthread_mutex_lock(&dns->lock);
    struct ub_result *result = q ? q->result : NULL; // set once
    pthread_mutex_unlock(&dns->lock);
    if (result)
        take_result(arena, result, type, out);
    pthread_mutex_lock(&dns->lock);
    if (q)
        question_unref(q);
    dns->stats.questions++;
    dns->stats.failures += out->status == DNS_FAILED;
    dns->stats.bogus += out->status == DNS_BOGUS;
    pthread_mutex_unlock(&dns->lock);
}

void dns_stats(struct dns *dns, struct dns_stats *out) {
    pthread_mutex_lock(&dns->lock);
    *out = dns->stats;
    pthread_mutex_unlock(&dns->lock);
}
