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
#include "admin/item_file.h"
#include "admin/mbox_file.h"
#include "admin/pst_file.h"
#include "convert/tnef.h"
#include "convert/vcard.h"
#include "formats/mime.h"
#include "mapi/message_row.h"
#include "mapi/props.h"

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

// With a class (NULL: mail) for the case that it is made.
static void enter_folder_of(struct import_client *c, const char *folder,
                            const char *container_class) {
    if (g_strcmp0(c->folder, folder) == 0)
        return;
    g_free(c->folder);
    c->folder = g_strdup(folder);
    g_autoptr(GString) frame = g_string_new(folder);
    if (container_class && *container_class) {
        g_string_append_c(frame, '\0');
        g_string_append(frame, container_class);
    }
    send_frame(c, FRAME_FOLDER, frame->str, MIN(frame->len, FRAME_MAX));
}

static void enter_folder(struct import_client *c, const char *folder) {
    enter_folder_of(c, folder, NULL);
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
    bool is_text = !(head->flags & CONTROL_ITEM) && arguments_has(c->call->arguments, "crlf");
    g_autoptr(GBytes) content = is_text ? with_crlf(bytes) : g_bytes_ref(bytes);
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

// --- Messages that are no mail ---

// Flags as IMAP has them.
static uint32_t flags_of(const struct bag *bag) {
    int flags = bag_long(bag, PidTagMessageFlags, 0),
        verb = bag_long(bag, PidTagLastVerbExecuted, 0);
    uint32_t out = CONTROL_ITEM;
    out |= flags & 0x01 ? MSG_READ : 0;
    out |= flags & 0x08 ? MSG_DRAFT : 0; // not sent
    out |= bag_long(bag, PidTagFlagStatus, 0) == 2 ? MSG_FLAGGED : 0;
    out |= verb == 102 || verb == 103 ? MSG_ANSWERED : 0; // a reply, a reply to all
    return out;
}

static void send_item(struct import_client *c, const char *folder, const char *what,
                      const struct message_value *m, uint32_t more_flags, filetime_t otherwise) {
    g_autoptr(GBytes) bytes = NULL;
    enum ec ec = convert_message_to_tnef(m, NULL, TNEF_WHOLE, &bytes);
    if (ec != EC_OK) {
        import_sources_skip(&c->sources, what, ec_text(ec), true);
        return;
    }
    filetime_t received = bag_time(m->bag, PidTagMessageDeliveryTime);
    if (!received)
        received = bag_time(m->bag, PidTagClientSubmitTime);
    struct control_message head = {.flags = flags_of(m->bag) | more_flags,
                                   .received = received ? received : otherwise,
                                   .size = g_bytes_get_size(bytes)};
    send_message(c, folder, what, bytes, &head);
}

static void import_cards(struct import_client *c, const struct import_source *source,
                         GBytes *bytes) {
    gsize len;
    const char *p = g_bytes_get_data(bytes, &len), *end = p + len;
    struct message_value *m;
    unsigned n = 0;
    while (!is_stopped(c) && convert_vcard_next(&p, end, &m)) {
        g_autofree char *what = g_strdup_printf("%s, card %u", source->path, ++n);
        send_item(c, source->folder, what, m, MSG_READ, source->modified);
        message_value_free(m);
    }
    if (n == 0)
        import_sources_skip(&c->sources, source->path, "there is no vCard in it", true);
}

static void import_item(struct import_client *c, const struct import_source *source) {
    g_autoptr(GBytes) bytes = map_file(c, source->path);
    enum item_format format = item_format_of_file(source->path);
    struct item_file file;
    if (!bytes)
        return;
    if (format == ITEM_VCARD) {
        enter_folder_of(c, source->folder, "IPF.Contact");
        import_cards(c, source, bytes);
    } else {
        gsize len;
        const void *data = g_bytes_get_data(bytes, &len);
        enum ec ec = item_file_open(format, data ? data : "", len, &file);
        if (ec == EC_OK) {
            send_item(c, source->folder, source->path, file.first, 0, source->modified);
            item_file_close(&file);
        } else {
            import_sources_skip(&c->sources, source->path, "not a file of its kind, or broken",
                                true);
        }
    }
    c->done_bytes += source->size;
}

// --- Outlook data files ---

struct pst_import {
    struct import_client *c;
    const struct import_source *source;
    char *folder;
    uint64_t before; // bytes done
    unsigned total;
};

// Names that Outlook has for special folders of ours.
static const char *our_name(const char *path) {
    return g_ascii_strcasecmp(path, "Junk E-mail") == 0 ? "Junk Email" : path;
}

static void pst_folder(void *ctx, const char *path, const char *container_class) {
    struct pst_import *i = ctx;
    const char *base = i->source->folder;
    g_free(i->folder);
    if (*base && *path && !i->c->sources.is_flat)
        i->folder = g_strconcat(base, "/", path, NULL);
    else if (*base)
        i->folder = g_strdup(base);
    else
        i->folder = g_strdup(*path && !i->c->sources.is_flat ? our_name(path) : "Inbox");
    enter_folder_of(i->c, i->folder, container_class);
}

static void pst_message(void *ctx, const struct message_value *m, bool is_associated,
                        unsigned number) {
    struct pst_import *i = ctx;
    g_autofree char *what =
        g_strdup_printf("%s, %s, message %u", i->source->path, i->folder, number);
    i->c->done_bytes = i->before + i->source->size * number / MAX(i->total, 1u);
    if (m)
        send_item(i->c, i->folder, what, m, is_associated ? MSG_ASSOCIATED : 0,
                  i->source->modified);
    else
        import_sources_skip(&i->c->sources, what, "it cannot be read", true);
    show_progress(i->c);
}

static bool pst_is_stopped(void *ctx) {
    return is_stopped(((struct pst_import *)ctx)->c);
}

static void import_pst(struct import_client *c, const struct import_source *source) {
    g_autofree char *error = NULL;
    struct pst_file *pst = pst_open(source->path, &error);
    if (!pst) {
        import_sources_skip(&c->sources, source->path, error, true);
        return;
    }
    struct pst_import i = {.c = c, .source = source, .before = c->done_bytes};
    const struct pst_visitor visitor = {&i, pst_folder, pst_message, pst_is_stopped};
    i.total = pst_count(pst);
    pst_walk(pst, &visitor);
    pst_close(pst);
    c->done_bytes = i.before + source->size;
    g_free(i.folder);
}

static void import_source(struct import_client *c, const struct import_source *source) {
    switch (source->kind) {
    case SOURCE_MBOX:
        import_mbox(c, source);
        break;
    case SOURCE_ITEM:
        import_item(c, source);
        break;
    case SOURCE_PST:
        import_pst(c, source);
        break;
    case SOURCE_MESSAGE:
        import_file(c, source);
    }
}

static void import_all(struct import_client *c) {
    for (unsigned i = 0; i < c->sources.folders->len && !is_stopped(c); i++)
        enter_folder(c, c->sources.folders->pdata[i]);
    for (unsigned i = 0; i < c->sources.items->len && !is_stopped(c); i++) {
        import_source(c, c->sources.items->pdata[i]);
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
