// A request's tree, and its texts read as ids, change keys, dates and numbers.
#include "protocol/ews/ews_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_text(struct ews_call *call, const char *text) {
    struct ews_id id;
    uint64_t cn;
    filetime_t time;
    int64_t number;
    bool flag;
    if (!ews_id_parse(text, &id, NULL)) {
        struct guid replica = {{0}};
        ews_id_format(call->arena, &id, &replica);
    }
    ews_change_key_parse(text, &cn);
    if (ews_date_parse(call, text, &time))
        ews_date_format(call, time);
    ews_parse_int(text, &number);
    ews_parse_bool(text, &flag);
}

static void walk(struct ews_call *call, const struct ews_node *node) {
    for (; node; node = node->next) {
        struct prop_bin bytes;
        read_text(call, node->text);
        for (const struct ews_attribute *a = node->attributes; a; a = a->next)
            read_text(call, a->value);
        ews_node_base64(call->arena, node, &bytes);
        ews_child(node, "Header/RequestServerVersion");
        walk(call, node->child); // as deep as EWS_MAX_DEPTH
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ews_call call = {.arena = arena_new(), .time_zone = "W. Europe Standard Time"};
    struct ews_node *root;
    const char *error;
    if (ews_node_parse(call.arena, data, size, &root, &error) == EC_OK)
        walk(&call, root);
    arena_free(call.arena);
    return 0;
}
