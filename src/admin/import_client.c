// `bourse import`, the half with the administrator's files: reads them and sends message after
// message; a few are under way at any time, so that the store can add them in batches.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/control_client.h"
#include "admin/import_limits.h"
#include "admin/import_source.h"
#include "admin/mbox_file.h"
#include "formats/mime.h"

// Messages sent whose result has not come yet: more than one batch of the other half, so that it
// never waits for more while this half waits for results.
#define WINDOW 200
#define PROGRESS_INTERVAL 200000 // us

struct import_client {
    struct client_call *call;
    struct import_sources sources;
    GQueue pending; // char *: where each message under way came from
    char *folder;   // that the other half was told last
    uint64_t n_added, n_known, done_bytes;
    gint64 shown; // when progress was shown last
    bool is_quiet, is_over;
    int status; // of FRAME_DONE
    enum ec ec; // why it stops; EC_OK: it does not
};

// --- Results ---

static const char *reason_text(enum ec ec) {
    switch (ec) {
    case EC_MESSAGE_TOO_BIG:
        return "larger than the limit of 512 MB";
    case EC_DISK_FULL:
        return "the disk is full; make room and run the command again";
    case EC_BAD_FOLDER_NAME:
    case EC_INVALID_PARAMETER:
        return "the folder's name is not allowed";
    default:
        return ec_text(ec);
    }
}

static void take_result(struct import_client *c, const struct control_result *result) {
    g_autofree char *what = g_queue_pop_head(&c->pending);
    switch (result->outcome) {
    case OUTCOME_ADDED:
        c->n_added++;
        break;
    case OUTCOME_KNOWN:
        c->n_known++;
        break;
    case OUTCOME_FAILED:
        import_sources_skip(&c->sources, what ? what : "?", reason_text(result->ec), true);
        if (result->ec == EC_DISK_FULL || result->ec == EC_DISK_ERROR)
            c->ec = result->ec; // every other one would fail as well
    }
}

static void show_progress(struct import_client *c) {
    gint64 now = g_get_monotonic_time();
    if (c->is_quiet || !c->call->is_terminal || now - c->shown < PROGRESS_INTERVAL)
        return;
    c->shown = now;
    char bar[31];
    uint64_t size = MAX(c->sources.size, 1);
    unsigned filled = (unsigned)MIN(30, c->done_bytes * 30 / size);
    memset(bar, '.', 30);
    memset(bar, '#', filled);
    bar[30] = '\0';
    g_autofree char *line = g_strdup_printf("[%s] %3u%%  %" G_GUINT64_FORMAT
                                            " imported, %" G_GUINT64_FORMAT " known, %u skipped",
                                            bar, (unsigned)MIN(100, c->done_bytes * 100 / size),
                                            c->n_added, c->n_known, c->sources.skipped->len);
    client_progress(c->call, line);
}

// Takes one frame from the other half.
static void take_frame(struct import_client *c) {
    struct frame frame;
    struct control_result result;
    enum ec ec = channel_receive(c->call->channel, &frame);
    if (ec == EC_OK && frame.type == FRAME_RESULT)
        ec = control_decode_result(frame.data, frame.len, &result);
    if (ec != EC_OK) {
        c->status = client_lost(c->call, ec);
        c->is_over = true;
    } else if (frame.type == FRAME_RESULT)
        take_result(c, &result);
    else if (client_take_output(c->call, &frame, &c->status))
        c->is_over = true;
}

// --- Sending ---

static bool is_stopped(const struct import_client *c) {
    return c->is_over || c->ec != EC_OK;
}

static void send_frame(struct import_client *c, enum frame_type type, const void *data,
                       size_t len) {
    if (!c->is_over && channel_send(c->call->channel, type, data, len) != EC_OK)
        take_frame(c); // the other half has said why, or is gone
}

static void enter_folder(struct import_client *c, const char *folder) {
    if (g_strcmp0(c->folder, folder) == 0)
        return;
    g_free(c->folder);
    c->folder = g_strdup(folder);
    send_frame(c, FRAME_FOLDER, folder, MIN(strlen(folder), FRAME_MAX));
}

