// Reading the messages of a command, and making them whole before anything is stored.
#include "protocol/imap/append_args.h"

#include <string.h>

#include "formats/mime_binary.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_spool.h"

static void unref(gpointer bytes) {
    g_bytes_unref(bytes);
}

void append_args_clear(struct append_args *args) {
    g_clear_pointer(&args->owned, g_ptr_array_unref);
}

static GBytes *own(struct append_args *args, GBytes *bytes) {
    if (bytes)
        g_ptr_array_add(args->owned, bytes);
    return bytes;
}

// --- Parsing ---

// {310}, ~{310}
static GBytes *literal(struct imap_parser *p, struct append_args *args) {
    imap_accept(p, '~');
    return own(args, imap_literal_bytes(p));
}

// "(URL "/INBOX/;UID=3" TEXT {10}...)"
static bool parse_catenate(struct imap_parser *p, struct append_args *args,
                           struct append_message *m) {
    // A part takes seven bytes at least, which bounds what is allocated.
    size_t room = MIN((p->len - p->pos) / 7 + 1, IMAP_MAX_CATENATE);
    m->parts = arena_alloc0(p->arena, room * sizeof *m->parts);
    if (!imap_space(p) || !imap_expect(p, '('))
        return false;
    do {
        if (m->n_parts == room)
            return imap_fail(p, "Too many parts");
        struct append_part *part = &m->parts[m->n_parts++];
        if (imap_accept_word(p, "URL")) {
            imap_space(p);
            part->url = imap_astring(p, NULL);
        } else if (imap_accept_word(p, "TEXT")) {
            imap_space(p);
            part->text = literal(p, args);
        } else {
            return imap_fail(p, "Expected URL or TEXT");
        }
    } while (imap_ok(p) && imap_accept(p, ' '));
    return imap_expect(p, ')');
}

static bool parse_data(struct imap_parser *p, struct append_args *args, struct append_message *m) {
    if (imap_accept_word(p, "CATENATE"))
        return parse_catenate(p, args, m);
    m->parts = arena_alloc0(p->arena, sizeof *m->parts);
    m->n_parts = 1;
    // The header may hold UTF-8 ([RFC 6855] 4); it is kept as it is with or without saying so.
    bool is_utf8 = imap_accept_word(p, "UTF8");
    if (is_utf8 && (!imap_space(p) || !imap_expect(p, '(')))
        return false;
    m->parts->text = literal(p, args);
    return m->parts->text && (!is_utf8 || imap_expect(p, ')'));
}

static bool parse_message(struct imap_parser *p, struct append_args *args,
                          struct append_message *m) {
    imap_space(p);
    if (imap_peek(p) == '(') {
        imap_parse_flags(p, false, &m->flags);
        imap_space(p);
    }
    if (imap_peek(p) == '"') {
        imap_parse_date_time(p, &m->received);
        imap_space(p);
    }
    return imap_ok(p) && parse_data(p, args, m);
}

static struct append_message *add_message(struct imap_parser *p, struct append_args *args) {
    if (args->n == args->room) {
        args->room = MIN(MAX(args->room * 2, 4), IMAP_MAX_APPENDS);
        struct append_message *more = arena_alloc0(p->arena, args->room * sizeof *more);
        if (args->n)
            memcpy(more, args->messages, args->n * sizeof *more);
        args->messages = more;
    }
    return &args->messages[args->n++];
}

bool append_args_parse(struct imap_cmd *c, bool many, struct append_args *out) {
    struct imap_parser *p = &c->args;
    *out = (struct append_args){.owned = g_ptr_array_new_with_free_func(unref)};
    do {
        if (out->n == IMAP_MAX_APPENDS) {
            imap_reply(c, "NO", "[LIMIT] Too many messages at once");
            return false;
        }
        if (!parse_message(p, out, add_message(p, out)))
            break;
    } while (many && imap_peek(p) == ' ');
    return imap_arg_end(c);
}

// --- Making whole ---

static uint64_t max_message(const struct imap_session *s) {
    return s->service->max_message ? s->service->max_message : IMAP_MAX_MESSAGE;
}

static bool bad_url(struct imap_cmd *c, const char *url, enum ec ec) {
    g_autoptr(GString) text = g_string_new("[BADURL ");
    mime_imap_nstring(url, text);
    // A text that needs a literal cannot stand in a response code.
    const char *code =
        strchr(text->str, '{') ? "[CANNOT]" : arena_printf(c->arena, "%s]", text->str);
    imap_reply(c, "NO", arena_printf(c->arena, "%s %s", code, ec_text(ec)));
    return false;
}

static bool too_big(struct imap_cmd *c) {
    imap_reply(c, "NO", "[TOOBIG] Message too large");
    return false;
}

static bool join(struct imap_cmd *c, struct append_args *args, const struct append_message *m,
                 uint64_t size, GBytes **out) {
    struct imap_spool *spool = imap_spool_new(c->s->service->spool_dir, size);
    for (unsigned i = 0; i < m->n_parts; i++) {
        gsize len;
        const void *data = g_bytes_get_data(m->parts[i].text, &len);
        if (len)
            imap_spool_write(spool, data, len);
    }
    enum ec ec = imap_spool_finish(spool, out);
    imap_spool_free(spool);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return false;
    }
    own(args, *out);
    return true;
}

// `left`: bytes that all messages together may still have.
static bool make_whole(struct imap_cmd *c, struct append_args *args, struct append_message *m,
                       uint64_t *left, GBytes **out) {
    uint64_t size = 0;
    for (unsigned i = 0; i < m->n_parts; i++) {
        struct append_part *part = &m->parts[i];
        if (part->url) {
            enum ec ec = catenate_read_url(c, part->url, &part->text);
            if (ec != EC_OK)
                return bad_url(c, part->url, ec);
            own(args, part->text);
        }
        size += g_bytes_get_size(part->text);
        if (size > max_message(c->s) || size > *left)
            return too_big(c);
    }
    *left -= size;
    if (size == 0) { // what clients send to give up an APPEND they began
        imap_reply(c, "NO", "[CANNOT] Empty message");
        return false;
    }
    if (m->n_parts == 1)
        *out = m->parts->text;
    else if (!join(c, args, m, size, out))
        return false;
    // NUL can stand in no answer to BODY[]: such parts are kept in base64 ([RFC 3516] 4.4).
    gsize len;
    const void *data = g_bytes_get_data(*out, &len);
    if (!memchr(data, 0, len))
        return true;
    GBytes *encoded = mime_encode_binary(data, len);
    if (!encoded) {
        imap_reply(c, "NO", "[UNKNOWN-CTE] NUL outside of a part that is labelled as binary");
        return false;
    }
    *out = own(args, encoded);
    return g_bytes_get_size(encoded) <= max_message(c->s) || too_big(c);
}

bool append_args_resolve(struct imap_cmd *c, struct append_args *args) {
    args->specs = arena_alloc0(c->arena, (args->n + 1) * sizeof *args->specs);
    uint64_t left = MAX(IMAP_APPENDS_TOTAL, max_message(c->s));
    for (unsigned i = 0; i < args->n; i++) {
        struct append_message *m = &args->messages[i];
        struct mailbox_append *spec = &args->specs[i];
        if (!make_whole(c, args, m, &left, &spec->mime))
            return false;
        spec->flags = m->flags.flags;
        spec->keywords = imap_join_keywords(c->arena, &m->flags);
        spec->received = m->received;
    }
    return true;
}
