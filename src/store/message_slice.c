// A folder's messages in slices, with what they say about their retention, for passes over it.
#include <string.h>

#include "mapi/props.h"
#include "store/recoverable.h"
#include "store/sql_retain.h"
#include "store/store_internal.h"

struct stored {
    const void *data;
    size_t len;
    struct arena *arena;
};

static bool get(const struct stored *s, proptag_t tag, struct prop_value *out) {
    return s->data && bag_view_get(s->data, s->len, s->arena, tag, out) == EC_OK &&
           !out->is_external;
}

static struct guid get_guid(const struct stored *s, proptag_t tag) {
    struct prop_value v;
    struct guid guid = {0};
    if (get(s, tag, &v) && v.bin.len == sizeof guid.bytes)
        memcpy(guid.bytes, v.bin.data, sizeof guid.bytes);
    return guid;
}

static int32_t get_long(const struct stored *s, proptag_t tag, int32_t none) {
    struct prop_value v;
    return get(s, tag, &v) ? v.l : none;
}

static filetime_t get_time(const struct stored *s, proptag_t tag) {
    struct prop_value v;
    return get(s, tag, &v) ? v.time : 0;
}

static void read_policy(const struct stored *s, struct message_policy *out) {
    struct prop_value v;
    out->policy_tag = get_guid(s, PidTagPolicyTag);
    out->archive_tag = get_guid(s, PidTagArchiveTag);
    out->retention_period = get_long(s, PidTagRetentionPeriod, -1);
    out->archive_period = get_long(s, PidTagArchivePeriod, -1);
    out->retention_date = get_time(s, PidTagRetentionDate);
    out->archive_date = get_time(s, PidTagArchiveDate);
    out->created = get_time(s, PidTagCreationTime);
    out->flags = (uint32_t)get_long(s, PidTagRetentionFlags, 0);
    out->has_start = get(s, PidTagStartDateEtc, &v) && v.bin.len >= sizeof out->start;
    if (out->has_start)
        memcpy(out->start, v.bin.data, sizeof out->start);
}

enum ec message_slice(struct mbox_tx *tx, uint64_t fid, uint32_t uid, unsigned limit, GArray *rows,
                      uint32_t *last_out) {
    ARENA_AUTO arena = arena_new();
    struct stored stored = {.arena = arena};
    unsigned n = 0;
    *last_out = 0;
    struct db_stmt *q = db_query(tx->conn, sql_folder_slice);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, uid);
    db_bind_i64(q, 4, limit);
    while (db_step(q)) {
        struct slice_row row = {.uid = (uint32_t)db_col_i64(q, 0),
                                .mid = (uint64_t)db_col_i64(q, 1),
                                .flags = (uint32_t)db_col_i64(q, 2),
                                .received = (filetime_t)db_col_i64(q, 3)};
        *last_out = row.uid;
        n++;
        if (row.flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED))
            continue;
        stored.data = db_col_blob(q, 4, &stored.len);
        read_policy(&stored, &row.policy);
        g_array_append_val(rows, row);
    }
    EC_TRY(db_finish(q));
    if (n < limit)
        *last_out = 0;
    return EC_OK;
}
