// Reads compound files ([MS-CFB] 2). Tables are read whole when the file is opened; every chain is
// followed for at most as many steps as there are sectors.
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "formats/compound.h"

#define HEADER 512u
#define MAX_REGULAR 0xFFFFFFFAu // sectors from here on are marks
#define END_OF_CHAIN 0xFFFFFFFEu
#define MINI_SECTOR 64u
#define ENTRY_SIZE 128u
#define NAME_UNITS 32
#define HEADER_DIFAT 109
enum { TYPE_STORAGE = 1, TYPE_STREAM = 2, TYPE_ROOT = 5 };

static const uint8_t magic[8] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};

struct entry {
    const char *name;
    struct guid class;
    uint8_t type;
    uint32_t left, right, child;
    uint32_t start;
    uint64_t size;
    unsigned first, next; // children, siblings, as the tree has them
};

struct compound {
    const uint8_t *data;
    size_t len;
    unsigned shift; // of the sector size
    uint32_t n_sectors;
    uint32_t mini_cutoff;
    GArray *fat, *mini_fat; // uint32_t
    GBytes *mini;           // the stream of small sectors
    struct entry *entries;
    unsigned n_entries;
    GHashTable *names; // "parent/NAME" -> entry + 1
    uint64_t budget;   // bytes that may still be read
    struct arena *arena;
};

bool compound_looks_like(const void *data, size_t len) {
    return len >= sizeof magic && memcmp(data, magic, sizeof magic) == 0;
}

// --- Sectors ---

static size_t sector_size(const struct compound *c) {
    return (size_t)1 << c->shift;
}

// The bytes of a sector as far as the file has them; false: it has none.
static bool sector(const struct compound *c, uint32_t n, const uint8_t **data, size_t *len) {
    if (n >= c->n_sectors)
        return false;
    size_t pos = ((size_t)n + 1) << c->shift;
    *data = c->data + pos;
    *len = MIN(sector_size(c), c->len - pos);
    return true;
}

static uint32_t next_of(const GArray *fat, uint32_t n) {
    return n < fat->len ? g_array_index(fat, uint32_t, n) : END_OF_CHAIN;
}

// Appends a chain of sectors, at most `max` bytes.
static void read_chain(const struct compound *c, uint32_t start, uint64_t max, GByteArray *out) {
    uint32_t n = start;
    for (uint32_t steps = 0; steps < c->n_sectors && out->len < max; steps++) {
        const uint8_t *data;
        size_t len;
        if (!sector(c, n, &data, &len))
            return;
        g_byte_array_append(out, data, (guint)MIN(len, max - out->len));
        n = next_of(c->fat, n);
    }
}

static void append_numbers(GArray *to, const uint8_t *data, size_t len) {
    struct wire_reader r = wire_reader(data, len & ~(size_t)3);
    while (wire_left(&r) > 0) {
        uint32_t v = wire_u32(&r);
        g_array_append_val(to, v);
    }
}

static void add_fat_sector(struct compound *c, uint32_t n) {
    const uint8_t *data;
    size_t len;
    // No table needs to be longer than the file has sectors.
    if (n < MAX_REGULAR && c->fat->len < c->n_sectors && sector(c, n, &data, &len))
        append_numbers(c->fat, data, len);
}

static void read_fat(struct compound *c, struct wire_reader *header, uint32_t difat) {
    for (unsigned i = 0; i < HEADER_DIFAT; i++)
        add_fat_sector(c, wire_u32(header));
    for (uint32_t steps = 0; steps < c->n_sectors && difat < MAX_REGULAR; steps++) {
        const uint8_t *data;
        size_t len;
        if (!sector(c, difat, &data, &len) || len < sector_size(c))
            return;
        struct wire_reader r = wire_reader(data, len);
        for (size_t i = 0; i + 1 < len / 4; i++)
            add_fat_sector(c, wire_u32(&r));
        difat = wire_u32(&r);
    }
}

// --- The directory ---

