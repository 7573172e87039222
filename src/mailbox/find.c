// Finding in one folder: a view of the store, narrowed by a query where there is one.
#include "mailbox/find.h"

#include <string.h>

#include "mailbox/public_read.h"
#include "mapi/change.h"
#include "mapi/props.h"
#include "store/view.h"

#define MESSAGE_FLAG_READ 1 // PidTagMessageFlags

struct mailbox_found {
    struct mailbox *m;
    uint64_t fid;
    struct view *view;
    struct mbox_tx *tx;
    GArray *rows; // indexes into the view, ascending; NULL: all of them
};

static uint32_t row_of(const struct mailbox_found *f, uint32_t i) {
    return f->rows ? g_array_index(f->rows, uint32_t, i) : i;
}

// The rows of the view that the query finds.
static enum ec narrow(struct mailbox_found *f, const struct mailbox_find *find) {
    g_autoptr(GArray) found = NULL;
    struct search_scope scope = {&find->fid, 1, false};
    EC_TRY(mailbox_search_all(f->m, &scope, find->query, SEARCH_NEWEST_RECEIVED, 0, NULL, NULL,
                              &found));
    g_autoptr(GHashTable) set = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < found->len; i++)
        g_hash_table_add(set, &g_array_index(found, struct search_found, i).mid);
    f->rows = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t n = view_count(f->view);
    for (uint32_t i = 0; i < n && found->len > 0; i++) {
        struct view_entry e = view_at(f->view, i);
        if (g_hash_table_contains(set, &e.mid))
            g_array_append_val(f->rows, i);
    }
    return EC_OK;
}

static enum ec open_found(struct mailbox_found *f, const struct mailbox_find *find) {
    static const enum view_kind kinds[] = {
        [FIND_NORMAL] = VIEW_CONTENTS,
        [FIND_ASSOCIATED] = VIEW_ASSOCIATED,
        [FIND_SOFT_DELETED] = VIEW_SOFT_DELETED,
        [FIND_CONVERSATIONS] = VIEW_CONVERSATIONS,
    };
    struct view_spec spec = {find->fid, kinds[find->kind], find->sort, find->restriction};
    EC_TRY(rights_check(f->m, find->fid, RIGHTS_READ_ANY));
    EC_TRY(view_get(f->m->mbox, &spec, &f->view));
    if (find->query)
        EC_TRY(narrow(f, find));
    // After the view: what it shows is there, or was deleted just now.
    return mbox_read(f->m->mbox, &f->tx);
}

enum ec mailbox_find_open(struct mailbox *m, const struct mailbox_find *find,
                          struct mailbox_found **out) {
    if (find->query && find->kind != FIND_NORMAL)
        return EC_NOT_SUPPORTED;
    struct mailbox_found *f = g_new0(struct mailbox_found, 1);
    f->m = m;
    f->fid = find->fid;
    enum ec ec = open_found(f, find);
    if (ec == EC_OK)
        *out = f;
    else
        mailbox_found_close(f);
    return ec;
}

void mailbox_found_close(struct mailbox_found *f) {
    if (!f)
        return;
    mbox_read_end(f->tx);
    view_unref(f->view);
    if (f->rows)
        g_array_unref(f->rows);
    g_free(f);
}

uint32_t mailbox_found_count(const struct mailbox_found *f) {
    return f->rows ? f->rows->len : view_count(f->view);
}

uint64_t mailbox_found_mid(const struct mailbox_found *f, uint32_t i) {
    return view_at(f->view, row_of(f, i)).mid;
}

