// Header fields of a request, one a line, and auxiliary buffers.
#include <string.h>

#include "mapihttp/mapihttp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new();
    struct wire_reader r = wire_reader(data, size);
    struct aux_in aux;
    aux_read(&r, arena, &aux);
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 7);
    guint n = g_strv_length(lines);
    const char *at[6] = {"POST"};
    for (guint i = 0; i < n && i < G_N_ELEMENTS(at); i++)
        at[i] = *lines[i] || i == 0 ? lines[i] : NULL;
    struct envelope envelope = {.method = at[0],
                                .content_type = at[1],
                                .request_type = at[2],
                                .request_id = at[3],
                                .client_info = at[4],
                                .client_application = at[5]};
    enum response_code code = envelope_check(&envelope);
    if (code == RESPONSE_SUCCESS && strcmp(envelope.method, "POST") != 0)
        abort();
    arena_free(arena);
    return 0;
}
