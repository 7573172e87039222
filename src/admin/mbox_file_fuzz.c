// Any bytes as an mbox file.
#include "admin/mbox_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (unsigned quoting = MBOX_AUTO; quoting <= MBOX_NONE; quoting++) {
        struct mbox_file_cursor cursor = {
            .data = (const char *)data, .len = size, .quoting = (enum mbox_quoting)quoting};
        struct mbox_file_entry entry;
        size_t before = 0;
        while (mbox_file_next(&cursor, &entry)) {
            g_assert(cursor.pos > before && cursor.pos <= size);
            g_assert(entry.len <= size);
            before = cursor.pos;
            g_bytes_unref(mbox_file_content(&entry));
        }
    }
    return 0;
}
