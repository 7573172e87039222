// From names to entries (NspiResolveNames and NspiResolveNamesW, NspiDNToMId).
#include <string.h>

#include "directory/dn.h"
#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

// "=SMTP:alice@example.org", "EX:/o=...", "/o=..." and plain addresses name one entry; anything
// else is resolved by the directory.
static enum ec resolve(struct nspi_session *s, struct arena *arena, const char *name,
                       struct directory_object **out) {
    struct directory *d = s->service->directory;
    const char *exact = name[0] == '=' ? name + 1 : name;
    if (g_ascii_strncasecmp(exact, "EX:", 3) == 0 || g_ascii_strncasecmp(exact, "X500:", 5) == 0)
        exact = strchr(exact, ':') + 1;
    if (exact[0] == '/')
        return directory_find_dn(d, arena, exact, out);
    if (g_ascii_strncasecmp(exact, "SMTP:", 5) == 0)
        return directory_find_address(d, arena, exact + 5, out);
    struct directory_list found;
    enum ec ec = directory_resolve(d, arena, name, &found);
    if (ec == EC_OK)
        *out = found.items[0];
    return ec;
}

enum ec nspi_resolve_names(struct nspi_session *s, struct arena *arena,
                           const struct nspi_stat *stat, const struct columns *columns,
                           const char *const *names, unsigned n, struct nspi_mids *mids_out,
                           struct nspi_rows *rows_out) {
    struct columns use;
    const struct book_table *table;
    EC_TRY(rows_columns(arena, columns, &use));
    EC_TRY(session_book(s));
    if (n > NSPI_MAX_NAMES)
        return EC_TABLE_TOO_BIG;
    const struct book_container *container = book_container(s->book, stat->container);
    if (!container)
        return EC_INVALID_BOOKMARK;
    EC_TRY(book_table(s->book, container, stat->sort_locale, &table));
    uint32_t *results = arena_alloc(arena, (n + 1) * sizeof *results);
    uint32_t *mids = arena_alloc(arena, (n + 1) * sizeof *mids);
    unsigned n_resolved = 0;
    for (unsigned i = 0; i < n; i++) {
        struct directory_object *entry = NULL;
        enum ec ec = names[i] && *names[i] ? resolve(s, arena, names[i], &entry) : EC_NOT_FOUND;
        results[i] = ec == EC_AMBIGUOUS ? NSPI_AMBIGUOUS : NSPI_UNRESOLVED;
        if (ec != EC_OK)
            continue;
        uint32_t mid = mid_of(&s->service->mids, &entry->guid);
        uint32_t index = book_index(s->book, mid);
        if (index != UINT32_MAX && table->place[index] != UINT32_MAX) {
            results[i] = NSPI_RESOLVED;
            mids[n_resolved++] = mid;
        }
    }
    *mids_out = (struct nspi_mids){n, results};
    return rows_make(s, arena, 0, &use, mids, n_resolved, rows_out);
}

// Hidden entries have names too: clients ask for their own.
static uint32_t mid_of_dn(struct nspi_session *s, struct arena *arena, const char *dn) {
    struct directory_object *entry;
    if (directory_find_dn(s->service->directory, arena, dn, &entry) == EC_OK)
        return mid_of(&s->service->mids, &entry->guid);
    for (unsigned i = 0; i < s->book->n_containers; i++) {
        const struct book_container *c = &s->book->containers[i];
        if (c->mid != CONTAINER_GAL && g_ascii_strcasecmp(container_dn(arena, c), dn) == 0)
            return c->mid;
    }
    return 0;
}

enum ec nspi_dn_to_mid(struct nspi_session *s, struct arena *arena, const char *const *names,
                       unsigned n, struct nspi_mids *out) {
    if (n > NSPI_MAX_NAMES)
        return EC_TABLE_TOO_BIG;
    EC_TRY(session_book(s));
    uint32_t *ids = arena_alloc(arena, (n + 1) * sizeof *ids);
    for (unsigned i = 0; i < n; i++)
        ids[i] = mid_of_dn(s, arena, names[i]);
    *out = (struct nspi_mids){n, ids};
    return EC_OK;
}
