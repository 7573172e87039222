// `bourse export`, the half with the administrator's files: writes each message as it comes, so
// that the memory needed does not depend on the mailbox.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/control_client.h"
#include "admin/import_source.h"
#include "admin/maildir.h"
#include "admin/mbox_file.h"
#include "convert/msg.h"
#include "convert/tnef.h"
#include "convert/vcard.h"
#include "mapi/message_row.h"

enum export_format { EXPORT_EML, EXPORT_MBOX, EXPORT_MAILDIR, EXPORT_MSG, EXPORT_VCF };
#define ITEM_MAX (1024u * 1024 * 1024) // bytes of a message that is held in memory

struct export_client {
    struct client_call *call;
    enum export_format format;
    bool is_single; // --folder: OUT is the folder itself
    char *out;
    char *error; // what failed on this side; NULL: nothing

    char *folder_path; // directory (eml, maildir) or file (mbox) of the folder at hand
    struct maildir_keywords keywords;
    struct mbox_file_writer mbox;
    int fd; // of the message (eml, maildir) or mbox that is being written; -1: none
    char *file_path;
    struct control_message head;
    char *head_keywords;
    GString *buffer;  // quoted mbox text
    GByteArray *item; // of the message that is coming (msg, vcf); NULL: none is
    uint64_t n_messages, n_folders, n_bytes;
};

static void fail(struct export_client *c, const char *path, int error) {
    if (!c->error)
        c->error = g_strdup_printf("%s: %s", path, g_strerror(error));
}

static void write_all(struct export_client *c, const char *data, size_t len) {
    while (len && !c->error) {
        ssize_t n = write(c->fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fail(c, c->file_path, n < 0 ? errno : ENOSPC);
            return;
        }
        data += n, len -= (size_t)n;
    }
}

static void make_directory(struct export_client *c, const char *path) {
    if (!c->error && g_mkdir_with_parents(path, 0700) != 0)
        fail(c, path, errno);
}

static void open_file(struct export_client *c, const char *path) {
    g_free(c->file_path);
    c->file_path = g_strdup(path);
    c->fd = c->error ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (c->fd < 0 && !c->error)
        fail(c, path, errno);
}

static void close_file(struct export_client *c, bool with_date) {
    if (c->fd < 0)
        return;
    if (with_date && c->head.received) {
        int64_t seconds = filetime_to_unix(c->head.received);
        struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
        futimens(c->fd, times); // the date that an import takes back
    }
    if (close(c->fd) != 0)
        fail(c, c->file_path, errno);
    c->fd = -1;
}

// --- Folders ---

// Where a folder goes below OUT: its path with each name as a file name, and `suffix`.
static char *place_of(const struct export_client *c, const char *folder, const char *suffix) {
    g_auto(GStrv) names = g_strsplit(folder, "/", -1);
    GString *path = g_string_new(c->out);
    for (char **n = names; *n; n++) {
        g_autofree char *file = folder_name_to_file(*n);
        g_string_append_printf(path, "/%s", file);
    }
    g_string_append(path, suffix);
    return g_string_free(path, FALSE);
}

static void leave_folder(struct export_client *c) {
    if (c->format == EXPORT_MBOX || c->format == EXPORT_VCF)
        close_file(c, false);
    if (c->format == EXPORT_MAILDIR && c->folder_path) {
        g_autofree char *text = maildir_keywords_text(&c->keywords);
        g_autofree char *path = g_build_filename(c->folder_path, "dovecot-keywords", NULL);
        if (text && !c->error && !g_file_set_contents(path, text, -1, NULL))
            fail(c, path, errno);
        maildir_keywords_clear(&c->keywords);
    }
    g_clear_pointer(&c->folder_path, g_free);
}

static void enter_maildir(struct export_client *c, const char *folder) {
    static const char *const parts[] = {"cur", "new", "tmp"};
    g_autofree char *name = maildir_directory_name(folder);
    bool is_root = c->is_single || g_ascii_strcasecmp(folder, "Inbox") == 0;
    c->folder_path = is_root ? g_strdup(c->out) : g_build_filename(c->out, name, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *sub = g_build_filename(c->folder_path, parts[i], NULL);
        make_directory(c, sub);
    }
    if (!is_root && !c->error) {
        // What marks a subfolder for Maildir++ programs.
        g_autofree char *mark = g_build_filename(c->folder_path, "maildirfolder", NULL);
        g_file_set_contents(mark, "", 0, NULL);
    }
}

