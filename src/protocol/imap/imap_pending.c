// Putting a command together from lines and literals ([RFC 3501] 4.3, [RFC 7888]).
//
// A command on one line, the normal case, is run from the connection's buffer without being copied.
// One with literals is gathered here; the message of an APPEND is spooled beside it. What is too
// large is refused before it is read where the client waits for a go-ahead, and ends the connection
// where it does not.
#include <string.h>

#include "mailbox/quota.h"
#include "protocol/imap/imap_spool.h"
#include "protocol/imap/imap_write.h"

struct imap_pending {
    GString *text;
    GArray *spooled;          // of struct imap_spooled
    struct imap_spool *spool; // the literal being read, when it is spooled
    uint64_t spooled_size;    // of those read
    size_t line_start;        // behind the last literal: its bytes are no header of another
    enum ec spool_ec;         // of those read
};

static void clear_spooled(gpointer p) {
    struct imap_spooled *s = p;
    g_bytes_unref(s->bytes);
}

static struct imap_pending *pending_new(void) {
    struct imap_pending *p = g_new0(struct imap_pending, 1);
    p->text = g_string_new(NULL);
    p->spooled = g_array_new(FALSE, FALSE, sizeof(struct imap_spooled));
    g_array_set_clear_func(p->spooled, clear_spooled);
    return p;
}

void imap_pending_free(struct imap_pending *p) {
    if (!p)
        return;
    g_string_free(p->text, TRUE);
    g_array_unref(p->spooled);
    imap_spool_free(p->spool);
    g_free(p);
}

static void drop_pending(struct imap_session *s) {
    g_clear_pointer(&s->pending, imap_pending_free);
    s->input = INPUT_LINE;
    s->literal_left = 0;
}

static size_t command_max(const struct imap_session *s) {
    return s->state == IMAP_NOT_AUTHENTICATED ? IMAP_LINE_MAX : IMAP_COMMAND_MAX;
}

// The tag of what is there, or "*", for answers to commands that will never be whole.
static const char *tag_of(struct arena *arena, const char *data, size_t len) {
    struct imap_parser p = {.arena = arena, .data = data, .len = len};
    const char *tag = imap_tag(&p);
    return tag ? tag : "*";
}

// Whether the command's literals may be messages: APPEND, REPLACE, UID REPLACE.
static bool takes_messages(const struct imap_session *s, const char *data, size_t len) {
    if (s->state == IMAP_NOT_AUTHENTICATED)
        return false;
    ARENA_AUTO arena = arena_new();
    struct imap_parser p = {.arena = arena, .data = data, .len = len};
    if (!imap_tag(&p) || !imap_space(&p))
        return false;
    if (imap_accept_word(&p, "APPEND") || imap_accept_word(&p, "REPLACE"))
        return true;
    return imap_accept_word(&p, "UID") && imap_space(&p) && imap_accept_word(&p, "REPLACE");
}

static enum net_next close_with(struct imap_session *s, const char *text) {
    drop_pending(s);
    imap_printf(s, "* BYE %s\r\n", text);
    s->state = IMAP_LOGOUT;
    return NET_CLOSE;
}

static enum net_next refuse_literal(struct imap_session *s, const char *data, size_t len,
                                    bool is_sync, const char *answer) {
    ARENA_AUTO arena = arena_new();
    imap_printf(s, "%s %s\r\n", tag_of(arena, data, len), answer);
    // A client that did not wait sends the literal whatever we say.
    if (!is_sync)
        return close_with(s, "Literal too large");
    drop_pending(s);
    return NET_READ;
}

static uint64_t max_message(const struct imap_session *s) {
    return s->service->max_message ? s->service->max_message : IMAP_MAX_MESSAGE;
}

// Whether one message more is too much for one command.
static bool is_too_much(const struct imap_session *s, uint64_t size) {
    uint64_t had = s->pending ? s->pending->spooled_size : 0;
    return size > MAX(IMAP_APPENDS_TOTAL, max_message(s)) - had ||
           (s->pending && s->pending->spooled->len >= IMAP_MAX_SPOOLED);
}

// Why an APPEND would fail however good its message is: said before a client that waits for it
// sends the message. NULL: nothing is known against it.
static const char *early_refusal(struct imap_session *s, struct arena *arena, const char *data,
                                 size_t len, uint64_t size) {
    struct imap_cmd c = {
        .s = s, .arena = arena, .args = {.arena = arena, .data = data, .len = len}};
    struct mailbox_folder folder;
    struct mailbox_quota quota;
    struct mailbox *m;
    const char *path;
    if (!imap_tag(&c.args) || !imap_space(&c.args) || !imap_accept_word(&c.args, "APPEND") ||
        !imap_space(&c.args) || imap_peek(&c.args) == '{' || !imap_arg_mailbox(&c, &path))
        return NULL;
    enum ec ec = mailbox_set_find(s->mailboxes, arena, path, &m, &folder);
    if (ec == EC_NOT_FOUND)
        return "NO [TRYCREATE] no such mailbox";
    if (ec == EC_OK && !(folder.rights & RIGHTS_CREATE))
        return "NO [NOPERM] access denied";
    if (ec == EC_OK && mailbox_get_quota(m, &quota) == EC_OK && quota.limits.receive &&
        quota.usage.size + size > quota.limits.receive)
        return "NO [OVERQUOTA] the mailbox is over its quota";
    return NULL;
}

