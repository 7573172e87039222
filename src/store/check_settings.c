// The check of what folders do beside keeping messages: rules, search criteria, permissions and
// receive folders that cannot be read, say what may not be, or name what is gone.
//
// A rule that cannot be read is put aside (table `quarantine`); one that cannot be carried out is
// marked so, as the delivery would. Criteria that cannot be read are taken away: the search folder
// stays, empty, until its owner searches anew.
#include "mapi/props.h"
#include "mapi/restriction.h"
#include "mapi/rights.h"
#include "mapi/rule_actions.h"
#include "store/check_internal.h"
#include "store/receive_folder.h"
#include "store/rights_internal.h"
#include "store/rule.h"
#include "store/rule_internal.h"
#include "store/search_folder_internal.h"

// --- Rules ---

enum rule_fault { RULE_SOUND, RULE_UNREADABLE, RULE_NO_SENSE, RULE_TARGET_GONE };

struct bad_rule {
    uint64_t fid, id;
    enum rule_fault fault;
    GBytes *bytes; // RULE_UNREADABLE
};

static void bad_rule_clear(gpointer p) {
    struct bad_rule *r = p;
    g_clear_pointer(&r->bytes, g_bytes_unref);
}

static bool is_condition(struct arena *arena, struct prop_bin bin) {
    struct wire_reader r = wire_reader(bin.data, bin.len);
    struct restriction *restriction;
    return bin.len == 0 ||
           (restriction_read(&r, &PROP_WIRE_ROP, arena, &restriction) == EC_OK && !wire_left(&r));
}

// Replica 1 is the mailbox's own in all ids that were given out.
static bool has_folder(const struct check *c, uint64_t fid) {
    return g_hash_table_contains(c->folder_names, &fid);
}

static enum rule_fault look_at_actions(const struct check *c, struct arena *arena,
                                       struct prop_bin bin) {
    struct wire_reader r = wire_reader(bin.data, bin.len);
    struct rule_actions actions;
    if (rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions) != EC_OK || wire_left(&r))
        return RULE_NO_SENSE;
    for (unsigned i = 0; i < actions.n; i++) {
        struct short_id folder;
        if (rule_action_folder(&actions.items[i], &folder) && !has_folder(c, folder.counter))
            return RULE_TARGET_GONE;
    }
    return RULE_SOUND;
}

static enum rule_fault look_at_rule(const struct check *c, struct db_stmt *q) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = NULL;
    if (stored_bag(q, 2, &bag) != EC_OK)
        return RULE_UNREADABLE;
    uint32_t state = (uint32_t)bag_long(bag, PidTagRuleState, 0);
    if (!(state & RULE_ENABLED) || state & (RULE_ERROR | RULE_PARSE_ERROR))
        return RULE_SOUND; // nobody carries it out
    const struct prop_value *condition = bag_get(bag, PidTagRuleCondition);
    const struct prop_value *actions = bag_get(bag, PidTagRuleActions);
    if ((condition && !is_condition(arena, condition->bin)) || !actions)
        return RULE_NO_SENSE;
    return look_at_actions(c, arena, actions->bin);
}

static enum ec find_bad_rules(struct check *c, GArray *out) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_rules);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct bad_rule r = {.fid = (uint64_t)db_col_i64(q, 0),
                             .id = (uint64_t)db_col_i64(q, 1),
                             .fault = look_at_rule(c, q)};
        if (r.fault == RULE_SOUND)
            continue;
        if (r.fault == RULE_UNREADABLE) {
            size_t n;
            const void *data = db_col_blob(q, 2, &n);
            r.bytes = g_bytes_new(data, n);
        }
        g_array_append_val(out, r);
    }
    return db_finish(q);
}

static enum ec mend_rule(struct check *c, const struct bad_rule *r) {
    if (r->fault != RULE_UNREADABLE)
        return rule_set_error(c->tx, r->fid, r->id,
                              r->fault == RULE_NO_SENSE ? RULE_PARSE_ERROR : RULE_ERROR);
    g_autofree char *what =
        g_strdup_printf("rule 0x%" G_GINT64_MODIFIER "x of folder 0x%" G_GINT64_MODIFIER "x",
                        (guint64)r->id, (guint64)r->fid);
    EC_TRY(check_quarantine(c, what, g_bytes_get_data(r->bytes, NULL), g_bytes_get_size(r->bytes)));
    struct db_stmt *q = db_query(c->tx->conn, sql_rule_remove);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)r->fid);
    db_bind_i64(q, 3, (int64_t)r->id);
    return db_run(q, NULL);
}

static const char *folder_name(const struct check *c, uint64_t fid) {
    const char *name = g_hash_table_lookup(c->folder_names, &fid);
    return name ? name : "?";
}