static void read_entry(struct compound *c, struct wire_reader *r, struct entry *e) {
    const uint8_t *name = wire_bytes(r, NAME_UNITS * 2);
    wire_u16(r); // the name's length; it ends at its NUL too
    e->name = name ? text_from_utf16(c->arena, name, NAME_UNITS * 2 - 2) : "";
    e->type = wire_u8(r);
    wire_u8(r); // the colour in the tree
    e->left = wire_u32(r);
    e->right = wire_u32(r);
    e->child = wire_u32(r);
    e->class = wire_guid(r);
    wire_skip(r, 20); // state, times
    e->start = wire_u32(r);
    e->size = wire_u64(r);
    if (c->shift == 9) // the upper half may be anything
        e->size &= 0xFFFFFFFFu;
    e->first = e->next = COMPOUND_NONE;
}

static char *name_key(unsigned storage, const char *name) {
    g_autofree char *upper = g_utf8_strup(name, -1);
    return g_strdup_printf("%u/%s", storage, upper);
}

// Makes a list of the entries in the tree below a storage. Each entry belongs to one storage: what
// was reached before is a cycle.
static void list_children(struct compound *c, unsigned storage, uint8_t *seen, GArray *stack) {
    struct entry *parent = &c->entries[storage];
    g_array_set_size(stack, 0);
    g_array_append_val(stack, parent->child);
    while (stack->len > 0) {
        uint32_t id = g_array_index(stack, uint32_t, stack->len - 1);
        g_array_set_size(stack, stack->len - 1);
        if (id >= c->n_entries || seen[id])
            continue;
        struct entry *e = &c->entries[id];
        if (e->type != TYPE_STORAGE && e->type != TYPE_STREAM)
            continue;
        seen[id] = 1;
        e->next = parent->first;
        parent->first = id;
        g_hash_table_insert(c->names, name_key(storage, e->name), GUINT_TO_POINTER(id + 1));
        g_array_append_val(stack, e->left);
        g_array_append_val(stack, e->right);
    }
}

static void list_all(struct compound *c) {
    g_autofree uint8_t *seen = g_new0(uint8_t, c->n_entries);
    g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) storages = g_array_new(FALSE, FALSE, sizeof(unsigned));
    unsigned root = COMPOUND_ROOT;
    seen[root] = 1;
    g_array_append_val(storages, root);
    for (guint i = 0; i < storages->len; i++) {
        unsigned storage = g_array_index(storages, unsigned, i);
        list_children(c, storage, seen, stack);
        for (unsigned e = c->entries[storage].first; e != COMPOUND_NONE; e = c->entries[e].next)
            if (c->entries[e].type == TYPE_STORAGE)
                g_array_append_val(storages, e);
    }
}

static enum ec read_directory(struct compound *c, uint32_t start) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    read_chain(c, start, c->len, bytes);
    c->n_entries = bytes->len / ENTRY_SIZE;
    if (c->n_entries == 0)
        return EC_CORRUPT_DATA;
    c->entries = g_new0(struct entry, c->n_entries);
    struct wire_reader r = wire_reader(bytes->data, bytes->len);
    for (unsigned i = 0; i < c->n_entries; i++) {
        struct wire_reader one = wire_sub(&r, ENTRY_SIZE);
        read_entry(c, &one, &c->entries[i]);
    }
    if (c->entries[COMPOUND_ROOT].type != TYPE_ROOT)
        return EC_CORRUPT_DATA;
    list_all(c);
    return EC_OK;
}

// --- Opening ---