// The first of our rows at or after row `at` of the view.
static uint32_t from_view(const struct mailbox_found *f, uint32_t at) {
    if (!f->rows)
        return at;
    uint32_t low = 0, high = f->rows->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (g_array_index(f->rows, uint32_t, middle) < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool mailbox_found_find(const struct mailbox_found *f, uint64_t mid, uint32_t *i_out) {
    uint32_t at;
    if (!view_find(f->view, mid, 0, &at) && !view_find(f->view, mid, 1, &at))
        return false;
    uint32_t i = from_view(f, at);
    *i_out = i;
    return i < mailbox_found_count(f) && row_of(f, i) == at;
}

// In the public store what one has read is one's own.
static enum ec own_read_state(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                              uint64_t fid, uint64_t mid, const proptag_t *tags, unsigned n,
                              const struct prop_value **values) {
    for (unsigned k = 0; k < n; k++) {
        if (tags[k] != PidTagMessageFlags || !values[k])
            continue;
        bool is_read = false;
        EC_TRY(read_state_which(m, tx, fid, &mid, 1, &is_read));
        struct prop_value *v = arena_memdup(arena, values[k], sizeof *v);
        v->l = (v->l & ~MESSAGE_FLAG_READ) | (is_read ? MESSAGE_FLAG_READ : 0);
        values[k] = v;
    }
    return EC_OK;
}

enum ec mailbox_found_values(struct mailbox_found *f, struct arena *arena, uint32_t i,
                             const proptag_t *tags, unsigned n, size_t max_bytes,
                             const struct prop_value **values) {
    uint32_t at = row_of(f, i);
    EC_TRY(view_values(f->view, f->tx, arena, at, tags, n, max_bytes, values));
    if (!f->m->is_public)
        return EC_OK;
    return own_read_state(f->m, f->tx, arena, f->fid, view_at(f->view, at).mid, tags, n, values);
}

enum ec mailbox_found_seek(struct mailbox_found *f, const struct restriction *restriction,
                           bool is_backward, uint32_t *i_out) {
    uint32_t n = mailbox_found_count(f);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = is_backward ? n - 1 - k : k;
        bool matches = false;
        EC_TRY(view_matches(f->view, f->tx, row_of(f, i), restriction, &matches));
        if (matches) {
            *i_out = i;
            return EC_OK;
        }
    }
    *i_out = n;
    return EC_OK;
}

uint32_t mailbox_found_group_end(const struct mailbox_found *f, uint32_t i) {
    return from_view(f, view_group_end(f->view, 0, row_of(f, i)));
}

uint32_t mailbox_found_lower_bound(const struct mailbox_found *f, const struct prop_value *v) {
    return from_view(f, view_lower_bound(f->view, &v, 1));
}

uint32_t mailbox_found_unread(const struct mailbox_found *f, uint32_t from, uint32_t to) {
    if (!f->rows)
        return view_unread(f->view, from, to);
    uint32_t n = 0;
    for (uint32_t i = from; i < to && i < f->rows->len; i++)
        n += view_unread(f->view, row_of(f, i), row_of(f, i) + 1);
    return n;
}

// --- Messages by id ---

#define WHOLE_MAX (4u * 1024 * 1024) // strings are read to be cut up to this size

struct mailbox_item_reader {
    struct mailbox *m;
    uint64_t fid;
    struct mbox_tx *tx;
};

enum ec mailbox_item_reader_open(struct mailbox *m, uint64_t fid,
                                 struct mailbox_item_reader **out) {
    struct mbox_tx *tx;
    EC_TRY(rights_check(m, fid, RIGHTS_READ_ANY));
    EC_TRY(mbox_read(m->mbox, &tx));
    struct mailbox_item_reader *r = g_new(struct mailbox_item_reader, 1);
    *r = (struct mailbox_item_reader){m, fid, tx};
    *out = r;
    return EC_OK;
}

void mailbox_item_reader_close(struct mailbox_item_reader *r) {
    if (!r)
        return;
    mbox_read_end(r->tx);
    g_free(r);
}

static const struct prop_value *cut(struct arena *arena, const struct prop_value *v,
                                    size_t max_bytes) {
    if (max_bytes == 0 || PROP_TYPE(v->tag) != PT_UNICODE)
        return max_bytes && prop_size(v) > max_bytes ? NULL : v;
    size_t len = strlen(v->str);
    if (len <= max_bytes)
        return v;
    len = max_bytes;
    while (len > 0 && ((unsigned char)v->str[len] & 0xC0) == 0x80)
        len--;
    struct prop_value shorter = prop_str(v->tag, arena_strndup(arena, v->str, len));
    return arena_memdup(arena, &shorter, sizeof shorter);
}

static enum ec read_values(struct mailbox_item_reader *r, struct message *message,
                           struct arena *arena, const proptag_t *tags, unsigned n, size_t max_bytes,
                           const struct prop_value **values) {
    for (unsigned k = 0; k < n; k++) {
        struct prop_value v;
        values[k] = NULL;
        enum ec ec = EC_OK;
        if (tags[k] == PidTagParentFolderId)
            v = prop_i8(tags[k],
                        short_id_value((struct short_id){REPLID_OWN, message_fid(message)}));
        else
            ec = message_get_prop(r->tx, message, arena, tags[k], max_bytes ? WHOLE_MAX : 0, &v);
        if (ec == EC_OK)
            values[k] = cut(arena, arena_memdup(arena, &v, sizeof v), max_bytes);
        else if (ec != EC_NOT_FOUND && ec != EC_MESSAGE_TOO_BIG && ec != EC_CORRUPT_DATA)
            return ec;
    }
    return EC_OK;
}

enum ec mailbox_item_values(struct mailbox_item_reader *r, struct arena *arena, uint64_t mid,
                            const proptag_t *tags, unsigned n, size_t max_bytes,
                            const struct prop_value **values) {
    struct message *message;
    EC_TRY(message_open(r->tx, mid, &message));
    enum ec ec = message_fid(message) == r->fid
                     ? read_values(r, message, arena, tags, n, max_bytes, values)
                     : EC_NOT_FOUND;
    message_free(message);
    if (ec != EC_OK || !r->m->is_public)
        return ec;
    return own_read_state(r->m, r->tx, arena, r->fid, mid, tags, n, values);
}
