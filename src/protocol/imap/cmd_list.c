// LIST with its extensions, and LSUB ([RFC 3501] 6.3.8, [RFC 5258], [RFC 5819], [RFC 6154],
// [RFC 8440], [RFC 9590]).
#include <string.h>

#include "protocol/imap/acl.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_metadata.h"
#include "protocol/imap/imap_status.h"
#include "protocol/imap/imap_utf7.h"
#include "protocol/imap/imap_write.h"
#include "protocol/imap/list_match.h"

struct list {
    struct imap_cmd *c;
    bool is_lsub;
    bool select_subscribed, select_special, select_recursive; // which are listed
    bool return_subscribed, return_children, return_special, return_status;
    bool return_myrights, return_metadata;
    struct imap_metadata_names metadata;
    unsigned status_items;
    const char *reference;
    const char **patterns;
    unsigned n_patterns;
};

struct option {
    const char *name;
    size_t offset; // of the bool in struct list
};
#define OPTION(name, member)                                                                       \
    { name, offsetof(struct list, member) }

static const struct option selections[] = {
    OPTION("SUBSCRIBED", select_subscribed),
    OPTION("SPECIAL-USE", select_special),
    OPTION("RECURSIVEMATCH", select_recursive),
    {"REMOTE", SIZE_MAX}, // there are no remote folders
};
static const struct option returns[] = {
    OPTION("SUBSCRIBED", return_subscribed), OPTION("CHILDREN", return_children),
    OPTION("SPECIAL-USE", return_special),   OPTION("STATUS", return_status),
    OPTION("MYRIGHTS", return_myrights), // [RFC 8440]
    OPTION("METADATA", return_metadata), // [RFC 9590]
};

static bool parse_options(struct list *l, const struct option *options, unsigned n) {
    struct imap_parser *p = &l->c->args;
    if (!imap_expect(p, '('))
        return false;
    while (!imap_accept(p, ')')) {
        unsigned i = 0;
        while (i < n && !imap_accept_word(p, options[i].name))
            i++;
        if (i == n)
            return imap_fail(p, "Unknown LIST option");
        if (options[i].offset != SIZE_MAX)
            *(bool *)((char *)l + options[i].offset) = true;
        if (options[i].offset == offsetof(struct list, return_status) &&
            !(imap_space(p) && imap_parse_status_items(p, &l->status_items)))
            return false;
        if (options[i].offset == offsetof(struct list, return_metadata) &&
            !(imap_space(p) && imap_parse_metadata_names(p, &l->metadata)))
            return false;
        imap_accept(p, ' ');
    }
    return true;
}

// A pattern with the reference in front, as UTF-8. NULL: nothing can match it.
static const char *full_pattern(struct list *l, const char *pattern) {
    struct arena *arena = l->c->arena;
    bool is_absolute = pattern[0] == '/' || g_ascii_strncasecmp(pattern, "INBOX", 5) == 0;
    const char *whole = is_absolute ? pattern : arena_printf(arena, "%s%s", l->reference, pattern);
    if (strlen(whole) > IMAP_MAX_PATTERN)
        return NULL;
    return l->c->s->is_utf8 && g_utf8_validate(whole, -1, NULL) ? whole
                                                                : imap_utf7_decode(arena, whole);
}

static bool add_pattern(struct list *l) {
    struct imap_parser *p = &l->c->args;
    const char *pattern = imap_list_pattern(p);
    if (!pattern)
        return false;
    if (l->n_patterns == IMAP_MAX_PATTERNS)
        return imap_fail(p, "Too many patterns");
    l->patterns[l->n_patterns++] = pattern;
    return true;
}

static bool parse_patterns(struct list *l) {
    struct imap_parser *p = &l->c->args;
    l->patterns = arena_alloc(p->arena, IMAP_MAX_PATTERNS * sizeof *l->patterns);
    if (l->is_lsub || !imap_accept(p, '('))
        return add_pattern(l);
    do {
        if (!add_pattern(l))
            return false;
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')');
}

static bool parse(struct list *l) {
    struct imap_parser *p = &l->c->args;
    if (!l->is_lsub && imap_peek(p) == '(')
        if (!parse_options(l, selections, G_N_ELEMENTS(selections)) || !imap_space(p))
            return false;
    if (!(l->reference = imap_astring(p, NULL)) || !imap_space(p) || !parse_patterns(l))
        return false;
    if (!l->is_lsub && imap_accept(p, ' ') && !imap_at_end(p)) {
        if (!imap_accept_word(p, "RETURN"))
            return imap_fail(p, "Unknown LIST option");
        if (!imap_space(p) || !parse_options(l, returns, G_N_ELEMENTS(returns)))
            return false;
    }
    if (l->select_recursive && !l->select_subscribed)
        return imap_fail(p, "RECURSIVEMATCH needs SUBSCRIBED");
    return imap_end(p);
}

static bool matches(const struct list *l, const char *path) {
    for (unsigned i = 0; i < l->n_patterns; i++)
        if (l->patterns[i] && imap_list_match(l->patterns[i], path))
            return true;
    return false;
}

static void put_attribute(struct imap_session *s, const char *name, bool *first) {
    imap_puts(s, *first ? "" : " ");
    imap_puts(s, name);
    *first = false;
}

