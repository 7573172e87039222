// Any bytes as a policy and as a record.
#include <glib.h>
#include <string.h>

#include "relay/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct sts_policy policy;
    char id[33];
    if (sts_policy_parse((const char *)data, size, arena, &policy) == EC_OK)
        for (unsigned i = 0; i < policy.n_mx; i++)
            sts_policy_allows(&policy, policy.mx[i]);
    g_autofree char *text = g_strndup((const char *)data, size);
    if (sts_record_parse(text, id))
        g_assert(strlen(id) > 0 && strlen(id) <= 32);
    return 0;
}
