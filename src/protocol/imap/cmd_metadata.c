// GETMETADATA and SETMETADATA ([RFC 5464]).
#include <string.h>

#include "mailbox/metadata.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_metadata.h"
#include "protocol/imap/imap_write.h"

struct get_metadata {
    bool has_max_size;
    uint64_t max_size;
    unsigned depth; // UINT_MAX: infinity
    struct imap_metadata_names wanted;
};

// The mailbox named, or with "" the user's own as a whole (fid 0). False: the reply is set.
static bool find_mailbox(struct imap_cmd *c, struct mailbox **m_out, uint64_t *fid_out,
                         const char **path_out) {
    struct mailbox_folder folder;
    if (!imap_arg_mailbox(c, path_out))
        return false;
    *m_out = c->s->mailbox;
    *fid_out = 0;
    if (!**path_out)
        return true;
    enum ec ec = mailbox_set_find(c->s->mailboxes, c->arena, *path_out, m_out, &folder);
    if (ec != EC_OK) {
        imap_reply_ec(c, ec);
        return false;
    }
    *fid_out = folder.fid;
    return true;
}

static bool parse_options(struct imap_parser *p, struct get_metadata *g) {
    imap_expect(p, '(');
    do {
        if (imap_accept_word(p, "MAXSIZE")) {
            g->has_max_size = true;
            imap_space(p);
            imap_number64(p, &g->max_size);
        } else if (imap_accept_word(p, "DEPTH")) {
            imap_space(p);
            if (imap_accept_word(p, "infinity"))
                g->depth = G_MAXUINT;
            else if (imap_accept_word(p, "1"))
                g->depth = 1;
            else if (!imap_accept_word(p, "0"))
                imap_fail(p, "Invalid DEPTH");
        } else {
            imap_fail(p, "Unknown GETMETADATA option");
        }
    } while (imap_ok(p) && imap_accept(p, ' '));
    return imap_expect(p, ')');
}

// Some clients write the options after the mailbox, as examples of the RFC do.
static bool is_at_options(const struct imap_parser *p) {
    const char *rest = p->data + p->pos;
    size_t left = p->len - p->pos;
    return (left > 8 && g_ascii_strncasecmp(rest, "(MAXSIZE", 8) == 0) ||
           (left > 6 && g_ascii_strncasecmp(rest, "(DEPTH", 6) == 0);
}

static bool parse_name(struct imap_parser *p, struct imap_metadata_names *g) {
    const char *name = imap_astring(p, NULL);
    if (!name)
        return false;
    if (g->n == IMAP_MAX_METADATA)
        return imap_fail(p, "Too many entries");
    // What is written back as it stands.
    bool is_plain = *name == '/' && strlen(name) <= METADATA_ENTRY_MAX;
    for (const char *c = name; *c && is_plain; c++)
        is_plain = *c > 0x20 && *c < 0x7f && !strchr("*%\"\\(){", *c);
    if (!is_plain)
        return imap_fail(p, "Invalid entry name");
    g->names[g->n++] = name;
    return true;
}

bool imap_parse_metadata_names(struct imap_parser *p, struct imap_metadata_names *g) {
    *g = (struct imap_metadata_names){
        .names = arena_alloc(p->arena, IMAP_MAX_METADATA * sizeof *g->names)};
    if (!imap_accept(p, '('))
        return parse_name(p, g);
    do {
        if (!parse_name(p, g))
            return false;
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')');
}

// Whether an entry is the one asked for or as far below it as the depth allows.
static bool is_wanted(const struct get_metadata *g, const char *entry) {
    for (unsigned i = 0; i < g->wanted.n; i++) {
        size_t len = strlen(g->wanted.names[i]);
        if (g_ascii_strncasecmp(entry, g->wanted.names[i], len) != 0)
            continue;
        const char *below = entry + len;
        if (!*below || (*below == '/' &&
                        (g->depth == G_MAXUINT || (g->depth == 1 && !strchr(below + 1, '/')))))
            return true;
    }
    return false;
}

static void put_value(struct imap_session *s, const struct mailbox_metadata *item) {
    if (memchr(item->value, 0, item->len)) { // a literal8
        imap_printf(s, "~{%zu}\r\n", item->len);
        imap_put(s, item->value, item->len);
    } else {
        g_autofree char *text = g_strndup(item->value, item->len);
        imap_put_string(s, text);
    }
}