// LF without a CR before it becomes CRLF.
static GBytes *with_crlf(GBytes *bytes) {
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    GByteArray *out = g_byte_array_sized_new((guint)MIN(len + len / 32, G_MAXUINT));
    for (const char *p = data, *end = data + len; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf ? lf : end;
        g_byte_array_append(out, (const guint8 *)p, (guint)(stop - p));
        if (lf)
            g_byte_array_append(out, (const guint8 *)"\r\n", 2);
        if (lf && stop > p && stop[-1] == '\r') {
            g_byte_array_set_size(out, out->len - 2);
            g_byte_array_append(out, (const guint8 *)"\n", 1);
        }
        p = lf ? lf + 1 : end;
    }
    return g_byte_array_free_to_bytes(out);
}

// When the message arrived, by its header: the first Received field's date, else Date. 0: unknown.
static filetime_t header_date(GBytes *bytes) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct mime_message *m = mime_scan(arena, data, MIN(len, 256 * 1024));
    const char *received = mime_header_raw(arena, m, m->root, "Received");
    const char *semicolon = received ? strrchr(received, ';') : NULL;
    int64_t t;
    int zone;
    if (semicolon && mime_parse_date(semicolon + 1, &t, &zone) && t > 0)
        return filetime_from_unix(t);
    const char *date = mime_header_raw(arena, m, m->root, "Date");
    if (date && mime_parse_date(date, &t, &zone) && t > 0)
        return filetime_from_unix(t);
    return 0;
}

// Sends one message and takes what results are there. `what` says where it came from.
static void send_message(struct import_client *c, const char *folder, const char *what,
                         GBytes *bytes, const struct control_message *head) {
    if (g_bytes_get_size(bytes) > IMPORT_MESSAGE_MAX) {
        import_sources_skip(&c->sources, what, reason_text(EC_MESSAGE_TOO_BIG), true);
        return;
    }
    g_autoptr(GBytes) content =
        arguments_has(c->call->arguments, "crlf") ? with_crlf(bytes) : g_bytes_ref(bytes);
    gsize len;
    const char *data = g_bytes_get_data(content, &len);
    struct wire_writer w = wire_writer(FRAME_MAX);
    control_encode_message(head, &w);
    g_autoptr(GByteArray) encoded = wire_writer_take(&w);
    enter_folder(c, folder);
    send_frame(c, FRAME_MESSAGE, encoded->data, encoded->len);
    for (size_t pos = 0; pos < len && !c->is_over; pos += FRAME_CHUNK)
        send_frame(c, FRAME_DATA, data + pos, MIN(len - pos, FRAME_CHUNK));
    send_frame(c, FRAME_END, NULL, 0);
    g_queue_push_tail(&c->pending, g_strdup(what));
    while (!c->is_over && (c->pending.length >= WINDOW || channel_has_input(c->call->channel)))
        take_frame(c);
    show_progress(c);
}

// --- Reading ---

// The file's bytes, mapped; NULL and a skip when it cannot be read.
static GBytes *map_file(struct import_client *c, const char *path) {
    g_autoptr(GError) error = NULL;
    GMappedFile *file = g_mapped_file_new(path, FALSE, &error);
    if (!file) {
        import_sources_skip(&c->sources, path, error->message, true);
        return NULL;
    }
    GBytes *bytes = g_mapped_file_get_bytes(file);
    g_mapped_file_unref(file);
    return bytes;
}

static void import_file(struct import_client *c, const struct import_source *source) {
    g_autoptr(GBytes) bytes = map_file(c, source->path);
    if (!bytes)
        return;
    bool by_file = source->is_maildir || arguments_has(c->call->arguments, "file-dates");
    filetime_t date = by_file ? source->modified : header_date(bytes);
    struct control_message head = {.flags = source->flags,
                                   .keywords = source->keywords,
                                   .received = date ? date : source->modified,
                                   .size = g_bytes_get_size(bytes)};
    send_message(c, source->folder, source->path, bytes, &head);
    c->done_bytes += source->size;
}

static enum mbox_quoting quoting(const struct import_client *c) {
    const char *text = arguments_option(c->call->arguments, "mbox-quoting");
    return !text                       ? MBOX_AUTO
           : strcmp(text, "rd") == 0   ? MBOX_RD
           : strcmp(text, "none") == 0 ? MBOX_NONE
                                       : MBOX_AUTO;
}

