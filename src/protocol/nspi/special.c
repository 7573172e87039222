// The special tables: the hierarchy of containers, and the templates new addresses are made with
// (NspiGetSpecialTable; [MS-OXOABK] 3.1.4.1, [MS-OXOABKT] 2.2.1).
#include <string.h>

#include "mapi/catalogue.h"
#include "mapi/entry_id.h"
#include "protocol/nspi/nspi_internal.h"
#include "protocol/nspi/template.h"

// Changes when a container comes, goes or moves, and only then.
static uint32_t hierarchy_version(const struct book *book) {
    uint32_t version = 1;
    for (unsigned i = 0; i < book->n_containers; i++)
        version = version * 31 + g_str_hash(book->containers[i].display_name);
    return version ? version : 1;
}

static struct nspi_list container_row(struct nspi_session *s, struct arena *arena,
                                      const struct book_container *c) {
    static const proptag_t columns[] = {
        PidTagEntryId,     PidTagContainerFlags,      PidTagDepth, PidTagAddressBookContainerId,
        PidTagDisplayName, PidTagAddressBookIsMaster,
    };
    struct nspi_object object = {.mid = c->mid, .container = c};
    struct prop_value *values = arena_alloc(arena, (G_N_ELEMENTS(columns) + 1) * sizeof *values);
    unsigned n = 0;
    for (; n < G_N_ELEMENTS(columns); n++)
        values[n] = object_value(s, arena, 0, &object, columns[n]);
    if (c->depth > 0) {
        const struct book_container *root = &s->book->containers[CONTAINER_ROOT];
        struct nspi_object parent = {.mid = root->mid, .container = root};
        struct prop_bin id = object_entry_id(s, arena, 0, &parent);
        values[n++] = prop_bytes(PidTagAddressBookParentEntryId, id.data, id.len);
    }
    return (struct nspi_list){n, values, false};
}

// There is one kind of address to make: one of the Internet.
static struct nspi_list creation_row(struct nspi_session *s, struct arena *arena) {
    struct prop_bin id = entry_id_of_dn(arena, AB_TYPE_ONE_OFF,
                                        template_creation_dn(arena, s->service->organization));
    static const uint8_t instance[4] = {1, 0, 0, 0};
    const struct prop_value values[] = {
        prop_str(PidTagAddressType, "SMTP"),
        prop_str(PidTagDisplayName, "Internet Address"),
        prop_long(PidTagDisplayType, AB_TYPE_MAIL_USER),
        prop_bytes(PidTagEntryId, id.data, id.len),
        prop_long(PidTagDepth, 0),
        prop_bool(PidTagSelectable, true),
        prop_bytes(PidTagInstanceKey, instance, sizeof instance),
    };
    return (struct nspi_list){G_N_ELEMENTS(values), arena_memdup(arena, values, sizeof values),
                              true};
}

enum ec nspi_get_special_table(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               const struct nspi_stat *stat, uint32_t *version,
                               struct nspi_list **rows_out, unsigned *n_out) {
    bool is_unicode = flags & NSPI_UNICODE_STRINGS;
    if (flags & NSPI_CREATION_TEMPLATES) {
        struct nspi_list *rows = arena_alloc(arena, sizeof *rows);
        rows[0] = creation_row(s, arena);
        *rows_out = rows;
        *n_out = template_has_locale(stat->template_locale) ? 1 : 0;
        return EC_OK;
    }
    if (!is_unicode && stat->code_page == NSPI_CODE_PAGE_UNICODE)
        return EC_INVALID_CODEPAGE;
    EC_TRY(session_book(s));
    uint32_t now = hierarchy_version(s->book);
    bool is_known = version && *version == now;
    struct nspi_list *rows = arena_alloc(arena, s->book->n_containers * sizeof *rows);
    for (unsigned i = 0; i < s->book->n_containers; i++) {
        rows[i] = container_row(s, arena, &s->book->containers[i]);
        rows[i].is_string8 = !is_unicode;
    }
    if (version)
        *version = now;
    *rows_out = rows;
    *n_out = is_known ? 0 : s->book->n_containers;
    return EC_OK;
}
