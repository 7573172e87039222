// Manifests: what a backup consists of, as lines of tab-separated fields, with a checksum of all of
// it in the last line.
//
//     bourse-backup 1
//     backup  ID  CREATED  KIND  VERSION
//     file    NAME  ADDRESS  STATE  SIZE  LIST
//     end     CHECKSUM
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/backup_internal.h"

#define HEAD "bourse-backup 1\n"
#define FILES_MAX 1000000

static const char *const kinds[] = {"full", "incremental", "part"};

// --- Writing ---

static void put_text(GString *out, const char *text) {
    g_string_append_c(out, '\t');
    for (const char *s = text ? text : ""; *s; s++) {
        if (*s == '\t' || *s == '\n' || *s == '\\')
            g_string_append_printf(out, "\\%c", *s == '\t' ? 't' : *s == '\n' ? 'n' : '\\');
        else
            g_string_append_c(out, *s);
    }
}

GString *backup_manifest_format(const struct backup_manifest *m) {
    GString *out = g_string_new(HEAD "backup");
    struct backup_hash sum;
    put_text(out, m->id);
    g_string_append_printf(out, "\t%" G_GUINT64_FORMAT "\t%s", (guint64)m->created, kinds[m->kind]);
    put_text(out, m->version);
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < m->n_files; i++) {
        const struct backup_file *f = &m->files[i];
        g_autofree char *list = backup_hash_text(&f->list);
        g_string_append(out, "file");
        put_text(out, f->name);
        put_text(out, f->address);
        put_text(out, f->state);
        g_string_append_printf(out, "\t%" G_GUINT64_FORMAT "\t%s\n", (guint64)f->size, list);
    }
    backup_hash_of(out->str, out->len, &sum);
    g_autofree char *text = backup_hash_text(&sum);
    g_string_append_printf(out, "end\t%s\n", text);
    return out;
}

// --- Reading ---

struct line_reader {
    const char *p, *end;
    struct arena *arena;
};

// The fields of the next line, in the arena; their number, 0 at the end or for a line that is none.
static unsigned next_line(struct line_reader *r, const char **fields, unsigned max) {
    const char *nl = r->p < r->end ? memchr(r->p, '\n', (size_t)(r->end - r->p)) : NULL;
    unsigned n = 0;
    if (!nl)
        return 0;
    char *to = arena_alloc(r->arena, (size_t)(nl - r->p) + 1);
    fields[n++] = to;
    for (; r->p < nl; r->p++) {
        if (*r->p == 0)
            return 0;
        if (*r->p == '\t') {
            *to++ = 0;
            if (n == max)
                return 0;
            fields[n++] = to;
        } else if (*r->p == '\\' && r->p + 1 < nl) {
            r->p++;
            *to++ = *r->p == 't' ? '\t' : *r->p == 'n' ? '\n' : *r->p;
        } else {
            *to++ = *r->p;
        }
    }
    *to = 0;
    r->p = nl + 1;
    return n;
}

// A name must stay below the data directory.
static bool name_is_safe(const char *name) {
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    for (char **p = parts; *p; p++)
        if (**p == 0 || strcmp(*p, ".") == 0 || strcmp(*p, "..") == 0)
            return false;
    return *name != 0 && g_utf8_validate(name, -1, NULL);
}

static bool parse_file(const char **f, unsigned n, struct backup_file *out) {
    guint64 size;
    if (n != 6 || strcmp(f[0], "file") != 0 || !name_is_safe(f[1]) ||
        !g_ascii_string_to_unsigned(f[4], 10, 0, G_MAXINT64, &size, NULL) ||
        !backup_hash_parse(f[5], &out->list))
        return false;
    out->name = f[1], out->address = f[2], out->state = f[3], out->size = size;
    return true;
}

static bool parse_backup(const char **f, unsigned n, struct backup_manifest *out) {
    guint64 created;
    if (n != 5 || strcmp(f[0], "backup") != 0 || *f[1] == 0 ||
        !g_ascii_string_to_unsigned(f[2], 10, 0, G_MAXUINT64, &created, NULL))
        return false;
    out->id = f[1], out->created = created, out->version = f[4];
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(f[3], kinds[i]) == 0) {
            out->kind = (enum backup_kind)i;
            return true;
        }
    return false;
}

// What stands before the last line; 0: its checksum is not there or does not fit.
static size_t checked_length(const char *text, size_t len) {
    const size_t tail = 4 + 2 * BACKUP_HASH_SIZE + 1; // "end\t", hash, "\n"
    struct backup_hash wanted, found;
    if (len < tail || memcmp(text + len - tail, "end\t", 4) != 0 || text[len - 1] != '\n')
        return 0;
    g_autofree char *hash = g_strndup(text + len - tail + 4, 2 * BACKUP_HASH_SIZE);
    if (strlen(hash) != 2 * BACKUP_HASH_SIZE || !backup_hash_parse(hash, &wanted))
        return 0;
    backup_hash_of(text, len - tail, &found);
    return backup_hash_same(&wanted, &found) ? len - tail : 0;
}

