// The per-mailbox map of named properties: rows in the order of their ids, hashed by name.
#include "mapi/named.h"

#include <string.h>

#include "base/text.h"
#include "mapi/prop_wire.h"

struct row {
    struct prop_name name; // string owned
    uint16_t id;
};

struct named_map {
    GHashTable *by_name; // &row->name -> row
    GPtrArray *rows;     // struct row *, by id
    unsigned limit;
};

// --- Names ---
static guint name_hash(gconstpointer key) {
    const struct prop_name *n = key;
    uint32_t set;
    memcpy(&set, n->set.bytes, sizeof set);
    return set * 31u + (n->kind == PROP_NAME_STRING ? g_str_hash(n->string) : n->lid);
}

static gboolean name_equal(gconstpointer a, gconstpointer b) {
    const struct prop_name *x = a, *y = b;
    return x->kind == y->kind && guid_equal(&x->set, &y->set) &&
           (x->kind == PROP_NAME_STRING ? strcmp(x->string, y->string) == 0 : x->lid == y->lid);
}

static enum ec check_name(const struct prop_name *name) {
    if (name->kind == PROP_NAME_LID)
        return EC_OK;
    if (name->kind != PROP_NAME_STRING || !name->string || !*name->string)
        return EC_INVALID_PARAMETER;
    glong units = 0;
    size_t len = strlen(name->string);
    if (len > NAMED_STRING_MAX_UNITS * 3)
        return EC_STRING_TOO_LONG;
    if (!g_utf8_validate(name->string, (gssize)len, NULL))
        return EC_INVALID_PARAMETER;
    for (const char *p = name->string; *p; p = g_utf8_next_char(p))
        units += g_utf8_get_char(p) >= 0x10000 ? 2 : 1;
    return units > NAMED_STRING_MAX_UNITS ? EC_STRING_TOO_LONG : EC_OK;
}

struct prop_name prop_name_read(struct wire_reader *r, struct arena *arena) {
    struct prop_name name = {.kind = wire_u8(r)};
    if (name.kind == PROP_NAME_NONE)
        return name;
    name.set = wire_guid(r);
    if (name.kind == PROP_NAME_LID) {
        name.lid = wire_u32(r);
    } else if (name.kind == PROP_NAME_STRING) {
        struct wire_reader sub = wire_sub(r, wire_u8(r));
        size_t len = wire_left(&sub);
        name.string = text_from_utf16(arena, wire_bytes(&sub, len), len);
    } else {
        wire_fail(r);
    }
    if (!wire_ok(r))
        name.kind = PROP_NAME_NONE;
    return name;
}

void prop_name_put(struct wire_writer *w, const struct prop_name *name) {
    wire_put_u8(w, (uint8_t)name->kind);
    if (name->kind == PROP_NAME_NONE)
        return;
    wire_put_guid(w, &name->set);
    if (name->kind == PROP_NAME_LID) {
        wire_put_u32(w, name->lid);
        return;
    }
    size_t at = wire_writer_len(w);
    wire_put_u8(w, 0);
    prop_wire_put_string(w, &PROP_WIRE_ROP, true, name->string);
    if (!wire_writer_ok(w))
        return;
    size_t bytes = wire_writer_len(w) - at - 1;
    if (bytes > UINT8_MAX)
        w->failed = true;
    else
        w->bytes->data[at] = (uint8_t)bytes;
}

// --- Fixed ids ---
uint16_t named_fixed_id(const struct prop_name *name) {
    if (guid_equal(&name->set, &PS_MAPI))
        return name->kind == PROP_NAME_LID && name->lid < 0x8000 ? (uint16_t)name->lid : 0;
    const struct catalogue_property *p = NULL;
    if (name->kind == PROP_NAME_LID)
        p = catalogue_by_lid(&name->set, name->lid);
    else if (name->kind == PROP_NAME_STRING && name->string)
        p = catalogue_by_string(&name->set, name->string);
    return p ? PROP_ID(p->tag) : 0;
}

bool named_fixed_name(uint16_t id, struct prop_name *out) {
    if (id < 0x8000) {
        *out = prop_name_lid(&PS_MAPI, id);
        return true;
    }
    const struct catalogue_property *p = catalogue_by_tag(PROP_TAG(id, PT_UNSPECIFIED));
    if (!p)
        return false;
    *out = p->kind == CATALOGUE_LID ? prop_name_lid(p->set, p->lid)
                                    : prop_name_string(p->set, p->string);
    return true;
}

// --- The map ---
static void row_free(gpointer data) {
    struct row *row = data;
    g_free((char *)row->name.string);
    g_free(row);
}

struct named_map *named_map_new(unsigned limit) {
    struct named_map *map = g_new0(struct named_map, 1);
    map->by_name = g_hash_table_new(name_hash, name_equal);
    map->rows = g_ptr_array_new_with_free_func(row_free);
    map->limit = MIN(limit, NAMED_ID_LAST - NAMED_ID_FIRST_OWN + 1u);
    return map;
}

