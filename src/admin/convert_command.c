// `bourse convert`: one message from one format to another, without a server.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/item_file.h"

// Writes a file beside its place and renames it, so that what was there is lost only to a whole
// one. "-" is standard output.
static bool write_out(struct command_call *call, const char *path, GBytes *bytes) {
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_autoptr(GError) error = NULL;
    if (strcmp(path, "-") == 0) {
        if (fwrite(data ? data : "", 1, len, stdout) == len && fflush(stdout) == 0)
            return true;
        call_fail(call, EC_DISK_ERROR, "standard output: %s", g_strerror(errno));
        return false;
    }
    if (g_file_set_contents(path, data ? data : "", (gssize)len, &error))
        return true;
    call_fail(call, EC_DISK_ERROR, "%s", error->message);
    return false;
}

// The format by its name, else by the file's; ITEM_UNKNOWN has been reported.
static enum item_format format_of(struct command_call *call, const char *option, const char *path,
                                  const void *data, size_t len) {
    const char *name = call_option(call, option);
    enum item_format format = name ? item_format_by_name(name) : item_format_of_file(path);
    if (format == ITEM_UNKNOWN && !name && data)
        format = item_format_of_data(data, len);
    if (format == ITEM_UNKNOWN)
        call_fail(call, EC_INVALID_PARAMETER,
                  "%s: say the format with --%s: eml, msg, tnef, vcf, rtf, lzfu, html or txt", path,
                  option);
    return format;
}

static int convert(struct command_call *call, enum item_format from, enum item_format to,
                   const void *data, size_t len, const char *to_path) {
    struct item_file file;
    g_autoptr(GBytes) bytes = NULL;
    const char *version = call_option(call, "version");
    struct item_options options = {.vcard = VCARD_3_0};
    if (version && !item_vcard_version(version, &options.vcard))
        return call_fail(call, EC_INVALID_PARAMETER, "--version is 2.1, 3.0 or 4.0");
    enum ec ec = item_file_open(from, data, len, &file);
    if (ec != EC_OK)
        return call_fail(call, ec, "%s: not a file of the format %s, or a broken one",
                         call_argument(call, 0), item_format_name(from));
    ec = item_file_write(&file, to, &options, &bytes);
    unsigned n = file.n;
    item_file_close(&file);
    if (ec == EC_TOO_MANY_OBJECTS)
        return call_fail(call, ec, "%s has %u cards, and the format %s holds one; import them",
                         call_argument(call, 0), n, item_format_name(to));
    if (ec == EC_NOT_SUPPORTED)
        return call_fail(call, ec, "only contacts and distribution lists become vCards");
    if (ec != EC_OK)
        return call_fail(call, ec, "%s cannot be written as %s: %s", call_argument(call, 0),
                         item_format_name(to), ec_text(ec));
    return write_out(call, to_path, bytes) ? EXIT_DONE : EXIT_FAILED;
}

int convert_command(struct command_call *call) {
    const char *from_path = call_argument(call, 0), *to_path = call_argument(call, 1);
    g_autoptr(GError) error = NULL;
    GMappedFile *mapped = g_mapped_file_new(from_path, FALSE, &error);
    if (!mapped)
        return call_fail(call, EC_NOT_FOUND, "%s", error->message);
    const void *data = g_mapped_file_get_contents(mapped);
    size_t len = g_mapped_file_get_length(mapped);
    int status = EXIT_FAILED;
    enum item_format from = format_of(call, "from", from_path, data ? data : "", len);
    enum item_format to =
        from != ITEM_UNKNOWN ? format_of(call, "to", to_path, NULL, 0) : ITEM_UNKNOWN;
    if (from != ITEM_UNKNOWN && to != ITEM_UNKNOWN)
        status = convert(call, from, to, data ? data : "", len, to_path);
    g_mapped_file_unref(mapped);
    return status;
}
