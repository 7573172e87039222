// The first look at a message.
#include "transport/intake.h"

#include <string.h>

#include "base/log.h"
#include "formats/mime.h"
#include "mailbox/owner_settings.h"
#include "transport/journal.h"
#include "transport/track.h"

// --- Tracking ---

// The value of a header field, without scanning the body; NULL: none. In the arena.
static const char *header_value(struct arena *arena, GBytes *message, const char *name) {
    gsize len;
    const char *data = g_bytes_get_data(message, &len);
    size_t n = strlen(name);
    for (gsize pos = 0; pos < len && data[pos] != '\r' && data[pos] != '\n';) {
        const char *end = memchr(data + pos, '\n', len - pos);
        gsize next = end ? (gsize)(end - data) + 1 : len;
        if (next - pos > n && data[pos + n] == ':' &&
            g_ascii_strncasecmp(data + pos, name, n) == 0) {
            // The value may stand on the folded lines after it.
            while (next < len && (data[next] == ' ' || data[next] == '\t')) {
                end = memchr(data + next, '\n', len - next);
                next = end ? (gsize)(end - data) + 1 : len;
            }
            gsize size = MIN(next - pos - n - 1, (gsize)TRANSPORT_REPORT_FIELD_MAX);
            char *value = arena_strndup(arena, data + pos + n + 1, size);
            for (char *c = value; *c; c++)
                if ((unsigned char)*c < 0x20)
                    *c = ' ';
            return g_strstrip(value);
        }
        pos = next;
    }
    return NULL;
}

static void track_receive(struct job *job) {
    const struct queue_envelope *e = queue_item_envelope(job->item);
    struct track_event event = {.kind = TRACK_RECEIVE,
                                .time = queue_item_arrived(job->item),
                                .queue_id = queue_item_id(job->item),
                                .message_id = job->message_id,
                                .sender = e->sender,
                                .client = e->peer,
                                .detail = e->auth ? e->auth : e->helo,
                                .size = g_bytes_get_size(job->original)};
    event.subject = header_value(job->arena, job->original, "Subject");
    for (unsigned i = 0; i < e->n_recipients; i++) {
        event.recipient = e->recipients[i].address;
        track_event(&event);
    }
}

// --- The sent copy ---

// The mailbox in whose name a message of somebody else is; false: none, or it wants no copy.
static bool find_represented(struct job *job, struct guid *out) {
    const struct queue_envelope *e = queue_item_envelope(job->item);
    struct directory *d = mailbox_service_directory(job->t->mailboxes);
    const char *raw = header_value(job->arena, job->original, "From");
    const struct mime_address *from = raw ? mime_parse_addresses(job->arena, raw) : NULL;
    struct directory_object *represented, *user;
    struct owner_settings owner;
    while (from && !from->domain)
        from = from->next;
    if (!from ||
        directory_find_address(d, job->arena, mime_address_format(job->arena, from),
                               &represented) != EC_OK ||
        !represented->has_mailbox ||
        directory_find_address(d, job->arena, e->auth, &user) != EC_OK ||
        guid_equal(&user->guid, &represented->guid) ||
        mailbox_owner_settings(job->t->mailboxes, job->arena, &represented->guid, &owner) != EC_OK)
        return false;
    *out = represented->guid;
    return owner.has_sent_copy;
}

static void add_sent_copy(struct job *job, GArray *deliveries) {
    struct guid mailbox;
    if (!queue_item_envelope(job->item)->auth || !find_represented(job, &mailbox))
        return;
    struct mailbox_delivery d = {
        .mailbox = arena_memdup(job->arena, &mailbox, sizeof mailbox),
        .delivery_id = arena_printf(job->arena, "%s/sent", queue_item_id(job->item)),
        .mime = job->original,
        .arrived = queue_item_arrived(job->item),
        .is_sent_copy = true,
    };
    g_array_append_val(deliveries, d);
}

enum ec intake_message(struct job *job, GArray *deliveries, unsigned first_delivery) {
    if (track_is_open())
        job->message_id = header_value(job->arena, job->original, "Message-ID");
    if (queue_item_attempts(job->item) > 0)
        return EC_OK;
    EC_TRY(journal_message(job, deliveries, first_delivery));
    if (track_is_open())
        track_receive(job);
    add_sent_copy(job, deliveries);
    return EC_OK;
}