static enum ec check_rules(struct check *c) {
    static const char *const texts[] = {[RULE_UNREADABLE] = "cannot be decoded",
                                        [RULE_NO_SENSE] = "has a condition or actions that cannot "
                                                          "be read",
                                        [RULE_TARGET_GONE] = "moves to a folder that is gone"};
    g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(struct bad_rule));
    g_array_set_clear_func(bad, bad_rule_clear);
    EC_TRY(find_bad_rules(c, bad));
    for (guint i = 0; i < bad->len; i++) {
        const struct bad_rule *r = &g_array_index(bad, struct bad_rule, i);
        if (check_wants_repair(c))
            EC_TRY(mend_rule(c, r));
        check_fault(c, check_wants_repair(c), "folder \"%s\": rule 0x%" G_GINT64_MODIFIER "x %s",
                    folder_name(c, r->fid), (guint64)r->id, texts[r->fault]);
    }
    return EC_OK;
}

// --- Criteria ---

static enum ec drop_criteria(struct check *c, uint64_t fid) {
    struct db_stmt *q = db_query(c->tx->conn, sql_search_drop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(folder_get(c->tx, arena, fid, &f));
    return f.type == FOLDER_TYPE_SEARCH ? search_link_clear(c->tx, fid) : EC_OK;
}

static enum ec check_criteria(struct check *c) {
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct db_stmt *q = db_query(c->tx->conn, sql_check_criteria);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t fid = (uint64_t)db_col_i64(q, 0);
        if (has_folder(c, fid)) // others are told of with the links
            g_array_append_val(all, fid);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < all->len; i++) {
        ARENA_AUTO arena = arena_new();
        uint64_t fid = g_array_index(all, uint64_t, i);
        struct search_folder *s;
        unsigned n;
        EC_TRY(search_folders_load(c->tx, arena, fid, &s, &n));
        if (n > 0)
            continue;
        if (check_wants_repair(c))
            EC_TRY(drop_criteria(c, fid));
        check_fault(c, check_wants_repair(c), "search folder \"%s\": its criteria cannot be read",
                    folder_name(c, fid));
    }
    return EC_OK;
}

// --- Permissions and receive folders ---

struct bad_permission {
    uint64_t fid;
    char *member;
    uint32_t rights;
};

static void bad_permission_clear(gpointer p) {
    g_free(((struct bad_permission *)p)->member);
}

static bool is_member(const char *member) {
    struct guid guid;
    return g_strcmp0(member, "default") == 0 || g_strcmp0(member, "anonymous") == 0 ||
           (member && guid_parse(member, &guid));
}

static enum ec mend_permission(struct check *c, const struct bad_permission *p) {
    return folder_set_permission(c->tx, p->fid, p->member, p->rights & RIGHTS_STORED,
                                 !is_member(p->member));
}

static enum ec check_permissions(struct check *c) {
    g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(struct bad_permission));
    g_array_set_clear_func(bad, bad_permission_clear);
    struct db_stmt *q = db_query(c->tx->conn, sql_permission_all);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t fid = (uint64_t)db_col_i64(q, 0);
        const char *member = db_col_text(q, 1);
        int64_t rights = db_col_i64(q, 2);
        if (!has_folder(c, fid) || (is_member(member) && (rights & ~(int64_t)RIGHTS_STORED) == 0))
            continue;
        struct bad_permission p = {fid, g_strdup(member), (uint32_t)rights};
        g_array_append_val(bad, p);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < bad->len; i++) {
        const struct bad_permission *p = &g_array_index(bad, struct bad_permission, i);
        if (check_wants_repair(c))
            EC_TRY(mend_permission(c, p));
        check_fault(c, check_wants_repair(c),
                    "folder \"%s\": the permission 0x%x of \"%s\" makes no sense",
                    folder_name(c, p->fid), p->rights, p->member);
    }
    return EC_OK;
}

static enum ec check_receive_folders(struct check *c) {
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);
    struct db_stmt *q = db_query(c->tx->conn, sql_receive_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q))
        if (db_col_text(q, 0) && !receive_folder_class_is_valid(db_col_text(q, 0)))
            g_ptr_array_add(bad, g_strdup(db_col_text(q, 0)));
    EC_TRY(db_finish(q));
    for (guint i = 0; i < bad->len; i++) {
        if (check_wants_repair(c)) {
            q = db_query(c->tx->conn, sql_receive_remove);
            db_bind_i64(q, 1, MBX);
            db_bind_text(q, 2, bad->pdata[i]);
            EC_TRY(db_run(q, NULL));
        }
        check_fault(c, check_wants_repair(c), "receive folder of \"%s\", which is no message class",
                    (const char *)bad->pdata[i]);
    }
    return EC_OK;
}

enum ec check_settings(struct check *c) {
    EC_TRY(check_rules(c));
    EC_TRY(check_criteria(c));
    EC_TRY(check_permissions(c));
    return check_receive_folders(c);
}
