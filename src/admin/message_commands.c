// `bourse message`: what is in a folder, and one message as it is stored.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "base/text.h"
#include "formats/mime.h"

static void print_flags(struct output *out, const struct message_row *row) {
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {{MSG_READ, "read"},
                 {MSG_ANSWERED, "answered"},
                 {MSG_FLAGGED, "flagged"},
                 {MSG_DELETED, "deleted"},
                 {MSG_DRAFT, "draft"}};
    output_array_begin(out, "flags");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (row->flags & names[i].flag)
            output_string(out, NULL, names[i].name);
    if (row->keywords) {
        g_auto(GStrv) keywords = g_strsplit(row->keywords, " ", -1);
        for (char **k = keywords; *k; k++)
            output_string(out, NULL, *k);
    }
    output_array_end(out);
}

// The value of a header field in the first bytes of a message, unfolded; NULL: not there.
static char *header_value(const char *data, size_t len, const char *name) {
    size_t name_len = strlen(name);
    GString *value = NULL;
    for (const char *line = data, *end = data + len; line < end;) {
        const char *eol = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((eol ? eol : end) - line);
        if (n && line[n - 1] == '\r')
            n--;
        if (n == 0)
            break;
        if (value && (*line == ' ' || *line == '\t'))
            g_string_append_len(value, line, (gssize)n);
        else if (value)
            break;
        else if (n > name_len && line[name_len] == ':' &&
                 g_ascii_strncasecmp(line, name, name_len) == 0)
            value = g_string_new_len(line + name_len + 1, (gssize)(n - name_len - 1));
        line = eol ? eol + 1 : end;
    }
    return value ? g_strstrip(g_string_free(value, FALSE)) : NULL;
}

#define HEADER_BYTES 16384 // enough for the fields that a list shows

static void print_fields(struct command_call *call, struct mailbox_reader *reader,
                         const struct message_row *row) {
    g_autoptr(GBytes) head = NULL;
    if (mailbox_read_mime_range(reader, row->mid, 0, MIN(HEADER_BYTES, MAX(row->size, 1)), &head) !=
        EC_OK)
        return;
    gsize len;
    const char *data = g_bytes_get_data(head, &len);
    static const char *const fields[][2] = {
        {"From", "from"}, {"Subject", "subject"}, {"Date", "date"}, {"Message-ID", "message_id"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *raw = data ? header_value(data, len, fields[i][0]) : NULL;
        if (raw)
            output_string(call->out, fields[i][1], mime_decode_words(call->arena, raw, NULL));
    }
}

static void print_row(struct command_call *call, struct mailbox_reader *reader,
                      const struct message_row *row) {
    output_object_begin(call->out, NULL);
    output_number(call->out, "uid", row->uid);
    output_time(call->out, "received", row->received);
    output_number(call->out, "size", row->size);
    print_flags(call->out, row);
    print_fields(call, reader, row);
    output_number(call->out, "id", row->mid);
    output_number(call->out, "modseq", row->modseq);
    output_object_end(call->out);
}

#define READ_AT_ONCE 256 // messages in one snapshot, so that a long list holds none for long

static int list_rows(struct command_call *call, struct mailbox *mailbox,
                     const struct mailbox_view *view, uint32_t limit) {
    uint32_t count = mailbox_view_count(view), n = MIN(count, limit);
    bool newest = call_switch(call, "newest");
    for (uint32_t done = 0; done < n && !output_is_broken(call->out);) {
        struct mailbox_reader *reader;
        enum ec ec = mailbox_reader_open(mailbox, mailbox_view_fid(view), &reader);
        if (ec != EC_OK)
            return call_fail(call, ec, "cannot read the folder: %s", ec_text(ec));
        for (uint32_t i = 0; i < READ_AT_ONCE && done < n; i++, done++)
            print_row(call, reader, mailbox_view_row(view, newest ? count - 1 - done : done));
        mailbox_reader_close(reader);
    }
    return EXIT_DONE;
}

int message_list_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_option(call, "folder");
    struct mailbox_folder folder;
    struct mailbox_view *view;
    uint64_t limit = UINT32_MAX;
    if (!call_option_number(call, "limit", UINT32_MAX, &limit) ||
        !call_open_mailbox(call, 1, &mailbox) ||
        !call_find_folder(call, mailbox, path ? path : "Inbox", &folder))
        return EXIT_FAILED;
    enum ec ec = mailbox_view_open(mailbox, folder.fid, &view);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the folder: %s", ec_text(ec));
    output_list_begin(call->out, "uid:6 received:20 size:9 flags:12 from:28 subject");
    int status = list_rows(call, mailbox, view, (uint32_t)limit);
    if (status == EXIT_DONE)
        output_list_end(call->out);
    mailbox_view_free(view);
    return status;
}

// Bytes up to and with the empty line that ends the header.
static size_t header_length(const char *data, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (data[i] == '\n' && ((i + 1 < len && data[i + 1] == '\n') ||
                                (i + 2 < len && data[i + 1] == '\r' && data[i + 2] == '\n')))
            return i + (data[i + 1] == '\n' ? 2 : 3);
    return len;
}

static int show_message(struct command_call *call, struct mailbox *mailbox,
                        const struct mailbox_view *view, const struct message_row *row) {
    struct mailbox_reader *reader;
    g_autoptr(GBytes) mime = NULL;
    enum ec ec = mailbox_reader_open(mailbox, mailbox_view_fid(view), &reader);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the folder: %s", ec_text(ec));
    ec = mailbox_read_mime(reader, row->mid, &mime);
    if (ec == EC_OK) {
        gsize len;
        const char *data = g_bytes_get_data(mime, &len);
        if (call_switch(call, "headers"))
            len = data ? header_length(data, len) : 0;
        if (output_is_json(call->out)) {
            output_object_begin(call->out, NULL);
            output_number(call->out, "uid", row->uid);
            output_time(call->out, "received", row->received);
            output_number(call->out, "size", row->size);
            print_flags(call->out, row);
            print_fields(call, reader, row);
            output_string(call->out, "mime", text_clean(call->arena, data ? data : "", len, NULL));
            output_object_end(call->out);
        } else
            output_raw(call->out, data, len);
    }
    mailbox_reader_close(reader);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read message %u: %s", row->uid, ec_text(ec));
    return EXIT_DONE;
}

int message_show_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *path = call_option(call, "folder");
    struct mailbox_folder folder;
    struct mailbox_view *view;
    guint64 uid;
    path = path ? path : "Inbox";
    if (!g_ascii_string_to_unsigned(call_argument(call, 2), 10, 1, UINT32_MAX, &uid, NULL))
        return call_fail(call, EC_INVALID_PARAMETER,
                         "'%s' is not a message's UID; `bourse message list` shows them",
                         call_argument(call, 2));
    if (!call_open_mailbox(call, 1, &mailbox) || !call_find_folder(call, mailbox, path, &folder))
        return EXIT_FAILED;
    enum ec ec = mailbox_view_open(mailbox, folder.fid, &view);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the folder: %s", ec_text(ec));
    uint32_t i = mailbox_view_find_uid(view, (uint32_t)uid);
    const struct message_row *row = i < mailbox_view_count(view) ? mailbox_view_row(view, i) : NULL;
    int status = row && row->uid == uid
                     ? show_message(call, mailbox, view, row)
                     : call_fail(call, EC_NOT_FOUND,
                                 "there is no message %u in '%s'; `bourse message list` lists them",
                                 (unsigned)uid, path);
    mailbox_view_free(view);
    return status;
}