static void put_items(struct imap_cmd *c, const struct get_metadata *g, const char *path,
                      const struct mailbox_metadata_list *list) {
    struct imap_session *s = c->s;
    size_t longest = 0;
    bool is_first = true;
    for (unsigned i = 0; i < list->n; i++) {
        const struct mailbox_metadata *item = &list->items[i];
        if (!is_wanted(g, item->entry))
            continue;
        if (g->has_max_size && item->len > g->max_size) {
            longest = MAX(longest, item->len);
            continue;
        }
        if (is_first) {
            imap_puts(s, "* METADATA ");
            imap_put_mailbox(s, path);
        }
        imap_puts(s, is_first ? " (" : " ");
        is_first = false;
        imap_printf(s, "%s ", item->entry);
        put_value(s, item);
    }
    if (!is_first)
        imap_puts(s, ")\r\n");
    if (longest)
        imap_reply(c, "OK",
                   arena_printf(c->arena, "[METADATA LONGENTRIES %zu] Completed", longest));
    else
        imap_reply_ok(c);
}

void cmd_getmetadata(struct imap_cmd *c) {
    struct get_metadata *g = arena_alloc0(c->arena, sizeof *g);
    struct imap_parser *p = &c->args;
    struct mailbox_metadata_list list;
    struct mailbox *m;
    const char *path;
    uint64_t fid;
    if (imap_peek(p) == '(' && !(parse_options(p, g) && imap_space(p))) {
        imap_reply_bad_args(c);
        return;
    }
    if (!find_mailbox(c, &m, &fid, &path))
        return;
    imap_space(p);
    if (is_at_options(p) && parse_options(p, g))
        imap_space(p);
    imap_parse_metadata_names(p, &g->wanted);
    if (!imap_arg_end(c))
        return;
    enum ec ec = mailbox_get_metadata(m, c->arena, fid, &list);
    if (ec == EC_OK)
        put_items(c, g, path, &list);
    else
        imap_reply_ec(c, ec);
}

void imap_put_list_metadata(struct imap_cmd *c, const struct mailbox_folder *folder,
                            const struct imap_metadata_names *names) {
    struct imap_session *s = c->s;
    struct mailbox_metadata_list list;
    struct mailbox *m;
    const char *rest;
    // A folder whose annotations may not be seen has none ([RFC 9590] 3).
    if (mailbox_set_locate(s->mailboxes, folder->path, &m, &rest) != EC_OK ||
        mailbox_get_metadata(m, c->arena, folder->fid, &list) != EC_OK)
        return;
    imap_puts(s, "* METADATA ");
    imap_put_mailbox(s, folder->path);
    for (unsigned i = 0; i < names->n; i++) {
        unsigned k = 0;
        while (k < list.n && g_ascii_strcasecmp(list.items[k].entry, names->names[i]) != 0)
            k++;
        imap_printf(s, i ? " %s " : " (%s ", names->names[i]);
        if (k < list.n)
            put_value(s, &list.items[k]);
        else
            imap_puts(s, "NIL");
    }
    imap_puts(s, ")\r\n");
}

// nstring or literal8; NIL gives NULL.
static bool parse_value(struct imap_cmd *c, struct mailbox_metadata *item) {
    struct imap_parser *p = &c->args;
    if (imap_accept_word(p, "NIL"))
        return true;
    if (!imap_accept(p, '~')) {
        item->value = imap_string(p, &item->len);
        return item->value != NULL;
    }
    g_autoptr(GBytes) bytes = imap_literal_bytes(p);
    if (!bytes)
        return false;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    item->value = arena_memdup(c->arena, len ? data : "", len);
    item->len = len;
    return true;
}

static void reply_set(struct imap_cmd *c, enum ec ec) {
    if (ec == EC_MESSAGE_TOO_BIG)
        imap_reply(
            c, "NO",
            arena_printf(c->arena, "[METADATA MAXSIZE %d] Value too large", METADATA_VALUE_MAX));
    else if (ec == EC_TOO_MANY_OBJECTS)
        imap_reply(c, "NO", "[METADATA TOOMANY] Too many entries");
    else if (ec == EC_INVALID_PARAMETER)
        imap_reply(c, "NO", "[CANNOT] Not an entry that can be set so");
    else
        imap_reply_ec(c, ec);
}

void cmd_setmetadata(struct imap_cmd *c) {
    struct imap_parser *p = &c->args;
    struct mailbox_metadata items[IMAP_MAX_METADATA];
    struct mailbox *m;
    const char *path;
    uint64_t fid;
    unsigned n = 0;
    if (!find_mailbox(c, &m, &fid, &path))
        return;
    imap_space(p);
    imap_expect(p, '(');
    do {
        if (n == IMAP_MAX_METADATA) {
            imap_fail(p, "Too many entries");
            break;
        }
        struct mailbox_metadata *item = &items[n++];
        *item = (struct mailbox_metadata){.entry = imap_astring(p, NULL)};
        if (!item->entry || !imap_space(p) || !parse_value(c, item))
            break;
    } while (imap_accept(p, ' '));
    imap_expect(p, ')');
    if (imap_arg_end(c))
        reply_set(c, mailbox_set_metadata(m, fid, items, n));
}
