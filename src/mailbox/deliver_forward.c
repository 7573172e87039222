// Sending on what comes in: all mail of a mailbox, or what a rule says ([MS-OXORULE] 3.2.5.1).
//
// The envelope's sender stays, also the null sender, so that reports go to whom they concern and a
// report about a report cannot come back here. Loops end by a field that each mailbox adds when it
// sends a message on; a message that has it already is kept.
#include <string.h>

#include "base/guid.h"
#include "base/log.h"
#include "base/text.h"
#include "mailbox/deliver_hooks.h"
#include "mapi/props.h"

static const struct mime_message *scan(const struct delivery_plan *plan) {
    gsize len;
    const void *data = g_bytes_get_data(plan->delivery->mime, &len);
    return mime_scan(plan->arena, data ? data : "", len);
}

bool delivery_has_field(const struct delivery_plan *plan, const char *name, const char *value) {
    const struct mime_message *m = scan(plan);
    struct mime_header header;
    size_t n = strlen(name);
    for (size_t pos = 0; mime_header_next(m, m->root, &pos, &header);)
        if (header.name.len == n &&
            g_ascii_strncasecmp((const char *)m->data + header.name.pos, name, n) == 0 &&
            text_compare_folded(mime_header_value(plan->arena, m, &header, 1000), value) == 0)
            return true;
    return false;
}

static void add(struct delivery_plan *plan, enum mailbox_outgoing_kind kind, const char *sender,
                const char *recipient, GString *text) {
    struct mailbox_outgoing *out = arena_alloc(plan->arena, sizeof *out);
    *out = (struct mailbox_outgoing){.kind = kind,
                                     .mailbox = plan->delivery->mailbox,
                                     .owner = plan->owner->address,
                                     .sender = sender,
                                     .recipient = arena_strdup(plan->arena, recipient),
                                     .requires_tls = plan->delivery->requires_tls,
                                     .mime = g_string_free_to_bytes(text),
                                     .delivery_id = plan->delivery->delivery_id};
    g_ptr_array_add(plan->outgoing, out);
}

static const char *sender_of(const struct delivery_plan *plan) {
    return plan->delivery->sender ? plan->delivery->sender : "";
}

// The message without the Return-Path that delivery put on top.
static void put_message(const struct delivery_plan *plan, GString *out) {
    gsize len;
    const char *data = g_bytes_get_data(plan->delivery->mime, &len);
    static const char name[] = "Return-Path:";
    if (len >= sizeof name - 1 && g_ascii_strncasecmp(data, name, sizeof name - 1) == 0) {
        const char *end = memchr(data, '\n', len);
        size_t line = end ? (size_t)(end - data) + 1 : len;
        data += line;
        len -= line;
    }
    g_string_append_len(out, data, (gssize)len);
}

void delivery_redirect(struct delivery_plan *plan, enum mailbox_outgoing_kind kind,
                       const char *recipient, const char *field) {
    GString *out = g_string_new(field);
    put_message(plan, out);
    add(plan, kind, sender_of(plan), recipient, out);
}

// --- A new message ---

static void put_header(struct delivery_plan *plan, const struct mime_message *m,
                       const char *recipient, const char *field, GString *out) {
    const char *owner = plan->owner->address, *at = strrchr(owner, '@');
    struct guid guid = guid_new();
    char id[GUID_STRING_SIZE];
    guid_format(&guid, id);
    struct mime_address from = {
        .name = plan->owner->display_name,
        .mailbox = arena_strndup(plan->arena, owner, at ? (size_t)(at - owner) : strlen(owner)),
        .domain = at ? at + 1 : "localhost"};
    const char *subject = bag_str(plan->value->bag, PidTagNormalizedSubject);
    const char *about = mime_header_raw(plan->arena, m, m->root, "Message-ID");
    g_string_append(out, field);
    mime_put_date(out, "Date", filetime_to_unix(clock_now()), 0);
    mime_put_addresses(out, "From", &from);
    g_string_append_printf(out, "To: <%s>\r\n", recipient);
    mime_put_header(out, "Subject", arena_printf(plan->arena, "FW: %s", subject ? subject : ""));
    g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", id, from.domain);
    if (about && strlen(about) < 900 && text_is_ascii(about, strlen(about)))
        g_string_append_printf(out, "References: %s\r\n", about);
    g_string_append(out, "Auto-Submitted: auto-generated\r\nAutoForwarded: TRUE\r\n"
                         "MIME-Version: 1.0\r\n");
}

// What says how to read the body, and the body, as they stand.
static void put_content(const struct mime_message *m, GString *out) {
    const char *data = (const char *)m->data;
    struct mime_header header;
    for (size_t pos = 0; mime_header_next(m, m->root, &pos, &header);)
        if (header.name.len > 8 && g_ascii_strncasecmp(data + header.name.pos, "Content-", 8) == 0)
            g_string_append_len(out, data + header.whole.pos, (gssize)header.whole.len);
    g_string_append(out, "\r\n");
    if (m->len > m->root->header.len)
        g_string_append_len(out, data + m->root->header.len,
                            (gssize)(m->len - m->root->header.len));
}

static void put_attached(struct delivery_plan *plan, GString *out) {
    const char *boundary = mime_new_boundary(plan->arena);
    g_string_append_printf(out,
                           "Content-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n\r\n"
                           "--%s\r\nContent-Type: message/rfc822\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n\r\n",
                           boundary, boundary);
    put_message(plan, out);
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
}

void delivery_send_forward(struct delivery_plan *plan, const char *recipient, bool is_attached,
                           const char *field) {
    const struct mime_message *m = scan(plan);
    GString *out = g_string_new(NULL);
    put_header(plan, m, recipient, field, out);
    if (is_attached)
        put_attached(plan, out);
    else
        put_content(m, out);
    // Nobody is told of a failure who does not know that it was sent on at all, but the owner is.
    add(plan, OUTGOING_RULE, *sender_of(plan) ? plan->owner->address : "", recipient, out);
}

// --- All mail ---

enum ec delivery_forward(struct delivery_plan *plan) {
    const struct owner_settings *owner = plan->owner;
    if (!owner->forward || !owner->address)
        return EC_OK;
    if (delivery_has_field(plan, "Delivered-To", owner->address)) {
        log_event(LOG_LEVEL_WARNING, "deliver.forward_loop", "mailbox", owner->address, "to",
                  owner->forward, NULL);
        return EC_OK;
    }
    delivery_redirect(plan, OUTGOING_FORWARD, owner->forward,
                      arena_printf(plan->arena, "Delivered-To: %s\r\n", owner->address));
    if (!owner->keeps_forwarded)
        plan->is_dropped = plan->is_done = true;
    return EC_OK;
}
