// The address book as MAPI clients see it ([MS-OXNSPI], [MS-OXOABK], [MS-OXOABKT]): typed requests
// and answers. What carries them (MAPI over HTTP, RPC) knows this header only.
//
// A session belongs to one caller at a time. What an answer points to lives in the arena, or until
// the session's next call. Functions give the return values of [MS-OXNSPI] 3.1.4.1; on an error
// nothing is written to `*_out` and a STAT stays as it was, except where said.
#pragma once

#include "auth/auth.h"
#include "directory/directory.h"
#include "mapi/restriction.h"
#include "mapi/row.h"

struct nspi_service; // what all sessions share: the sorted tables and the minimal entry ids
struct nspi_options {
    struct directory *directory;
    const char *organization; // of X.500 names (directory/dn.h)
    const char *hostname;
};
// Strings are copied.
enum ec nspi_service_new(const struct nspi_options *options, struct nspi_service **out);
void nspi_service_free(struct nspi_service *s); // accepts NULL; after all sessions
// The GUID of [MS-OXNSPI] 3.1.3: minimal and ephemeral entry ids are good as long as it is the
// same.
const struct guid *nspi_service_guid(const struct nspi_service *s);

// STAT ([MS-OXNSPI] 2.2.8): a container, its order, and a place in it.
struct nspi_stat {
    uint32_t sort_type, container, current;
    int32_t delta;
    uint32_t position, total, code_page, template_locale, sort_locale;
};
enum nspi_sort_type {
    NSPI_SORT_DISPLAY_NAME = 0,
    NSPI_SORT_PHONETIC_DISPLAY_NAME = 3,
    NSPI_SORT_DISPLAY_NAME_RO = 0x3E8,
    NSPI_SORT_DISPLAY_NAME_W = 0x3E9,
};
enum nspi_position { NSPI_BEGINNING_OF_TABLE = 0, NSPI_CURRENT = 1, NSPI_END_OF_TABLE = 2 };
enum nspi_resolution { NSPI_UNRESOLVED = 0, NSPI_AMBIGUOUS = 1, NSPI_RESOLVED = 2 };
#define NSPI_CODE_PAGE_UNICODE 1200u
#define NSPI_CODE_PAGE_TELETEX 20261u

// Flags of the operations; others are ignored.
enum nspi_flags {
    NSPI_ANONYMOUS_LOGIN = 0x20,    // bind
    NSPI_SKIP_OBJECTS = 0x01,       // lists and rows: no embedded tables
    NSPI_EPHEMERAL_IDS = 0x02,      // rows
    NSPI_CREATION_TEMPLATES = 0x02, // special table
    NSPI_UNICODE_STRINGS = 0x04,    // special table
    NSPI_TEMPLATE = 0x01,
    NSPI_SCRIPT = 0x04, // template info
    NSPI_DELETE = 0x01, // link attributes
};
#define NSPI_UNICODE_PROPTYPES 0x80000000u // query columns

// An explicit table: minimal entry ids.
struct nspi_mids {
    unsigned n;
    const uint32_t *ids;
};
// Rows of values in the order of the columns. Columns say how strings are to be written
// (PT_STRING8: in the request's code page); the values are PT_UNICODE. What an object lacks is
// PT_ERROR with EC_NOT_FOUND. Embedded tables (PT_OBJECT) are four bytes.
struct nspi_rows {
    struct columns columns;
    unsigned n;
    const struct prop_value *const *rows;
};

// What came of NspiUnbind ([MS-OXNSPI] 2.2.1.2): its codes are no enum ec.
#define NSPI_UNBIND_SUCCESS 1u
#define NSPI_UNBIND_FAILURE 2u

struct nspi_session;
// EC_LOGON_FAILED: not for anonymous visitors. EC_INVALID_CODEPAGE.
enum ec nspi_bind(struct nspi_service *s, struct principal *who, uint32_t flags,
                  const struct nspi_stat *stat, struct nspi_session **out);
