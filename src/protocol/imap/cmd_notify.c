// The NOTIFY command, and the telling.
//
// A session with NOTIFY watches the user's mailbox as a whole. When something happened there, its
// folders are listed and compared with what the client was told last: a few numbers and the path of
// each, which is all that an idle session keeps. The selected folder is told of as at the end of
// any command.
#include <string.h>

#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_notify.h"
#include "protocol/imap/imap_status.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/notify_parse.h"

// What the client knows of a folder.
struct known_folder {
    uint64_t fid, modseq;
    uint32_t n_messages, uid_next;
    bool is_subscribed, is_there; // is_there: in the newest list
    char *path;
};

struct imap_notify {
    struct notify_groups groups;
    struct mailbox_watch *watch;
    GArray *folders; // of struct known_folder
    bool is_due;     // something happened during a command
};

static void clear_folder(gpointer p) {
    g_free(((struct known_folder *)p)->path);
}

void imap_notify_free(struct imap_notify *n) {
    if (!n)
        return;
    mailbox_watch_free(n->watch);
    if (n->folders)
        g_array_unref(n->folders);
    notify_groups_clear(&n->groups);
    g_free(n);
}

// --- Which folders, which events ---

// The first group that a folder is in counts.
static unsigned events_of(const struct imap_notify *n, const char *path, bool is_subscribed) {
    for (unsigned i = 0; i < n->groups.n; i++)
        if (notify_group_has(&n->groups.items[i], path, is_subscribed))
            return n->groups.items[i].events;
    return 0;
}

static const struct notify_group *selected_group(const struct imap_notify *n) {
    for (unsigned i = 0; i < n->groups.n; i++)
        if (n->groups.items[i].filter <= FILTER_SELECTED_DELAYED)
            return &n->groups.items[i];
    return NULL;
}

static bool is_selected(const struct imap_session *s, uint64_t fid) {
    return s->view && s->selected == s->mailbox && mailbox_view_fid(s->view) == fid;
}

// --- What is known ---

static struct known_folder *find_known(struct imap_notify *n, uint64_t fid) {
    for (guint i = 0; i < n->folders->len; i++) {
        struct known_folder *k = &g_array_index(n->folders, struct known_folder, i);
        if (k->fid == fid)
            return k;
    }
    return NULL;
}

static void learn(struct known_folder *k, const struct mailbox_folder *f) {
    k->fid = f->fid;
    k->modseq = f->modseq;
    k->n_messages = f->n_messages;
    k->uid_next = f->uid_next;
    k->is_subscribed = f->is_subscribed;
    k->is_there = true;
    if (!k->path || strcmp(k->path, f->path) != 0) {
        g_free(k->path);
        k->path = g_strdup(f->path);
    }
}

static void learn_all(struct imap_notify *n, const struct mailbox_folder_list *list) {
    n->folders = g_array_sized_new(FALSE, TRUE, sizeof(struct known_folder), list->n);
    g_array_set_clear_func(n->folders, clear_folder);
    for (unsigned i = 0; i < list->n; i++) {
        struct known_folder k = {0};
        learn(&k, &list->items[i]);
        g_array_append_val(n->folders, k);
    }
}

// --- Telling ---

static void put_status(struct imap_session *s, const struct mailbox_folder *f) {
    imap_puts(s, "* STATUS ");
    imap_put_mailbox(s, f->path);
    imap_printf(s, " (MESSAGES %u UIDNEXT %u UIDVALIDITY %u UNSEEN %u", f->n_messages, f->uid_next,
                f->uid_validity, f->n_unread);
    if (s->has_condstore)
        imap_printf(s, " HIGHESTMODSEQ %" G_GUINT64_FORMAT, f->modseq);
    imap_puts(s, ")\r\n");
}

static void put_list(struct imap_session *s, const char *attributes, const char *path,
                     const char *old_path) {
    imap_printf(s, "* LIST (%s) \"/\" ", attributes);
    imap_put_mailbox(s, path);
    if (old_path) {
        imap_puts(s, " (\"OLDNAME\" (");
        imap_put_mailbox(s, old_path);
        imap_puts(s, "))");
    }
    imap_puts(s, "\r\n");
}