static enum ec read_tables(struct compound *c) {
    struct wire_reader r = wire_reader(c->data, HEADER);
    wire_skip(&r, 8 + 16 + 2 + 2 + 2); // magic, class, versions, byte order
    c->shift = wire_u16(&r);
    if ((c->shift != 9 && c->shift != 12) || c->len < sector_size(c))
        return EC_CORRUPT_DATA;
    size_t n = (c->len - sector_size(c) + sector_size(c) - 1) >> c->shift;
    c->n_sectors = (uint32_t)MIN(n, MAX_REGULAR);
    wire_skip(&r, 2 + 6 + 4 + 4); // small sectors are of 64 bytes always; counts
    uint32_t directory = wire_u32(&r);
    wire_u32(&r); // transaction
    c->mini_cutoff = wire_u32(&r);
    uint32_t mini_fat = wire_u32(&r);
    wire_u32(&r); // how many
    uint32_t difat = wire_u32(&r);
    wire_u32(&r); // how many
    read_fat(c, &r, difat);
    g_autoptr(GByteArray) numbers = g_byte_array_new();
    read_chain(c, mini_fat, c->len, numbers);
    append_numbers(c->mini_fat, numbers->data, numbers->len);
    EC_TRY(read_directory(c, directory));
    const struct entry *root = &c->entries[COMPOUND_ROOT];
    GByteArray *mini = g_byte_array_new();
    read_chain(c, root->start, MIN(root->size, c->len), mini);
    c->mini = g_byte_array_free_to_bytes(mini);
    return EC_OK;
}

enum ec compound_open(const void *data, size_t len, struct compound **out) {
    if (len < HEADER || !compound_looks_like(data, len))
        return EC_FORMAT_ERROR;
    struct compound *c = g_new0(struct compound, 1);
    c->data = data;
    c->len = len;
    c->budget = (uint64_t)len * 2 + 65536;
    c->arena = arena_new();
    c->fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    c->mini_fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    c->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    enum ec ec = read_tables(c);
    if (ec == EC_OK)
        *out = c;
    else
        compound_free(c);
    return ec;
}

void compound_free(struct compound *c) {
    if (!c)
        return;
    g_array_unref(c->fat);
    g_array_unref(c->mini_fat);
    g_hash_table_unref(c->names);
    g_clear_pointer(&c->mini, g_bytes_unref);
    g_free(c->entries);
    arena_free(c->arena);
    g_free(c);
}

// --- What is in it ---

unsigned compound_find(const struct compound *c, unsigned storage, const char *name) {
    g_autofree char *key = name_key(storage, name);
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(c->names, key));
    return found ? found - 1 : COMPOUND_NONE;
}

unsigned compound_first(const struct compound *c, unsigned storage) {
    return storage < c->n_entries ? c->entries[storage].first : COMPOUND_NONE;
}

unsigned compound_next(const struct compound *c, unsigned entry) {
    return entry < c->n_entries ? c->entries[entry].next : COMPOUND_NONE;
}

const char *compound_name(const struct compound *c, unsigned entry) {
    return entry < c->n_entries ? c->entries[entry].name : "";
}

bool compound_is_storage(const struct compound *c, unsigned entry) {
    return entry < c->n_entries && c->entries[entry].type != TYPE_STREAM;
}

struct guid compound_class(const struct compound *c, unsigned entry) {
    return entry < c->n_entries ? c->entries[entry].class : (struct guid) {
        { 0 }
    };
}

static void read_mini(const struct compound *c, const struct entry *e, GByteArray *out) {
    gsize len;
    const uint8_t *mini = g_bytes_get_data(c->mini, &len);
    uint32_t n = e->start;
    for (guint steps = 0; steps < c->mini_fat->len && out->len < e->size; steps++) {
        size_t pos = (size_t)n * MINI_SECTOR;
        if (pos >= len)
            return;
        g_byte_array_append(out, mini + pos,
                            (guint)MIN(MIN(MINI_SECTOR, len - pos), e->size - out->len));
        n = next_of(c->mini_fat, n);
    }
}

enum ec compound_read(struct compound *c, unsigned entry, GBytes **out) {
    if (entry >= c->n_entries || c->entries[entry].type != TYPE_STREAM)
        return EC_CORRUPT_DATA;
    const struct entry *e = &c->entries[entry];
    if (e->size > c->len || e->size > c->budget)
        return EC_CORRUPT_DATA;
    c->budget -= e->size;
    GByteArray *bytes = g_byte_array_sized_new((guint)e->size);
    if (e->size < c->mini_cutoff)
        read_mini(c, e, bytes);
    else
        read_chain(c, e->start, e->size, bytes);
    if (bytes->len < e->size) {
        g_byte_array_unref(bytes);
        return EC_CORRUPT_DATA;
    }
    *out = g_byte_array_free_to_bytes(bytes);
    return EC_OK;
}
