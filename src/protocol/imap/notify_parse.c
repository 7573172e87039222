// Reading NOTIFY SET.
#include "protocol/imap/notify_parse.h"

#include <string.h>

#include "protocol/imap/fetch.h"

struct parse {
    struct imap_cmd *c;
    struct imap_parser *p;
    struct notify_request *out;
};

// "(UID FLAGS BODY.PEEK[])" after MessageNew: kept as it stands, once FETCH could read it.
static bool parse_fetch_items(struct parse *s, bool is_selected) {
    struct imap_parser *p = s->p;
    struct fetch_items items;
    size_t start = p->pos;
    if (!imap_accept(p, ' ') || imap_peek(p) != '(') {
        p->pos = start;
        return true;
    }
    if (!is_selected)
        return imap_fail(p, "Only the selected mailbox has data items");
    start = p->pos;
    if (!fetch_parse(p, &items))
        return false;
    if (p->pos - start > IMAP_MAX_NOTIFY_FETCH)
        return imap_fail(p, "Data items too long");
    g_free(s->out->groups.fetch);
    s->out->groups.fetch = g_strndup(p->data + start, p->pos - start);
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
    s->out->has_bad_event = true;
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

static bool parse_path(struct imap_cmd *c, GPtrArray *paths) {
    const char *path;
    if (!imap_arg_mailbox(c, &path))
        return false;
    if (paths->len >= IMAP_MAX_NOTIFY_PATHS)
        return imap_fail(&c->args, "Too many mailboxes");
    g_ptr_array_add(paths, g_strdup(path));
    return true;
}

static bool parse_paths(struct imap_cmd *c, struct notify_group *g) {
    struct imap_parser *p = &c->args;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    bool is_list, ok = imap_space(p);
    is_list = ok && imap_accept(p, '(');
    do
        ok = ok && parse_path(c, paths);
    while (ok && is_list && imap_accept(p, ' '));
    if (ok && is_list)
        ok = imap_expect(p, ')');
    if (!ok)
        return false;
    g_ptr_array_add(paths, NULL);
    g->paths = (char **)g_ptr_array_steal(paths, NULL);
    return true;
}

bool notify_parse_filter(struct imap_cmd *c, struct notify_group *out) {
    static const char *const names[] = {"SELECTED",  "SELECTED-DELAYED", "INBOXES",
                                        "PERSONAL",  "SUBSCRIBED",       "SUBTREE",
                                        "MAILBOXES", "SUBTREE-ONE"};
    unsigned i = 0;
    while (i < G_N_ELEMENTS(names) && !imap_accept_word(&c->args, names[i]))
        i++;
    if (i == G_N_ELEMENTS(names))
        return imap_fail(&c->args, "Unknown mailbox filter");
    *out = (struct notify_group){.filter = i};
    return i < FILTER_SUBTREE || parse_paths(c, out);
}

static bool parse_group(struct parse *s) {
    struct imap_parser *p = s->p;
    if (s->out->groups.n == IMAP_MAX_NOTIFY_GROUPS)
        return imap_fail(p, "Too many groups");
    struct notify_group *g = &s->out->groups.items[s->out->groups.n++];
    *g = (struct notify_group){0};
    return imap_expect(p, '(') && notify_parse_filter(s->c, g) && imap_space(p) &&
           parse_events(s, g) && imap_expect(p, ')');
}

bool notify_parse(struct imap_cmd *c, struct notify_request *out) {
    struct parse s = {c, &c->args, out};
    *out = (struct notify_request){0};
    out->with_status = imap_accept_word(s.p, "STATUS");
    if (out->with_status && !imap_space(s.p))
        return false;
    do {
        if (!parse_group(&s))
            return false;
    } while (imap_accept(s.p, ' '));
    return imap_end(s.p);
}

void notify_groups_clear(struct notify_groups *groups) {
    for (unsigned i = 0; i < groups->n; i++)
        g_strfreev(groups->items[i].paths);
    g_free(groups->fetch);
    *groups = (struct notify_groups){0};
}

// --- Which folders ---

static bool is_within(const char *path, const char *top, bool is_direct) {
    size_t len = strlen(top);
    if (strncmp(path, top, len) != 0)
        return false;
    return path[len] == 0 || (path[len] == '/' && !(is_direct && strchr(path + len + 1, '/')));
}

bool notify_group_has(const struct notify_group *g, const char *path, bool is_subscribed) {
    switch (g->filter) {
    case FILTER_INBOXES:
        return strcmp(path, "INBOX") == 0;
    case FILTER_PERSONAL:
        return true;
    case FILTER_SUBSCRIBED:
        return is_subscribed;
    case FILTER_SUBTREE:
    case FILTER_SUBTREE_ONE:
    case FILTER_MAILBOXES:
        for (char **p = g->paths; *p; p++)
            if (g->filter == FILTER_MAILBOXES
                    ? strcmp(path, *p) == 0
                    : is_within(path, *p, g->filter == FILTER_SUBTREE_ONE))
                return true;
        return false;
    default:
        return false;
    }
}
