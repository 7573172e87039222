// What a message says: read as little of it as decides.
#include <string.h>

#include "mailbox/identity.h"
#include "mailbox/search_internal.h"
#include "mapi/props.h"
#include "mapi/restriction.h"

#define HEADER_GUESS 8192 // bytes read to have the whole header in most cases

static void load(struct subject *s, bool whole) {
    if (s->ec != EC_OK || s->is_whole || (s->bytes && !whole))
        return;
    g_clear_pointer(&s->bytes, g_bytes_unref);
    s->header = NULL;
    s->ec = whole ? mailbox_read_mime(s->reader, s->row->mid, &s->bytes)
                  : mailbox_read_mime_range(s->reader, s->row->mid, 0, HEADER_GUESS, &s->bytes);
    s->is_whole = s->ec == EC_OK && (whole || g_bytes_get_size(s->bytes) < HEADER_GUESS);
}

static bool has_header_end(const char *data, size_t len) {
    return g_strstr_len(data, (gssize)len, "\n\r\n") || g_strstr_len(data, (gssize)len, "\n\n");
}

static struct mime_message *scan_bytes(struct subject *s) {
    gsize len;
    const void *data = g_bytes_get_data(s->bytes, &len);
    return mime_scan(s->arena, data, len);
}

// The message with at least its whole header; NULL when it cannot be read.
static struct mime_message *header_of(struct subject *s) {
    if (s->scanned)
        return s->scanned;
    if (s->header)
        return s->header;
    load(s, false);
    if (s->ec == EC_OK && !s->is_whole) {
        gsize len;
        const char *data = g_bytes_get_data(s->bytes, &len);
        if (!has_header_end(data, len))
            load(s, true);
    }
    return s->ec == EC_OK ? s->header = scan_bytes(s) : NULL;
}

static struct mime_message *whole_of(struct subject *s) {
    load(s, true);
    if (s->ec == EC_OK && !s->scanned)
        s->scanned = scan_bytes(s);
    return s->scanned;
}

static bool load_envelope(struct subject *s) {
    if (!s->envelope && s->ec == EC_OK) {
        s->ec = mailbox_read_envelope(s->reader, s->row->mid, &s->envelope, NULL);
        if (s->ec == EC_OK) {
            // The reader's memory is used again when the message itself is read.
            s->envelope_len = strlen(s->envelope);
            s->envelope = arena_strndup(s->arena, s->envelope, s->envelope_len);
        }
    }
    return s->ec == EC_OK;
}

static bool header_matches(const struct plan *p, struct subject *s) {
    bool found;
    if (p->field != ENVELOPE_NONE) {
        if (!load_envelope(s))
            return false;
        if (envelope_contains(s->arena, s->envelope, s->envelope_len, p->field, p->needle, &found))
            return found;
    }
    struct mime_message *m = header_of(s);
    return m && search_needle_in_fields(p->needle, s->arena, m, p->node->name);
}

// The Date field, unfolded; NULL: none, or it could not be read.
static const char *date_of(struct subject *s) {
    const char *date;
    if (!load_envelope(s))
        return NULL;
    if (envelope_date(s->arena, s->envelope, s->envelope_len, &date))
        return date;
    struct mime_message *m = header_of(s);
    return m ? mime_header_raw(s->arena, m, m->root, "Date") : NULL;
}

static bool sent_matches(const struct plan *p, struct subject *s) {
    const char *raw = date_of(s);
    int64_t seconds;
    int zone;
    if (!raw || !mime_parse_date(raw, &seconds, &zone))
        return false;
    int64_t local = seconds + zone * 60;
    int64_t day = local / 86400 - (local % 86400 < 0);
    return p->node->kind == SEARCH_SENT_BEFORE ? day < (int64_t)p->node->number
                                               : day >= (int64_t)p->node->number;
}

