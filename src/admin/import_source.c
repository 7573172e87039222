// Finds messages below what the administrator named: single messages, mbox files, Maildirs with
// their folders, and directory trees of these (such as `bourse export` writes).
#include "admin/import_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/item_file.h"
#include "admin/maildir.h"
#include "admin/mbox_file.h"

#define MAX_DEPTH 64
#define SNIFF_BYTES 1024

static void source_free(void *data) {
    struct import_source *s = data;
    g_free(s->path);
    g_free(s->folder);
    g_free(s->keywords);
    g_free(s);
}

static void skip_free(void *data) {
    struct import_skip *s = data;
    g_free(s->what);
    g_free(s->why);
    g_free(s);
}

void import_sources_init(struct import_sources *s, const char *folder, bool is_flat) {
    *s = (struct import_sources){.folder = folder,
                                 .is_flat = is_flat,
                                 .items = g_ptr_array_new_with_free_func(source_free),
                                 .skipped = g_ptr_array_new_with_free_func(skip_free),
                                 .folders = g_ptr_array_new_with_free_func(g_free)};
}

void import_sources_clear(struct import_sources *s) {
    g_ptr_array_unref(s->items);
    g_ptr_array_unref(s->skipped);
    g_ptr_array_unref(s->folders);
}

void import_sources_skip(struct import_sources *s, const char *what, const char *why,
                         bool is_failure) {
    struct import_skip *skip = g_new(struct import_skip, 1);
    skip->what = g_strdup(what);
    skip->why = g_strdup(why);
    skip->is_failure = is_failure;
    g_ptr_array_add(s->skipped, skip);
}

// --- Folder names ---

#define FILE_NAME_MAX 200

char *folder_name_to_file(const char *component) {
    GString *s = g_string_new(NULL);
    for (const char *p = component; *p; p++)
        if ((*p == '.' && p == component) || (unsigned char)*p < 0x20 || *p == '/' || *p == '%')
            g_string_append_printf(s, "%%%02X", (unsigned char)*p);
        else
            g_string_append_c(s, *p);
    if (s->len == 0)
        g_string_append(s, "%20");
    if (s->len > FILE_NAME_MAX) {
        // Cut, with a mark that keeps different names apart.
        guint hash = g_str_hash(component);
        size_t cut = FILE_NAME_MAX - 10;
        while (cut > 0 && ((unsigned char)s->str[cut] & 0xC0) == 0x80)
            cut--;
        g_string_truncate(s, cut);
        g_string_append_printf(s, "~%08x", hash);
    }
    return g_string_free(s, FALSE);
}

char *folder_name_from_file(const char *file_name) {
    GString *s = g_string_new(NULL);
    for (const char *p = file_name; *p; p++)
        if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            int c = g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]);
            if (c == '/' || c == 0)
                g_string_append(s, "\xE2\x88\x95");
            else
                g_string_append_c(s, (char)c);
            p += 2;
        } else
            g_string_append_c(s, *p);
    char *valid = g_utf8_make_valid(s->str, (gssize)s->len);
    g_string_free(s, TRUE);
    return valid;
}

// --- Walking ---

// The folder `name` (may have '/') below `base` (NULL: the top of the mailbox).
static char *below(const struct import_sources *s, const char *base, const char *name) {
    if (s->is_flat)
        return g_strdup(base);
    return base ? g_strconcat(base, "/", name, NULL) : g_strdup(name);
}

static const char *or_inbox(const char *base) {
    return base ? base : "Inbox";
}

static struct import_source *add_source(struct import_sources *s, enum source_kind kind,
                                        const char *path, const char *folder,
                                        const struct stat *st) {
    struct import_source *source = g_new0(struct import_source, 1);
    source->kind = kind;
    source->path = g_strdup(path);
    source->folder = g_strdup(or_inbox(folder));
    source->size = (uint64_t)st->st_size;
    source->modified = filetime_from_unix(st->st_mtime);
    s->size += source->size;
    g_ptr_array_add(s->items, source);
    return source;
}

// A file called .eml is one message, whatever its first line: some programs put a "From " line
// there.
static bool is_mbox_file(const char *path) {
    char head[SNIFF_BYTES];
    if (g_str_has_suffix(path, ".eml") || g_str_has_suffix(path, ".EML"))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && mbox_file_looks_like(head, (size_t)n);
}

// What is told by the file's name; SOURCE_MESSAGE: nothing is.
static enum source_kind kind_of_name(const char *path) {
    const char *dot = strrchr(path, '.');
    if (dot && (g_ascii_strcasecmp(dot, ".pst") == 0 || g_ascii_strcasecmp(dot, ".ost") == 0))
        return SOURCE_PST;
    switch (item_format_of_file(path)) {
    case ITEM_MSG:
    case ITEM_VCARD:
    case ITEM_TNEF:
        return SOURCE_ITEM;
    default:
        return SOURCE_MESSAGE;
    }
}

// Contacts go among the contacts unless a folder is named; a data file has folders of its own.
static const char *folder_of_kind(enum source_kind kind, const char *path, const char *base) {
    if (base)
        return base;
    if (kind == SOURCE_PST)
        return "";
    return item_format_of_file(path) == ITEM_VCARD ? "Contacts" : NULL;
}

static bool has_directory(const char *path, const char *name) {
    g_autofree char *sub = g_build_filename(path, name, NULL);
    return g_file_test(sub, G_FILE_TEST_IS_DIR);
}

static bool is_maildir(const char *path) {
    return has_directory(path, "cur") && has_directory(path, "new");
}

