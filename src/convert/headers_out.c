// Properties to header fields ([MS-OXCMAIL] 2.1.1, 2.1.2), all but those of the content.
#include "base/clock.h"
#include "convert/convert_internal.h"

#define MAX_FIELD_NAME 126

static struct mime_address *person_address(struct writing *w, const struct person_tags *tags) {
    struct person person;
    if (!person_get(w->message->bag, tags, &person))
        return NULL;
    return person_to_address(w->arena, &person);
}

static bool is_same_address(const struct mime_address *a, const struct mime_address *b) {
    return g_ascii_strcasecmp(a->mailbox, b->mailbox) == 0 &&
           g_ascii_strcasecmp(a->domain, b->domain) == 0;
}

static void write_recipients(struct writing *w, const char *name, int type) {
    struct mime_address *first = NULL, **tail = &first;
    for (guint i = 0; i < w->message->recipients->len; i++) {
        const struct bag *bag = w->message->recipients->pdata[i];
        struct person person;
        // The upper bits say how the recipient was dealt with.
        if ((bag_long(bag, PidTagRecipientType, RECIPIENT_TO) & 0xF) != type ||
            !person_get(bag, &recipient_tags, &person))
            continue;
        struct mime_address *a = person_to_address(w->arena, &person);
        if (a) {
            *tail = a;
            tail = &a->next;
        }
    }
    mime_put_addresses(w->out, name, first);
}

// The sender's address, for the message id and the receipts.
static const struct mime_address *write_people(struct writing *w) {
    struct mime_address *from = person_address(w, &sent_representing_tags);
    struct mime_address *sender = person_address(w, &sender_tags);
    if (!from)
        from = sender;
    mime_put_addresses(w->out, "From", from);
    if (sender && from != sender && !is_same_address(from, sender))
        mime_put_addresses(w->out, "Sender", sender);
    mime_put_addresses(w->out, "Reply-To", reply_recipients_get(w->arena, w->message->bag));
    write_recipients(w, "To", RECIPIENT_TO);
    write_recipients(w, "Cc", RECIPIENT_CC);
    if (w->with_bcc)
        write_recipients(w, "Bcc", RECIPIENT_BCC);
    return from;
}

static void write_receipts(struct writing *w, const struct mime_address *from) {
    const struct bag *bag = w->message->bag;
    if (bag_bool(bag, PidTagReadReceiptRequested, false)) {
        struct mime_address *to = person_address(w, &read_receipt_tags);
        mime_put_addresses(w->out, "Disposition-Notification-To", to ? to : from);
    }
    if (bag_bool(bag, PidTagOriginatorDeliveryReportRequested, false))
        mime_put_addresses(w->out, "Return-Receipt-To", from);
}

static void put_date(struct writing *w, const char *name, filetime_t t) {
    if (t)
        mime_put_date(w->out, name, filetime_to_unix(t), 0);
}

static void write_dates(struct writing *w) {
    const struct bag *bag = w->message->bag;
    filetime_t date = bag_time(bag, PidTagClientSubmitTime);
    if (!date)
        date = bag_time(bag, PidTagMessageDeliveryTime);
    if (!date)
        date = bag_time(bag, PidTagCreationTime);
    put_date(w, "Date", date ? date : clock_now());
    put_date(w, "Expires", bag_time(bag, PidTagExpiryTime));
    put_date(w, "Reply-By", bag_time(bag, PidTagReplyTime));
    put_date(w, "Deferred-Delivery", bag_time(bag, PidTagDeferredDeliveryTime));
}

static void put_raw(struct writing *w, const char *name, proptag_t tag) {
    const char *value = bag_str(w->message->bag, tag);
    if (value && *value)
        mime_put_raw_header(w->out, name, value);
}

static void put_text(struct writing *w, const char *name, proptag_t tag) {
    const char *value = bag_str(w->message->bag, tag);
    if (value && *value)
        mime_put_header(w->out, name, value);
}

static void write_ids(struct writing *w, const struct mime_address *from) {
    const char *id = bag_str(w->message->bag, PidTagInternetMessageId);
    w->message_id = id && *id ? id : "";
    if (*w->message_id) {
        put_raw(w, "Message-ID", PidTagInternetMessageId);
    } else if (w->depth == 0) {
        struct guid guid = guid_new();
        char text[GUID_STRING_SIZE];
        guid_format(&guid, text);
        const char *domain = from && *from->domain ? from->domain : "localhost";
        w->message_id = arena_printf(w->arena, "<%s@%s>", text, domain);
        mime_put_raw_header(w->out, "Message-ID", w->message_id);
    }
    if (w->form != CONVERT_INTERNET)
        mime_put_raw_header(w->out, "X-MS-TNEF-Correlator", w->message_id);
    put_raw(w, "In-Reply-To", PidTagInReplyToId);
    put_raw(w, "References", PidTagInternetReferences);
}

static void write_subject(struct writing *w) {
    const struct bag *bag = w->message->bag;
    const char *subject = bag_str(bag, PidTagSubject);
    if (!subject) {
        const char *prefix = bag_str(bag, PidTagSubjectPrefix);
        const char *normalized = bag_str(bag, PidTagNormalizedSubject);
        subject =
            arena_printf(w->arena, "%s%s", prefix ? prefix : "", normalized ? normalized : "");
    }
    mime_put_header(w->out, "Subject", subject);
    const char *topic = bag_str(bag, PidTagConversationTopic);
    struct prop_bin index = bag_bytes(bag, PidTagConversationIndex);
    if (topic && *topic)
        mime_put_header(w->out, "Thread-Topic", topic);
    if (index.len > 0 && index.len < 16384) {
        g_autofree char *b64 = g_base64_encode(index.data, index.len);
        // Broken into pieces that fold; white space in it is skipped by readers.
        g_autoptr(GString) pieces = g_string_new(NULL);
        for (size_t i = 0, len = strlen(b64); i < len; i += 60)
            g_string_append_printf(pieces, "%s%.60s", i ? " " : "", b64 + i);
        mime_put_raw_header(w->out, "Thread-Index", pieces->str);
    }
}

