// A needle and a message: whatever a search finds, the message's signatures must not rule out.
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "mailbox/search_text.h"
#include "store/fulltext_grams.h"

static void check(const struct search_needle *n, bool in_head, bool in_body,
                  const struct grams *g) {
    struct grams_needle needle;
    grams_needle_set(&needle, n->folded, n->len);
    g_assert_true(!in_head || grams_may_contain(g->head, g->head_len, &needle));
    g_assert_true(!in_body || grams_may_contain(g->body, g->body_len, &needle));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    ARENA_AUTO arena = arena_new();
    ARENA_AUTO scratch = arena_new();
    size_t len = MIN((size_t)data[0], size - 1);
    const char *text = text_clean(arena, (const char *)data + 1, len, NULL);
    struct mime_message *m = mime_scan(arena, data + 1 + len, size - 1 - len);
    struct grams g;
    grams_of_message(arena, m, &g);
    struct search_needle *n = search_needle_new(arena, text);
    struct search_needle *squeezed = search_needle_new_squeezed(arena, text);
    check(n, search_needle_in_headers(n, scratch, m, m->root),
          search_needle_in_bodies(n, scratch, m), &g);
    check(squeezed, search_needle_in_fields(squeezed, scratch, m, "Subject"), false, &g);
    // The message itself as a needle's text.
    search_needle_in(n, data + 1 + len, size - 1 - len);
    return 0;
}
