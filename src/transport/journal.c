// Whom a message is journaled to, and into the queue with the report.
#include "transport/journal.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "mailbox/owner_settings.h"
#include "transport/track.h"

// --- To whom ---

struct addresses {
    struct job *job;
    GHashTable *folded; // those in `list`
    GPtrArray *list;
};

static void add_address(struct addresses *to, const char *address) {
    if (address && *address && strchr(address, '@') &&
        g_hash_table_add(to->folded, text_fold(to->job->arena, address)))
        g_ptr_array_add(to->list, (gpointer)address);
}

static bool is_of_domain(const char *address, const char *domain) {
    const char *at = address ? strrchr(address, '@') : NULL;
    return at && text_compare_folded(at + 1, domain) == 0;
}

// [transport] journal_domains: "domain=address, domain=address".
static void add_domains(struct addresses *to) {
    const struct queue_envelope *e = queue_item_envelope(to->job->item);
    const char *text = to->job->t->options.journal_domains;
    g_auto(GStrv) pairs = g_strsplit(text ? text : "", ",", -1);
    for (char **p = pairs; *p; p++) {
        char *address = strchr(g_strstrip(*p), '=');
        if (!address)
            continue;
        *address++ = '\0';
        bool is_concerned = is_of_domain(e->sender, g_strstrip(*p));
        for (unsigned i = 0; i < e->n_recipients && !is_concerned; i++)
            is_concerned = is_of_domain(e->recipients[i].address, *p);
        if (is_concerned)
            add_address(to, arena_strdup(to->job->arena, g_strstrip(address)));
    }
}

static enum ec add_mailbox(struct addresses *to, const struct guid *mailbox) {
    struct owner_settings owner;
    EC_TRY(mailbox_owner_settings(to->job->t->mailboxes, to->job->arena, mailbox, &owner));
    add_address(to, owner.journal);
    return EC_OK;
}

// People: whoever gets it here, and who sends it.
static enum ec add_people(struct addresses *to, const GArray *deliveries, unsigned first) {
    struct job *job = to->job;
    const struct queue_envelope *e = queue_item_envelope(job->item);
    struct directory_object *sender;
    for (unsigned i = first; i < deliveries->len; i++)
        EC_TRY(add_mailbox(to, g_array_index(deliveries, struct mailbox_delivery, i).mailbox));
    if (!e->auth)
        return EC_OK;
    enum ec ec = directory_find_address(mailbox_service_directory(job->t->mailboxes), job->arena,
                                        e->sender, &sender);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    return add_mailbox(to, &sender->guid);
}

static bool is_journal_report(GBytes *message) {
    static const char name[] = "X-MS-Journal-Report:";
    gsize len;
    const char *data = g_bytes_get_data(message, &len);
    for (gsize pos = 0; pos < len && data[pos] != '\r' && data[pos] != '\n';) {
        if (len - pos >= sizeof name - 1 &&
            g_ascii_strncasecmp(data + pos, name, sizeof name - 1) == 0)
            return true;
        const char *end = memchr(data + pos, '\n', len - pos);
        pos = end ? (gsize)(end - data) + 1 : len;
    }
    return false;
}

// --- Sending ---

static enum ec submit(struct job *job, const char *to) {
    g_autoptr(GString) text = journal_make(job, to);
    struct queue_spool *spool;
    EC_TRY(queue_spool_new(job->t->queue, &spool));
    enum ec ec = queue_spool_write(spool, text->str, text->len);
    if (ec != EC_OK) {
        queue_spool_free(spool);
        return ec;
    }
    const struct queue_envelope *e = queue_item_envelope(job->item);
    struct queue_recipient recipient = {.address = to, .notify = QUEUE_NOTIFY_NEVER};
    struct queue_envelope envelope = {.sender = "",
                                      .recipients = &recipient,
                                      .n_recipients = 1,
                                      .scl = QUEUE_SCL_NONE,
                                      .is_smtputf8 = e->is_smtputf8,
                                      .is_8bit = true,
                                      .is_binary = e->is_binary};
    char id[QUEUE_ID_SIZE];
    EC_TRY(queue_submit_take(job->t->queue, &envelope, spool, id));
    log_event(LOG_LEVEL_INFO, "transport.journaled", "queue", id, "about", queue_item_id(job->item),
              "to", to, NULL);
    track_event(&(struct track_event){.kind = TRACK_JOURNAL,
                                      .queue_id = queue_item_id(job->item),
                                      .message_id = job->message_id,
                                      .sender = e->sender,
                                      .recipient = to,
                                      .size = text->len,
                                      .detail = id});
    return EC_OK;
}

enum ec journal_message(struct job *job, const GArray *deliveries, unsigned first) {
    const struct queue_envelope *e = queue_item_envelope(job->item);
    const char *queue_id = queue_item_id(job->item);
    bool is_ours = !e->peer && !e->auth && !e->helo; // sent on: it was journaled as it came in
    if (!*e->sender || is_ours || is_journal_report(job->original) ||
        id_set_has(job->t->journaled, queue_id))
        return EC_OK;
    g_autoptr(GHashTable) folded = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    struct addresses to = {.job = job, .folded = folded, .list = list};
    add_address(&to, job->t->options.journal);
    add_domains(&to);
    EC_TRY(add_people(&to, deliveries, first));
    for (guint i = 0; i < list->len; i++)
        EC_TRY(submit(job, list->pdata[i]));
    if (list->len > 0)
        id_set_add(job->t->journaled, queue_id);
    return EC_OK;
}
