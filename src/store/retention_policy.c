// The retention policies of folders and tags, and dates from them.
#include "store/retention_policy.h"

#include <string.h>

#include "mapi/props.h"
#include "store/store_internal.h"

// --- Keeping them ---

enum ec retention_policies_get(struct mbox_tx *tx, GArray **out) {
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct retention_policy));
    struct db_stmt *q = db_query(tx->conn, sql_policy_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        size_t len;
        const void *tag = db_col_blob(q, 2, &len);
        struct retention_policy p = {.fid = (uint64_t)db_col_i64(q, 0),
                                     .kind = db_col_i64(q, 1) ? RETENTION_KIND_ARCHIVE
                                                              : RETENTION_KIND_DELETE,
                                     .days = (uint32_t)db_col_i64(q, 3)};
        if (len == sizeof p.tag.bytes)
            memcpy(p.tag.bytes, tag, len);
        g_array_append_val(list, p);
    }
    enum ec ec = db_finish(q);
    if (ec != EC_OK) {
        g_array_unref(list);
        return ec;
    }
    *out = list;
    return EC_OK;
}

static gint by_key(gconstpointer a, gconstpointer b) {
    const struct retention_policy *x = a, *y = b;
    if (x->fid != y->fid)
        return x->fid < y->fid ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return memcmp(x->tag.bytes, y->tag.bytes, sizeof x->tag.bytes);
}

static bool is_same(const GArray *a, const GArray *b) {
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++) {
        const struct retention_policy *x = &g_array_index(a, struct retention_policy, i),
                                      *y = &g_array_index(b, struct retention_policy, i);
        if (by_key(x, y) != 0 || x->days != y->days)
            return false;
    }
    return true;
}

static enum ec insert(struct mbox_tx *tx, const struct retention_policy *p) {
    struct db_stmt *q = db_query(tx->conn, sql_policy_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)p->fid);
    db_bind_i64(q, 3, p->kind);
    db_bind_blob(q, 4, p->tag.bytes, sizeof p->tag.bytes);
    db_bind_i64(q, 5, p->days);
    return db_run(q, NULL);
}

enum ec retention_policies_set(struct mbox_tx *tx, const struct retention_policy *list, unsigned n,
                               bool *changed_out) {
    g_autoptr(GArray) now = NULL;
    g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof *list);
    EC_TRY(tx_check_writer(tx));
    EC_TRY(retention_policies_get(tx, &now));
    g_array_append_vals(wanted, list, n);
    g_array_sort(wanted, by_key);
    bool is_changed = !is_same(now, wanted);
    if (changed_out)
        *changed_out = is_changed;
    if (!is_changed)
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_policy_clear);
    db_bind_i64(q, 1, MBX);
    EC_TRY(db_run(q, NULL));
    for (unsigned i = 0; i < n; i++)
        EC_TRY(insert(tx, &list[i]));
    return EC_OK;
}

// --- Dates ---

bool retention_is_date(proptag_t tag) {
    return tag == PidTagRetentionDate || tag == PidTagArchiveDate;
}

static struct guid tag_of(const struct bag *props, proptag_t tag) {
    struct prop_bin bytes = bag_bytes(props, tag);
    struct guid guid = {0};
    if (bytes.len == sizeof guid.bytes)
        memcpy(guid.bytes, bytes.data, sizeof guid.bytes);
    return guid;
}

static filetime_t time_of(const struct bag *props, proptag_t tag) {
    const struct prop_value *v = bag_get(props, tag);
    return v && !v->is_external ? v->time : 0;
}

static enum ec days_of(struct mbox_tx *tx, uint64_t fid, enum retention_kind kind,
                       const struct guid *tag, uint32_t *out) {
    bool has_tag = !guid_is_zero(tag);
    struct db_stmt *q = db_query(tx->conn, has_tag ? sql_policy_tag : sql_policy_folder);
    db_bind_i64(q, 1, MBX);
    if (!has_tag)
        db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, has_tag ? 2 : 3, kind);
    if (has_tag)
        db_bind_blob(q, 3, tag->bytes, sizeof tag->bytes);
    *out = db_step(q) ? (uint32_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

enum ec retention_date_of(struct mbox_tx *tx, const struct bag *props, uint64_t fid,
                          filetime_t received, proptag_t tag, filetime_t *out) {
    bool is_archive = tag == PidTagArchiveDate;
    struct slice_row row = {.received = received};
    struct message_policy *p = &row.policy;
    struct prop_bin start = bag_bytes(props, PidTagStartDateEtc);
    p->policy_tag = tag_of(props, PidTagPolicyTag);
    p->archive_tag = tag_of(props, PidTagArchiveTag);
    p->retention_period = bag_long(props, PidTagRetentionPeriod, -1);
    p->archive_period = bag_long(props, PidTagArchivePeriod, -1);
    p->created = time_of(props, PidTagCreationTime);
    p->flags = (uint32_t)bag_long(props, PidTagRetentionFlags, 0);
    p->has_start = start.len >= sizeof p->start;
    if (p->has_start)
        memcpy(p->start, start.data, sizeof p->start);
    uint32_t days;
    EC_TRY(days_of(tx, fid, is_archive ? RETENTION_KIND_ARCHIVE : RETENTION_KIND_DELETE,
                   is_archive ? &p->archive_tag : &p->policy_tag, &days));
    *out = is_archive ? retention_archives(&row, days) : retention_expires(&row, days);
    return *out ? EC_OK : EC_NOT_FOUND;
}
