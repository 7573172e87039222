// The five system flags make 32 combinations; their texts are made once.
#include "protocol/imap/imap_flags.h"

#include <string.h>

#include "protocol/imap/limits.h"

static const struct {
    uint32_t flag;
    const char *name;
} system_flags[] = {
    {MSG_ANSWERED, "\\Answered"}, {MSG_FLAGGED, "\\Flagged"}, {MSG_DELETED, "\\Deleted"},
    {MSG_READ, "\\Seen"},         {MSG_DRAFT, "\\Draft"},
};

// Bits 0-4 of enum message_flag are exactly the client flags.
G_STATIC_ASSERT(MSG_CLIENT_FLAGS == 0x1f);

const char *imap_flag_names(uint32_t flags) {
    static char names[32][64];
    static gsize made;
    if (g_once_init_enter(&made)) {
        for (unsigned i = 0; i < 32; i++)
            for (unsigned k = 0; k < G_N_ELEMENTS(system_flags); k++)
                if (i & system_flags[k].flag) {
                    if (names[i][0])
                        g_strlcat(names[i], " ", sizeof names[i]);
                    g_strlcat(names[i], system_flags[k].name, sizeof names[i]);
                }
        g_once_init_leave(&made, 1);
    }
    return names[flags & MSG_CLIENT_FLAGS];
}

static bool add_system_flag(struct imap_parser *p, struct imap_flags *out) {
    const char *name = imap_atom(p);
    if (!name)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(system_flags); i++)
        if (g_ascii_strcasecmp(name, system_flags[i].name + 1) == 0) {
            out->flags |= system_flags[i].flag;
            return true;
        }
    // Only the server sets \Recent; some clients send it back with the flags they read.
    return g_ascii_strcasecmp(name, "Recent") == 0 || imap_fail(p, "Invalid system flag");
}

static bool add_keyword(struct imap_parser *p, struct imap_flags *out) {
    const char *name = imap_atom(p);
    if (!name)
        return false;
    if (strlen(name) > IMAP_MAX_KEYWORD)
        return imap_fail(p, "Keyword too long");
    for (unsigned i = 0; i < out->n_keywords; i++)
        if (g_ascii_strcasecmp(out->keywords[i], name) == 0)
            return true;
    if (out->n_keywords == IMAP_MAX_KEYWORDS)
        return imap_fail(p, "Too many keywords");
    out->keywords[out->n_keywords++] = name;
    return true;
}

bool imap_parse_flags(struct imap_parser *p, bool allow_bare, struct imap_flags *out) {
    *out = (struct imap_flags){0};
    out->keywords = arena_alloc(p->arena, IMAP_MAX_KEYWORDS * sizeof *out->keywords);
    bool in_list = imap_accept(p, '(');
    if (!in_list && !allow_bare)
        return imap_fail(p, "Expected a flag list");
    if (in_list && imap_accept(p, ')'))
        return true;
    do {
        if (!(imap_accept(p, '\\') ? add_system_flag(p, out) : add_keyword(p, out)))
            return false;
    } while (imap_accept(p, ' '));
    return !in_list || imap_expect(p, ')');
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *imap_join_keywords(struct arena *arena, const struct imap_flags *flags) {
    if (flags->n_keywords == 0)
        return NULL;
    qsort(flags->keywords, flags->n_keywords, sizeof *flags->keywords, by_text);
    size_t size = 1;
    for (unsigned i = 0; i < flags->n_keywords; i++)
        size += strlen(flags->keywords[i]) + 1;
    char *text = arena_alloc(arena, size), *end = text;
    for (unsigned i = 0; i < flags->n_keywords; i++) {
        if (i > 0)
            *end++ = ' ';
        end = stpcpy(end, flags->keywords[i]);
    }
    return text;
}
