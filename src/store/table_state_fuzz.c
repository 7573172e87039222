// Fuzzes collapse states that clients send back: whatever is taken leaves a table that can be read,
// and whose own state is taken again.
#include "store/table_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *ctx, const struct prop_value *const *values) {
    *(unsigned *)ctx += values[0] != NULL;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const proptag_t columns[] = {PidTagInstID, PidTagRowType, PidTagContentCount};
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    struct sort_order order = {.n = 2,
                               .n_categories = 2,
                               .n_expanded = 1,
                               .columns = {{PidTagImportance, SORT_ASCENDING, false},
                                           {PidTagSensitivity, SORT_ASCENDING, false}}};
    uint8_t bookmark[TABLE_BOOKMARK_SIZE];
    struct table_queried q;
    unsigned n = 0;
    GByteArray *state;
    for (int32_t i = 0; i < 8; i++)
        test_add(s, "a", i / 4, i % 2);
    table_set_columns(t, columns, G_N_ELEMENTS(columns), false);
    table_sort(t, &order, false);
    if (table_set_collapse_state(t, data, size, bookmark) == EC_OK) {
        g_assert(table_query_rows(t, 0, true, 100, take, &n, &q) == EC_OK && q.n == n);
        g_assert(table_get_collapse_state(t, 0, 0, &state) == EC_OK);
        g_assert(table_set_collapse_state(t, state->data, state->len, bookmark) == EC_OK);
        g_byte_array_unref(state);
    }
    table_free(t);
    return 0;
}
