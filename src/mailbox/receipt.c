// Making receipts.
#include "mailbox/receipt_internal.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "convert/convert.h"
#include "mailbox/owner_settings.h"
#include "mapi/props.h"
#include "queue/queue.h"

#define RECEIPTS_MAX 1000 // of one change

struct receipt {
    enum receipt_kind kind;
    const char *to, *to_name, *subject, *message_id;
    filetime_t sent;
};

void mailbox_set_receipts(struct mailbox *m, bool by_server) {
    m->sends_receipts = by_server;
}

uint32_t mailbox_notify_bits(const struct bag *bag) {
    bool delivered = bag_bool(bag, PidTagOriginatorDeliveryReportRequested, false);
    const struct prop_value *failed = bag_get(bag, PidTagOriginatorNonDeliveryReportRequested);
    if (!delivered && !failed)
        return 0;
    uint32_t bits = (delivered ? QUEUE_NOTIFY_SUCCESS : 0) |
                    (!failed || failed->b ? QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY : 0);
    return bits ? bits : QUEUE_NOTIFY_NEVER;
}

// --- Which messages ---

void receipts_begin(struct mailbox *m, struct receipts *r) {
    struct owner_settings owner;
    *r = (struct receipts){0};
    if (m->is_public || !m->service->submit)
        return;
    r->arena = arena_new();
    r->items = g_ptr_array_new();
    r->mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (mailbox_owner_settings(m->service, r->arena, mbox_guid(m->mbox), &owner) != EC_OK ||
        !owner.address || owner.receipts == RECEIPTS_NEVER)
        return;
    r->is_confirmed = m->sends_receipts;
    r->is_wanted = m->sends_receipts || owner.receipts == RECEIPTS_ALWAYS;
}

// A change that was undone may run again.
static void receipts_forget(struct receipts *r) {
    if (r->items)
        g_ptr_array_set_size(r->items, 0);
    if (r->mids)
        g_array_set_size(r->mids, 0);
}

void receipts_end(struct receipts *r) {
    if (r->items)
        g_ptr_array_unref(r->items);
    if (r->mids)
        g_array_unref(r->mids);
    arena_free(r->arena);
    *r = (struct receipts){0};
}

static bool has_keyword(const char *keywords, const char *keyword) {
    size_t n = strlen(keyword);
    for (const char *p = keywords; p && *p; p += strcspn(p, " "), p += *p == ' ')
        if (g_ascii_strncasecmp(p, keyword, n) == 0 && (p[n] == '\0' || p[n] == ' '))
            return true;
    return false;
}

// The address in the Return-Path that delivery put on top; NULL: none. In the arena.
static const char *return_path(struct mbox_tx *tx, struct arena *arena, uint64_t mid) {
    struct message_mime mime;
    g_autoptr(GBytes) bytes = NULL;
    static const char name[] = "Return-Path: <";
    if (message_get_mime(tx, arena, mid, false, false, &mime) != EC_OK ||
        blob_read(tx, mime.blob, 0, MIN(mime.size, 1024u), &bytes) != EC_OK)
        return NULL;
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len), *end;
    if (len < sizeof name || g_ascii_strncasecmp(data, name, sizeof name - 1) != 0)
        return NULL;
    data += sizeof name - 1;
    end = memchr(data, '>', len - (sizeof name - 1));
    return end ? arena_strndup(arena, data, (size_t)(end - data)) : NULL;
}

// A message without a sender gets no answer, and an answer nobody agreed to goes only to whom the
// message came from ([RFC 8098] 2.1).
static bool may_answer(const struct receipts *r, struct mbox_tx *tx, uint64_t mid, const char *to) {
    const char *sender = return_path(tx, r->arena, mid);
    if (sender && !*sender)
        return false;
    return r->is_confirmed || (sender && text_compare_folded(sender, to) == 0);
}

static enum ec note_one(struct receipts *r, struct mbox_tx *tx, uint64_t mid,
                        enum receipt_kind kind, bool *noted_out) {
    struct message *m;
    EC_TRY(message_open(tx, mid, &m));
    const struct bag *bag = message_value(m)->bag;
    const char *to = bag_str(bag, PidTagReadReceiptSmtpAddress);
    if (!to)
        to = bag_str(bag, PidTagReadReceiptEmailAddress);
    bool asks = bag_bool(bag,
                         kind == RECEIPT_READ ? PidTagReadReceiptRequested
                                              : PidTagNonReceiptNotificationRequested,
                         false);
    *noted_out =
        asks && to && strchr(to, '@') && !strpbrk(to, "\r\n<> ") && may_answer(r, tx, mid, to);
    if (*noted_out) {
        struct receipt *one = arena_alloc(r->arena, sizeof *one);
        *one = (struct receipt){
            .kind = kind,
            .to = arena_strdup(r->arena, to),
            .to_name = arena_strdup(r->arena, bag_str(bag, PidTagReadReceiptName)),
            .subject = arena_strdup(r->arena, bag_str(bag, PidTagNormalizedSubject)),
            .message_id = arena_strdup(r->arena, bag_str(bag, PidTagInternetMessageId)),
            .sent = bag_time(bag, PidTagClientSubmitTime),
        };
        g_ptr_array_add(r->items, one);
    }
    message_free(m);
    return EC_OK;
}