static const char *attributes_of(const struct mailbox_folder *f) {
    if (f->has_children)
        return f->is_subscribed ? "\\HasChildren \\Subscribed" : "\\HasChildren";
    return f->is_subscribed ? "\\HasNoChildren \\Subscribed" : "\\HasNoChildren";
}

static bool has_news(const struct known_folder *k, const struct mailbox_folder *f,
                     unsigned events) {
    bool is_new = f->uid_next != k->uid_next, is_other = f->modseq != k->modseq;
    if ((events & NOTIFY_MESSAGE_NEW) && is_new)
        return true;
    if ((events & NOTIFY_MESSAGE_EXPUNGE) && f->n_messages != k->n_messages)
        return true;
    return (events & NOTIFY_FLAG_CHANGE) && is_other;
}

static void tell_folder(struct imap_session *s, struct known_folder *k,
                        const struct mailbox_folder *f) {
    struct imap_notify *n = s->notify;
    unsigned events = events_of(n, f->path, f->is_subscribed);
    unsigned before = k ? events_of(n, k->path, k->is_subscribed) : 0;
    if (!k) {
        if (events & NOTIFY_MAILBOX_NAME)
            put_list(s, attributes_of(f), f->path, NULL);
        return;
    }
    if (((events | before) & NOTIFY_MAILBOX_NAME) && strcmp(k->path, f->path) != 0)
        put_list(s, attributes_of(f), f->path, k->path);
    else if (((events | before) & NOTIFY_SUBSCRIPTION) && k->is_subscribed != f->is_subscribed)
        put_list(s, attributes_of(f), f->path, NULL);
    bool may_read = f->rights & RIGHTS_READ_ANY;
    if (may_read && !is_selected(s, f->fid) && has_news(k, f, events))
        put_status(s, f);
}

static void tell_all(struct imap_session *s, const struct mailbox_folder_list *list) {
    struct imap_notify *n = s->notify;
    for (guint i = 0; i < n->folders->len; i++)
        g_array_index(n->folders, struct known_folder, i).is_there = false;
    for (unsigned i = 0; i < list->n; i++) {
        const struct mailbox_folder *f = &list->items[i];
        struct known_folder *k = find_known(n, f->fid), fresh = {0};
        tell_folder(s, k, f);
        learn(k ? k : &fresh, f);
        if (!k)
            g_array_append_val(n->folders, fresh);
    }
    for (guint i = n->folders->len; i > 0; i--) {
        const struct known_folder *k = &g_array_index(n->folders, struct known_folder, i - 1);
        if (k->is_there)
            continue;
        if (events_of(n, k->path, k->is_subscribed) & NOTIFY_MAILBOX_NAME)
            put_list(s, "\\NonExistent", k->path, NULL);
        g_array_remove_index(n->folders, i - 1);
    }
}

// New messages of the selected folder, with what the client wants to know of them.
static void put_new(struct imap_session *s, uint32_t first) {
    uint32_t count = mailbox_view_count(s->view);
    if (!s->notify->groups.fetch || first >= count || count - first > IMAP_MAX_NOTIFY_NEW)
        return;
    ARENA_AUTO arena = arena_new();
    char *line = arena_printf(arena, "%u:%u %s", mailbox_view_row(s->view, first)->uid,
                              mailbox_view_row(s->view, count - 1)->uid, s->notify->groups.fetch);
    struct imap_cmd c = {.s = s, .arena = arena, .is_uid = true, .tag = "*"};
    c.args = (struct imap_parser){.arena = arena, .data = line, .len = strlen(line)};
    cmd_fetch(&c);
    while (c.step && !c.reply && !c.step(&c))
        ;
    if (c.free_data)
        c.free_data(&c);
}

static enum ec sync_selected(struct imap_session *s) {
    const struct notify_group *g = selected_group(s->notify);
    bool is_idle = s->input == INPUT_IDLE, has_group = g && g->events;
    if (!s->view || (!is_idle && !has_group))
        return EC_OK;
    uint32_t uid_next = mailbox_view_uid_next(s->view);
    EC_TRY(imap_sync(s, NULL, is_idle || g->filter == FILTER_SELECTED));
    if (has_group && (g->events & NOTIFY_MESSAGE_NEW))
        put_new(s, mailbox_view_find_uid(s->view, uid_next));
    return EC_OK;
}