void nspi_unbind(struct nspi_session *s); // accepts NULL

// The hierarchy of containers (each row the columns of [MS-OXNSPI] 3.1.4.1.3, without the parent
// where there is none), or the templates for new addresses. `*version`: what the client has; what
// there is. Rows have columns of their own, so each comes as a list.
struct nspi_list {
    unsigned n;
    const struct prop_value *values;
    bool is_string8; // how strings are to be written
};
enum ec nspi_get_special_table(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               const struct nspi_stat *stat, uint32_t *version,
                               struct nspi_list **rows_out, unsigned *n_out);

// `*delta_out`: rows between where it was and where it is; may be NULL.
enum ec nspi_update_stat(struct nspi_session *s, struct nspi_stat *stat, int32_t *delta_out);
enum ec nspi_query_columns(struct nspi_session *s, struct arena *arena, uint32_t flags,
                           struct columns *out);
enum ec nspi_get_prop_list(struct nspi_session *s, struct arena *arena, uint32_t flags,
                           uint32_t mid, uint32_t code_page, struct columns *out);
// `columns` NULL: all there are. EC_ERRORS_RETURNED gives a row too (one of `*out`).
enum ec nspi_get_props(struct nspi_session *s, struct arena *arena, uint32_t flags,
                       const struct nspi_stat *stat, const struct columns *columns,
                       struct nspi_rows *out);
// `table` NULL: the STAT's, which moves on. `columns` NULL: those of [MS-OXNSPI] 3.1.4.1.8.
enum ec nspi_query_rows(struct nspi_session *s, struct arena *arena, uint32_t flags,
                        struct nspi_stat *stat, const struct nspi_mids *table, uint32_t count,
                        const struct columns *columns, struct nspi_rows *out);
// `columns` NULL: no rows (out->n 0).
enum ec nspi_seek_entries(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                          const struct prop_value *target, const struct nspi_mids *table,
                          const struct columns *columns, struct nspi_rows *out);
// `filter` NULL: the values of the property stat->container of the object stat->current.
// `has_name`: a named property is meant, of which there are none. `columns` NULL: no rows.
enum ec nspi_get_matches(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                         const struct restriction *filter, bool has_name, uint32_t max_rows,
                         const struct columns *columns, struct nspi_mids *mids_out,
                         struct nspi_rows *rows_out);
enum ec nspi_resort_restriction(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                                const struct nspi_mids *in, struct nspi_mids *out);
enum ec nspi_compare_mids(struct nspi_session *s, const struct nspi_stat *stat, uint32_t a,
                          uint32_t b, int32_t *out);
enum ec nspi_dn_to_mid(struct nspi_session *s, struct arena *arena, const char *const *names,
                       unsigned n, struct nspi_mids *out);
// Names in UTF-8 (NspiResolveNames and W alike): enum nspi_resolution for each, rows for those
// resolved.
enum ec nspi_resolve_names(struct nspi_session *s, struct arena *arena,
                           const struct nspi_stat *stat, const struct columns *columns,
                           const char *const *names, unsigned n, struct nspi_mids *mids_out,
                           struct nspi_rows *rows_out);
// `dn` NULL: the template for the display type `type`.
enum ec nspi_get_template_info(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               uint32_t type, const char *dn, uint32_t code_page, uint32_t locale,
                               struct nspi_list *out);
// `remove` NULL: EC_INVALID_PARAMETER. Certificates of one's own entry can be changed.
enum ec nspi_mod_props(struct nspi_session *s, struct arena *arena, const struct nspi_stat *stat,
                       const struct columns *remove, const struct prop_value *values, unsigned n);
// Members of groups that one owns, and one's own delegates. EC_NOT_FOUND: not such a property.
enum ec nspi_mod_link_att(struct nspi_session *s, struct arena *arena, uint32_t flags,
                          proptag_t tag, uint32_t mid, const struct prop_bin *entry_ids,
                          unsigned n);