static void write_suppress(struct writing *w) {
    static const char *const words[] = {"DR", "NDR", "RN", "NRN", "OOF", "AutoReply"};
    int bits = bag_long(w->message->bag, PidTagAutoResponseSuppress, 0);
    if (bits == 0)
        return;
    g_autoptr(GString) value = g_string_new(bits == -1 ? "All" : NULL);
    for (unsigned i = 0; bits != -1 && i < G_N_ELEMENTS(words); i++)
        if (bits & 1 << i)
            g_string_append_printf(value, "%s%s", value->len ? ", " : "", words[i]);
    if (value->len)
        mime_put_raw_header(w->out, "X-Auto-Response-Suppress", value->str);
}

static void write_marks(struct writing *w) {
    const struct bag *bag = w->message->bag;
    int importance = bag_long(bag, PidTagImportance, 1);
    if (importance == 0 || importance == 2) {
        mime_put_raw_header(w->out, "Importance", importance ? "high" : "low");
        mime_put_raw_header(w->out, "X-Priority", importance ? "1" : "5");
    }
    int priority = bag_long(bag, PidTagPriority, 0);
    if (priority == 1 || priority == -1)
        mime_put_raw_header(w->out, "Priority", priority == 1 ? "urgent" : "non-urgent");
    static const char *const sensitivities[] = {"Personal", "Private", "Company-Confidential"};
    int sensitivity = bag_long(bag, PidTagSensitivity, 0);
    if (sensitivity >= 1 && sensitivity <= 3)
        mime_put_raw_header(w->out, "Sensitivity", sensitivities[sensitivity - 1]);
    const struct prop_value *keywords = bag_get(bag, PidNameKeywords);
    if (keywords && !keywords->is_external && keywords->mv.n > 0) {
        g_autoptr(GString) value = g_string_new(NULL);
        for (uint32_t i = 0; i < keywords->mv.n; i++)
            g_string_append_printf(value, "%s%s", i ? ", " : "", keywords->mv.str[i]);
        mime_put_header(w->out, "Keywords", value->str);
    }
    put_text(w, "X-Message-Flag", PidLidFlagRequest);
    write_suppress(w);
    put_raw(w, "List-Help", PidTagListHelp);
    put_raw(w, "List-Subscribe", PidTagListSubscribe);
    put_raw(w, "List-Unsubscribe", PidTagListUnsubscribe);
    put_text(w, "Organization", PidTagInternetOrganization);
    if (bag_bool(bag, PidTagAutoForwarded, false))
        mime_put_raw_header(w->out, "AutoForwarded", "true");
}

static bool is_field_name(const char *name) {
    size_t n = 0;
    while (name[n] > ' ' && name[n] < 0x7F && name[n] != ':')
        n++;
    return n > 0 && n <= MAX_FIELD_NAME && name[n] == 0;
}

// Names of header fields are kept in lower case ([MS-OXCDATA] 2.6.1): "X-Mailer" of "x-mailer".
static const char *capitalized(struct arena *arena, const char *name) {
    char *out = arena_strdup(arena, name);
    for (char *p = out; *p; p++)
        if (p == out || p[-1] == '-')
            *p = g_ascii_toupper(*p);
    return out;
}

// Header fields kept as named properties. Those that this file and the content write themselves are
// left out, and whatever is no field name.
static void write_named_headers(struct writing *w) {
    static const char *const own[] = {"from",
                                      "sender",
                                      "reply-to",
                                      "to",
                                      "cc",
                                      "bcc",
                                      "subject",
                                      "date",
                                      "message-id",
                                      "in-reply-to",
                                      "references",
                                      "mime-version",
                                      "x-ms-tnef-correlator",
                                      "content-type",
                                      "content-transfer-encoding"};
    for (unsigned i = 0; i < bag_count(w->message->bag); i++) {
        const struct prop_value *v = bag_at(w->message->bag, i);
        bool is_number = PROP_TYPE(v->tag) == PT_I2;
        if (!PROP_IS_NAMED(v->tag) || v->is_external ||
            (PROP_TYPE(v->tag) != PT_UNICODE && !is_number))
            continue;
        struct prop_name name;
        if (!message_value_name(w->message, PROP_ID(v->tag), &name) ||
            name.kind != PROP_NAME_STRING || !guid_equal(&name.set, &PS_INTERNET_HEADERS))
            continue;
        bool is_own = !is_field_name(name.string);
        for (size_t k = 0; k < G_N_ELEMENTS(own); k++)
            is_own = is_own || g_ascii_strcasecmp(name.string, own[k]) == 0;
        if (!is_own)
            mime_put_header(w->out, capitalized(w->arena, name.string),
                            is_number ? arena_printf(w->arena, "%d", v->i2) : v->str);
    }
}

void write_headers(struct writing *w) {
    const struct mime_address *from = write_people(w);
    write_subject(w);
    write_dates(w);
    write_ids(w, from);
    write_marks(w);
    write_receipts(w, from);
    write_named_headers(w);
}
