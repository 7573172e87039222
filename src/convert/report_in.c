// Reports that mail systems and readers send: what became of a message ([MS-OXCMAIL] 2.2.3.7,
// [RFC 3464], [RFC 8098]). The machine's part becomes properties of the message and its recipients
// ([MS-OXOMSG] 2.2.2) and is no attachment.
#include "base/text.h"
#include "convert/convert_internal.h"

#define MAX_REPORT (1024u * 1024) // bytes of the machine's part that are read
#define MAX_FIELDS 64             // of one recipient
#define MAX_STATUS 64

struct report_field {
    const char *name, *value; // unfolded, trimmed
};

struct field_group {
    struct report_field fields[MAX_FIELDS];
    unsigned n;
};

// --- Fields ---

// The next line of a group into `line`, unfolded; false at the end of the group or of the text.
static bool next_line(const char **p, const char *end, GString *line) {
    g_string_truncate(line, 0);
    while (*p < end) {
        const char *lf = memchr(*p, '\n', (size_t)(end - *p));
        const char *stop = lf ? lf : end, *start = *p;
        *p = lf ? lf + 1 : end;
        while (stop > start && g_ascii_isspace(stop[-1]))
            stop--;
        if (stop == start)
            return line->len > 0; // an empty line ends the group
        while (start < stop && g_ascii_isspace(*start))
            start++;
        if (line->len > 0)
            g_string_append_c(line, ' ');
        g_string_append_len(line, start, stop - start);
        if (*p == end || (**p != ' ' && **p != '\t'))
            return true;
    }
    return line->len > 0;
}

// One group of fields; false when there is none any more.
static bool next_group(struct reading *r, const char **p, const char *end, struct field_group *g) {
    g_autoptr(GString) line = g_string_new(NULL);
    g->n = 0;
    while (*p < end && (**p == '\r' || **p == '\n'))
        ++*p;
    if (*p == end)
        return false;
    while (next_line(p, end, line)) {
        char *colon = strchr(line->str, ':');
        if (colon && g->n < MAX_FIELDS) {
            char *name = arena_strndup(r->arena, line->str, (size_t)(colon - line->str));
            char *value = arena_strdup(r->arena, colon + 1);
            g->fields[g->n++] = (struct report_field){g_strchomp(name), g_strstrip(value)};
        }
        if (*p == end || **p == '\r' || **p == '\n')
            break;
    }
    return true;
}

static const char *field(const struct field_group *g, const char *name) {
    for (unsigned i = 0; i < g->n; i++)
        if (g_ascii_strcasecmp(g->fields[i].name, name) == 0)
            return g->fields[i].value;
    return NULL;
}