enum ec receipts_note(struct receipts *r, struct mbox_tx *tx, uint64_t fid, const uint64_t *mids,
                      unsigned n, enum receipt_kind kind) {
    if (!r->is_wanted)
        return EC_OK;
    receipts_forget(r);
    for (unsigned i = 0; i < n && r->items->len < RECEIPTS_MAX; i++) {
        struct message_row row;
        uint64_t in;
        enum ec ec = message_get_row(tx, mids[i], &in, &row);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        bool is_answered = has_keyword(row.keywords, RECEIPT_KEYWORD), is_noted = false;
        if (row.keywords)
            shared_text_unref(row.keywords);
        if (in != fid || is_answered ||
            row.flags & (MSG_READ | MSG_DRAFT | MSG_ASSOCIATED | MSG_SOFT_DELETED))
            continue;
        EC_TRY(note_one(r, tx, mids[i], kind, &is_noted));
        if (is_noted)
            g_array_append_val(r->mids, mids[i]);
    }
    return EC_OK;
}

enum ec receipts_mark(struct receipts *r, struct mbox_tx *tx, uint64_t fid) {
    if (!r->is_wanted || r->mids->len == 0)
        return EC_OK;
    const char *keyword = RECEIPT_KEYWORD;
    struct message_flags_change change = {
        .mode = FLAGS_ADD, .keywords = &keyword, .n_keywords = 1, .unchanged_since = UINT64_MAX};
    return message_change_flags(tx, fid, (const uint64_t *)(void *)r->mids->data, r->mids->len,
                                &change, NULL);
}

// --- The receipt itself ---

static void set_person(struct bag *bag, const char *name, const char *address,
                       const proptag_t tags[4]) {
    bag_set_str(bag, tags[0], name && *name ? name : address);
    bag_set_str(bag, tags[1], "SMTP");
    bag_set_str(bag, tags[2], address);
    bag_set_str(bag, tags[3], address);
}

static const proptag_t sender_tags[] = {PidTagSenderName, PidTagSenderAddressType,
                                        PidTagSenderEmailAddress, PidTagSenderSmtpAddress};
static const proptag_t representing_tags[] = {
    PidTagSentRepresentingName, PidTagSentRepresentingAddressType,
    PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress};
static const proptag_t recipient_tags[] = {PidTagDisplayName, PidTagAddressType, PidTagEmailAddress,
                                           PidTagSmtpAddress};

static char *date_text(filetime_t time) {
    g_autoptr(GDateTime) date = time ? g_date_time_new_from_unix_utc(filetime_to_unix(time)) : NULL;
    return date ? g_date_time_format(date, "%Y-%m-%d %H:%M UTC") : g_strdup("");
}

static struct message_value *make(const struct receipt *r, const struct owner_settings *owner) {
    struct message_value *m = message_value_new();
    bool was_read = r->kind == RECEIPT_READ;
    const char *subject = r->subject ? r->subject : "";
    g_autofree char *title = g_strdup_printf("%s: %s", was_read ? "Read" : "Not read", subject);
    g_autofree char *sent = date_text(r->sent), *now = date_text(clock_now());
    g_autofree char *body = g_strdup_printf(
        "Your message\r\n\r\n  To: %s\r\n  Subject: %s\r\n  Sent: %s\r\n\r\n%s on %s.\r\n",
        owner->address, subject, sent, was_read ? "was read" : "was deleted without being read",
        now);
    bag_set_str(m->bag, PidTagMessageClass,
                was_read ? "REPORT.IPM.Note.IPNRN" : "REPORT.IPM.Note.IPNNRN");
    bag_set_str(m->bag, PidTagSubject, title);
    bag_set_str(m->bag, PidTagBody, body);
    bag_set_str(m->bag, PidTagOriginalMessageId, r->message_id);
    bag_set_str(m->bag, PidTagInReplyToId, r->message_id);
    bag_set_time(m->bag, PidTagClientSubmitTime, clock_now());
    set_person(m->bag, owner->display_name, owner->address, sender_tags);
    set_person(m->bag, owner->display_name, owner->address, representing_tags);
    struct bag *to = bag_new();
    set_person(to, r->to_name, r->to, recipient_tags);
    bag_set_long(to, PidTagRecipientType, 1);
    g_ptr_array_add(m->recipients, to);
    return m;
}

// A program made it ([RFC 3834]).
static GBytes *with_field(GBytes *mime) {
    gsize len;
    const char *data = g_bytes_get_data(mime, &len);
    GString *out = g_string_new("Auto-Submitted: auto-replied\r\n");
    g_string_append_len(out, data, (gssize)len);
    return g_string_free_to_bytes(out);
}

static enum ec send_one(struct mailbox *m, const struct owner_settings *owner,
                        const struct receipt *r) {
    g_autoptr(GBytes) bare = NULL;
    struct message_value *value = make(r, owner);
    enum ec ec = convert_message_to_mime(value, NULL, false, &bare);
    message_value_free(value);
    EC_TRY(ec);
    g_autoptr(GBytes) mime = with_field(bare);
    struct mailbox_outgoing out = {.kind = OUTGOING_RECEIPT,
                                   .mailbox = mbox_guid(m->mbox),
                                   .owner = owner->address,
                                   .sender = "",
                                   .recipient = r->to,
                                   .never_reports = true,
                                   .mime = mime};
    return outbox_send(m->service, &out);
}

void receipts_send(struct mailbox *m, struct receipts *r) {
    struct owner_settings owner;
    if (!r->items || r->items->len == 0 ||
        mailbox_owner_settings(m->service, r->arena, mbox_guid(m->mbox), &owner) != EC_OK ||
        !owner.address)
        return;
    for (guint i = 0; i < r->items->len; i++) {
        enum ec ec = send_one(m, &owner, r->items->pdata[i]);
        if (ec != EC_OK)
            log_event(LOG_LEVEL_WARNING, "mailbox.receipt_failed", "mailbox", owner.address,
                      "reason", ec_text(ec), NULL);
    }
}
