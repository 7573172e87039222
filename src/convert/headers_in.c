// Header fields to properties ([MS-OXCMAIL] 2.2.3.1, 2.2.3.2).
//
// One walk over the header collects the fields that are known, unfolded; of several with one name
// the first counts, address lists are joined. Then each group of properties is made from them.
// Other fields are named properties of PS_INTERNET_HEADERS: those of the catalogue under their ids,
// the rest under local ones. All are in PidTagTransportMessageHeaders.
#include "convert/convert_internal.h"
#include "mapi/catalogue.h"
#include "mapi/conversation.h"

#define MAX_VALUE (64u * 1024)      // of one field that is no address list
#define MAX_LIST (2u * 1024 * 1024) // of all address lists with one name
#define MAX_KEYWORDS 200
#define MAX_OTHER_VALUE 8192 // of one field that is no property of the catalogue
#define MAX_TRANSPORT_HEADERS (1024u * 1024)

#define FIELDS(X)                                                                                  \
    X(FROM, "from")                                                                                \
    X(SENDER, "sender")                                                                            \
    X(REPLY_TO, "reply-to")                                                                        \
    X(TO, "to")                                                                                    \
    X(CC, "cc")                                                                                    \
    X(BCC, "bcc")                                                                                  \
    X(SUBJECT, "subject")                                                                          \
    X(DATE, "date")                                                                                \
    X(MESSAGE_ID, "message-id")                                                                    \
    X(REFERENCES, "references")                                                                    \
    X(IN_REPLY_TO, "in-reply-to")                                                                  \
    X(RECEIVED, "received")                                                                        \
    X(IMPORTANCE, "importance")                                                                    \
    X(PRIORITY, "priority")                                                                        \
    X(X_PRIORITY, "x-priority")                                                                    \
    X(MSMAIL_PRIORITY, "x-msmail-priority")                                                        \
    X(SENSITIVITY, "sensitivity")                                                                  \
    X(THREAD_TOPIC, "thread-topic")                                                                \
    X(THREAD_INDEX, "thread-index")                                                                \
    X(KEYWORDS, "keywords")                                                                        \
    X(READ_RECEIPT, "disposition-notification-to")                                                 \
    X(DELIVERY_RECEIPT, "return-receipt-to")                                                       \
    X(EXPIRES, "expires")                                                                          \
    X(EXPIRY_DATE, "expiry-date")                                                                  \
    X(REPLY_BY, "reply-by")                                                                        \
    X(DEFERRED, "deferred-delivery")                                                               \
    X(FLAG, "x-message-flag")                                                                      \
    X(SUPPRESS, "x-auto-response-suppress")                                                        \
    X(X_LIST_HELP, "x-list-help")                                                                  \
    X(X_LIST_SUBSCRIBE, "x-list-subscribe")                                                        \
    X(X_LIST_UNSUBSCRIBE, "x-list-unsubscribe")                                                    \
    X(AUTO_FORWARDED, "autoforwarded")                                                             \
    X(CONTENT_CLASS, "content-class")                                                              \
    X(TELEPHONE, "x-callingtelephonenumber")                                                       \
    X(VOICE_DURATION, "x-voicemessageduration")                                                    \
    X(VOICE_SENDER, "x-voicemessagesendername")                                                    \
    X(FAX_PAGES, "x-faxnumberofpages")                                                             \
    X(VOICE_ORDER, "x-attachmentorder")                                                            \
    X(CALL_ID, "x-callid")                                                                         \
    X(LIST_HELP, "list-help")                                                                      \
    X(LIST_SUBSCRIBE, "list-subscribe")                                                            \
    X(LIST_UNSUBSCRIBE, "list-unsubscribe")                                                        \
    X(ORGANIZATION, "organization")                                                                \
    X(CONTENT_TYPE, "content-type")                                                                \
    X(CONTENT_TRANSFER_ENCODING, "content-transfer-encoding")                                      \
    X(CONTENT_BASE, "content-base")

enum field {
#define X(id, name) F_##id,
    FIELDS(X)
#undef X
        N_FIELDS
};

