// The bodies of the address book's operations ([MS-OXCMAPIHTTP] 2.2.5): each function reads a
// request, calls protocol/nspi and writes the answer after its StatusCode.
//
// Nothing here knows HTTP. What a request holds is only looked at after it was read to its end.
#include <string.h>

#include "base/text.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

#define MAX_STRINGS 100000 // [MS-OXNSPI] 2.2.2.6
#define MAX_VALUES 1000    // of ModProps

// --- What all have ---

// The auxiliary buffer, which ends every request. False: the request is malformed.
static bool read_end(struct nspi_call *c) {
    struct aux_in aux;
    return aux_read(c->in, c->arena, &aux) && wire_ok(c->in);
}

static void put_status(struct nspi_call *c, enum ec ec) {
    wire_put_u32(c->out, 0); // StatusCode
    wire_put_u32(c->out, (uint32_t)ec);
}

static enum response_code end(struct nspi_call *c) {
    aux_put_none(c->out);
    return RESPONSE_SUCCESS;
}

static void put_bool(struct nspi_call *c, bool b) {
    wire_put_u8(c->out, b ? 0xFF : 0);
}

static void put_mids(struct nspi_call *c, bool is_there, const struct nspi_mids *mids) {
    put_bool(c, is_there);
    if (is_there)
        nspi_wire_put_tags(c->out, mids->n, mids->ids);
}

static void put_rows(struct nspi_call *c, bool is_there, uint32_t code_page,
                     const struct nspi_rows *rows) {
    put_bool(c, is_there);
    if (is_there)
        nspi_wire_put_rows(c->out, code_page, rows);
}

static void put_columns(struct nspi_call *c, bool is_there, const struct columns *columns) {
    put_bool(c, is_there);
    if (is_there)
        nspi_wire_put_tags(c->out, columns->n, columns->tags);
}

static void put_unicode(struct nspi_call *c, const char *s) {
    struct prop_wire form = PROP_WIRE_EXTENDED;
    prop_wire_put_string(c->out, &form, true, s);
}

// An array of null-terminated strings, in ASCII or Unicode. `*n_out` 0 after an error.
static const char *const *read_strings(struct nspi_call *c, bool is_unicode, unsigned *n_out) {
    struct prop_wire form = PROP_WIRE_EXTENDED;
    uint32_t n = wire_u32(c->in);
    if (n > MAX_STRINGS || n > wire_left(c->in) / (is_unicode ? 2 : 1)) {
        wire_fail(c->in);
        n = 0;
    }
    const char **strings = arena_alloc(c->arena, (n + 1) * sizeof *strings);
    for (uint32_t i = 0; i < n; i++)
        strings[i] = prop_wire_string(c->in, &form, c->arena, is_unicode);
    *n_out = wire_ok(c->in) ? n : 0;
    return strings;
}

static struct prop_wire form_in(uint32_t code_page) {
    return (struct prop_wire){PROP_WIRE_MARKED,
                              code_page == NSPI_CODE_PAGE_UNICODE ? 1252 : code_page};
}

// --- Operations ---

