// `bourse import`, the half at the store: takes messages off the channel, adds them in batches, and
// says of each what became of it.
//
// A message is known by its folder, its bytes and how many like it came before in this run: an
// import that is given again adds only what is missing, and two equal messages stay two. The store
// remembers these ids in the same transaction as the message.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/control_channel.h"
#include "admin/import_limits.h"
#include "admin/mailbox_access.h"
#include "convert/tnef.h"

#define BATCH_MESSAGES 64
#define BATCH_BYTES (8 * 1024 * 1024)

struct import_run {
    struct command_call *call;
    struct mailbox *mailbox;
    uint64_t fid;
    enum ec folder_ec; // of the folder at hand
    char *folder;
    bool is_again;
    GHashTable *counts; // hash (hex) -> how many so far

    GByteArray *body; // of the message that is coming; NULL: none is, or it is too large
    struct control_message head;
    char *head_keywords;
    bool is_open;

    struct mailbox_import batch[BATCH_MESSAGES];
    unsigned n_batch;
    size_t batch_bytes;
};

static enum ec send_result(struct import_run *run, enum ec ec) {
    struct control_result result = {.outcome = ec == EC_OK                 ? OUTCOME_ADDED
                                               : ec == EC_DUPLICATE_OBJECT ? OUTCOME_KNOWN
                                                                           : OUTCOME_FAILED,
                                    .ec = ec};
    struct wire_writer w = wire_writer(64);
    control_encode_result(&result, &w);
    return channel_send_writer(run->call->channel, FRAME_RESULT, &w);
}

static void clear_batch(struct import_run *run) {
    for (unsigned i = 0; i < run->n_batch; i++) {
        g_clear_pointer(&run->batch[i].mime, g_bytes_unref);
        message_value_free(run->batch[i].value);
        g_free((char *)run->batch[i].keywords);
        g_free((char *)run->batch[i].import_id);
    }
    run->n_batch = 0;
    run->batch_bytes = 0;
}

static enum ec flush_batch(struct import_run *run) {
    enum ec ec = EC_OK;
    mailbox_import(run->mailbox, run->fid, run->batch, run->n_batch);
    for (unsigned i = 0; i < run->n_batch && ec == EC_OK; i++)
        ec = send_result(run, run->batch[i].result);
    clear_batch(run);
    return ec;
}

// Makes the folder when it is missing.
static enum ec open_folder(struct import_run *run, const char *path, const char *container_class) {
    struct mailbox_folder folder;
    enum ec ec = mailbox_find_folder(run->mailbox, run->call->arena, path, &folder);
    if (ec == EC_NOT_FOUND)
        return mailbox_create_folder_of_class(run->mailbox, path, container_class, &run->fid);
    if (ec == EC_OK)
        run->fid = folder.fid;
    return ec;
}

static enum ec take_folder(struct import_run *run, const struct frame *frame) {
    EC_TRY(flush_batch(run));
    g_free(run->folder);
    run->folder = g_strndup((const char *)frame->data, frame->len);
    size_t n = strlen(run->folder);
    g_autofree char *class =
        n < frame->len ? g_strndup((const char *)frame->data + n + 1, frame->len - n - 1) : NULL;
    run->folder_ec = open_folder(run, run->folder, class);
    return EC_OK;
}

static enum ec take_message(struct import_run *run, const struct frame *frame) {
    ARENA_AUTO arena = arena_new();
    if (run->is_open || !run->folder)
        return EC_FORMAT_ERROR;
    EC_TRY(control_decode_message(frame->data, frame->len, arena, &run->head));
    g_free(run->head_keywords);
    run->head_keywords = g_strdup(run->head.keywords);
    run->is_open = true;
    run->body = g_byte_array_new();
    return EC_OK;
}