static const struct {
    const char *name;
    size_t len;
} field_names[N_FIELDS] = {
#define X(id, name) [F_##id] = {name, sizeof name - 1},
    FIELDS(X)
#undef X
};

struct fields {
    const char *raw[N_FIELDS];
    const char *fallback_charset; // of raw 8-bit text: the message's own
};

static bool is_list(enum field f) {
    return f == F_TO || f == F_CC || f == F_BCC || f == F_REPLY_TO;
}

static char *lower(struct arena *arena, const uint8_t *s, size_t len) {
    char *out = arena_strndup(arena, (const char *)s, len);
    for (char *p = out; *p; p++)
        *p = g_ascii_tolower(*p);
    return out;
}

// Fields that become no property: how the message travelled and what others signed about it, what
// describes the content, and what only a server inside may say.
static bool is_private_header(const char *name) {
    static const char *const prefixes[] = {"arc-", "content-", "resent-",
                                           "x-ms-exchange-organization-", "x-ms-exchange-forest-"};
    static const char *const names[] = {
        "received",       "return-path",  "delivered-to",           "mime-version",
        "dkim-signature", "received-spf", "authentication-results", "domainkey-signature"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

// A field outside the catalogue, under a name that the mailbox may take up.
static void set_other_header(struct reading *r, const struct fields *f, const char *name,
                             const struct mime_header *h) {
    if (is_private_header(name) || r->n_other_headers >= CONVERT_MAX_OTHER_HEADERS)
        return;
    struct prop_name full = prop_name_string(&PS_INTERNET_HEADERS, name);
    uint16_t id = message_value_local_name(r->message, &full);
    proptag_t tag = PROP_TAG(id, PT_UNICODE);
    if (id == 0 || bag_get(r->message->bag, tag))
        return;
    r->n_other_headers++;
    bag_set_str(r->message->bag, tag,
                mime_decode_words(r->arena,
                                  mime_header_value(r->arena, r->mime, h, MAX_OTHER_VALUE),
                                  f->fallback_charset));
}

// A header field that is a named property, one of the catalogue or not ([MS-OXCMAIL] 2.2.3.2.12).
static void set_named_header(struct reading *r, const struct fields *f, const char *name,
                             const struct mime_header *h) {
    const struct catalogue_property *p = catalogue_by_string(&PS_INTERNET_HEADERS, name);
    if (!p) {
        set_other_header(r, f, name, h);
        return;
    }
    if (bag_get(r->message->bag, PROP_TAG(PROP_ID(p->tag), PT_UNSPECIFIED)))
        return;
    const char *text = mime_decode_words(
        r->arena, mime_header_value(r->arena, r->mime, h, MAX_VALUE), f->fallback_charset);
    switch (PROP_TYPE(p->tag)) {
    case PT_UNICODE:
        bag_set_str(r->message->bag, p->tag, text);
        break;
    case PT_I2:
    case PT_LONG: {
        struct prop_value v = {.tag = p->tag};
        gint64 n = g_ascii_strtoll(text, NULL, 10);
        if (PROP_TYPE(p->tag) == PT_I2)
            v.i2 = (int16_t)CLAMP(n, INT16_MIN, INT16_MAX);
        else
            v.l = (int32_t)CLAMP(n, INT32_MIN, INT32_MAX);
        bag_set(r->message->bag, &v);
        break;
    }
    case PT_BOOLEAN:
        bag_set_bool(r->message->bag, p->tag, g_ascii_strcasecmp(text, "true") == 0);
        break;
    }
}

static void collect(struct reading *r, struct fields *f) {
    struct mime_header h;
    GString *lists[N_FIELDS] = {NULL};
    for (size_t pos = 0; mime_header_next(r->mime, r->mime->root, &pos, &h);) {
        if (h.name.len > 64)
            continue;
        const uint8_t *name = r->mime->data + h.name.pos;
        int i = 0;
        while (i < N_FIELDS &&
               (field_names[i].len != h.name.len ||
                g_ascii_strncasecmp((const char *)name, field_names[i].name, h.name.len) != 0))
            i++;
        if (i == N_FIELDS) {
            set_named_header(r, f, lower(r->arena, name, h.name.len), &h);
        } else if (!f->raw[i]) {
            f->raw[i] = mime_header_value(r->arena, r->mime, &h, is_list(i) ? MAX_LIST : MAX_VALUE);
        } else if (is_list(i) && (!lists[i] || lists[i]->len < MAX_LIST)) {
            if (!lists[i])
                lists[i] = g_string_new(f->raw[i]);
            g_string_append(lists[i], ", ");
            g_string_append(lists[i], mime_header_value(r->arena, r->mime, &h, MAX_LIST));
        }
    }
    for (int i = 0; i < N_FIELDS; i++)
        if (lists[i]) {
            f->raw[i] = arena_strndup(r->arena, lists[i]->str, lists[i]->len);
            g_string_free(lists[i], TRUE);
        }
}

static const char *text_of(struct reading *r, const struct fields *f, enum field field) {
    return f->raw[field] ? mime_decode_words(r->arena, f->raw[field], f->fallback_charset) : NULL;
}

// --- People ---

static const struct mime_address *first_person(const struct mime_address *list) {
    while (list && !list->domain)
        list = list->next;
    return list;
}

static bool set_person(struct reading *r, const struct person_tags *tags, const char *raw) {
    const struct mime_address *a = raw ? first_person(mime_parse_addresses(r->arena, raw)) : NULL;
    if (!a)
        return false;
    struct person person = person_from_address(r->arena, a);
    person_set(r->message->bag, tags, &person);
    return true;
}

struct bag *new_recipient(const struct person *person, int type) {
    struct bag *bag = bag_new();
    person_set(bag, &recipient_tags, person);
    bag_set_long(bag, PidTagRecipientType, type);
    bag_set_long(bag, PidTagObjectType, 6);  // MAPI_MAILUSER
    bag_set_long(bag, PidTagDisplayType, 0); // DT_MAILUSER
    bag_set_str(bag, PidTagRecipientDisplayName, bag_str(bag, PidTagDisplayName));
    return bag;
}

static void read_recipients(struct reading *r, const char *raw, int type) {
    if (!raw)
        return;
    GPtrArray *recipients = r->message->recipients;
    for (struct mime_address *a = mime_parse_addresses(r->arena, raw);
         a && recipients->len < CONVERT_MAX_RECIPIENTS; a = a->next) {
        if (!a->domain)
            continue;
        struct person person = person_from_address(r->arena, a);
        g_ptr_array_add(recipients, new_recipient(&person, type));
    }
}

static void read_people(struct reading *r, const struct fields *f) {
    bool has_sender = set_person(r, &sender_tags, f->raw[F_SENDER]) ||
                      set_person(r, &sender_tags, f->raw[F_FROM]);
    if (!set_person(r, &sent_representing_tags, f->raw[F_FROM]) && has_sender)
        set_person(r, &sent_representing_tags, f->raw[F_SENDER]);
    read_recipients(r, f->raw[F_TO], RECIPIENT_TO);
    read_recipients(r, f->raw[F_CC], RECIPIENT_CC);
    read_recipients(r, f->raw[F_BCC], RECIPIENT_BCC);
    if (f->raw[F_REPLY_TO])
        reply_recipients_set(r->arena, r->message->bag,
                             mime_parse_addresses(r->arena, f->raw[F_REPLY_TO]));
    if (set_person(r, &read_receipt_tags, f->raw[F_READ_RECEIPT])) {
        bag_set_bool(r->message->bag, PidTagReadReceiptRequested, true);
        bag_set_bool(r->message->bag, PidTagNonReceiptNotificationRequested, true);
    }
    if (f->raw[F_DELIVERY_RECEIPT])
        bag_set_bool(r->message->bag, PidTagOriginatorDeliveryReportRequested, true);
}

// --- Subject and conversation ---

static const char *read_subject(struct reading *r, const struct fields *f) {
    const char *subject = text_of(r, f, F_SUBJECT);
    if (!subject)
        subject = "";
    struct subject_parts parts = subject_split(r->arena, subject, NULL);
    bag_set_str(r->message->bag, PidTagSubject, subject);
    bag_set_str(r->message->bag, PidTagSubjectPrefix, parts.prefix);
    bag_set_str(r->message->bag, PidTagNormalizedSubject, parts.normalized);
    return parts.normalized;
}

// A conversation index for a message whose program makes none: its GUID comes from the first
// message of the thread, so that all that refer to it are one conversation ([MS-OXOMSG] 2.2.1.3).
static void make_conversation_index(struct reading *r, const struct fields *f) {
    static const enum field sources[] = {F_REFERENCES, F_IN_REPLY_TO, F_MESSAGE_ID};
    const char *root = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(sources) && !root; i++)
        if (f->raw[sources[i]])
            root = mime_parse_ids(r->arena, f->raw[sources[i]])[0];
    if (!root)
        return;
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(md5, (const guchar *)root, (gssize)strlen(root));
    struct guid guid;
    gsize len = sizeof guid.bytes;
    g_checksum_get_digest(md5, guid.bytes, &len);
    uint8_t index[CONVERSATION_INDEX_HEADER];
    conversation_index_start(bag_time(r->message->bag, PidTagClientSubmitTime), &guid, index);
    bag_set_bytes(r->message->bag, PidTagConversationIndex, index, sizeof index);
    bag_set_bool(r->message->bag, PidTagConversationIndexTracking, true);
}

static void read_conversation(struct reading *r, const struct fields *f, const char *normalized) {
    const char *topic = text_of(r, f, F_THREAD_TOPIC);
    bag_set_str(r->message->bag, PidTagConversationTopic, topic ? topic : normalized);
    if (f->raw[F_THREAD_INDEX]) {
        const char *raw = f->raw[F_THREAD_INDEX];
        g_autoptr(GBytes) index = mime_decode(raw, strlen(raw), MIME_BASE64);
        gsize len;
        const void *data = g_bytes_get_data(index, &len);
        if (len >= CONVERSATION_INDEX_HEADER && len <= CONVERSATION_INDEX_MAX) {
            bag_set_bytes(r->message->bag, PidTagConversationIndex, data, len);
            bag_set_bool(r->message->bag, PidTagConversationIndexTracking, true);
            return;
        }
    }
    make_conversation_index(r, f);
}

// --- The rest ---

static bool is_word(const char *value, const char *word) {
    size_t n = strlen(word);
    return g_ascii_strncasecmp(value, word, n) == 0 && !g_ascii_isalnum(value[n]);
}

struct word_value {
    const char *word;
    int value;
};

static bool find_word(const char *raw, const struct word_value *words, size_t n, int *out) {
    for (size_t i = 0; raw && i < n; i++)
        if (is_word(raw, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    return false;
}

static void read_importance(struct reading *r, const struct fields *f) {
    static const struct word_value importances[] = {{"low", 0}, {"normal", 1}, {"high", 2}};
    static const struct word_value priorities[] = {{"non-urgent", 0}, {"normal", 1}, {"urgent", 2}};
    static const struct word_value numbers[] = {{"5", 0}, {"4", 0}, {"3", 1}, {"2", 2}, {"1", 2}};
    static const struct word_value sensitivities[] = {
        {"normal", 0}, {"personal", 1}, {"private", 2}, {"company-confidential", 3}};
    int value = 1;
    if (!find_word(f->raw[F_IMPORTANCE], importances, 3, &value) &&
        !find_word(f->raw[F_X_PRIORITY], numbers, 5, &value) &&
        !find_word(f->raw[F_MSMAIL_PRIORITY], importances, 3, &value))
        find_word(f->raw[F_PRIORITY], priorities, 3, &value);
    bag_set_long(r->message->bag, PidTagImportance, value);
    if (!find_word(f->raw[F_PRIORITY], priorities, 3, &value))
        value = 1;
    bag_set_long(r->message->bag, PidTagPriority, value - 1);
    value = 0;
    find_word(f->raw[F_SENSITIVITY], sensitivities, 4, &value);
    bag_set_long(r->message->bag, PidTagSensitivity, value);
}

static void set_date(struct reading *r, proptag_t tag, const char *raw) {
    int64_t t;
    if (raw && !bag_get(r->message->bag, tag) && mime_parse_date(raw, &t, NULL))
        bag_set_time(r->message->bag, tag, filetime_from_unix(t));
}

static void read_dates(struct reading *r, const struct fields *f) {
    set_date(r, PidTagClientSubmitTime, f->raw[F_DATE]);
    // Without a date, when the last server got it.
    const char *semicolon = f->raw[F_RECEIVED] ? strrchr(f->raw[F_RECEIVED], ';') : NULL;
    if (semicolon)
        set_date(r, PidTagClientSubmitTime, semicolon + 1);
    set_date(r, PidTagExpiryTime, f->raw[F_EXPIRY_DATE]);
    set_date(r, PidTagExpiryTime, f->raw[F_EXPIRES]);
    set_date(r, PidTagReplyTime, f->raw[F_REPLY_BY]);
    set_date(r, PidTagDeferredDeliveryTime, f->raw[F_DEFERRED]);
}

static void read_keywords(struct reading *r, const struct fields *f) {
    const char *text = text_of(r, f, F_KEYWORDS);
    if (!text)
        return;
    const char *words[MAX_KEYWORDS];
    uint32_t n = 0;
    while (*text && n < MAX_KEYWORDS) {
        text += strspn(text, ",; \t");
        size_t len = strcspn(text, ",;");
        const char *next = text + len;
        while (len > 0 && text[len - 1] == ' ')
            len--;
        if (len > 0)
            words[n++] = arena_strndup(r->arena, text, len);
        text = next;
    }
    struct prop_value v = {.tag = PidNameKeywords, .mv = {.n = n, .str = words}};
    if (n > 0)
        bag_set(r->message->bag, &v);
}

static void read_suppress(struct reading *r, const char *raw) {
    static const struct word_value bits[] = {{"all", -1}, {"dr", 1},   {"ndr", 2},       {"rn", 4},
                                             {"nrn", 8},  {"oof", 16}, {"autoreply", 32}};
    int all = 0, bit;
    for (const char *p = raw; p && *p; p += strcspn(p, ",")) {
        p += strspn(p, ", \t");
        if (find_word(p, bits, G_N_ELEMENTS(bits), &bit))
            all |= bit;
    }
    if (all)
        bag_set_long(r->message->bag, PidTagAutoResponseSuppress, all);
}

static void set_text(struct reading *r, proptag_t tag, const char *text) {
    if (text && *text)
        bag_set_str(r->message->bag, tag, text);
}

// [MS-OXCMAIL] 2.2.3.2.19; gateways put an X- before the names.
static void read_lists(struct reading *r, const struct fields *f) {
    static const struct {
        enum field field, other;
        proptag_t tag;
    } lists[] = {{F_LIST_HELP, F_X_LIST_HELP, PidTagListHelp},
                 {F_LIST_SUBSCRIBE, F_X_LIST_SUBSCRIBE, PidTagListSubscribe},
                 {F_LIST_UNSUBSCRIBE, F_X_LIST_UNSUBSCRIBE, PidTagListUnsubscribe}};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        set_text(r, lists[i].tag,
                 text_of(r, f, f->raw[lists[i].field] ? lists[i].field : lists[i].other));
}

// A flag for follow-up ([MS-OXCMAIL] 2.2.3.2.18, [MS-OXOFLAG] 2.2.1).
static void read_flag(struct reading *r, const struct fields *f) {
    struct bag *bag = r->message->bag;
    if (!f->raw[F_FLAG] || !*f->raw[F_FLAG])
        return;
    struct prop_value none = {.tag = PidLidPercentComplete, .d = 0};
    set_text(r, PidLidFlagRequest, text_of(r, f, F_FLAG));
    bag_set_long(bag, PidTagFlagStatus, 2);
    bag_set_str(bag, PidLidToDoTitle, bag_str(bag, PidTagSubject));
    bag_set_bool(bag, PidLidTaskComplete, false);
    bag_set_long(bag, PidLidTaskStatus, 0);
    bag_set(bag, &none);
}

// Voice and fax messages ([MS-OXCMAIL] 2.2.3.2.21 to 2.2.3.2.26, [MS-OXOUM]): each field is a
// property of its own and a named one.
static void read_voice(struct reading *r, const struct fields *f) {
    static const struct {
        enum field field;
        proptag_t tag, named;
    } texts[] =
        {
            {F_TELEPHONE, PidTagSenderTelephoneNumber, PidNameXSenderTelephoneNumber},
            {F_VOICE_SENDER, PidTagVoiceMessageSenderName, PidNameXVoiceMessageSenderName},
            {F_VOICE_ORDER, PidTagVoiceMessageAttachmentOrder, PidNameXVoiceMessageAttachmentOrder},
            {F_CALL_ID, PidTagCallId, PidNameXCallId},
        },
      numbers[] = {
          {F_VOICE_DURATION, PidTagVoiceMessageDuration, PidNameXVoiceMessageDuration},
          {F_FAX_PAGES, PidTagFaxNumberOfPages, PidNameXFaxNumberOfPages},
      };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        set_text(r, texts[i].tag, text_of(r, f, texts[i].field));
        set_text(r, texts[i].named, text_of(r, f, texts[i].field));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const char *raw = f->raw[numbers[i].field];
        if (!raw || !g_ascii_isdigit(*raw))
            continue;
        guint64 n = g_ascii_strtoull(raw, NULL, 10);
        struct prop_value v = {.tag = numbers[i].named, .i2 = (int16_t)MIN(n, INT16_MAX)};
        bag_set_long(r->message->bag, numbers[i].tag, (int32_t)MIN(n, INT32_MAX));
        bag_set(r->message->bag, &v);
    }
}

static void read_transport_headers(struct reading *r) {
    struct mime_span span = r->mime->root->header;
    if (span.len == 0)
        return;
    span.len = MIN(span.len, MAX_TRANSPORT_HEADERS);
    bool is_utf8 = g_utf8_validate_len((const char *)r->mime->data + span.pos, span.len, NULL);
    struct prop_value v = {
        .tag = PidTagTransportMessageHeaders,
        .is_external = true,
        .external = {.pos = span.pos,
                     .len = span.len,
                     .charset = is_utf8 ? "utf-8" : "windows-1252"},
    };
    bag_set(r->message->bag, &v);
}

void read_headers(struct reading *r) {
    const struct mime_part *root = r->mime->root;
    struct fields f = {.fallback_charset = mime_param(root->params, root->n_params, "charset")};
    // What is not UTF-8 in a header is not so because the body is.
    if (f.fallback_charset && codepage_of_charset(f.fallback_charset) == 65001)
        f.fallback_charset = NULL;
    collect(r, &f);
    read_people(r, &f);
    const char *normalized = read_subject(r, &f);
    read_dates(r, &f);
    read_conversation(r, &f, normalized);
    read_importance(r, &f);
    read_keywords(r, &f);
    read_suppress(r, f.raw[F_SUPPRESS]);
    set_text(r, PidTagInternetMessageId, text_of(r, &f, F_MESSAGE_ID));
    set_text(r, PidTagInternetReferences, text_of(r, &f, F_REFERENCES));
    set_text(r, PidTagInReplyToId, text_of(r, &f, F_IN_REPLY_TO));
    read_lists(r, &f);
    set_text(r, PidNameContentBase, text_of(r, &f, F_CONTENT_BASE));
    set_text(r, PidTagInternetOrganization, text_of(r, &f, F_ORGANIZATION));
    read_flag(r, &f);
    read_voice(r, &f);
    if (f.raw[F_AUTO_FORWARDED] && is_word(f.raw[F_AUTO_FORWARDED], "true"))
        bag_set_bool(r->message->bag, PidTagAutoForwarded, true);
    r->content_class = f.raw[F_CONTENT_CLASS];
    if (r->content_class)
        set_text(r, PidNameContentClass, text_of(r, &f, F_CONTENT_CLASS));
    read_transport_headers(r);
}