static enum response_code compare_mids(struct nspi_call *c) {
    struct nspi_stat stat;
    int32_t result = 0;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    uint32_t a = wire_u32(c->in), b = wire_u32(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    put_status(c, nspi_compare_mids(c->session, &stat, a, b, &result));
    wire_put_u32(c->out, (uint32_t)result);
    return end(c);
}

static enum response_code dn_to_mid(struct nspi_call *c) {
    unsigned n = 0;
    const char *const *names = NULL;
    struct nspi_mids mids = {0};
    wire_skip(c->in, 4);
    if (wire_u8(c->in))
        names = read_strings(c, false, &n);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    enum ec ec = nspi_dn_to_mid(c->session, c->arena, names, n, &mids);
    put_status(c, ec);
    put_mids(c, ec == EC_OK, &mids);
    return end(c);
}

static enum response_code get_matches(struct nspi_call *c) {
    struct nspi_stat stat;
    struct restriction *filter = NULL;
    enum ec ec = EC_OK;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    if (wire_u8(c->in))
        nspi_wire_mids(c->in, c->arena); // reserved
    wire_skip(c->in, 4);
    if (wire_u8(c->in)) {
        struct prop_wire form = form_in(stat.code_page);
        ec = restriction_read(c->in, &form, c->arena, &filter);
    }
    if (ec != EC_OK && ec != EC_TOO_COMPLEX)
        return RESPONSE_INVALID_BODY;
    struct nspi_mids mids = {0};
    struct nspi_rows rows = {0};
    bool has_columns = false;
    if (ec == EC_OK) {
        bool has_name = wire_u8(c->in);
        if (has_name)
            wire_skip(c->in, 16 + 4);
        uint32_t max_rows = wire_u32(c->in);
        struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
        if (!read_end(c))
            return RESPONSE_INVALID_BODY;
        ec = nspi_get_matches(c->session, c->arena, &stat, filter, has_name, max_rows,
                              has_columns ? &columns : NULL, &mids, &rows);
    }
    put_status(c, ec);
    nspi_wire_put_stat(c->out, true, &stat);
    put_mids(c, ec == EC_OK, &mids);
    put_rows(c, ec == EC_OK && has_columns, stat.code_page, &rows);
    return end(c);
}

static enum response_code get_prop_list(struct nspi_call *c) {
    struct columns columns = {0};
    uint32_t flags = wire_u32(c->in), mid = wire_u32(c->in), code_page = wire_u32(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    enum ec ec = nspi_get_prop_list(c->session, c->arena, flags, mid, code_page, &columns);
    put_status(c, ec);
    put_columns(c, ec == EC_OK, &columns);
    return end(c);
}

// A row's values with the tags that were asked for; errors with theirs.
static void put_tagged_row(struct nspi_call *c, uint32_t code_page, const struct nspi_rows *rows) {
    wire_put_u32(c->out, rows->columns.n);
    for (unsigned i = 0; i < rows->columns.n; i++) {
        bool is_string8 = (PROP_TYPE(rows->columns.tags[i]) & ~PT_MV) == PT_STRING8;
        struct nspi_list one = {1, &rows->rows[0][i], is_string8};
        struct wire_writer w = wire_writer(MAPIHTTP_MAX_ANSWER);
        nspi_wire_put_list(&w, code_page, &one);
        GByteArray *bytes = wire_writer_take(&w);
        if (bytes) // without the count
            wire_put_bytes(c->out, bytes->data + 4, bytes->len - 4);
        else
            c->out->failed = true;
        if (bytes)
            g_byte_array_unref(bytes);
    }
}

static enum response_code get_props(struct nspi_call *c) {
    struct nspi_stat stat;
    bool has_columns;
    uint32_t flags = wire_u32(c->in);
    nspi_wire_stat(c->in, &stat);
    struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_rows rows = {0};
    enum ec ec =
        nspi_get_props(c->session, c->arena, flags, &stat, has_columns ? &columns : NULL, &rows);
    bool has_row = ec == EC_OK || ec == EC_ERRORS_RETURNED;
    put_status(c, ec);
    wire_put_u32(c->out, stat.code_page);
    put_bool(c, has_row);
    if (has_row)
        put_tagged_row(c, stat.code_page, &rows);
    return end(c);
}

static enum response_code get_special_table(struct nspi_call *c) {
    struct nspi_stat stat;
    uint32_t version = 0;
    uint32_t flags = wire_u32(c->in);
    nspi_wire_stat(c->in, &stat);
    if (wire_u8(c->in))
        version = wire_u32(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_list *rows = NULL;
    unsigned n = 0;
    enum ec ec = nspi_get_special_table(c->session, c->arena, flags, &stat, &version, &rows, &n);
    put_status(c, ec);
    wire_put_u32(c->out, stat.code_page);
    put_bool(c, ec == EC_OK);
    if (ec == EC_OK)
        wire_put_u32(c->out, version);
    put_bool(c, ec == EC_OK);
    if (ec == EC_OK)
        wire_put_u32(c->out, n);
    for (unsigned i = 0; ec == EC_OK && i < n; i++)
        nspi_wire_put_list(c->out, stat.code_page, &rows[i]);
    return end(c);
}

static enum response_code get_template_info(struct nspi_call *c) {
    const char *dn = NULL;
    uint32_t flags = wire_u32(c->in), type = wire_u32(c->in);
    if (wire_u8(c->in))
        dn = wire_cstring(c->in);
    uint32_t code_page = wire_u32(c->in), locale = wire_u32(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_list row = {0};
    if (dn)
        dn = text_clean(c->arena, dn, strlen(dn), NULL);
    enum ec ec =
        nspi_get_template_info(c->session, c->arena, flags, type, dn, code_page, locale, &row);
    put_status(c, ec);
    wire_put_u32(c->out, code_page);
    put_bool(c, ec == EC_OK);
    if (ec == EC_OK)
        nspi_wire_put_list(c->out, code_page, &row);
    return end(c);
}

static enum response_code mod_link_att(struct nspi_call *c) {
    uint32_t flags = wire_u32(c->in), tag = wire_u32(c->in), mid = wire_u32(c->in);
    struct prop_bin *ids = NULL;
    uint32_t n = 0;
    if (wire_u8(c->in)) {
        n = wire_u32(c->in);
        if (n > MAX_STRINGS || n > wire_left(c->in) / 4)
            return RESPONSE_INVALID_BODY;
        ids = arena_alloc0(c->arena, (n + 1) * sizeof *ids);
        for (uint32_t i = 0; i < n; i++) {
            ids[i].len = wire_u32(c->in);
            ids[i].data = wire_bytes(c->in, ids[i].len);
        }
    }
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    put_status(c, nspi_mod_link_att(c->session, c->arena, flags, tag, mid, ids, n));
    return end(c);
}

static enum response_code mod_props(struct nspi_call *c) {
    struct nspi_stat stat;
    bool has_columns;
    struct prop_value *values = NULL;
    uint32_t n = 0;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
    if (wire_u8(c->in)) {
        struct prop_wire form = form_in(stat.code_page);
        n = wire_u32(c->in);
        if (n > MAX_VALUES)
            return RESPONSE_INVALID_BODY;
        values = prop_wire_tagged_array(c->in, &form, c->arena, n);
    }
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    put_status(
        c, nspi_mod_props(c->session, c->arena, &stat, has_columns ? &columns : NULL, values, n));
    return end(c);
}

static enum response_code query_columns(struct nspi_call *c) {
    struct columns columns = {0};
    wire_skip(c->in, 4);
    uint32_t flags = wire_u32(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    enum ec ec = nspi_query_columns(c->session, c->arena, flags, &columns);
    put_status(c, ec);
    put_columns(c, ec == EC_OK, &columns);
    return end(c);
}

static enum response_code query_rows(struct nspi_call *c) {
    struct nspi_stat stat;
    bool has_columns;
    uint32_t flags = wire_u32(c->in);
    bool has_stat = nspi_wire_stat(c->in, &stat);
    struct nspi_mids table = nspi_wire_mids(c->in, c->arena);
    uint32_t count = wire_u32(c->in);
    struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_rows rows = {0};
    enum ec ec = nspi_query_rows(c->session, c->arena, flags, &stat, table.n ? &table : NULL, count,
                                 has_columns ? &columns : NULL, &rows);
    put_status(c, ec);
    nspi_wire_put_stat(c->out, has_stat, &stat);
    put_rows(c, ec == EC_OK, stat.code_page, &rows);
    return end(c);
}

static enum response_code resolve_names(struct nspi_call *c) {
    struct nspi_stat stat;
    bool has_columns;
    unsigned n = 0;
    const char *const *names = NULL;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
    if (wire_u8(c->in))
        names = read_strings(c, true, &n);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_mids mids = {0};
    struct nspi_rows rows = {0};
    enum ec ec = nspi_resolve_names(c->session, c->arena, &stat, has_columns ? &columns : NULL,
                                    names, n, &mids, &rows);
    put_status(c, ec);
    wire_put_u32(c->out, stat.code_page);
    put_mids(c, ec == EC_OK, &mids);
    put_rows(c, ec == EC_OK, stat.code_page, &rows);
    return end(c);
}

static enum response_code resort_restriction(struct nspi_call *c) {
    struct nspi_stat stat;
    struct nspi_mids in = {0}, out = {0};
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    if (wire_u8(c->in))
        in = nspi_wire_mids(c->in, c->arena);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    enum ec ec = nspi_resort_restriction(c->session, c->arena, &stat, &in, &out);
    put_status(c, ec);
    nspi_wire_put_stat(c->out, true, &stat);
    put_mids(c, ec == EC_OK, &out);
    return end(c);
}

static enum response_code seek_entries(struct nspi_call *c) {
    struct nspi_stat stat;
    struct prop_value target = {0};
    struct nspi_mids table = {0};
    bool has_columns;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    bool has_target = wire_u8(c->in);
    if (has_target) {
        struct prop_wire form = form_in(stat.code_page);
        target = prop_wire_tagged(c->in, &form, c->arena);
    }
    bool has_table = wire_u8(c->in);
    if (has_table)
        table = nspi_wire_mids(c->in, c->arena);
    struct columns columns = nspi_wire_columns(c->in, c->arena, &has_columns);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    struct nspi_rows rows = {0};
    enum ec ec = nspi_seek_entries(c->session, c->arena, &stat, has_target ? &target : NULL,
                                   has_table ? &table : NULL, has_columns ? &columns : NULL, &rows);
    put_status(c, ec);
    nspi_wire_put_stat(c->out, true, &stat);
    put_rows(c, ec == EC_OK && has_columns, stat.code_page, &rows);
    return end(c);
}

static enum response_code update_stat(struct nspi_call *c) {
    struct nspi_stat stat;
    int32_t delta = 0;
    wire_skip(c->in, 4);
    nspi_wire_stat(c->in, &stat);
    bool wants_delta = wire_u8(c->in);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    enum ec ec = nspi_update_stat(c->session, &stat, &delta);
    put_status(c, ec);
    nspi_wire_put_stat(c->out, true, &stat);
    put_bool(c, ec == EC_OK && wants_delta);
    if (ec == EC_OK && wants_delta)
        wire_put_u32(c->out, (uint32_t)delta);
    return end(c);
}

// GetMailboxUrl and GetAddressBookUrl: whichever server or user is asked about, it is here.
static enum response_code get_url(struct nspi_call *c, const char *url) {
    struct prop_wire form = PROP_WIRE_EXTENDED;
    wire_skip(c->in, 4);
    prop_wire_string(c->in, &form, c->arena, true);
    if (!read_end(c))
        return RESPONSE_INVALID_BODY;
    put_status(c, EC_OK);
    put_unicode(c, url);
    return end(c);
}

static enum response_code get_mailbox_url(struct nspi_call *c) {
    return get_url(c, c->mailbox_url);
}

static enum response_code get_address_book_url(struct nspi_call *c) {
    return get_url(c, c->address_book_url);
}

static const struct {
    const char *name;
    enum response_code (*run)(struct nspi_call *c);
} bodies[] = {
    {"CompareMIds", compare_mids},
    {"DNToMId", dn_to_mid},
    {"GetMatches", get_matches},
    {"GetPropList", get_prop_list},
    {"GetProps", get_props},
    {"GetSpecialTable", get_special_table},
    {"GetTemplateInfo", get_template_info},
    {"ModLinkAtt", mod_link_att},
    {"ModProps", mod_props},
    {"QueryColumns", query_columns},
    {"QueryRows", query_rows},
    {"ResolveNames", resolve_names},
    {"ResortRestriction", resort_restriction},
    {"SeekEntries", seek_entries},
    {"UpdateStat", update_stat},
    {"GetMailboxUrl", get_mailbox_url},
    {"GetAddressBookUrl", get_address_book_url},
};

enum response_code nspi_body_run(struct nspi_call *call, const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        if (g_ascii_strcasecmp(bodies[i].name, name) == 0)
            return bodies[i].run(call);
    return RESPONSE_INVALID_REQUEST_TYPE;
}