enum net_next imap_notify_run(struct imap_session *s) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder_list list;
    s->notify->is_due = false;
    enum ec ec = sync_selected(s);
    if (ec == EC_OK)
        ec = mailbox_list_folders(s->mailbox, arena, &list);
    if (ec == EC_OK && list.n > IMAP_MAX_NOTIFY_FOLDERS) {
        imap_puts(s, "* OK [NOTIFICATIONOVERFLOW] Too many mailboxes to watch\r\n");
        g_clear_pointer(&s->notify, imap_notify_free);
        return NET_READ;
    }
    if (ec == EC_OK)
        tell_all(s, &list);
    if (ec == EC_END_OF_SESSION)
        imap_puts(s, IMAP_BYE_REPLACED);
    else if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED || ec == EC_ACCESS_DENIED)
        imap_puts(s, "* BYE [NONEXISTENT] Selected mailbox is gone\r\n");
    else
        return NET_READ; // told the next time
    return NET_CLOSE;
}

enum net_next imap_notify_after(struct imap_session *s) {
    return s->notify && s->notify->is_due ? imap_notify_run(s) : NET_READ;
}

void imap_notify_later(struct imap_session *s) {
    s->notify->is_due = true;
}

// --- The command ---

static void wake(void *ctx) {
    net_conn_wake(ctx);
}

static void reply_bad_event(struct imap_cmd *c) {
    imap_reply(c, "NO",
               "[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)]"
               " Event not supported");
}

static enum ec begin(struct imap_cmd *c, struct imap_notify *n, bool with_status) {
    struct imap_session *s = c->s;
    struct mailbox_folder_list list;
    // Watched first: what happens while the folders are listed is told.
    if (s->conn)
        EC_TRY(mailbox_watch_new(s->mailbox, 0, wake, s->conn, &n->watch));
    EC_TRY(mailbox_list_folders(s->mailbox, c->arena, &list));
    if (list.n > IMAP_MAX_NOTIFY_FOLDERS)
        return EC_TOO_MANY_OBJECTS;
    learn_all(n, &list);
    for (unsigned i = 0; with_status && i < list.n; i++) {
        const struct mailbox_folder *f = &list.items[i];
        unsigned events = events_of(n, f->path, f->is_subscribed);
        if ((events & NOTIFY_MESSAGES) && !is_selected(s, f->fid) && (f->rights & RIGHTS_READ_ANY))
            put_status(s, f);
    }
    return EC_OK;
}

static void set(struct imap_cmd *c) {
    struct notify_request request;
    if (!notify_parse(c, &request)) {
        if (!c->reply)
            imap_reply_bad_args(c);
    } else if (request.has_bad_event) {
        reply_bad_event(c);
    } else {
        struct imap_notify *n = g_new0(struct imap_notify, 1);
        n->groups = request.groups;
        request.groups = (struct notify_groups){0};
        enum ec ec = begin(c, n, request.with_status);
        if (ec == EC_OK) {
            imap_notify_free(c->s->notify);
            c->s->notify = n;
        } else {
            imap_notify_free(n);
        }
        if (ec == EC_TOO_MANY_OBJECTS)
            imap_puts(c->s, "* OK [NOTIFICATIONOVERFLOW] Too many mailboxes to watch\r\n");
        imap_reply_ec(c, ec);
    }
    notify_groups_clear(&request.groups);
}

void cmd_notify(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    if (imap_accept_word(p, "NONE")) {
        if (!imap_arg_end(c))
            return;
        g_clear_pointer(&c->s->notify, imap_notify_free);
        imap_reply_ok(c);
    } else if (imap_accept_word(p, "SET") && imap_space(p)) {
        set(c);
    } else {
        imap_fail(p, "Expected SET or NONE");
        imap_reply_bad_args(c);
    }
}