enum ec backup_manifest_parse(const char *text, size_t len, struct arena *arena,
                              struct backup_manifest *out) {
    *out = (struct backup_manifest){0};
    len = checked_length(text, len);
    if (len < strlen(HEAD) || memcmp(text, HEAD, strlen(HEAD)) != 0)
        return EC_CORRUPT_DATA;
    struct line_reader r = {text + strlen(HEAD), text + len, arena};
    const char *fields[6];
    unsigned n = next_line(&r, fields, G_N_ELEMENTS(fields));
    if (!parse_backup(fields, n, out))
        return EC_CORRUPT_DATA;
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(struct backup_file));
    while (r.p < r.end) {
        struct backup_file file = {0};
        n = next_line(&r, fields, G_N_ELEMENTS(fields));
        if (files->len >= FILES_MAX || !parse_file(fields, n, &file))
            return EC_CORRUPT_DATA;
        g_array_append_val(files, file);
    }
    out->n_files = files->len;
    out->files = arena_alloc(arena, (files->len + 1) * sizeof(struct backup_file));
    if (files->len)
        memcpy(out->files, files->data, files->len * sizeof(struct backup_file));
    return EC_OK;
}

// --- In a target ---

static char *path_of(const struct backup_target *t, const char *id) {
    return g_build_filename(t->path, "manifests", id, NULL);
}

enum ec backup_manifest_get(struct backup_target *t, struct arena *arena, const char *id,
                            struct backup_manifest *out) {
    g_autofree char *path = path_of(t, id);
    g_autofree char *text = NULL;
    gsize len;
    GStatBuf st;
    if (strchr(id, '/') || id[0] == '.' || g_stat(path, &st) != 0)
        return EC_NOT_FOUND;
    if (st.st_size > BACKUP_MANIFEST_MAX)
        return EC_CORRUPT_DATA;
    if (!g_file_get_contents(path, &text, &len, NULL))
        return EC_DISK_ERROR;
    EC_TRY(backup_manifest_parse(text, len, arena, out));
    return strcmp(out->id, id) == 0 ? EC_OK : EC_CORRUPT_DATA;
}

static gint by_name(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum ec backup_manifest_list(struct backup_target *t, GPtrArray **out) {
    g_autofree char *folder = path_of(t, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (!dir)
        return EC_DISK_ERROR;
    *out = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));)
        if (name[0] != '.')
            g_ptr_array_add(*out, g_strdup(name));
    g_ptr_array_sort(*out, by_name); // ids are times
    return EC_OK;
}

enum ec backup_manifest_find(struct backup_target *t, struct arena *arena, filetime_t at,
                             const char *name, struct backup_manifest *out) {
    g_autoptr(GPtrArray) ids = NULL;
    EC_TRY(backup_manifest_list(t, &ids));
    for (guint i = ids->len; i-- > 0;) {
        enum ec ec = backup_manifest_get(t, arena, ids->pdata[i], out);
        if (ec == EC_CORRUPT_DATA)
            continue; // `bourse backup verify` tells
        EC_TRY(ec);
        if (at && out->created > at)
            continue;
        if (name ? backup_manifest_file(out, name) != NULL : out->kind != BACKUP_PART)
            return EC_OK;
    }
    return EC_NOT_FOUND;
}

const struct backup_file *backup_manifest_file(const struct backup_manifest *m, const char *name) {
    for (unsigned i = 0; i < m->n_files; i++)
        if (strcmp(m->files[i].name, name) == 0)
            return &m->files[i];
    return NULL;
}

const struct backup_file *backup_manifest_mailbox(const struct backup_manifest *m,
                                                  const char *address) {
    for (unsigned i = 0; i < m->n_files; i++)
        if (backup_file_is_mailbox(&m->files[i], NULL) &&
            g_ascii_strcasecmp(m->files[i].address, address) == 0)
            return &m->files[i];
    return NULL;
}

const char *backup_mailbox_name(struct arena *arena, const struct guid *guid) {
    char text[GUID_STRING_SIZE];
    guid_format(guid, text);
    return arena_printf(arena, "store/%s.mbx", text);
}

bool backup_file_is_mailbox(const struct backup_file *file, struct guid *guid_out) {
    struct guid guid;
    if (!g_str_has_prefix(file->name, "store/") || !g_str_has_suffix(file->name, ".mbx"))
        return false;
    g_autofree char *stem = g_strndup(file->name + 6, strlen(file->name) - 10);
    if (!guid_parse(stem, &guid))
        return false;
    if (guid_out)
        *guid_out = guid;
    return true;
}
