// FETCH and UID FETCH ([RFC 3501] 6.4.5, [RFC 7162] CHANGEDSINCE, VANISHED).
//
// The answer is made in steps: each opens a reader, writes rows until enough output waits, and
// closes it, so that neither a slow client nor a large folder holds a snapshot or a worker.
#include "protocol/imap/fetch.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/search_return.h"

struct fetch {
    struct imap_cmd *c;
    struct fetch_items items;
    struct imap_rows rows;
    unsigned run; // where the next step begins
    uint32_t next;
    uint64_t changed_since;
    bool marks_seen; // rows of the set that were unread are read now
    bool adds_flags; // and show it though FLAGS was not asked for
    struct imap_date_cache date;
    struct mailbox_reader *reader; // during a step
    struct arena *arena;           // of one message
    unsigned n_missing;
    enum ec ec; // the first failure that is not a missing message
};

static enum ec need_reader(struct fetch *f, const struct message_row *row) {
    struct imap_session *s = f->c->s;
    if (!f->reader)
        EC_TRY(mailbox_reader_open(s->selected, mailbox_view_fid(s->view), &f->reader));
    return mailbox_reader_at(f->reader, row);
}

// --- One item ---

static void put_flags(struct imap_session *s, uint32_t bits, const char *keywords) {
    const char *flags = imap_flag_names(bits);
    size_t len = strlen(flags), keywords_len = keywords ? strlen(keywords) : 0;
    char *out = imap_room(s, len + keywords_len + 16);
    out = imap_put_literal(out, "FLAGS (");
    out = imap_put_text(out, flags, len);
    if (len && keywords_len)
        *out++ = ' ';
    if (keywords_len)
        out = imap_put_text(out, keywords, keywords_len);
    *out++ = ')';
    imap_advance(s, out);
}

static enum ec put_size(struct fetch *f, const struct message_row *row) {
    uint64_t size = row->size;
    if (!(row->flags & MSG_HAS_MIME)) {
        EC_TRY(need_reader(f, row));
        EC_TRY(mailbox_read_size(f->reader, row->mid, &size));
    }
    char *out = imap_put_literal(imap_room(f->c->s, 40), "RFC822.SIZE ");
    imap_advance(f->c->s, imap_put_u64(out, size));
    return EC_OK;
}

static enum ec put_stored(struct fetch *f, const struct message_row *row, bool structure) {
    const char *text = NULL;
    EC_TRY(need_reader(f, row));
    EC_TRY(mailbox_read_envelope(f->reader, row->mid, structure ? NULL : &text,
                                 structure ? &text : NULL));
    imap_puts(f->c->s, structure ? "BODYSTRUCTURE " : "ENVELOPE ");
    imap_puts(f->c->s, *text ? text : "NIL");
    return EC_OK;
}

static enum ec put_body(struct fetch *f, struct fetch_message *m) {
    const struct mime_message *scanned;
    EC_TRY(fetch_scan(m, &scanned));
    imap_puts(f->c->s, "BODY ");
    mime_imap_bodystructure(scanned, false, f->c->s->out);
    return EC_OK;
}

static enum ec put_section(struct fetch *f, struct fetch_message *m,
                           const struct fetch_section *section) {
    g_autoptr(GBytes) bytes = NULL;
    size_t pos, len;
    EC_TRY(fetch_read_section(m, section, &bytes, &pos, &len));
    imap_puts(f->c->s, section->label);
    imap_puts(f->c->s, " ");
    if (bytes)
        imap_put_bytes(f->c->s, bytes, pos, len);
    else
        imap_puts(f->c->s, "NIL");
    return EC_OK;
}