static void import_mbox(struct import_client *c, const struct import_source *source) {
    g_autoptr(GBytes) bytes = map_file(c, source->path);
    if (!bytes)
        return;
    gsize len;
    struct mbox_file_cursor cursor = {.quoting = quoting(c)};
    cursor.data = g_bytes_get_data(bytes, &len);
    cursor.len = len;
    struct mbox_file_entry entry;
    uint64_t before = c->done_bytes;
    for (unsigned n = 1; !is_stopped(c) && mbox_file_next(&cursor, &entry); n++) {
        g_autofree char *what = g_strdup_printf("%s, message %u", source->path, n);
        c->done_bytes = before + cursor.pos;
        if (entry.is_internal) {
            import_sources_skip(&c->sources, what, "a mail program's own data, not a message",
                                false);
            continue;
        }
        g_autoptr(GBytes) content = mbox_file_content(&entry);
        filetime_t date = entry.date ? entry.date : header_date(content);
        struct control_message head = {.flags = entry.flags,
                                       .keywords = entry.keywords,
                                       .received = date ? date : source->modified,
                                       .size = g_bytes_get_size(content)};
        send_message(c, source->folder, what, content, &head);
    }
    c->done_bytes = before + source->size;
}

static void import_all(struct import_client *c) {
    for (unsigned i = 0; i < c->sources.folders->len && !is_stopped(c); i++)
        enter_folder(c, c->sources.folders->pdata[i]);
    for (unsigned i = 0; i < c->sources.items->len && !is_stopped(c); i++) {
        const struct import_source *source = c->sources.items->pdata[i];
        if (source->kind == SOURCE_MBOX)
            import_mbox(c, source);
        else
            import_file(c, source);
        show_progress(c);
    }
    send_frame(c, FRAME_FINISH, NULL, 0);
    while (!c->is_over)
        take_frame(c);
}

// --- The end ---

static void report(struct import_client *c) {
    struct output *out = c->call->out;
    GPtrArray *skipped = c->sources.skipped;
    client_progress(c->call, NULL);
    if (output_is_json(out)) {
        output_object_begin(out, NULL);
        output_number(out, "imported", c->n_added);
        output_number(out, "known", c->n_known);
        output_array_begin(out, "skipped");
        for (unsigned i = 0; i < skipped->len; i++) {
            const struct import_skip *skip = skipped->pdata[i];
            output_object_begin(out, NULL);
            output_string(out, "source", skip->what);
            output_string(out, "reason", skip->why);
            output_object_end(out);
        }
        output_array_end(out);
        output_object_end(out);
        return;
    }
    for (unsigned i = 0; i < skipped->len && !c->is_quiet; i++) {
        const struct import_skip *skip = skipped->pdata[i];
        output_say(out, "skipped %s: %s", skip->what, skip->why);
    }
    output_say(out, "%" G_GUINT64_FORMAT " message%s imported, %u skipped.", c->n_added,
               c->n_added == 1 ? "" : "s", skipped->len);
    if (c->n_known)
        output_say(out,
                   "%" G_GUINT64_FORMAT
                   " were imported before and passed over (--again imports them "
                   "once more).",
                   c->n_known);
}

// Waits until the other half has opened the mailbox. False: it is over already.
static bool wait_until_welcome(struct import_client *c) {
    for (;;) {
        struct frame frame;
        enum ec ec = channel_receive(c->call->channel, &frame);
        if (ec != EC_OK) {
            c->status = client_lost(c->call, ec);
            return false;
        }
        if (frame.type == FRAME_FINISH)
            return true;
        if (client_take_output(c->call, &frame, &c->status))
            return false;
    }
}

int import_client(struct client_call *call) {
    struct import_client c = {.call = call, .status = EXIT_FAILED};
    const char *folder = arguments_option(call->arguments, "folder");
    c.is_quiet = arguments_has(call->arguments, "quiet");
    g_queue_init(&c.pending);
    if (!wait_until_welcome(&c))
        return c.status;
    import_sources_init(&c.sources, folder, arguments_has(call->arguments, "flat"));
    for (unsigned i = 2; i < call->arguments->n; i++)
        import_sources_add(&c.sources, call->arguments->items[i]);
    import_all(&c);
    report(&c);
    bool complete = c.status == EXIT_DONE;
    for (unsigned i = 0; i < c.sources.skipped->len; i++)
        complete &= !((const struct import_skip *)c.sources.skipped->pdata[i])->is_failure;
    g_queue_clear_full(&c.pending, g_free);
    import_sources_clear(&c.sources);
    g_free(c.folder);
    return complete ? EXIT_DONE : EXIT_FAILED;
}
