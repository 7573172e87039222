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

enum notify_event {
    NOTIFY_MESSAGE_NEW = 1,
    NOTIFY_MESSAGE_EXPUNGE = 2,
    NOTIFY_FLAG_CHANGE = 4,
    NOTIFY_MAILBOX_NAME = 8,
    NOTIFY_SUBSCRIPTION = 16,
    NOTIFY_MESSAGES = NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE | NOTIFY_FLAG_CHANGE,
};

enum notify_filter {
    FILTER_SELECTED,
    FILTER_SELECTED_DELAYED,
    FILTER_INBOXES,
    FILTER_PERSONAL,
    FILTER_SUBSCRIBED,
    FILTER_SUBTREE,
    FILTER_MAILBOXES,
};

struct notify_group {
    enum notify_filter filter;
    char **paths; // of SUBTREE, MAILBOXES
    unsigned events;
};

// What the client knows of a folder.
struct known_folder {
    uint64_t fid, modseq;
    uint32_t n_messages, uid_next;
    bool is_subscribed, is_there; // is_there: in the newest list
    char *path;
};

struct imap_notify {
    struct notify_group groups[IMAP_MAX_NOTIFY_GROUPS];
    unsigned n_groups;
    char *fetch; // what is told of new messages in the selected folder; NULL: nothing
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
    for (unsigned i = 0; i < n->n_groups; i++)
        g_strfreev(n->groups[i].paths);
    if (n->folders)
        g_array_unref(n->folders);
    g_free(n->fetch);
    g_free(n);
}

// --- Parsing ---

struct parse {
    struct imap_cmd *c;
    struct imap_parser *p;
    struct imap_notify *n;
    bool with_status;
    const char *bad_event;
};

// "(UID FLAGS BODY.PEEK[])" after MessageNew, kept as it stands. FETCH itself reads it when there
// is a message.
static bool parse_fetch_items(struct parse *s, bool is_selected) {
    struct imap_parser *p = s->p;
    size_t start = p->pos;
    if (!imap_accept(p, ' ') || imap_peek(p) != '(') {
        p->pos = start;
        return true;
    }
    if (!is_selected)
        return imap_fail(p, "Only the selected mailbox has data items");
    start = p->pos;
    unsigned depth = 0;
    do {
        int c = imap_peek(p);
        if (c == '"' || c == '{') {
            if (!imap_string(p, NULL))
                return false;
            continue;
        }
        if (c < 0x20)
            return imap_fail(p, "Invalid data items");
        depth += c == '(';
        depth -= c == ')';
        p->pos++;
    } while (depth > 0);
    if (p->pos - start > IMAP_MAX_NOTIFY_FETCH)
        return imap_fail(p, "Data items too long");
    g_free(s->n->fetch);
    s->n->fetch = g_strndup(p->data + start, p->pos - start);
    return true;
}

static bool parse_event(struct parse *s, struct notify_group *g) {
    static const struct {
        const char *name;
        unsigned event; // 0: one we know but do not tell
    } events[] = {
        {"MessageNew", NOTIFY_MESSAGE_NEW},
        {"MessageExpunge", NOTIFY_MESSAGE_EXPUNGE},
        {"FlagChange", NOTIFY_FLAG_CHANGE},
        {"MailboxName", NOTIFY_MAILBOX_NAME},
        {"AnnotationChange", 0},
        {"SubscriptionChange", NOTIFY_SUBSCRIPTION},
        {"MailboxMetadataChange", 0},
        {"ServerMetadataChange", 0},
    };
    bool is_selected = g->filter <= FILTER_SELECTED_DELAYED;
    const char *name = imap_atom(s->p);
    if (!name)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
        if (g_ascii_strcasecmp(name, events[i].name) != 0)
            continue;
        if (!events[i].event)
            break;
        g->events |= events[i].event;
        return events[i].event != NOTIFY_MESSAGE_NEW || parse_fetch_items(s, is_selected);
    }
    s->bad_event = name;
    return true;
}

static bool parse_events(struct parse *s, struct notify_group *g) {
    struct imap_parser *p = s->p;
    if (imap_accept_word(p, "NONE"))
        return true;
    if (!imap_expect(p, '('))
        return false;
    do {
        if (!parse_event(s, g))
            return false;
    } while (imap_accept(p, ' '));
    // [RFC 5465] 5: these come together.
    unsigned both = g->events & (NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE);
    if (both && both != (NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE))
        return imap_fail(p, "MessageNew and MessageExpunge belong together");
    if ((g->events & NOTIFY_FLAG_CHANGE) && !both)
        return imap_fail(p, "FlagChange needs MessageNew and MessageExpunge");
    if (g->filter <= FILTER_SELECTED_DELAYED && (g->events & ~(unsigned)NOTIFY_MESSAGES))
        return imap_fail(p, "The selected mailbox has events of messages only");
    return imap_expect(p, ')');
}