// In place: "\x{E4}" stands for the character in addresses of type utf-8 ([RFC 6533] 3).
static void unescape_address(char *s) {
    char *to = s;
    while (*s) {
        char *end = NULL;
        guint64 c = g_str_has_prefix(s, "\\x{") ? g_ascii_strtoull(s + 3, &end, 16) : 0;
        if (end && *end == '}' && end > s + 3 && c >= ' ' && c <= 0x10FFFF &&
            g_unichar_validate((gunichar)c) && end - s >= 4) {
            to += g_unichar_to_utf8((gunichar)c, to); // never longer than its escape
            s = end + 1;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

// What follows the type in "rfc822; ann@e.example", "dns; mx.e.example"; comments left out.
static const char *typed_value(struct reading *r, const char *value) {
    const char *semicolon = value ? strchr(value, ';') : NULL;
    if (!semicolon)
        return NULL;
    semicolon += 1 + strspn(semicolon + 1, " \t<");
    char *out = arena_strndup(r->arena, semicolon, strcspn(semicolon, " \t>("));
    if (g_ascii_strncasecmp(value, "utf-8", 5) == 0)
        unescape_address(out);
    return *out ? out : NULL;
}

// The text of the part, valid UTF-8.
static const char *part_text(struct reading *r, const struct mime_part *part, size_t *len) {
    g_autoptr(GBytes) bytes = mime_decode_body(r->mime, part);
    size_t n = MIN(g_bytes_get_size(bytes), MAX_REPORT);
    return mime_to_utf8(r->arena, n ? g_bytes_get_data(bytes, NULL) : "", n, "utf-8", len);
}

// --- Delivery reports ---

static const struct {
    const char *action, *class;
} actions[] = {
    // By severity ([MS-OXCMAIL] 2.2.3.7.1.1).
    {"delivered", "REPORT.IPM.Note.DR"},       {"expanded", "REPORT.IPM.Note.Expanded.DR"},
    {"relayed", "REPORT.IPM.Note.Relayed.DR"}, {"delayed", "REPORT.IPM.Note.Delayed.DR"},
    {"failed", "REPORT.IPM.Note.NDR"},
};
enum { ACTION_FAILED = 4 };

static int severity(const char *action) {
    for (int i = 0; action && i < (int)G_N_ELEMENTS(actions); i++)
        if (g_ascii_strncasecmp(action, actions[i].action, strlen(actions[i].action)) == 0)
            return i;
    return -1;
}

bool report_read_status(const char *status, struct report_status *out) {
    char *end;
    if (!status || !g_ascii_isdigit(status[0]) || status[1] != '.')
        return false;
    out->kind = status[0] - '0';
    out->subject = (int)MIN(g_ascii_strtoull(status + 2, &end, 10), 999u);
    if (end == status + 2 || *end != '.' || !g_ascii_isdigit(end[1]))
        return false;
    out->detail = (int)MIN(g_ascii_strtoull(end + 1, NULL, 10), 999u);
    return true;
}

// --- The codes that X.400 had for the same ([MS-OXCMAIL] 2.2.3.7.1.3) ---

struct code {
    int subject, detail, diagnostic, reason; // detail -1: any other
};

static const struct code codes[] = {
    {1, 1, 35, 1},  {1, 2, 48, 0}, {1, 3, 32, 0},  {1, 4, 1, 0},   {1, 6, 40, 0}, {1, -1, 0, 0},
    {2, 2, 13, 0},  {2, 3, 13, 0}, {2, 4, 30, 0},  {2, -1, 38, 0}, {3, 2, -1, 0}, {3, 3, 18, 0},
    {3, 4, 13, 0},  {3, 5, 18, 0}, {3, -1, 38, 0}, {4, 0, -1, 0},  {4, 3, -1, 6}, {4, 4, -1, 0},
    {4, 6, 3, 0},   {4, 7, 5, 0},  {4, 8, 3, 0},   {4, -1, 2, 0},  {5, 3, 16, 0}, {5, 4, 11, 0},
    {5, -1, 17, 0}, {6, 2, 9, 0},  {6, 3, 8, 0},   {6, 4, 25, 0},  {6, 5, -1, 2}, {6, -1, 15, 0},
    {7, 1, 29, 0},  {7, 2, 28, 0}, {7, 3, 26, 0},  {7, -1, 46, 0},
};

static const struct code *code_of(int subject, int detail) {
    static const struct code none = {0, 0, -1, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].subject == subject && (codes[i].detail == detail || codes[i].detail < 0))
            return &codes[i];
    return &none;
}

struct report_status report_status_of_codes(int kind, int diagnostic, int reason) {
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].diagnostic == diagnostic && codes[i].reason == reason && diagnostic >= 0)
            return (struct report_status){kind, codes[i].subject, MAX(codes[i].detail, 0)};
    return (struct report_status){kind, 0, 0};
}

static void set_status(struct bag *bag, const struct report_status *s) {
    int subject = s->subject <= 9 ? s->subject : 0, detail = s->detail <= 9 ? s->detail : 0;
    const struct code *c = code_of(subject, detail);
    bag_set_long(bag, PidTagNonDeliveryReportStatusCode, s->kind * 100 + subject * 10 + detail);
    bag_set_long(bag, PidTagNonDeliveryReportDiagCode, c->diagnostic);
    bag_set_long(bag, PidTagNonDeliveryReportReasonCode, c->reason);
}

// PidTagSupplementaryInfo ([MS-OXCMAIL] 2.2.3.7.1.2).
static void set_supplementary(struct reading *r, struct bag *bag, const struct field_group *g,
                              const struct report_status *s) {
    const char *given = field(g, "X-Supplementary-Info");
    const char *mta = bag_str(bag, PidTagRemoteMessageTransferAgent);
    const char *diagnostic = field(g, "Diagnostic-Code");
    if (!given)
        given = arena_printf(r->arena, "<%s #%d.%d.%d%s%s>", mta ? mta : "", s->kind, s->subject,
                             s->detail, diagnostic && *diagnostic ? " " : "",
                             diagnostic ? diagnostic : "");
    bag_set_str(bag, PidTagSupplementaryInfo, given);
}

