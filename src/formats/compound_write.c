// Writes compound files of version 3 ([MS-CFB] 2): the streams' sectors, the stream of small
// sectors, its table, the directory, and the table of sectors last, when all is known.
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "formats/compound.h"

#define SECTOR 512u
#define MINI_SECTOR 64u
#define MINI_CUTOFF 4096u
#define FREE 0xFFFFFFFFu
#define END_OF_CHAIN 0xFFFFFFFEu
#define FAT_SECTOR 0xFFFFFFFDu
#define DIFAT_SECTOR 0xFFFFFFFCu
#define HEADER_DIFAT 109u
#define NUMBERS (SECTOR / 4) // in a sector of a table
#define NAME_UNITS 31u
enum { TYPE_STORAGE = 1, TYPE_STREAM = 2, TYPE_ROOT = 5 };
enum { RED = 0, BLACK = 1 };

struct node {
    uint16_t name[NAME_UNITS + 1], upper[NAME_UNITS + 1]; // with a NUL
    unsigned name_len;                                    // units
    uint8_t type, colour;
    unsigned parent;
    uint32_t left, right, child, start;
    struct guid class;
    GBytes *bytes;
};

struct compound_writer {
    GPtrArray *nodes; // struct node *
    uint64_t size;
};

// --- Building the tree ---

static void node_free(gpointer data) {
    struct node *n = data;
    g_clear_pointer(&n->bytes, g_bytes_unref);
    g_free(n);
}

static unsigned set_name(uint16_t out[NAME_UNITS + 1], const char *name) {
    g_autoptr(GByteArray) units = g_byte_array_new();
    text_to_utf16(name, strlen(name), units);
    unsigned n = MIN(units->len / 2, NAME_UNITS);
    for (unsigned i = 0; i < n; i++)
        out[i] = (uint16_t)(units->data[2 * i] | units->data[2 * i + 1] << 8);
    out[n] = 0;
    return n;
}

static unsigned add(struct compound_writer *w, unsigned parent, const char *name, uint8_t type,
                    const struct guid *class) {
    struct node *n = g_new0(struct node, 1);
    g_autofree char *upper = g_utf8_strup(name, -1);
    n->name_len = set_name(n->name, name);
    set_name(n->upper, upper);
    n->type = type;
    n->parent = parent;
    n->left = n->right = n->child = FREE;
    if (class)
        n->class = *class;
    g_ptr_array_add(w->nodes, n);
    return w->nodes->len - 1;
}

struct compound_writer *compound_writer_new(const struct guid *class) {
    struct compound_writer *w = g_new0(struct compound_writer, 1);
    w->nodes = g_ptr_array_new_with_free_func(node_free);
    add(w, COMPOUND_NONE, "Root Entry", TYPE_ROOT, class);
    return w;
}

void compound_writer_free(struct compound_writer *w) {
    if (!w)
        return;
    g_ptr_array_unref(w->nodes);
    g_free(w);
}

unsigned compound_add_storage(struct compound_writer *w, unsigned storage, const char *name,
                              const struct guid *class) {
    return add(w, storage, name, TYPE_STORAGE, class);
}

unsigned compound_add_stream(struct compound_writer *w, unsigned storage, const char *name,
                             GBytes *bytes) {
    unsigned i = add(w, storage, name, TYPE_STREAM, NULL);
    ((struct node *)w->nodes->pdata[i])->bytes = g_bytes_ref(bytes);
    w->size += g_bytes_get_size(bytes) + SECTOR;
    return i;
}

