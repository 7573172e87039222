// Typed queries: every text becomes a query of bounded depth, whose words and restrictions can be
// walked.
#include <stddef.h>
#include <stdint.h>

#include "mailbox/aqs.h"

static unsigned depth_of(const struct search_node *n) {
    unsigned deepest = 0;
    for (const struct search_node *c = n->children; c; c = c->next) {
        unsigned depth = depth_of(c);
        deepest = MAX(deepest, depth);
    }
    return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    static const struct aqs_options options = {.now = UINT64_C(134000000000000000),
                                               .zone_minutes = 60};
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct search_node *n = aqs_parse(arena, text, &options);
    g_assert_cmpuint(depth_of(n), <=, SEARCH_MAX_DEPTH);
    struct aqs_span span;
    if (aqs_date(text, &options, &span))
        g_assert_cmpuint(span.from, <=, span.to);
    return 0;
}