static bool parse_path(struct parse *s, GPtrArray *paths) {
    const char *path;
    if (!imap_arg_mailbox(s->c, &path))
        return false;
    if (paths->len >= IMAP_MAX_NOTIFY_PATHS)
        return imap_fail(s->p, "Too many mailboxes");
    g_ptr_array_add(paths, g_strdup(path));
    return true;
}

static bool parse_paths(struct parse *s, struct notify_group *g) {
    struct imap_parser *p = s->p;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    bool is_list, ok = imap_space(p);
    is_list = ok && imap_accept(p, '(');
    do
        ok = ok && parse_path(s, paths);
    while (ok && is_list && imap_accept(p, ' '));
    if (ok && is_list)
        ok = imap_expect(p, ')');
    if (!ok)
        return false;
    g_ptr_array_add(paths, NULL);
    g->paths = (char **)g_ptr_array_steal(paths, NULL);
    return true;
}

static bool parse_group(struct parse *s) {
    static const char *const names[] = {"SELECTED",   "SELECTED-DELAYED", "INBOXES",  "PERSONAL",
                                        "SUBSCRIBED", "SUBTREE",          "MAILBOXES"};
    struct imap_parser *p = s->p;
    unsigned i = 0;
    if (s->n->n_groups == IMAP_MAX_NOTIFY_GROUPS)
        return imap_fail(p, "Too many groups");
    if (!imap_expect(p, '('))
        return false;
    while (i < G_N_ELEMENTS(names) && !imap_accept_word(p, names[i]))
        i++;
    if (i == G_N_ELEMENTS(names))
        return imap_fail(p, "Unknown mailbox filter");
    struct notify_group *g = &s->n->groups[s->n->n_groups++];
    g->filter = i;
    if (i >= FILTER_SUBTREE && !parse_paths(s, g))
        return false;
    return imap_space(p) && parse_events(s, g) && imap_expect(p, ')');
}

static bool parse_set(struct parse *s) {
    struct imap_parser *p = s->p;
    s->with_status = imap_accept_word(p, "STATUS");
    if (s->with_status && !imap_space(p))
        return false;
    do {
        if (!parse_group(s))
            return false;
    } while (imap_accept(p, ' '));
    return imap_end(p);
}

// --- Which folders, which events ---

static bool is_within(const char *path, const char *top) {
    size_t len = strlen(top);
    return strncmp(path, top, len) == 0 && (path[len] == 0 || path[len] == '/');
}

static bool group_has(const struct notify_group *g, const char *path, bool is_subscribed) {
    switch (g->filter) {
    case FILTER_INBOXES:
        return strcmp(path, "INBOX") == 0;
    case FILTER_PERSONAL:
        return true;
    case FILTER_SUBSCRIBED:
        return is_subscribed;
    case FILTER_SUBTREE:
    case FILTER_MAILBOXES:
        for (char **p = g->paths; *p; p++)
            if (g->filter == FILTER_SUBTREE ? is_within(path, *p) : strcmp(path, *p) == 0)
                return true;
        return false;
    default:
        return false;
    }
}

// The first group that a folder is in counts.
static unsigned events_of(const struct imap_notify *n, const char *path, bool is_subscribed) {
    for (unsigned i = 0; i < n->n_groups; i++)
        if (group_has(&n->groups[i], path, is_subscribed))
            return n->groups[i].events;
    return 0;
}

static const struct notify_group *selected_group(const struct imap_notify *n) {
    for (unsigned i = 0; i < n->n_groups; i++)
        if (n->groups[i].filter <= FILTER_SELECTED_DELAYED)
            return &n->groups[i];
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
    if (!s->notify->fetch || first >= count || count - first > IMAP_MAX_NOTIFY_NEW)
        return;
    ARENA_AUTO arena = arena_new();
    char *line = arena_printf(arena, "%u:%u %s", mailbox_view_row(s->view, first)->uid,
                              mailbox_view_row(s->view, count - 1)->uid, s->notify->fetch);
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

void cmd_notify(struct imap_cmd *c) {
    struct parse p = {.c = c, .p = &c->args};
    if (imap_accept_word(p.p, "NONE")) {
        if (!imap_arg_end(c))
            return;
        g_clear_pointer(&c->s->notify, imap_notify_free);
        imap_reply_ok(c);
        return;
    }
    p.n = g_new0(struct imap_notify, 1);
    if (!imap_accept_word(p.p, "SET"))
        imap_fail(p.p, "Expected SET or NONE");
    imap_space(p.p);
    if (!imap_ok(p.p) || !parse_set(&p)) {
        if (!c->reply)
            imap_reply_bad_args(c);
    } else if (p.bad_event) {
        reply_bad_event(c);
    } else {
        enum ec ec = begin(c, p.n, p.with_status);
        if (ec == EC_OK) {
            imap_notify_free(c->s->notify);
            c->s->notify = g_steal_pointer(&p.n);
        }
        if (ec == EC_TOO_MANY_OBJECTS)
            imap_puts(c->s, "* OK [NOTIFICATIONOVERFLOW] Too many mailboxes to watch\r\n");
        imap_reply_ec(c, ec);
    }
    imap_notify_free(p.n);
}
