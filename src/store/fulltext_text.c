// From a message's contents to its words and signatures.
#include <string.h>

#include "base/log.h"
#include "db/fulltext_words.h"
#include "store/blob_internal.h"
#include "store/fulltext_internal.h"
#include "store/message_object_internal.h"

_Static_assert(TEXT_PARTS <= DB_FULLTEXT_COLUMNS, "a column for each part");

// External values are read through this: those that point into the original, which is at hand, need
// no second reading of it.
struct reading {
    struct mbox_tx *tx;
    GBytes *mime;
    uint64_t mime_blob;
};

static enum ec read_external(void *ctx, const struct prop_external *external, GBytes **out) {
    struct reading *r = ctx;
    gsize size = r->mime ? g_bytes_get_size(r->mime) : 0;
    bool is_text = external->charset != NULL;
    if (!r->mime || external->blob != r->mime_blob || external->pos > size ||
        external->len > size - external->pos || external->len == 0)
        return external_read(r->tx, external, is_text, out);
    const uint8_t *data = g_bytes_get_data(r->mime, NULL);
    GBytes *decoded = mime_decode(data + external->pos, external->len, external->encoding);
    if (is_text) {
        ARENA_AUTO arena = arena_new();
        gsize len;
        size_t text_len;
        const void *bytes = g_bytes_get_data(decoded, &len);
        char *text = mime_to_utf8(arena, bytes, len, external->charset, &text_len);
        g_bytes_unref(decoded);
        decoded = g_bytes_new(text, text_len);
    }
    *out = decoded;
    return EC_OK;
}

enum ec fulltext_words_of_doc(struct mbox_tx *tx, struct arena *arena, uint64_t doc, GBytes *mime,
                              uint64_t mime_blob, struct fulltext_words *out) {
    struct message_value *value;
    uint64_t source_blob;
    *out = (struct fulltext_words){0};
    EC_TRY(contents_load(tx, doc, &value, &source_blob));
    struct reading reading = {tx, mime, mime_blob};
    struct convert_source source = {read_external, &reading};
    ARENA_AUTO scratch = arena_new();
    struct message_text text;
    enum ec ec = message_text(value, &source, tx->mbox->store->fulltext_converter, scratch, &text);
    message_value_free(value);
    EC_TRY(ec);
    g_autoptr(GString) words = g_string_new(NULL);
    for (unsigned i = 0; i < TEXT_PARTS; i++) {
        g_string_truncate(words, 0);
        db_words_append(words, text.parts[i], strlen(text.parts[i]));
        out->columns[i] = arena_strndup(arena, words->str, words->len);
    }
    return EC_OK;
}

static enum ec read_mime(struct mbox_tx *tx, uint64_t doc, uint64_t *blob_out, GBytes **out) {
    struct db_stmt *q = db_query(tx->conn, sql_mime_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    uint64_t size, blob = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    if (blob == 0)
        return EC_NOT_FOUND;
    EC_TRY(blob_size(tx, blob, &size));
    if (size > FULLTEXT_MIME_MAX)
        return EC_MESSAGE_TOO_BIG;
    *blob_out = blob;
    return blob_read(tx, blob, 0, 0, out);
}

static void make_grams(struct arena *arena, GBytes *mime, struct grams *out) {
    ARENA_AUTO scratch = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    grams_of_message(arena, mime_scan(scratch, data ? data : "", len), out);
}

enum ec fulltext_grams_of_doc(struct mbox_tx *tx, struct arena *arena, uint64_t doc,
                              struct grams *out) {
    g_autoptr(GBytes) mime = NULL;
    uint64_t blob;
    EC_TRY(read_mime(tx, doc, &blob, &mime));
    make_grams(arena, mime, out);
    return EC_OK;
}

void fulltext_prepare(struct mbox_tx *tx, struct arena *arena, uint64_t doc,
                      struct fulltext_prepared *out) {
    g_autoptr(GBytes) mime = NULL;
    uint64_t blob = 0;
    *out = (struct fulltext_prepared){.doc = doc};
    if (read_mime(tx, doc, &blob, &mime) == EC_OK)
        make_grams(arena, mime, &out->grams);
    enum ec ec = fulltext_words_of_doc(tx, arena, doc, mime, blob, &out->words);
    if (ec != EC_OK) {
        char guid[GUID_STRING_SIZE];
        guid_format(&tx->mbox->guid, guid);
        log_event(LOG_LEVEL_WARNING, "fulltext.unreadable", "mailbox", guid, "doc",
                  log_i64((int64_t)doc), "error", ec_text(ec), NULL);
    }
    for (unsigned i = 0; i < TEXT_PARTS; i++)
        out->n_bytes += out->words.columns[i] ? strlen(out->words.columns[i]) : 0;
}

enum ec fulltext_place_of(struct mbox_tx *tx, uint64_t mid, uint64_t *doc_out, uint32_t *uid_out) {
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_message_doc);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    bool found = db_step(q);
    if (found) {
        *doc_out = (uint64_t)db_col_i64(q, 0);
        *uid_out = (uint32_t)db_col_i64(q, 1);
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

enum ec fulltext_words_of(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                          struct fulltext_words *out) {
    uint64_t doc, blob = 0;
    uint32_t uid;
    EC_TRY(fulltext_place_of(tx, mid, &doc, &uid));
    g_autoptr(GBytes) mime = NULL;
    enum ec ec = read_mime(tx, doc, &blob, &mime);
    if (ec != EC_OK && ec != EC_NOT_FOUND && ec != EC_MESSAGE_TOO_BIG)
        return ec;
    return fulltext_words_of_doc(tx, arena, doc, mime, blob, out);
}
