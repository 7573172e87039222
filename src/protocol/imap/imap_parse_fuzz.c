// One command line with literals through the parsers of every kind of argument.
#include "protocol/imap/fetch.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/search_return.h"
#include "protocol/imap/sort_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct imap_parser again(struct arena *arena, const uint8_t *data, size_t size) {
    return (struct imap_parser){.arena = arena, .data = (const char *)data, .len = size};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct imap_parser p = again(arena, data, size);
    while (imap_ok(&p) && !imap_at_end(&p))
        if (!imap_accept(&p, ' ') && !imap_accept(&p, '(') && !imap_accept(&p, ')'))
            imap_astring(&p, NULL);
    struct fetch_items items;
    struct imap_set set;
    struct imap_flags flags;
    filetime_t time;
    int64_t day;
    uint64_t literal;
    bool is_sync;
    p = again(arena, data, size), fetch_parse(&p, &items);
    p = again(arena, data, size), imap_parse_set(&p, &set);
    p = again(arena, data, size), imap_parse_flags(&p, true, &flags);
    if (imap_ok(&p))
        imap_join_keywords(arena, &flags);
    p = again(arena, data, size), imap_parse_date_time(&p, &time);
    p = again(arena, data, size), imap_parse_date(&p, &day);
    struct mailbox_sort_column columns[MAILBOX_SORT_MAX];
    unsigned n_columns;
    struct search_return ret;
    p = again(arena, data, size), sort_parse(&p, columns, &n_columns);
    p = again(arena, data, size), search_return_parse(&p, &ret);
    p = again(arena, data, size), search_partial_parse(&p, &ret.partial);
    p = again(arena, data, size);
    GBytes *bytes = imap_literal_bytes(&p);
    if (bytes)
        g_bytes_unref(bytes);
    imap_ends_with_literal((const char *)data, size, &literal, &is_sync);
    return 0;
}
