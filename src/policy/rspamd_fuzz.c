// Any bytes as an answer of rspamd.
#include "base/test.h"
#include "policy/rspamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rspamd_answer answer;
    rspamd_parse((const char *)data, size, &answer);
    return 0;
}
