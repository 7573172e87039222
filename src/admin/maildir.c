// Maildir names.
#include "admin/maildir.h"

#include <string.h>

#include "mapi/message_row.h"

#define KEYWORDS_FILE_MAX 65536

static const struct {
    char letter;
    uint32_t flag;
} letters[] = { // in the order in which a name has to list them
    {'D', MSG_DRAFT},
    {'F', MSG_FLAGGED},
    {'R', MSG_ANSWERED},
    {'S', MSG_READ},
    {'T', MSG_DELETED}};

// --- Keywords ---

void maildir_keywords_load(struct maildir_keywords *k, const char *folder_path) {
    g_autofree char *path = g_build_filename(folder_path, "dovecot-keywords", NULL);
    g_autofree char *text = NULL;
    gsize len;
    memset(k, 0, sizeof *k);
    if (!g_file_get_contents(path, &text, &len, NULL) || len > KEYWORDS_FILE_MAX)
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        char *space = strchr(*l, ' ');
        guint64 n;
        if (!space || !space[1])
            continue;
        *space = '\0';
        if (g_ascii_string_to_unsigned(*l, 10, 0, 25, &n, NULL) && !k->names[n] &&
            !strpbrk(space + 1, " \t\r(){%*\"\\]"))
            k->names[n] = g_strdup(space + 1);
    }
}

void maildir_keywords_clear(struct maildir_keywords *k) {
    for (unsigned i = 0; i < 26; i++)
        g_clear_pointer(&k->names[i], g_free);
}

char maildir_keyword_letter(struct maildir_keywords *k, const char *name) {
    for (unsigned i = 0; i < 26; i++) {
        if (!k->names[i])
            k->names[i] = g_strdup(name);
        if (strcmp(k->names[i], name) == 0)
            return (char)('a' + i);
    }
    return '\0';
}

char *maildir_keywords_text(const struct maildir_keywords *k) {
    if (!k->names[0])
        return NULL;
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < 26 && k->names[i]; i++)
        g_string_append_printf(text, "%u %s\n", i, k->names[i]);
    return g_string_free(text, FALSE);
}

// --- File names ---

static void add_keyword(GPtrArray *list, const char *name) {
    for (unsigned i = 0; i < list->len; i++)
        if (strcmp(list->pdata[i], name) == 0)
            return;
    g_ptr_array_add(list, (char *)name);
}

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

uint32_t maildir_flags(const char *file_name, const struct maildir_keywords *k,
                       char **keywords_out) {
    uint32_t flags = 0;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *info = NULL;
    *keywords_out = NULL;
    // The separator is ':'; some systems write '!' or ';' instead.
    for (const char *p = file_name; *p; p++)
        if (strchr(":!;", p[0]) && p[1] == '2' && p[2] == ',')
            info = p + 1;
    if (!info)
        return 0;
    for (const char *p = info + 2; *p && *p != ','; p++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(letters); i++)
            if (letters[i].letter == *p)
                flags |= letters[i].flag;
        if (*p == 'P')
            add_keyword(names, "$Forwarded");
        if (*p >= 'a' && *p <= 'z' && k && k->names[*p - 'a'])
            add_keyword(names, k->names[*p - 'a']);
    }
    if (names->len) {
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        *keywords_out = g_strjoinv(" ", (char **)names->pdata);
    }
    return flags;
}

char *maildir_suffix(uint32_t flags, const char *keywords, struct maildir_keywords *k) {
    GString *s = g_string_new(":2,");
    g_auto(GStrv) names = g_strsplit(keywords ? keywords : "", " ", -1);
    gboolean is_forwarded = g_strv_contains((const char *const *)names, "$Forwarded");
    for (unsigned i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (is_forwarded && letters[i].letter == 'R') // P comes between F and R
            g_string_append_c(s, 'P');
        if (flags & letters[i].flag)
            g_string_append_c(s, letters[i].letter);
    }
    for (char **n = names; *n; n++) {
        char letter = **n && strcmp(*n, "$Forwarded") != 0 ? maildir_keyword_letter(k, *n) : '\0';
        if (letter)
            g_string_append_c(s, letter);
    }
    return g_string_free(s, FALSE);
}