static void add_recipient(struct reading *r, const struct field_group *g, int action) {
    const char *address = typed_value(r, field(g, "Final-Recipient"));
    if (!address)
        address = typed_value(r, field(g, "Original-Recipient"));
    if (!address || r->message->recipients->len >= CONVERT_MAX_RECIPIENTS)
        return;
    const char *name = field(g, "X-Display-Name");
    struct person person = {.name = name ? mime_decode_words(r->arena, name, NULL) : address,
                            .type = "SMTP",
                            .address = address,
                            .smtp = address};
    struct bag *bag = new_recipient(&person, RECIPIENT_TO);
    bag_set_str(bag, PidTagRemoteMessageTransferAgent, typed_value(r, field(g, "Remote-MTA")));
    struct report_status status = {.kind = action == ACTION_FAILED ? 5 : 2};
    report_read_status(field(g, "Status"), &status);
    set_status(bag, &status);
    set_supplementary(r, bag, g, &status);
    filetime_t sent = bag_time(r->message->bag, PidTagClientSubmitTime);
    if (sent) {
        bag_set_time(bag, PidTagReportTime, sent);
        if (action != ACTION_FAILED)
            bag_set_time(bag, PidTagDeliverTime, sent);
    }
    g_ptr_array_add(r->message->recipients, bag);
}

// The class; NULL: it says nothing.
static const char *read_delivery(struct reading *r, const struct mime_part *part) {
    size_t len;
    const char *text = part_text(r, part, &len), *end = text + len;
    struct field_group *g = arena_alloc(r->arena, sizeof *g);
    int worst = -1;
    for (const char *p = text; next_group(r, &p, end, g);)
        worst = MAX(worst, severity(field(g, "Action")));
    if (worst < 0)
        return NULL;
    // Those the report is about take the place of whom it was sent to: a client shows them, and
    // sends to them again.
    g_ptr_array_set_size(r->message->recipients, 0);
    for (const char *p = text; next_group(r, &p, end, g);) {
        const char *mta = typed_value(r, field(g, "Reporting-MTA"));
        if (mta)
            bag_set_str(r->message->bag, PidTagReportingMessageTransferAgent, mta);
        if (severity(field(g, "Action")) == worst)
            add_recipient(r, g, worst);
    }
    return actions[worst].class;
}

// --- Reports of reading ---

static const char *disposition_class(const char *disposition) {
    static const char *const read[] = {"displayed", "dispatched", "processed"};
    static const char *const not_read[] = {"deleted", "denied", "failed"};
    const char *type = disposition ? strchr(disposition, ';') : NULL;
    if (!type)
        return NULL;
    type += 1 + strspn(type + 1, " \t");
    for (size_t i = 0; i < G_N_ELEMENTS(read); i++) {
        if (g_ascii_strncasecmp(type, read[i], strlen(read[i])) == 0)
            return "REPORT.IPM.Note.IPNRN";
        if (g_ascii_strncasecmp(type, not_read[i], strlen(not_read[i])) == 0)
            return "REPORT.IPM.Note.IPNNRN";
    }
    return NULL;
}

static void set_correlation(struct bag *bag, const char *key) {
    if (!key || strlen(key) > 1024)
        return;
    g_autoptr(GBytes) bytes = mime_decode(key, strlen(key), MIME_BASE64);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    if (len > 0)
        bag_set_bytes(bag, PidTagParentKey, data, len);
}

static const char *read_disposition(struct reading *r, const struct mime_part *part) {
    size_t len;
    const char *text = part_text(r, part, &len), *p = text;
    struct field_group *g = arena_alloc(r->arena, sizeof *g);
    struct bag *bag = r->message->bag;
    if (!next_group(r, &p, text + len, g))
        return NULL;
    const char *disposition = field(g, "Disposition"), *class = disposition_class(disposition);
    if (!class)
        return NULL;
    const char *about = typed_value(r, field(g, "Original-Recipient"));
    if (!about)
        about = typed_value(r, field(g, "Final-Recipient"));
    const char *id = field(g, "Original-Message-ID"), *name = field(g, "X-Display-Name");
    filetime_t sent = bag_time(bag, PidTagClientSubmitTime);
    bag_set_str(bag, PidTagOriginalDisplayTo, about);
    bag_set_str(bag, PidTagReportText, disposition);
    bag_set_str(bag, PidTagOriginalMessageId, id);
    if (id && !bag_get(bag, PidTagInternetReferences))
        bag_set_str(bag, PidTagInternetReferences, id);
    if (name)
        bag_set_str(bag, PidTagDisplayName, mime_decode_words(r->arena, name, NULL));
    set_correlation(bag, field(g, "X-MSExch-Correlation-Key"));
    if (sent) {
        bag_set_time(bag, PidTagOriginalDeliveryTime, sent);
        bag_set_time(bag, PidTagReceiptTime, sent);
        for (guint i = 0; i < r->message->recipients->len; i++)
            bag_set_time(r->message->recipients->pdata[i], PidTagReportTime, sent);
    }
    return class;
}

