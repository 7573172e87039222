// Reading messages in their internet form.
//
// A message that came from outside is served byte for byte as it came. One born in MAPI gets its
// rendition the first time somebody wants it; it is stored then, so that sizes and bytes that a
// client has seen never change.
#include <string.h>

#include "convert/convert.h"
#include "mailbox/mailbox_internal.h"

#define SCAN_STEPS 8 // rows passed over before the scan begins anew further on

struct mailbox_reader {
    struct mailbox *m;
    struct mbox_tx *tx;
    struct arena *arena;
    uint64_t fid;
    struct message_scan *scan;      // NULL: not begun
    struct message_scan_row at;     // where it stands
    uint32_t scan_from, scanned_to; // the next uid that `at` answers for, the last one
    bool scan_is_done;
    bool is_own_only; // other people's messages must not be read
    GHashTable *made; // mid -> GBytes: renditions stored since the snapshot was taken
};

enum ec mailbox_reader_open(struct mailbox *m, uint64_t fid, struct mailbox_reader **out) {
    struct mbox_tx *tx;
    EC_TRY(mbox_read(m->mbox, &tx));
    uint32_t rights = RIGHTS_ALL;
    enum ec ec = m->is_owner ? EC_OK : rights_of(m, tx, fid, &rights);
    if (ec == EC_OK && !(rights & RIGHTS_VISIBLE))
        ec = EC_NOT_FOUND;
    if (ec != EC_OK) {
        mbox_read_end(tx);
        return ec;
    }
    struct mailbox_reader *r = g_new0(struct mailbox_reader, 1);
    r->m = m;
    r->tx = tx;
    r->fid = fid;
    r->is_own_only = !(rights & RIGHTS_READ_ANY);
    r->arena = arena_new();
    *out = r;
    return EC_OK;
}

void mailbox_reader_close(struct mailbox_reader *r) {
    if (!r)
        return;
    message_scan_free(r->scan);
    mbox_read_end(r->tx);
    arena_free(r->arena);
    g_clear_pointer(&r->made, g_hash_table_destroy);
    g_free(r);
}

struct mbox_tx *reader_tx(struct mailbox_reader *r) {
    return r->tx;
}

// --- Reading many in order ---

static void scan_step(struct mailbox_reader *r) {
    if (message_scan_next(r->scan, &r->at)) {
        r->scanned_to = r->at.uid;
    } else {
        r->at = (struct message_scan_row){0};
        r->scan_is_done = true;
    }
}

static enum ec scan_begin(struct mailbox_reader *r, uint32_t uid) {
    r->at = (struct message_scan_row){0};
    r->scan_is_done = false;
    EC_TRY(message_scan_free(g_steal_pointer(&r->scan)));
    EC_TRY(message_scan_new(r->tx, r->fid, uid, &r->scan));
    r->scan_from = uid;
    scan_step(r);
    return EC_OK;
}

enum ec mailbox_reader_at(struct mailbox_reader *r, const struct message_row *row) {
    if (!r->scan || row->uid < r->scan_from)
        return scan_begin(r, row->uid);
    for (unsigned i = 0; !r->scan_is_done && r->scanned_to < row->uid; i++) {
        if (i == SCAN_STEPS)
            return scan_begin(r, row->uid);
        // Uids between the last row and the next have no rendition.
        r->scan_from = r->scanned_to + 1;
        scan_step(r);
    }
    return EC_OK;
}

// --- Making a rendition ---

enum ec reader_read_external(void *ctx, const struct prop_external *external, GBytes **out) {
    struct mbox_tx *tx = ctx;
    if (external->len == 0) {
        *out = g_bytes_new(NULL, 0);
        return EC_OK;
    }
    g_autoptr(GBytes) raw = NULL;
    EC_TRY(blob_read(tx, external->blob, external->pos, external->len, &raw));
    gsize len;
    const void *data = g_bytes_get_data(raw, &len);
    g_autoptr(GBytes) decoded = mime_decode(data, len, external->encoding);
    if (external->charset) {
        ARENA_AUTO arena = arena_new();
        size_t text_len;
        data = g_bytes_get_data(decoded, &len);
        char *text = mime_to_utf8(arena, data, len, external->charset, &text_len);
        *out = g_bytes_new(text, text_len);
    } else {
        *out = g_steal_pointer(&decoded);
    }
    return EC_OK;
}

struct set_mime {
    uint64_t mid;
    GBytes *mime;
    const char *envelope, *structure;
};

static enum ec change_set_mime(struct mbox_tx *tx, void *ctx) {
    struct set_mime *s = ctx;
    return message_set_mime(tx, s->mid, s->mime, s->envelope, s->structure);
}

