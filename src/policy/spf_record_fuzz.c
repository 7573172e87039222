// Any bytes as an SPF record and as a macro string.
#include "base/test.h"
#include "policy/spf_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct spf_macro_values values = {.sender = "a.b-c@d.example",
                                                   .local = "a.b-c",
                                                   .sender_domain = "d.example",
                                                   .domain = "d.example",
                                                   .helo = "h.example"};
    ARENA_AUTO arena = arena_new();
    g_autofree char *text = g_strndup((const char *)data, size);
    struct spf_record record;
    if (spf_record_parse(arena, text, &record))
        for (unsigned i = 0; i < record.n; i++)
            if (record.terms[i].domain)
                spf_macro_expand(arena, record.terms[i].domain, &values, true);
    if (spf_macro_is_valid(text, false, true))
        spf_macro_expand(arena, text, &values, false);
    return 0;
}