// --- The message that it is about, which may come with it ---

static const struct mime_part *about_part(const struct mime_part *root) {
    for (const struct mime_part *c = root->first_child; c; c = c->next)
        if (part_is(c, "message", "rfc822") || part_is(c, "message", "global") ||
            part_is(c, "text", "rfc822-headers") || part_is(c, "message", "global-headers"))
            return c;
    return NULL;
}

// The header of it, scanned: for a part of type text it is the part's body.
static const char *about_field(struct reading *r, const struct mime_message *m, const char *name) {
    return mime_header_text(r->arena, m, m->root, name, NULL);
}

static const struct person_tags original_sender_tags = {
    PidTagOriginalSenderName,         PidTagOriginalSenderAddressType,
    PidTagOriginalSenderEmailAddress, 0,
    PidTagOriginalSenderEntryId,      PidTagOriginalSenderSearchKey};
static const struct person_tags original_representing_tags = {
    PidTagOriginalSentRepresentingName,         PidTagOriginalSentRepresentingAddressType,
    PidTagOriginalSentRepresentingEmailAddress, 0,
    PidTagOriginalSentRepresentingEntryId,      PidTagOriginalSentRepresentingSearchKey};

static bool set_original_person(struct reading *r, const struct mime_message *m, const char *name,
                                const struct person_tags *tags) {
    const char *raw = mime_header_raw(r->arena, m, m->root, name);
    const struct mime_address *a = raw ? mime_parse_addresses(r->arena, raw) : NULL;
    while (a && !a->domain)
        a = a->next;
    if (!a)
        return false;
    struct person person = person_from_address(r->arena, a);
    person.smtp = NULL; // there is no property for it
    person_set(r->message->bag, tags, &person);
    return true;
}

static void set_original(struct reading *r, const struct mime_part *part) {
    struct bag *bag = r->message->bag;
    g_autoptr(GBytes) bytes = mime_decode_body(r->mime, part);
    size_t len = MIN(g_bytes_get_size(bytes), MAX_REPORT);
    const struct mime_message *m =
        mime_scan(r->arena, len ? g_bytes_get_data(bytes, NULL) : "", len);
    int64_t sent;
    const char *date = mime_header_raw(r->arena, m, m->root, "date");
    const char *id = mime_header_raw(r->arena, m, m->root, "message-id");
    bag_set_str(bag, PidTagOriginalSubject, about_field(r, m, "subject"));
    if (id && !bag_get(bag, PidTagOriginalMessageId))
        bag_set_str(bag, PidTagOriginalMessageId, mime_decode_words(r->arena, id, NULL));
    if (date && mime_parse_date(date, &sent, NULL))
        bag_set_time(bag, PidTagOriginalSubmitTime, filetime_from_unix(sent));
    if (!bag_get(bag, PidTagOriginalDisplayTo))
        bag_set_str(bag, PidTagOriginalDisplayTo, about_field(r, m, "to"));
    bag_set_str(bag, PidTagOriginalDisplayCc, about_field(r, m, "cc"));
    set_original_person(r, m, "from", &original_representing_tags);
    if (!set_original_person(r, m, "sender", &original_sender_tags))
        set_original_person(r, m, "from", &original_sender_tags);
}

static bool is_delivery_part(const struct mime_part *part) {
    return part_is(part, "message", "delivery-status") ||
           part_is(part, "message", "global-delivery-status");
}

static bool is_disposition_part(const struct mime_part *part) {
    return part_is(part, "message", "disposition-notification") ||
           part_is(part, "message", "global-disposition-notification");
}

const char *read_report(struct reading *r) {
    const struct mime_part *root = r->mime->root;
    for (const struct mime_part *c = root->first_child; c; c = c->next) {
        const char *class = is_delivery_part(c)      ? read_delivery(r, c)
                            : is_disposition_part(c) ? read_disposition(r, c)
                                                     : NULL;
        if (!class)
            continue;
        r->report = c;
        filetime_t sent = bag_time(r->message->bag, PidTagClientSubmitTime);
        if (sent)
            bag_set_time(r->message->bag, PidTagReportTime, sent);
        bag_set_str(r->message->bag, PidTagOriginalMessageClass, "IPM.Note");
        const struct mime_part *about = about_part(root);
        if (about)
            set_original(r, about);
        return class;
    }
    return NULL;
}
