// Sending reports: whether one may go, and into the queue with it, durably, before the recipients
// that it is about are finished.
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "transport/limits.h"
#include "transport/report.h"

// --- No loop of reports and answers to them ---

struct rate {
    filetime_t since;
    unsigned n;
};

struct report_limit {
    pthread_mutex_t lock;
    GHashTable *rates; // "sender recipient" -> struct rate
};

struct report_limit *report_limit_new(void) {
    struct report_limit *l = g_new0(struct report_limit, 1);
    pthread_mutex_init(&l->lock, NULL);
    l->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return l;
}

void report_limit_free(struct report_limit *l) {
    if (!l)
        return;
    g_hash_table_unref(l->rates);
    pthread_mutex_destroy(&l->lock);
    g_free(l);
}

static gboolean is_old(gpointer key, gpointer value, gpointer now) {
    (void)key;
    return *(filetime_t *)now - ((struct rate *)value)->since >=
           TRANSPORT_REPORT_WINDOW * FILETIME_SECOND;
}

bool report_limit_admit(struct report_limit *l, const char *sender, const char *recipient) {
    filetime_t now = clock_now();
    g_autofree char *key = g_strdup_printf("%s %s", sender, recipient);
    pthread_mutex_lock(&l->lock);
    struct rate *rate = g_hash_table_lookup(l->rates, key);
    if (rate && is_old(NULL, rate, &now))
        *rate = (struct rate){.since = now};
    if (!rate) {
        if (g_hash_table_size(l->rates) >= TRANSPORT_REPORT_PAIRS)
            g_hash_table_foreach_remove(l->rates, is_old, &now);
        if (g_hash_table_size(l->rates) >= TRANSPORT_REPORT_PAIRS)
            g_hash_table_remove_all(l->rates); // better too many than none
        rate = g_new0(struct rate, 1);
        rate->since = now;
        g_hash_table_insert(l->rates, g_steal_pointer(&key), rate);
    }
    bool may = rate->n < TRANSPORT_REPORT_PER_WINDOW;
    rate->n += may;
    pthread_mutex_unlock(&l->lock);
    return may;
}

// --- Into the queue ---

enum ec report_send(struct queue *queue, struct report_limit *limit, enum report_action action,
                    const struct report_about *about, const struct report_recipient *recipients,
                    unsigned n, char id_out[QUEUE_ID_SIZE]) {
    const char *sender = about->envelope->sender;
    id_out[0] = '\0';
    // Never a report about a report ([RFC 5321] 6.1).
    if (n == 0 || !*sender || !about->original)
        return EC_OK;
    if (limit && !report_limit_admit(limit, sender, recipients[0].address)) {
        log_event(LOG_LEVEL_WARNING, "transport.report_limit", "queue", about->queue_id, "sender",
                  sender, NULL);
        return EC_OK;
    }
    g_autoptr(GString) text = report_make(action, about, recipients, n);
    struct queue_spool *spool;
    EC_TRY(queue_spool_new(queue, &spool));
    enum ec ec = queue_spool_write(spool, text->str, text->len);
    if (ec != EC_OK) {
        queue_spool_free(spool);
        return ec;
    }
    struct queue_recipient to = {.address = sender, .notify = QUEUE_NOTIFY_NEVER};
    struct queue_envelope envelope = {.sender = "",
                                      .recipients = &to,
                                      .n_recipients = 1,
                                      .is_smtputf8 = report_is_utf8(about, recipients, n),
                                      .is_8bit = true};
    char id[QUEUE_ID_SIZE];
    EC_TRY(queue_submit_take(queue, &envelope, spool, id));
    memcpy(id_out, id, sizeof id);
    log_event(LOG_LEVEL_INFO, "transport.report", "queue", id, "about", about->queue_id, NULL);
    return EC_OK;
}