void named_map_free(struct named_map *map) {
    if (!map)
        return;
    g_hash_table_destroy(map->by_name);
    g_ptr_array_unref(map->rows);
    g_free(map);
}

static const struct row *row_at(const struct named_map *map, unsigned i) {
    return map->rows->pdata[i];
}

// Position of the first row whose id is not less.
static unsigned find(const struct named_map *map, uint16_t id) {
    unsigned low = 0, high = map->rows->len;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (row_at(map, mid)->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool has_id(const struct named_map *map, unsigned i, uint16_t id) {
    return i < map->rows->len && row_at(map, i)->id == id;
}

// The name in the case in which it is kept; `lower` owns the string if it had to be changed.
static struct prop_name canonical(const struct prop_name *name, char **lower) {
    struct prop_name n = *name;
    if (n.kind == PROP_NAME_STRING && guid_equal(&n.set, &PS_INTERNET_HEADERS))
        n.string = *lower = g_utf8_strdown(n.string, -1);
    return n;
}

static void add(struct named_map *map, unsigned at, uint16_t id, const struct prop_name *name) {
    struct row *row = g_new(struct row, 1);
    row->name = *name;
    row->name.string = name->kind == PROP_NAME_STRING ? g_strdup(name->string) : NULL;
    row->id = id;
    g_ptr_array_insert(map->rows, (gint)at, row);
    g_hash_table_insert(map->by_name, &row->name, row);
}

enum ec named_map_load(struct named_map *map, uint16_t id, const struct prop_name *name) {
    if (id < NAMED_ID_FIRST_OWN || id > NAMED_ID_LAST || check_name(name) != EC_OK ||
        guid_equal(&name->set, &PS_MAPI) || named_fixed_id(name))
        return EC_CORRUPT_DATA;
    g_autofree char *lower = NULL;
    struct prop_name n = canonical(name, &lower);
    unsigned at = find(map, id);
    if (has_id(map, at, id) || g_hash_table_contains(map->by_name, &n))
        return EC_CORRUPT_DATA;
    add(map, at, id, &n);
    return EC_OK;
}

// The id after the highest; when that range is used up, the first gap.
static uint16_t free_id(const struct named_map *map) {
    unsigned n = map->rows->len;
    if (n == 0)
        return NAMED_ID_FIRST_OWN;
    uint16_t last = row_at(map, n - 1)->id;
    if (last < NAMED_ID_LAST)
        return last + 1;
    unsigned i = 0;
    while (row_at(map, i)->id == NAMED_ID_FIRST_OWN + i)
        i++;
    return (uint16_t)(NAMED_ID_FIRST_OWN + i);
}

enum ec named_map_id(struct named_map *map, const struct prop_name *name, bool create,
                     uint16_t *out, bool *is_new_out) {
    if (is_new_out)
        *is_new_out = false;
    uint16_t fixed = named_fixed_id(name);
    if (fixed) {
        *out = fixed;
        return EC_OK;
    }
    EC_TRY(check_name(name));
    if (guid_equal(&name->set, &PS_MAPI))
        return EC_NOT_FOUND;
    g_autofree char *lower = NULL;
    struct prop_name n = canonical(name, &lower);
    const struct row *row = g_hash_table_lookup(map->by_name, &n);
    if (row) {
        *out = row->id;
        return EC_OK;
    }
    if (!create)
        return EC_NOT_FOUND;
    if (map->rows->len >= map->limit)
        return EC_NAMED_PROP_QUOTA;
    uint16_t id = free_id(map);
    add(map, find(map, id), id, &n);
    *out = id;
    if (is_new_out)
        *is_new_out = true;
    return EC_OK;
}

enum ec named_map_name(const struct named_map *map, uint16_t id, struct prop_name *out) {
    if (named_fixed_name(id, out))
        return EC_OK;
    unsigned i = find(map, id);
    if (!has_id(map, i, id))
        return EC_NOT_FOUND;
    *out = row_at(map, i)->name;
    return EC_OK;
}

void named_map_forget(struct named_map *map, uint16_t id) {
    unsigned i = find(map, id);
    if (!has_id(map, i, id))
        return;
    g_hash_table_remove(map->by_name, &row_at(map, i)->name);
    g_ptr_array_remove_index(map->rows, i);
}

unsigned named_map_count(const struct named_map *map) {
    return map->rows->len;
}

bool named_map_at(const struct named_map *map, unsigned i, uint16_t *id_out,
                  struct prop_name *name_out) {
    if (i >= map->rows->len)
        return false;
    *id_out = row_at(map, i)->id;
    *name_out = row_at(map, i)->name;
    return true;
}
