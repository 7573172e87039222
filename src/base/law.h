// Laws: statements about every value of a kind, tried on many made-up ones.
//
// A value is made from a string of choices, and a law that fails is tried again with choices taken
// out or made smaller, until nothing can be taken out any more: what is shown is then small. The
// same makers serve fuzzers, whose input is the string of choices.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct choices {
    const uint8_t *data;
    size_t len, pos;
};

// A number below `n`; 0, the simplest, when there are no choices left.
static inline unsigned choose(struct choices *c, unsigned n) {
    unsigned v = 0;
    for (unsigned left = n > 0 ? n - 1 : 0; left > 0; left >>= 8)
        v = v << 8 | (c->pos < c->len ? c->data[c->pos++] : 0);
    return n > 1 ? v % n : 0;
}

typedef bool law(struct choices *c);

static inline bool law_holds_(law *holds, const uint8_t *data, size_t len) {
    struct choices c = {.data = data, .len = len};
    return holds(&c);
}

// Takes out `n` choices at a time wherever the law still fails without them; whether it got
// smaller.
static inline bool law_cut_(law *holds, GByteArray *found, guint n) {
    bool is_smaller = false;
    for (guint at = 0; at + n <= found->len;) {
        g_autoptr(GByteArray) tried = g_byte_array_new();
        g_byte_array_append(tried, found->data, at);
        g_byte_array_append(tried, found->data + at + n, found->len - at - n);
        if (law_holds_(holds, tried->data, tried->len)) {
            at += n;
            continue;
        }
        g_byte_array_remove_range(found, at, n);
        is_smaller = true;
    }
    return is_smaller;
}

static inline bool law_lower_(law *holds, GByteArray *found) {
    bool is_smaller = false;
    for (guint i = 0; i < found->len; i++) {
        uint8_t before = found->data[i];
        uint8_t tries[] = {0, before / 2, before > 0 ? before - 1 : 0};
        for (size_t k = 0; k < G_N_ELEMENTS(tries) && found->data[i] == before; k++) {
            if (tries[k] >= before)
                continue;
            found->data[i] = tries[k];
            if (law_holds_(holds, found->data, found->len))
                found->data[i] = before;
            else
                is_smaller = true;
        }
    }
    return is_smaller;
}

static inline void law_shrink_(law *holds, GByteArray *found) {
    for (unsigned rounds = 0; rounds < 20; rounds++) {
        bool is_smaller = false;
        for (guint n = MAX(found->len / 2, 1); n > 0; n /= 2)
            is_smaller |= law_cut_(holds, found, n);
        if (!law_lower_(holds, found) && !is_smaller)
            break;
    }
}

// Tries the law `runs` times (LAW_RUNS times that many, when it is set) with up to `max` choices.
static inline void law_check(const char *name, law *holds, unsigned runs, unsigned max) {
    const char *more = g_getenv("LAW_RUNS");
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_str_hash(name));
    unsigned n = runs * (more ? MAX((unsigned)atoi(more), 1) : 1);
    for (unsigned i = 0; i < n; i++) {
        guint len = (guint)g_rand_int_range(rand, 0, (gint32)max + 1);
        g_autoptr(GByteArray) made = g_byte_array_new();
        g_byte_array_set_size(made, len);
        for (guint k = 0; k < len; k++)
            made->data[k] = (uint8_t)g_rand_int(rand);
        if (law_holds_(holds, made->data, len))
            continue;
        law_shrink_(holds, made);
        g_autoptr(GString) hex = g_string_new(NULL);
        for (guint k = 0; k < made->len; k++)
            g_string_append_printf(hex, "%02x", made->data[k]);
        g_error("the law \"%s\" does not hold for the choices %s", name, hex->str);
    }
}