static enum ec put_item(struct fetch *f, const struct fetch_item *item,
                        const struct message_row *row, uint32_t flags, struct fetch_message *m) {
    struct imap_session *s = f->c->s;
    char *out;
    switch (item->kind) {
    case FETCH_FLAGS:
        put_flags(s, flags, row->keywords);
        return EC_OK;
    case FETCH_UID:
        out = imap_put_literal(imap_room(s, 32), "UID ");
        imap_advance(s, imap_put_u64(out, row->uid));
        return EC_OK;
    case FETCH_MODSEQ:
        out = imap_put_literal(imap_room(s, 40), "MODSEQ (");
        out = imap_put_u64(out, row->modseq);
        *out++ = ')';
        imap_advance(s, out);
        return EC_OK;
    case FETCH_INTERNALDATE:
        out = imap_put_literal(imap_room(s, 16 + IMAP_DATE_TIME_SIZE), "INTERNALDATE ");
        imap_advance(s, imap_put_date_time(out, row->received, &f->date));
        return EC_OK;
    case FETCH_SIZE:
        return put_size(f, row);
    case FETCH_ENVELOPE:
    case FETCH_BODYSTRUCTURE:
        return put_stored(f, row, item->kind == FETCH_BODYSTRUCTURE);
    case FETCH_EMAILID:
    case FETCH_THREADID:
    case FETCH_SAVEDATE:
    case FETCH_PREVIEW:
        EC_TRY(need_reader(f, row));
        return fetch_put_identity(s, f->reader, row, item->kind, f->arena);
    case FETCH_BODY:
    case FETCH_SECTION:
    case FETCH_BINARY:
    case FETCH_BINARY_SIZE:
        break;
    }
    EC_TRY(need_reader(f, row));
    m->reader = f->reader;
    if (item->kind == FETCH_BINARY || item->kind == FETCH_BINARY_SIZE) {
        enum ec ec = fetch_put_binary(m, item);
        if (ec == EC_FORMAT_ERROR && f->ec == EC_OK)
            f->ec = ec; // the rest of the line is good
        return ec == EC_FORMAT_ERROR ? EC_OK : ec;
    }
    return item->kind == FETCH_BODY ? put_body(f, m) : put_section(f, m, &item->section);
}

// --- One message ---

static enum ec put_items(struct fetch *f, const struct message_row *row) {
    struct imap_session *s = f->c->s;
    uint32_t flags = row->flags;
    bool turned_read = f->marks_seen && !(flags & MSG_READ);
    if (turned_read)
        flags |= MSG_READ;
    struct fetch_message m = {.s = s, .row = row, .arena = f->arena};
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < f->items.n && ec == EC_OK; i++) {
        if (i > 0)
            imap_put(s, " ", 1);
        ec = put_item(f, &f->items.items[i], row, flags, &m);
    }
    fetch_message_clear(&m);
    if (ec == EC_OK && turned_read && f->adds_flags) {
        imap_put(s, " ", 1);
        put_flags(s, flags, row->keywords);
    }
    return ec;
}

static void put_message(struct fetch *f, uint32_t index) {
    struct imap_session *s = f->c->s;
    const struct message_row *row = mailbox_view_row(s->view, index);
    if (row->modseq <= f->changed_since && f->changed_since)
        return;
    gsize start = s->out->len;
    char *out = imap_put_literal(imap_room(s, 40), "* ");
    out = imap_put_u64(out, s->is_uid_only ? row->uid : index + 1);
    imap_advance(s, s->is_uid_only ? imap_put_literal(out, " UIDFETCH (")
                                   : imap_put_literal(out, " FETCH ("));
    enum ec ec = put_items(f, row);
    if (ec == EC_OK) {
        imap_put(s, ")\r\n", 3);
        return;
    }
    // A message can only fail before its first body went out by reference, so the line is whole
    // in the buffer and can be taken back.
    if (s->out->len >= start)
        g_string_truncate(s->out, start);
    if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED)
        f->n_missing++;
    else if (f->ec == EC_OK)
        f->ec = ec;
}

// --- The command ---

static void free_fetch(struct imap_cmd *c) {
    struct fetch *f = c->data;
    mailbox_reader_close(f->reader);
    arena_free(f->arena);
}

static void reply(struct fetch *f) {
    if (f->ec == EC_FORMAT_ERROR)
        imap_reply(f->c, "NO", "[UNKNOWN-CTE] A part has an unknown transfer encoding");
    else if (f->ec != EC_OK)
        imap_reply_ec(f->c, f->ec);
    else if (f->n_missing)
        imap_reply(f->c, "OK", "[EXPUNGEISSUED] Some messages were expunged already");
    else
        imap_reply_ok(f->c);
}

static bool step(struct imap_cmd *c) {
    struct fetch *f = c->data;
    while (f->run < f->rows.n) {
        const struct imap_run *run = &f->rows.runs[f->run];
        uint32_t i = MAX(f->next, run->first);
        for (; i <= run->last; i++) {
            put_message(f, i);
            if (arena_used(f->arena) > 0)
                arena_reset(f->arena);
            if (c->s->out->len >= IMAP_OUT_FLUSH || f->reader) {
                if (imap_output_is_full(c->s)) {
                    f->next = i + 1;
                    mailbox_reader_close(f->reader);
                    f->reader = NULL;
                    return false;
                }
            }
        }
        f->run++;
    }
    reply(f);
    return true;
}

static bool sets_seen(const struct fetch_items *items) {
    for (unsigned i = 0; i < items->n; i++)
        if ((items->items[i].kind == FETCH_SECTION || items->items[i].kind == FETCH_BINARY) &&
            !items->items[i].section.is_peek)
            return true;
    return false;
}

