// Asked for every recipient, and mostly there is none: whether the directory has any restriction at
// all is remembered for its generation.
#include "directory/restriction.h"

#include <string.h>

#include "directory/directory_internal.h"
#include "directory/limits.h"
#include "directory/setting.h"

static const char sql_restrictions[] =
    "SELECT 1 FROM setting WHERE name IN ('" SETTING_AUTHENTICATED "', '" SETTING_ACCEPT
    "', '" SETTING_REJECT "') LIMIT 1";

static enum ec has_any(struct directory *d, bool *out) {
    uint64_t generation = directory_generation(d);
    *out = false;
    if (atomic_load(&d->unrestricted) == generation)
        return EC_OK;
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_restrictions);
    *out = db_step(q);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    if (!*out)
        atomic_store(&d->unrestricted, generation);
    return EC_OK;
}

static bool names(struct directory *d, const char *list, const struct guid *who) {
    g_auto(GStrv) words = g_strsplit(list, ",", -1);
    for (char **word = words; *word; word++) {
        struct guid guid;
        if (guid_parse(*word, &guid) &&
            (guid_equal(&guid, who) || directory_is_member(d, &guid, who)))
            return true;
    }
    return false;
}

enum ec directory_may_write_to(struct directory *d, struct arena *arena, const struct guid *to,
                               const struct guid *from) {
    bool is_restricted;
    EC_TRY(has_any(d, &is_restricted));
    if (!is_restricted)
        return EC_OK;
    struct directory_settings settings;
    EC_TRY(directory_settings(d, arena, to, &settings));
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < settings.n && ec == EC_OK; i++) {
        const struct directory_setting *s = &settings.items[i];
        if (strcmp(s->name, SETTING_AUTHENTICATED) == 0 && s->value[0] == '1' && !from)
            ec = EC_NOT_AUTHORIZED;
        else if (strcmp(s->name, SETTING_ACCEPT) == 0 && !(from && names(d, s->value, from)))
            ec = from ? EC_ACCESS_DENIED : EC_NOT_AUTHORIZED;
        else if (strcmp(s->name, SETTING_REJECT) == 0 && from && names(d, s->value, from))
            ec = EC_ACCESS_DENIED;
    }
    return ec;
}

char *directory_guids_text(const struct guid *guids, unsigned n) {
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        char text[GUID_STRING_SIZE];
        guid_format(&guids[i], text);
        g_string_append_printf(out, "%s%s", i ? "," : "", text);
    }
    return g_string_free(out, FALSE);
}

enum ec directory_guids_objects(struct directory *d, struct arena *arena, const char *text,
                                struct directory_list *out) {
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    out->n = 0;
    out->items = arena_alloc0(arena, g_strv_length(words) * sizeof *out->items);
    for (char **word = words; *word; word++) {
        struct guid guid;
        if (!guid_parse(*word, &guid))
            continue;
        enum ec ec = directory_find_guid(d, arena, &guid, &out->items[out->n]);
        if (ec == EC_OK)
            out->n++;
        else if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}
