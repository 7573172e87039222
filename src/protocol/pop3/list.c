// STAT, LIST, UIDL, DELE, RSET, NOOP, QUIT ([RFC 1939] 5, 6).
#include <string.h>

#include "base/log.h"
#include "protocol/pop3/session.h"

struct pop3_item *pop3_item(struct pop3_session *s, const char **args, enum pop3_next *next_out) {
    const char *p = *args + strspn(*args, " ");
    unsigned long n = 0;
    const char *digits = p;
    while (g_ascii_isdigit(*p) && n <= G_MAXUINT32)
        n = n * 10 + (unsigned long)(*p++ - '0');
    if (p == digits || (*p && *p != ' ')) {
        *next_out = pop3_err(s, NULL, "a message number is wanted");
        return NULL;
    }
    if (n == 0 || n > s->n || s->items[n - 1].is_deleted) {
        *next_out = pop3_err(s, NULL, "no such message");
        return NULL;
    }
    *args = p + strspn(p, " ");
    return &s->items[n - 1];
}

// An item and nothing after it.
static struct pop3_item *only_item(struct pop3_session *s, const char *args,
                                   enum pop3_next *next_out) {
    struct pop3_item *item = pop3_item(s, &args, next_out);
    if (item && *args) {
        *next_out = pop3_err(s, NULL, "one message number is wanted");
        return NULL;
    }
    return item;
}

enum pop3_next pop3_cmd_stat(struct pop3_session *s, const char *args) {
    uint64_t size = 0;
    unsigned n = 0;
    (void)args;
    for (unsigned i = 0; i < s->n; i++)
        if (!s->items[i].is_deleted) {
            n++;
            size += s->items[i].size;
        }
    pop3_ok(s, "%u %" G_GUINT64_FORMAT, n, size);
    return POP3_READ;
}

static unsigned number_of(const struct pop3_session *s, const struct pop3_item *item) {
    return (unsigned)(item - s->items) + 1;
}

static void put_size(struct pop3_session *s, const struct pop3_item *item) {
    g_string_append_printf(s->out, "%u %" G_GUINT64_FORMAT "\r\n", number_of(s, item), item->size);
}

// Never given to another message: a uid is not used again within its validity.
static void put_unique(struct pop3_session *s, const struct pop3_item *item) {
    g_string_append_printf(s->out, "%u %08x%08x\r\n", number_of(s, item), s->uid_validity,
                           item->uid);
}

static enum pop3_next tell(struct pop3_session *s, const char *args,
                           void (*put)(struct pop3_session *s, const struct pop3_item *item)) {
    enum pop3_next next = POP3_READ;
    if (args[strspn(args, " ")]) {
        const struct pop3_item *item = only_item(s, args, &next);
        if (item) {
            g_string_append(s->out, "+OK ");
            put(s, item);
        }
        return next;
    }
    pop3_ok(s, "list follows");
    for (unsigned i = 0; i < s->n; i++)
        if (!s->items[i].is_deleted)
            put(s, &s->items[i]);
    g_string_append(s->out, ".\r\n");
    return next;
}

enum pop3_next pop3_cmd_list(struct pop3_session *s, const char *args) {
    return tell(s, args, put_size);
}

enum pop3_next pop3_cmd_uidl(struct pop3_session *s, const char *args) {
    return tell(s, args, put_unique);
}

enum pop3_next pop3_cmd_dele(struct pop3_session *s, const char *args) {
    enum pop3_next next = POP3_READ;
    struct pop3_item *item = only_item(s, args, &next);
    if (!item)
        return next;
    item->is_deleted = true;
    pop3_ok(s, "message %u is deleted by QUIT", number_of(s, item));
    return POP3_READ;
}

enum pop3_next pop3_cmd_rset(struct pop3_session *s, const char *args) {
    (void)args;
    for (unsigned i = 0; i < s->n; i++)
        s->items[i].is_deleted = false;
    pop3_ok(s, "%u messages", s->n);
    return POP3_READ;
}

enum pop3_next pop3_cmd_noop(struct pop3_session *s, const char *args) {
    (void)args;
    pop3_ok(s, "nothing done");
    return POP3_READ;
}

enum pop3_next pop3_cmd_quit(struct pop3_session *s, const char *args) {
    (void)args;
    enum ec ec = s->mailbox ? pop3_drop_update(s) : EC_OK;
    if (ec == EC_OK) {
        pop3_ok(s, "bye");
    } else {
        log_event(LOG_LEVEL_WARNING, "pop3.update_failed", "user", s->who->address, "error",
                  ec_text(ec), NULL);
        pop3_err(s, ec == EC_DISK_FULL || ec == EC_SERVER_BUSY ? "SYS/TEMP" : "SYS/PERM",
                 "not all deleted messages are gone");
    }
    pop3_drop_close(s);
    return POP3_CLOSE;
}