// Marks the unread messages of the set read before their bodies are sent.
static void mark_seen(struct fetch *f) {
    struct imap_cmd *c = f->c;
    struct imap_session *s = c->s;
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (unsigned r = 0; r < f->rows.n; r++)
        for (uint32_t i = f->rows.runs[r].first; i <= f->rows.runs[r].last; i++) {
            const struct message_row *row = mailbox_view_row(s->view, i);
            if (!(row->flags & MSG_READ) && (!f->changed_since || row->modseq > f->changed_since))
                g_array_append_val(mids, row->mid);
        }
    if (mids->len == 0)
        return;
    struct mailbox_flags change = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    enum ec ec = mailbox_change_flags(s->selected, mailbox_view_fid(s->view),
                                      (const uint64_t *)mids->data, mids->len, &change, NULL);
    // Somebody who may not change flags still may read.
    f->marks_seen = ec == EC_OK;
    f->adds_flags = !fetch_has(&f->items, FETCH_FLAGS);
}

// The client saw \Seen in the FETCH itself. With CONDSTORE it needs the new MODSEQ as well.
static bool is_known(struct imap_cmd *c, uint32_t old_index, const struct message_row *before,
                     const struct message_row *now) {
    struct fetch *f = c->data;
    return f->marks_seen && !c->s->has_condstore && imap_rows_contain(&f->rows, old_index) &&
           !(before->flags & MSG_READ) && now->keywords == before->keywords &&
           (now->flags & MSG_CLIENT_FLAGS) == ((before->flags | MSG_READ) & MSG_CLIENT_FLAGS);
}

// "(CHANGEDSINCE 12 VANISHED)"
static bool parse_modifiers(struct imap_cmd *c, uint64_t *changed_since, bool *vanished,
                            struct search_partial *partial) {
    struct imap_parser *p = &c->args;
    if (!imap_accept(p, ' '))
        return true;
    imap_expect(p, '(');
    do {
        if (imap_accept_word(p, "VANISHED")) {
            *vanished = true;
        } else if (imap_accept_word(p, "CHANGEDSINCE")) {
            imap_space(p);
            imap_number64(p, changed_since);
        } else if (c->is_uid && imap_accept_word(p, "PARTIAL")) { // [RFC 9394] 3.2
            imap_space(p);
            search_partial_parse(p, partial);
        } else {
            return imap_fail(p, "Unknown FETCH modifier");
        }
    } while (imap_ok(p) && imap_accept(p, ' '));
    if (*vanished && (!*changed_since || !c->is_uid || !c->s->has_qresync))
        return imap_fail(p, "VANISHED needs QRESYNC, UID FETCH and CHANGEDSINCE");
    return imap_expect(p, ')');
}

// Leaves those of the set that the PARTIAL modifier names.
static void keep_partial(struct fetch *f, const struct search_partial *partial) {
    uint32_t from, end, at = 0;
    unsigned n = 0;
    search_partial_resolve(partial, f->rows.count, &from, &end);
    for (unsigned i = 0; i < f->rows.n; i++) {
        struct imap_run run = f->rows.runs[i];
        uint32_t count = run.last - run.first + 1;
        uint32_t low = MAX(from, at), high = MIN(end, at + count);
        if (low < high)
            f->rows.runs[n++] =
                (struct imap_run){run.first + (low - at), run.first + (high - at) - 1};
        at += count;
    }
    f->rows.n = n;
    f->rows.count = end - from;
}

void cmd_fetch(struct imap_cmd *c) {
    struct fetch *f = arena_alloc0(c->arena, sizeof *f);
    struct imap_parser set_at = c->args;
    struct imap_set set;
    struct search_partial partial = {0};
    bool vanished = false;
    f->c = c;
    if (!imap_arg_rows(c, &f->rows))
        return;
    bool ok = imap_space(&c->args) && fetch_parse(&c->args, &f->items) &&
              parse_modifiers(c, &f->changed_since, &vanished, &partial);
    if (!imap_arg_end(c) || !ok)
        return;
    if (partial.last)
        keep_partial(f, &partial);
    if (c->is_uid && !c->s->is_uid_only) // else the line begins with it
        fetch_add(&f->items, FETCH_UID);
    if (f->changed_since)
        fetch_add(&f->items, FETCH_MODSEQ);
    if (fetch_has(&f->items, FETCH_MODSEQ))
        c->s->has_condstore = true;
    if (vanished && imap_parse_set(&set_at, &set)) {
        struct imap_rows uids;
        imap_uids_of_set(c->arena, &set, &uids);
        f->ec = imap_put_vanished_since(c->s, f->changed_since, &uids);
    }
    if (!c->s->is_read_only && sets_seen(&f->items))
        mark_seen(f);
    f->arena = arena_new();
    c->data = f;
    c->free_data = free_fetch;
    c->is_known = is_known;
    c->step = step;
}
