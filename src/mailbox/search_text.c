// Caseless substring search. ASCII needles use Horspool's algorithm directly on the message's bytes
// wherever no transfer encoding stands in the way; text is folded only when the needle is not ASCII
// or the text has characters that become ASCII ("strasse" is in "Straße"). The walk over a message
// is the store's (store/fulltext_source.h): its signatures must see the same texts.
#include "mailbox/search_text.h"

#include <string.h>

#include "base/text.h"
#include "store/fulltext_source.h"

static const uint8_t *lower_table(void) {
    static uint8_t table[256];
    static gsize made;
    if (g_once_init_enter(&made)) {
        for (unsigned i = 0; i < 256; i++)
            table[i] = i < 128 ? (uint8_t)g_ascii_tolower((gchar)i) : (uint8_t)i;
        g_once_init_leave(&made, 1);
    }
    return table;
}

struct search_needle *search_needle_new(struct arena *arena, const char *text) {
    struct search_needle *n = arena_alloc0(arena, sizeof *n);
    n->folded = text_fold(arena, text);
    n->len = strlen(n->folded);
    n->is_ascii = text_is_ascii(n->folded, n->len);
    for (unsigned i = 0; i < 256; i++)
        n->skip[i] = (uint32_t)MAX(n->len, 1);
    const uint8_t *lower = lower_table();
    for (size_t i = 0; i + 1 < n->len; i++) {
        uint8_t c = (uint8_t)n->folded[i];
        uint32_t distance = (uint32_t)(n->len - 1 - i);
        n->skip[c] = distance;
        // The table is asked with bytes of the text as they are, so both cases get the distance.
        for (unsigned other = 'A'; n->is_ascii && other <= 'Z'; other++)
            if (lower[other] == c)
                n->skip[other] = distance;
    }
    return n;
}

static bool find_ascii(const struct search_needle *n, const uint8_t *text, size_t len) {
    if (n->len == 0)
        return true;
    const uint8_t *lower = lower_table(), *needle = (const uint8_t *)n->folded;
    size_t last = n->len - 1;
    for (size_t i = last; i < len;) {
        uint8_t c = text[i];
        if (lower[c] == needle[last]) {
            const uint8_t *start = text + i - last;
            size_t k = 0;
            while (k < last && lower[start[k]] == needle[k])
                k++;
            if (k == last)
                return true;
        }
        i += n->skip[c];
    }
    return false;
}

// --- Looking through texts ---

struct finder {
    struct source_sink sink;
    const struct search_needle *needle;
    GString *tail; // the end of the folded text so far, where a needle may begin
};

static bool in_raw(struct source_sink *sink, const char *data, size_t len) {
    return find_ascii(((struct finder *)sink)->needle, (const uint8_t *)data, len);
}

static bool in_folded(struct source_sink *sink, const char *data, size_t len, bool is_first) {
    struct finder *f = (struct finder *)sink;
    size_t keep = f->needle->len - 1;
    if (is_first)
        g_string_truncate(f->tail, 0);
    if (memmem(data, len, f->needle->folded, f->needle->len))
        return true;
    // Over the border between two pieces.
    if (f->tail->len > 0) {
        g_string_append_len(f->tail, data, (gssize)MIN(len, keep));
        if (memmem(f->tail->str, f->tail->len, f->needle->folded, f->needle->len))
            return true;
    }
    if (len >= keep) {
        g_string_truncate(f->tail, 0);
        g_string_append_len(f->tail, data + len - keep, (gssize)keep);
    } else if (f->tail->len == 0) {
        g_string_append_len(f->tail, data, (gssize)len);
    } else if (f->tail->len > keep) {
        g_string_erase(f->tail, 0, (gssize)(f->tail->len - keep));
    }
    return false;
}

// A needle that is empty is found in the first raw text, whatever it holds.
static struct finder finder(const struct search_needle *n) {
    bool is_ascii = n->len == 0 || n->is_ascii;
    return (struct finder){
        .sink = {.raw = in_raw,
                 .folded = in_folded,
                 .only_new_ascii = is_ascii,
                 .no_raw = !is_ascii},
        .needle = n,
        .tail = g_string_new(NULL),
    };
}

static bool finish(struct finder *f, bool found) {
    g_string_free(f->tail, TRUE);
    return found;
}

bool search_needle_in(const struct search_needle *n, const void *data, size_t len) {
    struct finder f = finder(n);
    return finish(&f, source_text(&f.sink, data, len));
}

struct search_needle *search_needle_new_squeezed(struct arena *arena, const char *text) {
    char *squeezed = arena_alloc(arena, strlen(text) + 1), *out = squeezed;
    for (; *text; text++) {
        bool is_space = *text == ' ' || *text == '\t';
        if (!is_space)
            *out++ = *text;
        else if (out == squeezed || out[-1] != ' ')
            *out++ = ' ';
    }
    *out = 0;
    return search_needle_new(arena, squeezed);
}

bool search_needle_in_header(const struct search_needle *n, struct arena *scratch,
                             const char *value, size_t len) {
    struct finder f = finder(n);
    return finish(&f, source_header_value(&f.sink, scratch, value, len));
}

bool search_needle_in_fields(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m, const char *name) {
    struct finder f = finder(n);
    return finish(&f, source_fields(&f.sink, scratch, m, name));
}

bool search_needle_in_headers(const struct search_needle *n, struct arena *scratch,
                              const struct mime_message *m, const struct mime_part *part) {
    struct finder f = finder(n);
    return finish(&f, source_headers(&f.sink, scratch, m, part));
}

bool search_needle_in_bodies(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m) {
    struct finder f = finder(n);
    return finish(&f, source_bodies(&f.sink, scratch, m));
}