// The signatures may spare reading the body, or anything.
static bool text_matches(const struct plan *p, struct subject *s) {
    bool in_head = p->node->kind == SEARCH_TEXT, in_body = true;
    if (s->has_grams) {
        in_head = in_head && grams_may_contain(s->grams.head, s->grams.head_len, &p->grams);
        in_body = grams_may_contain(s->grams.body, s->grams.body_len, &p->grams);
    }
    struct mime_message *m = in_body ? whole_of(s) : in_head ? header_of(s) : NULL;
    if (!m)
        return false;
    if (in_head && search_needle_in_headers(p->needle, s->arena, m, m->root))
        return true;
    return in_body && search_needle_in_bodies(p->needle, s->arena, m);
}

// --- Words and restrictions ---

static bool words_match(const struct plan *p, struct subject *s) {
    if (!s->words) {
        s->words = arena_alloc0(s->arena, sizeof *s->words);
        s->ec = fulltext_words_of(reader_tx(s->reader), s->arena, s->row->mid, s->words);
    }
    return s->ec == EC_OK && db_fulltext_matches(p->words->query, s->words->columns);
}

static const struct prop_value *get_prop(void *ctx, proptag_t tag) {
    struct subject *s = ctx;
    struct prop_value *v = arena_alloc(s->arena, sizeof *v);
    enum ec ec = message_get_prop(reader_tx(s->reader), s->object, s->arena, tag, 0, v);
    if (ec == EC_OK)
        return v;
    if (ec != EC_NOT_FOUND && s->ec == EC_OK)
        s->ec = ec;
    return NULL;
}

static const struct prop_value *get_sub_prop(void *ctx, proptag_t tag) {
    return bag_get(ctx, tag);
}

static GPtrArray *subobjects(struct subject *s, proptag_t tag) {
    struct message_value *value = message_value(s->object);
    return tag == PidTagMessageRecipients    ? value->recipients
           : tag == PidTagMessageAttachments ? value->attachments
                                             : NULL;
}

static unsigned count_subobjects(void *ctx, proptag_t tag) {
    GPtrArray *list = subobjects(ctx, tag);
    return list ? list->len : 0;
}

static struct restriction_source subobject(void *ctx, proptag_t tag, unsigned i) {
    GPtrArray *list = subobjects(ctx, tag);
    struct bag *bag = tag == PidTagMessageRecipients
                          ? list->pdata[i]
                          : ((struct attachment_value *)list->pdata[i])->bag;
    return (struct restriction_source){.get = get_sub_prop, .ctx = bag};
}

static bool restriction_match(const struct plan *p, struct subject *s) {
    if (!s->object && s->ec == EC_OK)
        s->ec = message_open(reader_tx(s->reader), s->row->mid, &s->object);
    if (s->ec != EC_OK)
        return false;
    struct restriction_source source = {get_prop, count_subobjects, subobject, s};
    return restriction_matches(p->node->restriction, &source);
}

static bool size_matches(const struct plan *p, struct subject *s) {
    uint64_t size = s->row->size;
    if (!(s->row->flags & MSG_HAS_MIME))
        s->ec = mailbox_read_size(s->reader, s->row->mid, &size);
    return p->node->kind == SEARCH_SIZE_LARGER ? size > p->node->number : size < p->node->number;
}

static bool id_matches(const struct plan *p, struct subject *s) {
    char email[MAILBOX_ID_SIZE], thread[MAILBOX_ID_SIZE];
    s->ec = mailbox_read_ids(s->reader, s->row->mid, email, thread);
    return s->ec == EC_OK && p->node->text &&
           strcmp(p->node->text, p->node->kind == SEARCH_EMAIL_ID ? email : thread) == 0;
}

bool subject_matches(const struct plan *p, struct subject *s) {
    if (p->words)
        return words_match(p, s);
    switch (p->node->kind) {
    case SEARCH_SIZE_LARGER:
    case SEARCH_SIZE_SMALLER:
        return size_matches(p, s);
    case SEARCH_HEADER:
        return header_matches(p, s);
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
        return sent_matches(p, s);
    case SEARCH_RESTRICTION:
        return restriction_match(p, s);
    case SEARCH_EMAIL_ID:
    case SEARCH_THREAD_ID:
        return id_matches(p, s);
    default:
        return text_matches(p, s);
    }
}

void subject_clear(struct subject *s) {
    g_clear_pointer(&s->bytes, g_bytes_unref);
    g_clear_pointer(&s->object, message_free);
}