// Which attributes a folder shows; `f` NULL: a name that is only subscribed.
static void put_line(struct list *l, const char *path, const struct mailbox_folder *f,
                     bool is_subscribed, bool has_subscribed_below) {
    struct imap_session *s = l->c->s;
    bool first = true;
    imap_puts(s, l->is_lsub ? "* LSUB (" : "* LIST (");
    if (!f)
        put_attribute(s, l->is_lsub ? "\\Noselect" : "\\NonExistent", &first);
    else if (f->fid == 0) // a name above other mailboxes
        put_attribute(s, "\\Noselect \\HasChildren", &first);
    else
        put_attribute(s, f->has_children ? "\\HasChildren" : "\\HasNoChildren", &first);
    // "\Inbox" marks the Inbox for ourselves; on the wire its name does.
    if (f && *f->special_use && f->fid != FID_INBOX)
        put_attribute(s, f->special_use, &first);
    if (is_subscribed && !l->is_lsub && (l->return_subscribed || l->select_subscribed))
        put_attribute(s, "\\Subscribed", &first);
    imap_puts(s, ") \"/\" ");
    imap_put_mailbox(s, path);
    if (l->select_recursive && has_subscribed_below)
        imap_puts(s, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
    imap_puts(s, "\r\n");
    if (f && l->return_status && (f->rights & RIGHTS_READ_ANY))
        imap_put_status(s, f, l->status_items);
    if (f && f->fid && l->return_myrights) {
        imap_puts(s, "* MYRIGHTS ");
        imap_put_mailbox(s, path);
        imap_puts(s, " ");
        imap_put_string(s, acl_letters(l->c->arena, f->rights));
        imap_puts(s, "\r\n");
    }
    if (f && f->fid && l->return_metadata)
        imap_put_list_metadata(l->c, f, &l->metadata);
}

static bool is_below(const char *path, const char *parent) {
    size_t len = strlen(parent);
    return strncmp(path, parent, len) == 0 && path[len] == '/';
}

static bool any_below(char **names, const char *path) {
    for (char **n = names; n && *n; n++)
        if (is_below(*n, path))
            return true;
    return false;
}

static void list_existing(struct list *l, const struct mailbox_folder_list *folders, char **names) {
    for (unsigned i = 0; i < folders->n; i++) {
        const struct mailbox_folder *f = &folders->items[i];
        if (!matches(l, f->path))
            continue;
        bool below = l->select_recursive && any_below(names, f->path);
        if (l->select_subscribed && !f->is_subscribed && !below)
            continue;
        if (l->select_special && (!*f->special_use || f->fid == FID_INBOX))
            continue;
        put_line(l, f->path, f, f->is_subscribed, below);
    }
}

// Subscriptions to names that do not exist (any more).
static void list_missing(struct list *l, const struct mailbox_folder_list *folders, char **names) {
    g_autoptr(GHashTable) existing = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < folders->n; i++)
        g_hash_table_add(existing, (gpointer)folders->items[i].path);
    for (char **n = names; n && *n; n++)
        if (!g_hash_table_contains(existing, *n) && matches(l, *n))
            put_line(l, *n, NULL, true, false);
}

// [RFC 3501] 6.3.9: LSUB "" % shows a parent whose children alone are subscribed, as \Noselect.
static void lsub_parents(struct list *l, const struct mailbox_folder_list *folders, char **names) {
    for (unsigned i = 0; i < folders->n; i++) {
        const struct mailbox_folder *f = &folders->items[i];
        if (f->is_subscribed || !matches(l, f->path))
            continue;
        for (char **n = names; n && *n; n++)
            if (is_below(*n, f->path) && !matches(l, *n)) {
                put_line(l, f->path, NULL, false, false);
                break;
            }
    }
}

// How far below "Other Users" and "Public Folders" the patterns can match (mailbox_set_list): other
// mailboxes are opened only for clients that ask.
static unsigned levels(const struct list *l) {
    static const char *const roots[] = {MAILBOX_OTHER_USERS "/", MAILBOX_PUBLIC_FOLDERS "/"};
    unsigned deepest = 0;
    for (unsigned i = 0; i < l->n_patterns; i++) {
        const char *p = l->patterns[i];
        size_t fixed = p ? strcspn(p, "*%") : 0;
        for (unsigned k = 0; p && k < G_N_ELEMENTS(roots); k++) {
            if (strncmp(p, roots[k], MIN(fixed, strlen(roots[k]))) != 0)
                continue;
            unsigned depth = 1;
            for (const char *c = p; *c; c++)
                depth += *c == '/';
            deepest = MAX(deepest, strchr(p, '*') ? 3 : MIN(depth, 3));
        }
    }
    return deepest;
}

static bool asks_for_delimiter(const struct list *l) {
    return l->n_patterns == 1 && l->patterns[0] && *l->patterns[0] == 0;
}

static void run(struct imap_cmd *c, bool is_lsub) {
    struct list l = {.c = c, .is_lsub = is_lsub, .select_subscribed = is_lsub};
    if (!parse(&l)) {
        imap_reply_bad_args(c);
        return;
    }
    if (asks_for_delimiter(&l)) {
        imap_puts(c->s, is_lsub ? "* LSUB (\\Noselect) \"/\" \"\"\r\n"
                                : "* LIST (\\Noselect) \"/\" \"\"\r\n");
        imap_reply_ok(c);
        return;
    }
    for (unsigned i = 0; i < l.n_patterns; i++)
        l.patterns[i] = full_pattern(&l, l.patterns[i]);
    struct mailbox_folder_list folders;
    g_auto(GStrv) names = NULL;
    enum ec ec = mailbox_set_list(c->s->mailboxes, c->arena, levels(&l), &folders);
    if (ec == EC_OK && l.select_subscribed)
        ec = mailbox_subscriptions(c->s->mailbox, &names);
    if (ec == EC_OK) {
        list_existing(&l, &folders, names);
        if (l.select_subscribed && !l.select_special)
            list_missing(&l, &folders, names);
        if (is_lsub)
            lsub_parents(&l, &folders, names);
    }
    imap_reply_ec(c, ec);
}

void cmd_list(struct imap_cmd *c) {
    run(c, false);
}

void cmd_lsub(struct imap_cmd *c) {
    run(c, true);
}