// Nothing here goes deeper with the depth of the tree.
enum ec compound_copy(struct compound_writer *w, unsigned storage, struct compound *from,
                      unsigned from_storage) {
    struct pair {
        unsigned from, to;
    } first = {from_storage, storage};
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct pair));
    g_array_append_val(pairs, first);
    for (guint i = 0; i < pairs->len; i++) {
        struct pair pair = g_array_index(pairs, struct pair, i);
        for (unsigned e = compound_first(from, pair.from); e != COMPOUND_NONE;
             e = compound_next(from, e)) {
            const char *name = compound_name(from, e);
            if (compound_is_storage(from, e)) {
                struct guid class = compound_class(from, e);
                struct pair next = {e, compound_add_storage(w, pair.to, name, &class)};
                g_array_append_val(pairs, next);
                continue;
            }
            g_autoptr(GBytes) bytes = NULL;
            EC_TRY(compound_read(from, e, &bytes));
            compound_add_stream(w, pair.to, name, bytes);
        }
    }
    return EC_OK;
}

// --- The directory as search trees ---

// Shorter names first, then by their upper-case units ([MS-CFB] 2.6.4).
static int compare_nodes(gconstpointer a, gconstpointer b, gpointer nodes) {
    const GPtrArray *all = nodes;
    const struct node *x = all->pdata[*(const unsigned *)a], *y = all->pdata[*(const unsigned *)b];
    if (x->name_len != y->name_len)
        return x->name_len < y->name_len ? -1 : 1;
    for (unsigned i = 0; i < x->name_len; i++)
        if (x->upper[i] != y->upper[i])
            return x->upper[i] < y->upper[i] ? -1 : 1;
    return 0;
}

// A tree of the `n` sorted children whose last level is red and all else black, so that every way
// down has as many black ones. As deep as the logarithm of `n`.
static uint32_t build(GPtrArray *nodes, const unsigned *children, unsigned n, unsigned level,
                      unsigned levels) {
    if (n == 0)
        return FREE;
    unsigned middle = n / 2;
    struct node *root = nodes->pdata[children[middle]];
    root->colour = level + 1 == levels && level > 0 ? RED : BLACK;
    root->left = build(nodes, children, middle, level + 1, levels);
    root->right = build(nodes, children + middle + 1, n - middle - 1, level + 1, levels);
    return children[middle];
}

static int compare_parents(gconstpointer a, gconstpointer b, gpointer nodes) {
    const GPtrArray *all = nodes;
    const struct node *x = all->pdata[*(const unsigned *)a], *y = all->pdata[*(const unsigned *)b];
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return compare_nodes(a, b, nodes);
}

static void build_all(GPtrArray *nodes) {
    g_autofree unsigned *order = g_new(unsigned, nodes->len);
    unsigned n = nodes->len - 1; // all but the root
    for (unsigned i = 0; i < n; i++)
        order[i] = i + 1;
    g_qsort_with_data(order, (gint)n, sizeof *order, compare_parents, nodes);
    for (unsigned i = 0; i < n;) {
        unsigned parent = ((struct node *)nodes->pdata[order[i]])->parent, end = i, levels = 0;
        while (end < n && ((struct node *)nodes->pdata[order[end]])->parent == parent)
            end++;
        while ((end - i) >> levels)
            levels++;
        ((struct node *)nodes->pdata[parent])->child = build(nodes, order + i, end - i, 0, levels);
        i = end;
    }
    ((struct node *)nodes->pdata[COMPOUND_ROOT])->colour = BLACK;
}

// --- Sectors ---

struct layout {
    GByteArray *out; // from the first sector on
    GArray *fat, *mini_fat;
    GByteArray *mini;
};

static void pad(GByteArray *bytes, guint size) {
    static const guint8 zeros[SECTOR];
    guint over = bytes->len % size;
    if (over)
        g_byte_array_append(bytes, zeros, size - over);
}

static void chain(GArray *fat, uint32_t n) {
    uint32_t start = fat->len;
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t next = i == n ? END_OF_CHAIN : start + i;
        g_array_append_val(fat, next);
    }
}

