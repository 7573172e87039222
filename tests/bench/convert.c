// The speed of the conversions on one core, in MB/s of what is read, beside GMime's bare parse of
// the same bytes. Prints one line of JSON a figure.
//
//   convert_bench FILE.eml...
//
// Built by `ninja -C build convert_bench`, where GMime is installed (libgmime-3.0-dev).
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

#include "convert/loaded.h"
#include "convert/msg.h"
#include "convert/tnef.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_write.h"

#define SECONDS 1.0

struct sample {
    char *data;
    gsize len;
    GBytes *msg, *tnef;
};

static struct sample *samples;
static unsigned n_samples;

static void report(const char *what, double bytes, double seconds) {
    printf("{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"MB/s\"}\n", what,
           bytes / seconds / 1e6);
    fflush(stdout);
}

// Does `work` on every sample again and again; `work` gives the bytes it read.
static void measure(const char *what, size_t (*work)(const struct sample *s)) {
    double bytes = 0, passed;
    gint64 start = g_get_monotonic_time();
    do {
        for (unsigned i = 0; i < n_samples; i++)
            bytes += (double)work(&samples[i]);
        passed = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    } while (passed < SECONDS);
    report(what, bytes, passed);
}

static size_t by_gmime(const struct sample *s) {
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(s->data, s->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return s->len;
}

static size_t by_us(const struct sample *s) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = NULL;
    struct mime_message *mime = mime_scan(arena, s->data, s->len);
    g_autoptr(GString) envelope = g_string_new(NULL);
    mime_imap_envelope(mime, mime->root, envelope);
    mime_imap_bodystructure(mime, true, envelope);
    if (convert_mime_to_message(mime, &m) == EC_OK)
        message_value_free(m);
    return s->len;
}

static size_t read_tnef(const struct sample *s) {
    struct message_value *m = NULL;
    gsize len;
    const void *data = g_bytes_get_data(s->tnef, &len);
    if (convert_tnef_to_message(data, len, &m) == EC_OK)
        message_value_free(m);
    return len;
}

static size_t read_msg(const struct sample *s) {
    struct message_value *m = NULL;
    gsize len;
    const void *data = g_bytes_get_data(s->msg, &len);
    if (convert_msg_to_message(data, len, &m) == EC_OK)
        message_value_free(m);
    return len;
}

static bool load(struct sample *s, const char *path) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = NULL;
    if (!g_file_get_contents(path, &s->data, &s->len, NULL))
        return false;
    struct mime_message *mime = mime_scan(arena, s->data, s->len);
    struct convert_source source = convert_mime_source(mime);
    bool is_good = convert_mime_to_message(mime, &m) == EC_OK &&
                   convert_message_to_tnef(m, &source, TNEF_WHOLE, &s->tnef) == EC_OK &&
                   convert_message_to_msg(m, &source, 0, &s->msg) == EC_OK;
    message_value_free(m);
    return is_good;
}

static void measure_rtf(void) {
    g_autoptr(GString) html = g_string_new("<html><body>");
    while (html->len < 2000000)
        g_string_append_printf(html, "<p>Paragraph %zu with <b>bold</b> words</p>\r\n", html->len);
    g_autoptr(GBytes) rtf = rtf_from_html(html->str, html->len);
    g_autoptr(GBytes) packed = rtf_compress(g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf));
    double bytes = 0, passed;
    gint64 start = g_get_monotonic_time();
    do {
        g_autoptr(GBytes) out = NULL;
        if (rtf_decompress(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), 1u << 30,
                           &out) == EC_OK)
            bytes += (double)g_bytes_get_size(out);
        passed = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    } while (passed < SECONDS);
    report("rtf decompress (bytes made)", bytes, passed);
}

int main(int argc, char **argv) {
    g_mime_init();
    samples = g_new0(struct sample, (gsize)argc);
    for (int i = 1; i < argc; i++)
        n_samples += load(&samples[n_samples], argv[i]);
    if (n_samples == 0) {
        fprintf(stderr, "usage: convert_bench FILE.eml...\n");
        return 2;
    }
    measure("gmime parse", by_gmime);
    measure("mime parse, envelope, structure, message", by_us);
    measure("tnef to message", read_tnef);
    measure("msg to message", read_msg);
    measure_rtf();
    return 0;
}