static enum ec take_data(struct import_run *run, const struct frame *frame) {
    if (!run->is_open)
        return EC_FORMAT_ERROR;
    if (run->body && run->body->len + frame->len > IMPORT_MESSAGE_MAX)
        g_clear_pointer(&run->body, g_byte_array_unref);
    if (run->body)
        g_byte_array_append(run->body, frame->data, (guint)frame->len);
    return EC_OK;
}

static char *import_id(struct import_run *run, const GByteArray *body) {
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *folder = g_utf8_casefold(run->folder, -1);
    g_checksum_update(sum, (const guchar *)folder, (gssize)strlen(folder) + 1);
    g_checksum_update(sum, body->data, body->len);
    const char *hex = g_checksum_get_string(sum);
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(run->counts, hex));
    g_hash_table_insert(run->counts, g_strdup(hex), GUINT_TO_POINTER(count + 1));
    return g_strdup_printf("import-%s-%u", hex, count);
}

static enum ec take_end(struct import_run *run) {
    if (!run->is_open)
        return EC_FORMAT_ERROR;
    run->is_open = false;
    GByteArray *body = g_steal_pointer(&run->body);
    if (!body || run->folder_ec != EC_OK) {
        // Results come in the order of the messages.
        EC_TRY(flush_batch(run));
        enum ec ec = body ? run->folder_ec : EC_MESSAGE_TOO_BIG;
        if (body)
            g_byte_array_unref(body);
        return send_result(run, ec);
    }
    struct message_value *value = NULL;
    if (run->head.flags & CONTROL_ITEM) {
        enum ec ec = convert_tnef_to_message(body->data, body->len, &value);
        if (ec != EC_OK) {
            g_byte_array_unref(body);
            EC_TRY(flush_batch(run));
            return send_result(run, ec);
        }
    }
    run->batch_bytes += body->len;
    // Before the initializer: the order in which its values are made is not fixed.
    char *id = run->is_again ? NULL : import_id(run, body);
    run->batch[run->n_batch++] = (struct mailbox_import){
        .import_id = id,
        .flags = run->head.flags,
        .keywords = g_steal_pointer(&run->head_keywords),
        .received = run->head.received,
        .value = value,
        .mime = value ? NULL : g_byte_array_free_to_bytes(body),
    };
    if (value)
        g_byte_array_unref(body);
    bool is_full = run->n_batch == BATCH_MESSAGES || run->batch_bytes >= BATCH_BYTES;
    return is_full ? flush_batch(run) : EC_OK;
}

static enum ec take_frame(struct import_run *run, const struct frame *frame) {
    switch (frame->type) {
    case FRAME_FOLDER:
        return run->is_open ? EC_FORMAT_ERROR : take_folder(run, frame);
    case FRAME_MESSAGE:
        return take_message(run, frame);
    case FRAME_DATA:
        return take_data(run, frame);
    case FRAME_END:
        return take_end(run);
    default:
        return EC_FORMAT_ERROR;
    }
}

static enum ec take_all(struct import_run *run) {
    for (;;) {
        struct frame frame;
        EC_TRY(channel_receive(run->call->channel, &frame));
        if (frame.type == FRAME_FINISH)
            return flush_batch(run);
        EC_TRY(take_frame(run, &frame));
    }
}

int import_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    struct import_run run = {.call = call,
                             .mailbox = mailbox,
                             .is_again = call_switch(call, "again"),
                             .counts =
                                 g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    // Tells the client that messages may come.
    enum ec ec = channel_send(call->channel, FRAME_FINISH, NULL, 0);
    if (ec == EC_OK)
        ec = take_all(&run);
    clear_batch(&run);
    if (run.body)
        g_byte_array_unref(run.body);
    g_free(run.head_keywords);
    g_free(run.folder);
    g_hash_table_unref(run.counts);
    if (ec == EC_FORMAT_ERROR)
        return call_fail(call, ec, "the import was not understood; use the program of the server");
    return ec == EC_OK ? EXIT_DONE : EXIT_FAILED;
}