static enum ec make_mime(struct mailbox_reader *r, uint64_t mid, GBytes **out) {
    GBytes *known = r->made ? g_hash_table_lookup(r->made, &mid) : NULL;
    if (known) {
        *out = g_bytes_ref(known);
        return EC_OK;
    }
    struct message *message;
    EC_TRY(message_open(r->tx, mid, &message));
    struct convert_source source = {reader_read_external, r->tx};
    g_autoptr(GBytes) mime = NULL;
    enum ec ec = message_load_names(r->tx, message);
    if (ec == EC_OK)
        ec = convert_message_to_mime(message_value(message), &source, true, &mime);
    message_free(message);
    if (ec != EC_OK)
        return ec;

    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    struct mime_message *scanned = mime_scan(arena, data, len);
    g_autoptr(GString) envelope = g_string_new(NULL), structure = g_string_new(NULL);
    mime_imap_envelope(scanned, scanned->root, envelope);
    mime_imap_bodystructure(scanned, true, structure);
    struct set_mime s = {mid, mime, envelope->str, structure->str};
    EC_TRY(mbox_write(r->m->mbox, change_set_mime, &s));
    if (!r->made)
        r->made = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        (GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(r->made, g_memdup2(&mid, sizeof mid), g_bytes_ref(mime));
    *out = g_steal_pointer(&mime);
    return EC_OK;
}

// --- Reading ---

enum ec mailbox_reader_check(struct mailbox_reader *r, uint64_t mid) {
    if (r->m->is_owner)
        return EC_OK;
    uint64_t fid;
    struct guid creator;
    EC_TRY(message_get_creator(r->tx, mid, &fid, &creator));
    // Rights were asked for this folder and no other.
    if (fid != r->fid)
        return EC_NOT_FOUND;
    return r->is_own_only && !rights_is_own(r->m, &creator) ? EC_ACCESS_DENIED : EC_OK;
}

const struct mailbox *reader_mailbox(const struct mailbox_reader *r) {
    return r->m;
}

// EC_NOT_FOUND both for a message that is gone and for one without a rendition; which of them it
// is, make_mime finds out.
static enum ec find_mime(struct mailbox_reader *r, uint64_t mid, struct message_mime *out) {
    arena_reset(r->arena);
    if (r->at.mid == mid) {
        *out = (struct message_mime){.blob = r->at.blob, .size = r->at.size};
        return EC_OK;
    }
    return message_get_mime(r->tx, r->arena, mid, false, false, out);
}

enum ec mailbox_read_mime(struct mailbox_reader *r, uint64_t mid, GBytes **out) {
    return mailbox_read_mime_range(r, mid, 0, 0, out);
}

enum ec mailbox_read_mime_range(struct mailbox_reader *r, uint64_t mid, uint64_t pos, uint64_t len,
                                GBytes **out) {
    struct message_mime mime;
    EC_TRY(mailbox_reader_check(r, mid));
    enum ec ec = find_mime(r, mid, &mime);
    if (ec == EC_OK) {
        if (pos >= mime.size) {
            *out = g_bytes_new(NULL, 0);
            return EC_OK;
        }
        uint64_t left = mime.size - pos;
        return blob_read(r->tx, mime.blob, pos, len == 0 || len > left ? left : len, out);
    }
    if (ec != EC_NOT_FOUND)
        return ec;
    GBytes *all;
    EC_TRY(make_mime(r, mid, &all));
    uint64_t size = g_bytes_get_size(all), start = MIN(pos, size), left = size - start;
    *out = g_bytes_new_from_bytes(all, start, len == 0 || len > left ? left : len);
    g_bytes_unref(all);
    return EC_OK;
}

enum ec mailbox_read_envelope(struct mailbox_reader *r, uint64_t mid, const char **envelope_out,
                              const char **structure_out) {
    struct message_mime mime;
    EC_TRY(mailbox_reader_check(r, mid));
    arena_reset(r->arena);
    if (r->at.mid == mid) {
        if (envelope_out)
            *envelope_out = arena_strndup(r->arena, r->at.envelope, r->at.envelope_len);
        if (structure_out)
            *structure_out = arena_strndup(r->arena, r->at.structure, r->at.structure_len);
        return EC_OK;
    }
    enum ec ec =
        message_get_mime(r->tx, r->arena, mid, envelope_out != NULL, structure_out != NULL, &mime);
    if (ec == EC_NOT_FOUND) {
        GBytes *all;
        EC_TRY(make_mime(r, mid, &all));
        gsize len;
        const void *data = g_bytes_get_data(all, &len);
        struct mime_message *scanned = mime_scan(r->arena, data, len);
        g_autoptr(GString) envelope = g_string_new(NULL), structure = g_string_new(NULL);
        mime_imap_envelope(scanned, scanned->root, envelope);
        mime_imap_bodystructure(scanned, true, structure);
        mime.envelope = arena_strndup(r->arena, envelope->str, envelope->len);
        mime.structure = arena_strndup(r->arena, structure->str, structure->len);
        g_bytes_unref(all);
    } else if (ec != EC_OK) {
        return ec;
    }
    if (envelope_out)
        *envelope_out = mime.envelope ? mime.envelope : "";
    if (structure_out)
        *structure_out = mime.structure ? mime.structure : "";
    return EC_OK;
}

enum ec mailbox_read_size(struct mailbox_reader *r, uint64_t mid, uint64_t *out) {
    struct message_mime mime;
    EC_TRY(mailbox_reader_check(r, mid));
    enum ec ec = find_mime(r, mid, &mime);
    if (ec == EC_NOT_FOUND) {
        GBytes *all;
        EC_TRY(make_mime(r, mid, &all));
        mime.size = g_bytes_get_size(all);
        g_bytes_unref(all);
    } else if (ec != EC_OK) {
        return ec;
    }
    *out = mime.size;
    return EC_OK;
}