static void enter_folder(struct export_client *c, const char *folder) {
    leave_folder(c);
    c->n_folders++;
    if (c->format == EXPORT_MAILDIR)
        enter_maildir(c, folder);
    else if (c->format == EXPORT_EML || c->format == EXPORT_MSG) {
        c->folder_path = c->is_single ? g_strdup(c->out) : place_of(c, folder, "");
        make_directory(c, c->folder_path);
    } else {
        const char *suffix = c->format == EXPORT_VCF ? ".vcf" : ".mbox";
        c->folder_path = c->is_single ? g_strdup(c->out) : place_of(c, folder, suffix);
        g_autofree char *parent = g_path_get_dirname(c->folder_path);
        make_directory(c, parent);
        open_file(c, c->folder_path);
    }
}

// --- Messages ---

static void write_buffer(struct export_client *c) {
    if (c->fd >= 0)
        write_all(c, c->buffer->str, c->buffer->len);
    g_string_truncate(c->buffer, 0);
}

static char *message_path(struct export_client *c) {
    if (c->format == EXPORT_EML)
        return g_strdup_printf("%s/%u.eml", c->folder_path, c->head.uid);
    g_autofree char *suffix = maildir_suffix(c->head.flags, c->head_keywords, &c->keywords);
    return g_strdup_printf("%s/cur/%" G_GINT64_FORMAT ".U%u.bourse,S=%" G_GUINT64_FORMAT "%s",
                           c->folder_path, filetime_to_unix(c->head.received), c->head.uid,
                           c->head.size, suffix);
}

// --- Messages that are no mail ---

static void write_msg(struct export_client *c, const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    gsize len;
    g_autofree char *path = g_strdup_printf("%s/%u.msg", c->folder_path, c->head.uid);
    if (convert_message_to_msg(m, NULL, 0, &bytes) != EC_OK) {
        fail(c, path, EFBIG);
        return;
    }
    const char *data = g_bytes_get_data(bytes, &len);
    open_file(c, path);
    write_all(c, data, len);
    close_file(c, true);
    c->n_messages++;
}

// What is no contact has no place in a file of contacts.
static void write_vcf(struct export_client *c, const struct message_value *m) {
    g_autoptr(GString) text = g_string_new(NULL);
    if (convert_message_to_vcard(m, NULL, VCARD_3_0, text) != EC_OK)
        return;
    write_all(c, text->str, text->len);
    c->n_messages++;
}

static enum ec end_item(struct export_client *c) {
    struct message_value *m = NULL;
    GByteArray *item = g_steal_pointer(&c->item);
    enum ec ec = item ? convert_tnef_to_message(item->data, item->len, &m) : EC_FORMAT_ERROR;
    g_clear_pointer(&item, g_byte_array_unref);
    EC_TRY(ec);
    if (c->format == EXPORT_MSG)
        write_msg(c, m);
    else
        write_vcf(c, m);
    message_value_free(m);
    return EC_OK;
}

static bool is_of_items(const struct export_client *c) {
    return c->format == EXPORT_MSG || c->format == EXPORT_VCF;
}

// --- Messages as they come ---

static enum ec begin_message(struct export_client *c, const struct frame *frame) {
    ARENA_AUTO arena = arena_new();
    if (!c->folder_path)
        return EC_FORMAT_ERROR;
    EC_TRY(control_decode_message(frame->data, frame->len, arena, &c->head));
    g_free(c->head_keywords);
    c->head_keywords = g_strdup(c->head.keywords);
    if (is_of_items(c)) {
        g_clear_pointer(&c->item, g_byte_array_unref);
        c->item = g_byte_array_new();
    } else if (c->format == EXPORT_MBOX) {
        mbox_file_write_from(&c->mbox, NULL, c->head.received, c->buffer);
        mbox_file_write_status(&c->mbox, c->head.flags, c->head_keywords, c->buffer);
        write_buffer(c);
    } else {
        g_autofree char *path = message_path(c);
        open_file(c, path);
    }
    return EC_OK;
}

static enum ec take_data(struct export_client *c, const struct frame *frame) {
    if (is_of_items(c)) {
        if (!c->item || c->item->len + frame->len > ITEM_MAX)
            return EC_FORMAT_ERROR;
        g_byte_array_append(c->item, frame->data, (guint)frame->len);
    } else if (c->format == EXPORT_MBOX) {
        mbox_file_write(&c->mbox, (const char *)frame->data, frame->len, c->buffer);
        write_buffer(c);
    } else if (c->fd >= 0)
        write_all(c, (const char *)frame->data, frame->len);
    c->n_bytes += frame->len;
    return EC_OK;
}