// Appends bytes as a chain of sectors; its first one.
static uint32_t put_chain(struct layout *l, const void *data, size_t len) {
    uint32_t start = l->fat->len;
    if (len == 0)
        return END_OF_CHAIN;
    g_byte_array_append(l->out, data, (guint)len);
    pad(l->out, SECTOR);
    chain(l->fat, (uint32_t)((len + SECTOR - 1) / SECTOR));
    return start;
}

static void put_stream(struct layout *l, struct node *n) {
    gsize len;
    const void *data = g_bytes_get_data(n->bytes, &len);
    if (len >= MINI_CUTOFF) {
        n->start = put_chain(l, data, len);
    } else if (len == 0) {
        n->start = END_OF_CHAIN;
    } else {
        n->start = l->mini_fat->len;
        g_byte_array_append(l->mini, data, (guint)len);
        pad(l->mini, MINI_SECTOR);
        chain(l->mini_fat, (uint32_t)((len + MINI_SECTOR - 1) / MINI_SECTOR));
    }
}

static void put_node(struct wire_writer *w, const struct node *n, uint64_t size) {
    for (unsigned i = 0; i <= NAME_UNITS; i++)
        wire_put_u16(w, i < n->name_len ? n->name[i] : 0);
    wire_put_u16(w, (uint16_t)((n->name_len + 1) * 2));
    wire_put_u8(w, n->type);
    wire_put_u8(w, n->colour);
    wire_put_u32(w, n->left);
    wire_put_u32(w, n->right);
    wire_put_u32(w, n->child);
    wire_put_guid(w, &n->class);
    wire_put_u32(w, 0); // state
    wire_put_u64(w, 0); // times
    wire_put_u64(w, 0);
    wire_put_u32(w, n->start);
    wire_put_u64(w, size);
}

static uint32_t put_directory(struct layout *l, GPtrArray *nodes) {
    static const struct node unused = {.left = FREE, .right = FREE, .child = FREE};
    struct wire_writer w = wire_writer(COMPOUND_MAX);
    for (guint i = 0; i < nodes->len; i++) {
        const struct node *n = nodes->pdata[i];
        uint64_t size = n->bytes               ? g_bytes_get_size(n->bytes)
                        : n->type == TYPE_ROOT ? l->mini->len
                                               : 0;
        put_node(&w, n, size);
    }
    while (wire_writer_ok(&w) && wire_writer_len(&w) % SECTOR != 0) {
        size_t at = wire_writer_len(&w);
        put_node(&w, &unused, 0);
        wire_patch_u16(&w, at + 64, 0); // no name
    }
    GByteArray *bytes = wire_writer_take(&w);
    uint32_t start = bytes ? put_chain(l, bytes->data, bytes->len) : END_OF_CHAIN;
    g_clear_pointer(&bytes, g_byte_array_unref);
    return start;
}

static void put_numbers(GByteArray *out, const GArray *numbers) {
    for (guint i = 0; i < numbers->len; i++) {
        uint32_t v = GUINT32_TO_LE(g_array_index(numbers, uint32_t, i));
        g_byte_array_append(out, (const guint8 *)&v, sizeof v);
    }
    while (out->len % SECTOR != 0)
        g_byte_array_append(out, (const guint8 *)"\xff\xff\xff\xff", 4);
}

static uint32_t put_mini_fat(struct layout *l, uint32_t *n_out) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    put_numbers(bytes, l->mini_fat);
    *n_out = bytes->len / SECTOR;
    return put_chain(l, bytes->data, bytes->len);
}

// --- The table of sectors and the header ---

struct tables {
    uint32_t n_fat, n_difat, first_fat, first_difat;
    uint32_t directory, mini_fat, n_mini_fat;
};

static void append_times(GArray *to, uint32_t v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        g_array_append_val(to, v);
}