// The line ends with a literal's header.
static enum net_next begin_literal(struct imap_session *s, const char *data, size_t len,
                                   uint64_t size, bool is_sync) {
    bool append = takes_messages(s, data, len);
    // Many small ones do not fill the command.
    bool spool = append && size > 0 && (size > IMAP_SPOOL_MIN || len + size > IMAP_COMMAND_MAX / 2);
    if (append && (size > max_message(s) || (spool && is_too_much(s, size))))
        return refuse_literal(s, data, len, is_sync, "NO [TOOBIG] Message too large");
    if (append && is_sync && !s->pending) {
        ARENA_AUTO arena = arena_new();
        const char *refusal = early_refusal(s, arena, data, len, size);
        if (refusal)
            return refuse_literal(s, data, len, is_sync, refusal);
    }
    if (!spool && (size > command_max(s) || len + size > command_max(s)))
        return refuse_literal(s, data, len, is_sync, "BAD [TOOBIG] Literal too large");
    if (!s->pending) {
        s->pending = pending_new();
        g_string_append_len(s->pending->text, data, (gssize)len);
    }
    if (spool) {
        // What was spooled before counts, so that many do not stay in memory.
        s->pending->spool =
            imap_spool_new(s->service->spool_dir, s->pending->spooled_size / 4 + size);
        s->pending->spooled_size += size;
    }
    s->literal_left = size;
    s->input = size > 0 ? INPUT_LITERAL : INPUT_LINE;
    if (is_sync)
        imap_puts(s, "+ OK\r\n");
    return NET_READ;
}

static enum net_next run_pending(struct imap_session *s) {
    struct imap_pending *p = g_steal_pointer(&s->pending);
    enum net_next next;
    if (p->spool_ec != EC_OK) {
        ARENA_AUTO arena = arena_new();
        imap_printf(s, "%s NO %s%s\r\n", tag_of(arena, p->text->str, p->text->len),
                    imap_ec_code(p->spool_ec), ec_text(p->spool_ec));
        next = NET_READ;
    } else {
        next = imap_run_line(s, p->text->str, p->text->len,
                             (const struct imap_spooled *)p->spooled->data, p->spooled->len);
    }
    imap_pending_free(p);
    return next;
}

enum net_next imap_take_line(struct imap_session *s, const char *data, size_t len) {
    bool is_whole = len > 0 && data[len - 1] == '\n';
    size_t before = s->pending ? s->pending->text->len : 0;
    if (before + len > command_max(s)) {
        ARENA_AUTO arena = arena_new();
        const char *start = before ? s->pending->text->str : data;
        imap_printf(s, "%s BAD [TOOBIG] Command line too long\r\n",
                    tag_of(arena, start, before ? before : MIN(len, IMAP_TAG_MAX)));
        return close_with(s, "Command line too long");
    }
    if (s->pending || !is_whole) {
        if (!s->pending)
            s->pending = pending_new();
        g_string_append_len(s->pending->text, data, (gssize)len);
        data = s->pending->text->str;
        len = s->pending->text->len;
    }
    if (!is_whole)
        return NET_READ;
    uint64_t size;
    bool is_sync;
    size_t start = s->pending ? s->pending->line_start : 0;
    if (imap_ends_with_literal(data + start, len - start, &size, &is_sync))
        return begin_literal(s, data, len, size, is_sync);
    return s->pending ? run_pending(s) : imap_run_line(s, data, len, NULL, 0);
}

enum net_next imap_take_literal(struct imap_session *s, const uint8_t *data, size_t len) {
    struct imap_pending *p = s->pending;
    if (p->spool)
        imap_spool_write(p->spool, data, len);
    else
        g_string_append_len(p->text, (const char *)data, (gssize)len);
    s->literal_left -= len;
    if (s->literal_left > 0)
        return NET_READ;
    s->input = INPUT_LINE;
    p->line_start = p->text->len;
    // Many clients send the rest of the line in a packet of its own.
    if (s->conn)
        net_conn_quick_ack(s->conn);
    if (p->spool) {
        struct imap_spooled done = {.pos = p->text->len};
        enum ec ec = imap_spool_finish(p->spool, &done.bytes);
        g_clear_pointer(&p->spool, imap_spool_free);
        if (ec == EC_OK)
            g_array_append_val(p->spooled, done);
        else
            p->spool_ec = ec;
    }
    return NET_READ;
}