int maildir_compare(const char *a, const char *b) {
    guint64 x = g_ascii_strtoull(a, NULL, 10), y = g_ascii_strtoull(b, NULL, 10);
    return x != y ? (x < y ? -1 : 1) : strverscmp(a, b);
}

// --- Folder names: modified UTF-7 ([RFC 3501] 5.1.3) ---

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

// One "&...-" sequence of at most `len` characters; NULL when it is malformed.
static char *decode_shift(const char *text, size_t len) {
    g_autoptr(GArray) units = g_array_new(FALSE, FALSE, sizeof(gunichar2));
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr(base64, text[i]);
        if (!digit || !*digit)
            return NULL;
        bits = bits << 6 | (uint32_t)(digit - base64);
        n_bits += 6;
        if (n_bits >= 16) {
            gunichar2 unit = (gunichar2)(bits >> (n_bits - 16));
            g_array_append_val(units, unit);
            n_bits -= 16;
        }
    }
    return g_utf16_to_utf8((const gunichar2 *)(void *)units->data, units->len, NULL, NULL, NULL);
}

// A component; a '/' in it becomes U+2215, as in folder paths everywhere.
static char *decode_component(const char *text) {
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (*p != '&') {
            g_string_append_c(out, *p);
            continue;
        }
        const char *end = strchr(p, '-');
        g_autofree char *part = NULL;
        if (end == p + 1)
            part = g_strdup("&");
        else if (end)
            part = decode_shift(p + 1, (size_t)(end - p - 1));
        if (!part) {
            g_string_append_c(out, '&'); // not encoded at all: some programs write plain UTF-8
            continue;
        }
        g_string_append(out, part);
        p = end;
    }
    if (!g_utf8_validate(out->str, (gssize)out->len, NULL)) {
        char *valid = g_utf8_make_valid(out->str, (gssize)out->len);
        g_string_free(out, TRUE);
        return valid;
    }
    g_string_replace(out, "/", "\xE2\x88\x95", 0);
    return g_string_free(out, FALSE);
}

char *maildir_folder_path(const char *directory_name) {
    if (directory_name[0] != '.' || !directory_name[1] || directory_name[1] == '.')
        return NULL;
    g_auto(GStrv) parts = g_strsplit(directory_name + 1, ".", -1);
    GString *path = g_string_new(NULL);
    for (char **p = parts; *p; p++) {
        if (!**p)
            continue;
        g_autofree char *name = decode_component(*p);
        g_string_append_printf(path, "%s%s", path->len ? "/" : "", name);
    }
    return g_string_free(path, FALSE);
}

static void encode_run(GString *out, const char *text, size_t len) {
    glong n;
    g_autofree gunichar2 *units = g_utf8_to_utf16(text, (glong)len, NULL, &n, NULL);
    uint32_t bits = 0;
    unsigned n_bits = 0;
    g_string_append_c(out, '&');
    for (glong i = 0; units && i < n; i++) {
        bits = bits << 16 | units[i];
        for (n_bits += 16; n_bits >= 6; n_bits -= 6)
            g_string_append_c(out, base64[bits >> (n_bits - 6) & 63]);
        bits &= (1u << n_bits) - 1;
    }
    if (n_bits)
        g_string_append_c(out, base64[bits << (6 - n_bits) & 63]);
    g_string_append_c(out, '-');
}

// '.' separates components, so that one inside a name is encoded too.
static bool is_plain(const char *p) {
    return *p >= 0x20 && *p <= 0x7e && *p != '.' && *p != '/' && *p != '&';
}

char *maildir_directory_name(const char *folder_path) {
    GString *out = g_string_new(".");
    for (const char *p = folder_path; *p;) {
        if (*p == '/')
            g_string_append_c(out, '.'), p++;
        else if (*p == '&')
            g_string_append(out, "&-"), p++;
        else if (is_plain(p))
            g_string_append_c(out, *p++);
        else {
            const char *end = p;
            while (*end && *end != '/' && *end != '&' && !is_plain(end))
                end++;
            encode_run(out, p, (size_t)(end - p));
            p = end;
        }
    }
    return g_string_free(out, FALSE);
}