static enum ec end_message(struct export_client *c) {
    if (is_of_items(c))
        return end_item(c);
    if (c->format == EXPORT_MBOX) {
        mbox_file_write_end(&c->mbox, c->buffer);
        write_buffer(c);
    } else
        close_file(c, true);
    c->n_messages++;
    return EC_OK;
}

static enum ec take_frame(struct export_client *c, const struct frame *frame) {
    switch (frame->type) {
    case FRAME_FOLDER: {
        g_autofree char *folder = g_strndup((const char *)frame->data, frame->len);
        enter_folder(c, folder);
        return EC_OK;
    }
    case FRAME_MESSAGE:
        return begin_message(c, frame);
    case FRAME_DATA:
        return take_data(c, frame);
    case FRAME_END:
        return end_message(c);
    default:
        return EC_FORMAT_ERROR;
    }
}

static int take_all(struct export_client *c) {
    for (;;) {
        struct frame frame;
        int status;
        enum ec ec = channel_receive(c->call->channel, &frame);
        if (ec != EC_OK)
            return client_lost(c->call, ec);
        bool is_output = strchr("OXPD", (char)frame.type) != NULL;
        if (is_output && client_take_output(c->call, &frame, &status))
            return status;
        if (!is_output && take_frame(c, &frame) != EC_OK)
            return client_lost(c->call, EC_FORMAT_ERROR);
        if (c->error)
            return EXIT_FAILED;
    }
}

// --- Beginning and end ---

static bool out_is_usable(const struct export_client *c) {
    struct stat st;
    if (lstat(c->out, &st) != 0)
        return errno == ENOENT;
    bool wants_file = (c->format == EXPORT_MBOX || c->format == EXPORT_VCF) && c->is_single;
    if (wants_file || !S_ISDIR(st.st_mode))
        return false;
    GDir *dir = g_dir_open(c->out, 0, NULL);
    bool empty = dir && !g_dir_read_name(dir);
    if (dir)
        g_dir_close(dir);
    return empty;
}

// Everything written is on the disk before success is said.
static void sync_out(struct export_client *c) {
    int fd = open(c->out, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0)
        fail(c, c->out, errno);
    if (fd >= 0)
        close(fd);
}

static void report(struct export_client *c) {
    struct output *out = c->call->out;
    output_say(out,
               "%" G_GUINT64_FORMAT " message%s in %" G_GUINT64_FORMAT " folder%s exported to %s.",
               c->n_messages, c->n_messages == 1 ? "" : "s", c->n_folders,
               c->n_folders == 1 ? "" : "s", c->out);
    if (!output_is_json(out))
        return;
    output_object_begin(out, NULL);
    output_number(out, "exported", c->n_messages);
    output_number(out, "folders", c->n_folders);
    output_number(out, "bytes", c->n_bytes);
    output_string(out, "out", c->out);
    output_object_end(out);
}

static bool parse_format(const char *text, enum export_format *out) {
    static const char *const names[] = {"eml", "mbox", "maildir", "msg", "vcf"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names) && text; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum export_format)i;
            return true;
        }
    return false;
}

static int export_to(struct export_client *c) {
    if (!out_is_usable(c)) {
        g_autofree char *text =
            g_strdup_printf("%s exists already; choose another place, or an empty "
                            "directory",
                            c->out);
        output_error(c->call->out, EC_COLLISION, text);
        return EXIT_FAILED;
    }
    int status = take_all(c);
    leave_folder(c);
    close_file(c, false);
    if (status == EXIT_DONE && !c->error)
        sync_out(c);
    if (c->error) {
        client_progress(c->call, NULL);
        output_error(c->call->out, EC_DISK_ERROR, c->error);
        return EXIT_FAILED;
    }
    report(c);
    return status;
}

int export_client(struct client_call *call) {
    struct export_client c = {.call = call, .fd = -1};
    if (!parse_format(arguments_option(call->arguments, "format"), &c.format)) {
        output_error(call->out, EC_INVALID_PARAMETER,
                     "say the format: --format eml, mbox, maildir, msg or vcf");
        return EXIT_USAGE;
    }
    c.is_single = arguments_has(call->arguments, "folder");
    c.out = g_canonicalize_filename(call->arguments->items[2], NULL);
    c.buffer = g_string_new(NULL);
    int status = export_to(&c);
    g_string_free(c.buffer, TRUE);
    g_clear_pointer(&c.item, g_byte_array_unref);
    g_free(c.out);
    g_free(c.error);
    g_free(c.file_path);
    g_free(c.head_keywords);
    return status;
}