// The table has entries for its own sectors too.
static void put_fat(struct layout *l, struct tables *t) {
    uint32_t others = l->fat->len;
    for (;;) { // each round finds as many or more, until they are enough
        uint32_t need = (others + t->n_fat + t->n_difat + NUMBERS - 1) / NUMBERS;
        uint32_t more =
            need > HEADER_DIFAT ? (need - HEADER_DIFAT + NUMBERS - 2) / (NUMBERS - 1) : 0;
        if (need == t->n_fat && more == t->n_difat)
            break;
        t->n_fat = need;
        t->n_difat = more;
    }
    t->first_fat = others;
    t->first_difat = t->n_difat ? others + t->n_fat : END_OF_CHAIN;
    append_times(l->fat, FAT_SECTOR, t->n_fat);
    append_times(l->fat, DIFAT_SECTOR, t->n_difat);
    put_numbers(l->out, l->fat);
    g_autoptr(GArray) difat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t i = 0; i < t->n_difat; i++) {
        for (uint32_t k = 0; k + 1 < NUMBERS; k++) {
            uint32_t at = HEADER_DIFAT + i * (NUMBERS - 1) + k;
            append_times(difat, at < t->n_fat ? t->first_fat + at : FREE, 1);
        }
        uint32_t next = i + 1 < t->n_difat ? t->first_difat + i + 1 : END_OF_CHAIN;
        g_array_append_val(difat, next);
    }
    put_numbers(l->out, difat);
}

static void put_header(struct wire_writer *w, const struct tables *t) {
    static const uint8_t magic[8] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
    wire_put_bytes(w, magic, sizeof magic);
    wire_put_u64(w, 0); // class
    wire_put_u64(w, 0);
    wire_put_u16(w, 0x3E);
    wire_put_u16(w, 3);
    wire_put_u16(w, 0xFFFE); // little-endian
    wire_put_u16(w, 9);
    wire_put_u16(w, 6);
    wire_put_u16(w, 0);
    wire_put_u32(w, 0);
    wire_put_u32(w, 0); // sectors of the directory: not said in version 3
    wire_put_u32(w, t->n_fat);
    wire_put_u32(w, t->directory);
    wire_put_u32(w, 0);
    wire_put_u32(w, MINI_CUTOFF);
    wire_put_u32(w, t->mini_fat);
    wire_put_u32(w, t->n_mini_fat);
    wire_put_u32(w, t->first_difat);
    wire_put_u32(w, t->n_difat);
    for (uint32_t i = 0; i < HEADER_DIFAT; i++)
        wire_put_u32(w, i < t->n_fat ? t->first_fat + i : FREE);
}

static GBytes *finish(struct layout *l, const struct tables *t) {
    struct wire_writer header = wire_writer(SECTOR);
    put_header(&header, t);
    GByteArray *out = wire_writer_take(&header);
    g_byte_array_append(out, l->out->data, l->out->len);
    return g_byte_array_free_to_bytes(out);
}

enum ec compound_write(struct compound_writer *w, GBytes **out) {
    if (w->size > COMPOUND_MAX || w->nodes->len > COMPOUND_MAX / 256)
        return EC_MESSAGE_TOO_BIG;
    struct layout l = {g_byte_array_new(), g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                       g_array_new(FALSE, FALSE, sizeof(uint32_t)), g_byte_array_new()};
    struct tables t = {0};
    build_all(w->nodes);
    for (guint i = 0; i < w->nodes->len; i++)
        if (((struct node *)w->nodes->pdata[i])->bytes)
            put_stream(&l, w->nodes->pdata[i]);
    ((struct node *)w->nodes->pdata[COMPOUND_ROOT])->start =
        put_chain(&l, l.mini->data, l.mini->len);
    t.mini_fat = put_mini_fat(&l, &t.n_mini_fat);
    t.directory = put_directory(&l, w->nodes);
    put_fat(&l, &t);
    *out = finish(&l, &t);
    g_byte_array_unref(l.out);
    g_array_unref(l.fat);
    g_array_unref(l.mini_fat);
    g_byte_array_unref(l.mini);
    return EC_OK;
}