static int compare_entries(gconstpointer a, gconstpointer b) {
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_deliveries(gconstpointer a, gconstpointer b) {
    return maildir_compare(*(const char *const *)a, *(const char *const *)b);
}

// Names in a directory, sorted; NULL and a skip when it cannot be read.
static GPtrArray *read_names(struct import_sources *s, const char *path, GCompareFunc compare) {
    DIR *dir = opendir(path);
    if (!dir) {
        import_sources_skip(s, path, g_strerror(errno), true);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            g_ptr_array_add(names, g_strdup(entry->d_name));
    closedir(dir);
    g_ptr_array_sort(names, compare);
    return names;
}

static void add_deliveries(struct import_sources *s, const char *path, const char *sub,
                           const char *folder, const struct maildir_keywords *keywords) {
    g_autofree char *dir = g_build_filename(path, sub, NULL);
    g_autoptr(GPtrArray) names = read_names(s, dir, compare_deliveries);
    for (unsigned i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *file = g_build_filename(dir, name, NULL);
        struct stat st;
        if (name[0] == '.' || stat(file, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        struct import_source *source = add_source(s, SOURCE_MESSAGE, file, folder, &st);
        source->is_maildir = true;
        source->flags = maildir_flags(name, keywords, &source->keywords);
    }
}

static void walk_maildir(struct import_sources *s, const char *path, const char *base,
                         unsigned depth) {
    struct maildir_keywords keywords;
    maildir_keywords_load(&keywords, path);
    g_ptr_array_add(s->folders, g_strdup(or_inbox(base)));
    // Oldest first: what is in new/ came after what clients have seen.
    add_deliveries(s, path, "cur", base, &keywords);
    add_deliveries(s, path, "new", base, &keywords);
    maildir_keywords_clear(&keywords);
    if (depth >= MAX_DEPTH)
        return;
    g_autoptr(GPtrArray) names = read_names(s, path, compare_entries);
    for (unsigned i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *sub = g_build_filename(path, name, NULL);
        g_autofree char *folder = NULL;
        if (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0 ||
            g_file_test(sub, G_FILE_TEST_IS_SYMLINK) || !is_maildir(sub))
            continue;
        if (name[0] == '.')
            folder = maildir_folder_path(name);
        else
            folder = folder_name_from_file(name); // folders as plain subdirectories
        if (!folder)
            continue;
        g_autofree char *full = below(s, base, folder);
        walk_maildir(s, sub, full, depth + 1);
    }
}

static void walk_directory(struct import_sources *s, const char *path, const char *base,
                           unsigned depth);

static void add_entry(struct import_sources *s, const char *path, const char *name,
                      const char *base, unsigned depth) {
    struct stat st;
    if (lstat(path, &st) != 0 || S_ISLNK(st.st_mode))
        import_sources_skip(s, path, "a symbolic link, or gone", false);
    else if (S_ISDIR(st.st_mode)) {
        g_autofree char *folder = folder_name_from_file(name);
        g_autofree char *full = below(s, base, folder);
        if (depth >= MAX_DEPTH)
            import_sources_skip(s, path, "nested too deep", true);
        else if (is_maildir(path))
            walk_maildir(s, path, full, depth + 1);
        else
            walk_directory(s, path, full, depth + 1);
    } else if (!S_ISREG(st.st_mode))
        import_sources_skip(s, path, "not a file", false);
    else if (kind_of_name(name) != SOURCE_MESSAGE)
        add_source(s, kind_of_name(name), path, folder_of_kind(kind_of_name(name), name, base),
                   &st);
    else if (is_mbox_file(path)) {
        // Inbox.mbox in a tree holds the folder Inbox.
        g_autofree char *stem =
            g_str_has_suffix(name, ".mbox") ? g_strndup(name, strlen(name) - 5) : g_strdup(name);
        g_autofree char *folder = folder_name_from_file(stem);
        g_autofree char *full = below(s, base, folder);
        add_source(s, SOURCE_MBOX, path, full, &st);
    } else if (g_str_has_suffix(name, ".eml") || g_str_has_suffix(name, ".EML"))
        add_source(s, SOURCE_MESSAGE, path, base, &st);
    else if (g_str_has_suffix(name, ".mbox") && st.st_size == 0) {
        g_autofree char *stem = g_strndup(name, strlen(name) - 5);
        g_autofree char *folder = folder_name_from_file(stem);
        g_ptr_array_add(s->folders, below(s, base, folder));
    } else
        import_sources_skip(s, path, "no kind of mail file; name the file itself to import it",
                            false);
}

static void walk_directory(struct import_sources *s, const char *path, const char *base,
                           unsigned depth) {
    g_autoptr(GPtrArray) names = read_names(s, path, compare_entries);
    if (depth > 0 && base)
        g_ptr_array_add(s->folders, g_strdup(base));
    for (unsigned i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *sub = g_build_filename(path, name, NULL);
        if (name[0] != '.')
            add_entry(s, sub, name, base, depth);
    }
}

void import_sources_add(struct import_sources *s, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        import_sources_skip(s, path, g_strerror(errno), true);
    else if (S_ISDIR(st.st_mode) && is_maildir(path))
        walk_maildir(s, path, s->folder, 0);
    else if (S_ISDIR(st.st_mode))
        walk_directory(s, path, s->folder, 0);
    else if (S_ISREG(st.st_mode) && kind_of_name(path) != SOURCE_MESSAGE)
        add_source(s, kind_of_name(path), path, folder_of_kind(kind_of_name(path), path, s->folder),
                   &st);
    else if (S_ISREG(st.st_mode))
        add_source(s, is_mbox_file(path) ? SOURCE_MBOX : SOURCE_MESSAGE, path, s->folder, &st);
    else
        import_sources_skip(s, path, "neither a file nor a directory", true);
}
