// `bourse export`, the half at the store: sends the messages of the folders, a piece at a time.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/control_channel.h"
#include "admin/mailbox_access.h"

#define READ_AT_ONCE 256         // messages in one snapshot, so that none is held for long
#define PROGRESS_INTERVAL 200000 // us

struct export_run {
    struct command_call *call;
    bool with_items; // whole messages are wanted, not mail
    struct mailbox *mailbox;
    const char *path; // the folder at hand
    uint64_t done, total, n_failed;
    gint64 shown;
};

static enum ec send_head(struct export_run *run, const struct message_row *row, uint64_t size) {
    uint32_t flags = row->flags & MSG_CLIENT_FLAGS;
    struct control_message head = {.uid = row->uid,
                                   .flags = run->with_items ? flags | CONTROL_ITEM : flags,
                                   .keywords = row->keywords,
                                   .received = row->received,
                                   .size = size};
    struct wire_writer w = wire_writer(FRAME_MAX);
    control_encode_message(&head, &w);
    return channel_send_writer(run->call->channel, FRAME_MESSAGE, &w);
}

// The message in pieces: EC_NOT_FOUND when it was expunged meanwhile.
static enum ec send_message(struct export_run *run, struct mailbox_reader *reader,
                            const struct message_row *row) {
    uint64_t size = row->size, pos = 0;
    if (!(row->flags & MSG_HAS_MIME))
        EC_TRY(mailbox_read_size(reader, row->mid, &size));
    do {
        g_autoptr(GBytes) piece = NULL;
        uint64_t want = MIN(size - pos, FRAME_CHUNK);
        if (want)
            EC_TRY(mailbox_read_mime_range(reader, row->mid, pos, want, &piece));
        gsize len = 0;
        const void *data = piece ? g_bytes_get_data(piece, &len) : NULL;
        if (want && len == 0)
            return EC_CORRUPT_DATA;
        if (pos == 0)
            EC_TRY(send_head(run, row, size));
        if (len)
            EC_TRY(channel_send(run->call->channel, FRAME_DATA, data, len));
        pos += len;
    } while (pos < size);
    return channel_send(run->call->channel, FRAME_END, NULL, 0);
}

static enum ec send_item(struct export_run *run, struct mailbox_reader *reader,
                         const struct message_row *row) {
    g_autoptr(GBytes) bytes = NULL;
    gsize len;
    EC_TRY(mailbox_read_item(reader, row->mid, &bytes));
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    EC_TRY(send_head(run, row, len));
    for (gsize pos = 0; pos < len; pos += FRAME_CHUNK)
        EC_TRY(channel_send(run->call->channel, FRAME_DATA, data + pos,
                            MIN(len - pos, (gsize)FRAME_CHUNK)));
    return channel_send(run->call->channel, FRAME_END, NULL, 0);
}

static void show_progress(struct export_run *run) {
    gint64 now = g_get_monotonic_time();
    if (now - run->shown < PROGRESS_INTERVAL || call_switch(run->call, "quiet"))
        return;
    run->shown = now;
    output_progress(run->call->out, "%3u%%  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "  %s",
                    (unsigned)(run->total ? MIN(run->done * 100 / run->total, 100) : 100),
                    run->done, run->total, run->path);
}

static enum ec send_rows(struct export_run *run, const struct mailbox_view *view, uint32_t *i) {
    struct mailbox_reader *reader;
    EC_TRY(mailbox_reader_open(run->mailbox, mailbox_view_fid(view), &reader));
    enum ec ec = EC_OK;
    for (unsigned n = 0; n < READ_AT_ONCE && *i < mailbox_view_count(view) && ec == EC_OK; n++) {
        const struct message_row *row = mailbox_view_row(view, (*i)++);
        ec = run->with_items ? send_item(run, reader, row) : send_message(run, reader, row);
        run->done++;
        show_progress(run);
        if (ec == EC_NOT_FOUND)
            ec = EC_OK;
        else if (ec != EC_OK && ec != EC_END_OF_SESSION) {
            run->n_failed++;
            call_fail(run->call, ec, "%s, message %u: %s", run->path, row->uid, ec_text(ec));
            ec = EC_OK;
        }
    }
    mailbox_reader_close(reader);
    return ec;
}

static enum ec send_folder(struct export_run *run, const struct mailbox_folder *folder) {
    struct mailbox_view *view;
    run->path = folder_path_text(run->call->arena, folder->path);
    EC_TRY(channel_send(run->call->channel, FRAME_FOLDER, run->path, strlen(run->path)));
    enum ec ec = mailbox_view_open(run->mailbox, folder->fid, &view);
    if (ec == EC_NOT_FOUND)
        return EC_OK; // deleted meanwhile
    EC_TRY(ec);
    for (uint32_t i = 0; i < mailbox_view_count(view) && ec == EC_OK;)
        ec = send_rows(run, view, &i);
    mailbox_view_free(view);
    return ec;
}

static enum ec send_folders(struct export_run *run, const struct mailbox_folder_list *folders) {
    for (unsigned i = 0; i < folders->n; i++)
        run->total += folders->items[i].n_messages;
    for (unsigned i = 0; i < folders->n; i++)
        EC_TRY(send_folder(run, &folders->items[i]));
    return EC_OK;
}

int export_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_option(call, "folder");
    struct mailbox_folder folder;
    struct mailbox_folder_list folders = {.items = &folder, .n = 1};
    if (!call_open_mailbox(call, 1, &mailbox) ||
        (path && !call_find_folder(call, mailbox, path, &folder)))
        return EXIT_FAILED;
    enum ec ec = path ? EC_OK : mailbox_list_folders(mailbox, call->arena, &folders);
    const char *format = call_option(call, "format");
    struct export_run run = {.call = call, .mailbox = mailbox};
    run.with_items = format && (strcmp(format, "msg") == 0 || strcmp(format, "vcf") == 0);
    if (ec == EC_OK)
        ec = send_folders(&run, &folders);
    if (ec != EC_OK)
        return call_fail(call, ec, "the export stopped: %s", ec_text(ec));
    return run.n_failed ? EXIT_FAILED : EXIT_DONE;
}
