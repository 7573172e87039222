// Compound files: what is written reads back the same, and broken ones end.
#include "formats/compound.h"

#include <string.h>

#include "base/law.h"
#include "base/test.h"

#define MAX_NODES 64

// A made-up tree, in both forms.
struct made {
    struct compound_writer *w;
    unsigned parents[MAX_NODES], entries[MAX_NODES], n;
    char names[MAX_NODES][40];
    GBytes *bytes[MAX_NODES]; // NULL: a storage
};

static void make(struct choices *c, struct made *m) {
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 512, 70000};
    m->w = compound_writer_new(NULL);
    m->entries[0] = COMPOUND_ROOT;
    m->n = 1;
    for (unsigned n = choose(c, MAX_NODES - 1); n > 0; n--) {
        unsigned i = m->n, parent = choose(c, i);
        while (m->bytes[parent]) // streams have no children
            parent--;
        m->parents[i] = parent;
        g_snprintf(m->names[i], sizeof m->names[i], "%.*s\xc3\xa4%u", (int)choose(c, 20),
                   "AnameZzzzzzzzzzzzzzzz", i);
        if (choose(c, 3) == 2) {
            m->entries[i] = compound_add_storage(m->w, m->entries[parent], m->names[i], NULL);
        } else {
            size_t len = sizes[choose(c, G_N_ELEMENTS(sizes))];
            uint8_t *data = g_malloc(len + 1);
            for (size_t k = 0; k < len; k++)
                data[k] = (uint8_t)(k * 31 + i);
            m->bytes[i] = g_bytes_new_take(data, len);
            m->entries[i] = compound_add_stream(m->w, m->entries[parent], m->names[i], m->bytes[i]);
        }
        m->n++;
    }
}

static bool is_found(struct compound *c, const struct made *m) {
    unsigned found[MAX_NODES] = {COMPOUND_ROOT};
    for (unsigned i = 1; i < m->n; i++) {
        found[i] = compound_find(c, found[m->parents[i]], m->names[i]);
        if (found[i] == COMPOUND_NONE || compound_is_storage(c, found[i]) != !m->bytes[i] ||
            strcmp(compound_name(c, found[i]), m->names[i]) != 0)
            return false;
        g_autoptr(GBytes) bytes = NULL;
        if (m->bytes[i] &&
            (compound_read(c, found[i], &bytes) != EC_OK || !g_bytes_equal(bytes, m->bytes[i])))
            return false;
    }
    return true;
}

static bool reads_back(struct choices *c) {
    struct made m = {0};
    g_autoptr(GBytes) bytes = NULL;
    struct compound *read = NULL;
    make(c, &m);
    bool holds = compound_write(m.w, &bytes) == EC_OK;
    gsize len = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    holds =
        holds && len % 512 == 0 && compound_open(data, len, &read) == EC_OK && is_found(read, &m);
    compound_free(read);
    compound_writer_free(m.w);
    for (unsigned i = 0; i < m.n; i++)
        g_clear_pointer(&m.bytes[i], g_bytes_unref);
    return holds;
}

static void test_round(void) {
    law_check("a compound file holds what was written", reads_back, 100, 300);
}

// More sectors than the header has places for their table.
static void test_large(void) {
    struct compound_writer *w = compound_writer_new(NULL);
    size_t len = 9u * 1024 * 1024;
    uint8_t *data = g_malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i ^ i >> 9);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, len), file = NULL, back = NULL;
    compound_add_stream(w, COMPOUND_ROOT, "large", bytes);
    assert_ok(compound_write(w, &file));
    struct compound *c;
    gsize file_len;
    const void *file_data = g_bytes_get_data(file, &file_len);
    assert_ok(compound_open(file_data, file_len, &c));
    assert_ok(compound_read(c, compound_find(c, COMPOUND_ROOT, "LARGE"), &back));
    g_assert_true(g_bytes_equal(back, bytes));
    compound_free(c);
    compound_writer_free(w);
}

static void test_broken(void) {
    struct compound *c;
    uint8_t bytes[4096] = {0};
    assert_ec(compound_open("x", 1, &c), EC_FORMAT_ERROR);
    assert_ec(compound_open(bytes, sizeof bytes, &c), EC_FORMAT_ERROR);
    memcpy(bytes, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
    assert_ec(compound_open(bytes, sizeof bytes, &c), EC_CORRUPT_DATA);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compound/round", test_round);
    g_test_add_func("/compound/large", test_large);
    g_test_add_func("/compound/broken", test_broken);
    return g_test_run();
}
