// Reports written for other systems: multipart/report with the text for people, the fields for
// machines, and the message they are about ([MS-OXCMAIL] 2.1.3.6).
#include "convert/convert_internal.h"

#include <unistd.h>

#define MAX_FIELD 998

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && g_ascii_strcasecmp(s + n - k, end) == 0;
}

enum report_kind report_kind(const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    if (!class || g_ascii_strncasecmp(class, "REPORT.", 7) != 0)
        return REPORT_NONE;
    if (ends_with(class, ".NDR") || ends_with(class, ".DR"))
        return REPORT_DELIVERY;
    return ends_with(class, ".IPNRN") || ends_with(class, ".IPNNRN") ? REPORT_DISPOSITION
                                                                     : REPORT_NONE;
}

// A field on one line; what could begin another one becomes spaces.
static void put_field(struct writing *w, const char *name, const char *type, const char *value) {
    g_autofree char *line = g_strndup(value, MAX_FIELD);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    g_string_append_printf(w->out, "%s: %s%s\r\n", name, type, line);
}

static const char *smtp_of(struct writing *w, const struct bag *bag, const struct person_tags *tags,
                           const char **name_out) {
    struct person person;
    if (!person_get(bag, tags, &person))
        return NULL;
    const struct mime_address *a = person_to_address(w->arena, &person);
    *name_out = person.name;
    return a ? mime_address_format(w->arena, a) : NULL;
}

static void put_display_name(struct writing *w, const char *name, const char *address) {
    if (name && *name && g_ascii_strcasecmp(name, address) != 0)
        mime_put_header(w->out, "X-Display-Name", name);
}

// --- Delivery ([MS-OXCMAIL] 2.1.3.6.1) ---

static const char *action_of(const char *class) {
    if (ends_with(class, ".NDR"))
        return "failed";
    if (ends_with(class, ".Delayed.DR"))
        return "delayed";
    if (ends_with(class, ".Relayed.DR"))
        return "relayed";
    return ends_with(class, ".Expanded.DR") ? "expanded" : "delivered";
}

static void put_status(struct writing *w, const struct bag *recipient, const char *action) {
    int kind = strcmp(action, "failed") == 0 ? 5 : strcmp(action, "delayed") == 0 ? 4 : 2;
    int code = bag_long(recipient, PidTagNonDeliveryReportStatusCode, 0);
    struct report_status s = {code / 100, code / 10 % 10, code % 10};
    if (code < 200 || code > 599)
        s = report_status_of_codes(kind, bag_long(recipient, PidTagNonDeliveryReportDiagCode, -1),
                                   bag_long(recipient, PidTagNonDeliveryReportReasonCode, 0));
    g_string_append_printf(w->out, "Status: %d.%d.%d\r\n", s.kind, s.subject, s.detail);
}

static void put_recipient(struct writing *w, const struct bag *recipient, const char *action) {
    const char *name = NULL, *address = smtp_of(w, recipient, &recipient_tags, &name);
    const char *mta = bag_str(recipient, PidTagRemoteMessageTransferAgent);
    const char *more = bag_str(recipient, PidTagSupplementaryInfo);
    if (!address)
        return;
    g_string_append(w->out, "\r\n");
    put_field(w, "Final-Recipient", "rfc822;", address);
    put_field(w, "Action", "", action);
    put_status(w, recipient, action);
    if (mta && *mta)
        put_field(w, "Remote-MTA", "dns;", mta);
    if (more && *more)
        put_field(w, "X-Supplementary-Info", "", more);
    put_display_name(w, name, address);
}

static void put_delivery(struct writing *w) {
    const struct bag *bag = w->message->bag;
    const char *mta = bag_str(bag, PidTagReportingMessageTransferAgent);
    char host[256] = "localhost";
    if (!mta || !*mta) {
        gethostname(host, sizeof host - 1);
        mta = host;
    }
    g_string_append(w->out, "Content-Type: message/delivery-status\r\n\r\n");
    put_field(w, "Reporting-MTA", "dns;", mta);
    const char *action = action_of(bag_str(bag, PidTagMessageClass));
    for (guint i = 0; i < w->message->recipients->len; i++)
        put_recipient(w, w->message->recipients->pdata[i], action);
}

// --- Reading ([MS-OXCMAIL] 2.1.3.6.2) ---

static void put_disposition(struct writing *w) {
    const struct bag *bag = w->message->bag;
    const char *name = NULL, *address = smtp_of(w, bag, &sender_tags, &name);
    if (!address)
        address = smtp_of(w, bag, &sent_representing_tags, &name);
    bool was_read = ends_with(bag_str(bag, PidTagMessageClass), ".IPNRN");
    const char *id = bag_str(bag, PidTagOriginalMessageId);
    struct prop_bin key = bag_bytes(bag, PidTagParentKey);
    g_string_append(w->out, "Content-Type: message/disposition-notification\r\n\r\n");
    put_field(w, "Final-Recipient", "rfc822;", address ? address : "");
    put_field(w, "Disposition", "automatic-action/MDN-sent-automatically; ",
              was_read ? "displayed" : "deleted");
    if (key.len > 0 && key.len < 512) {
        g_autofree char *b64 = g_base64_encode(key.data, key.len);
        put_field(w, "X-MSExch-Correlation-Key", "", b64);
    }
    if (id && *id)
        put_field(w, "Original-Message-ID", "", id);
    if (address)
        put_display_name(w, name, address);
}

const char *report_type(enum report_kind kind) {
    return kind == REPORT_DELIVERY ? "delivery-status" : "disposition-notification";
}

void write_report_part(struct writing *w, enum report_kind kind) {
    if (kind == REPORT_DELIVERY)
        put_delivery(w);
    else
        put_disposition(w);
}
