// STATUS ([RFC 3501] 6.3.10, [RFC 7162] HIGHESTMODSEQ, [RFC 8438] SIZE, [RFC 7889] APPENDLIMIT,
// [RFC 9208] DELETED, DELETED-STORAGE).
#include "mailbox/identity.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_status.h"
#include "protocol/imap/imap_write.h"

enum {
    MESSAGES,
    RECENT,
    UIDNEXT,
    UIDVALIDITY,
    UNSEEN,
    HIGHESTMODSEQ,
    SIZE,
    APPENDLIMIT,
    DELETED,
    DELETED_STORAGE,
    MAILBOXID,
    N_ITEMS
};

static const char *const names[N_ITEMS] = {"MESSAGES", "RECENT",          "UIDNEXT",  "UIDVALIDITY",
                                           "UNSEEN",   "HIGHESTMODSEQ",   "SIZE",     "APPENDLIMIT",
                                           "DELETED",  "DELETED-STORAGE", "MAILBOXID"};

bool imap_parse_status_items(struct imap_parser *p, unsigned *out) {
    *out = 0;
    if (!imap_expect(p, '('))
        return false;
    do {
        unsigned i = 0;
        while (i < N_ITEMS && !imap_accept_word(p, names[i]))
            i++;
        if (i == N_ITEMS)
            return imap_fail(p, "Unknown STATUS item");
        *out |= 1u << i;
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')');
}

// Messages marked for deletion, or their sizes.
static uint64_t deleted(struct imap_session *s, const struct mailbox_folder *f, bool is_size) {
    struct mailbox_view *view;
    struct mailbox *m;
    const char *rest;
    uint64_t sum = 0;
    if (mailbox_set_locate(s->mailboxes, f->path, &m, &rest) != EC_OK ||
        mailbox_view_open(m, f->fid, &view) != EC_OK)
        return 0;
    for (uint32_t i = 0; i < mailbox_view_count(view); i++) {
        const struct message_row *row = mailbox_view_row(view, i);
        if (row->flags & MSG_DELETED)
            sum += is_size ? row->size : 1;
    }
    mailbox_view_free(view);
    return sum;
}

static uint64_t value(struct imap_session *s, const struct mailbox_folder *f, unsigned item) {
    switch (item) {
    case MESSAGES:
        return f->n_messages;
    case UIDNEXT:
        return f->uid_next;
    case UIDVALIDITY:
        return f->uid_validity;
    case UNSEEN:
        return f->n_unread;
    case HIGHESTMODSEQ:
        return f->modseq;
    case SIZE:
        return f->size;
    case DELETED:
    case DELETED_STORAGE:
        return deleted(s, f, item == DELETED_STORAGE);
    case APPENDLIMIT:
        return s->service->max_message ? s->service->max_message : IMAP_MAX_MESSAGE;
    default:
        return 0;
    }
}

static void put_mailbox_id(struct imap_session *s, const struct mailbox_folder *f) {
    char id[MAILBOX_ID_SIZE] = "";
    struct mailbox *m;
    const char *rest;
    if (mailbox_set_locate(s->mailboxes, f->path, &m, &rest) == EC_OK)
        mailbox_folder_id(m, f->fid, id);
    imap_printf(s, "MAILBOXID (%s)", id);
}

void imap_put_status(struct imap_session *s, const struct mailbox_folder *folder, unsigned items) {
    imap_puts(s, "* STATUS ");
    imap_put_mailbox(s, folder->path);
    char separator = '(';
    imap_puts(s, " ");
    for (unsigned i = 0; i < N_ITEMS; i++)
        if (items & 1u << i) {
            imap_printf(s, "%c", separator);
            separator = ' ';
            if (i == MAILBOXID)
                put_mailbox_id(s, folder);
            else
                imap_printf(s, "%s %" G_GUINT64_FORMAT, names[i], value(s, folder, i));
        }
    imap_puts(s, ")\r\n");
    if (items & 1u << HIGHESTMODSEQ) // [RFC 7162] 3.1: asking for it enables CONDSTORE
        s->has_condstore = true;
}

void cmd_status(struct imap_cmd *c) {
    const char *path;
    unsigned items;
    if (!imap_arg_mailbox(c, &path))
        return;
    imap_space(&c->args);
    imap_parse_status_items(&c->args, &items);
    if (!imap_arg_end(c))
        return;
    struct mailbox_folder folder;
    struct mailbox *m;
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, path, &m, &folder);
    if (ec == EC_OK && !(folder.rights & RIGHTS_READ_ANY))
        ec = EC_ACCESS_DENIED; // counts tell of what must not be read
    if (ec == EC_OK)
        imap_put_status(c->s, &folder, items);
    imap_reply_ec(c, ec);
}
