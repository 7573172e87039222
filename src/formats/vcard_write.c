// Writes vCards: 3.0 and 4.0 in UTF-8 with escapes, 2.1 with quoted-printable where a text needs
// it.
#include <string.h>

#include "base/text.h"
#include "formats/vcard.h"

#define MAX_LINE 75 // octets, the line end not counted

void vcard_begin(struct vcard_writer *w) {
    static const char *const versions[] = {"2.1", "3.0", "4.0"};
    g_string_append_printf(w->out, "BEGIN:VCARD\r\nVERSION:%s\r\n", versions[w->version]);
}

void vcard_end(struct vcard_writer *w) {
    g_string_append(w->out, "END:VCARD\r\n");
}

// Appends a line, folded between characters.
static void put_folded(struct vcard_writer *w, const char *line, size_t len) {
    for (size_t pos = 0, room = MAX_LINE; pos < len; room = MAX_LINE - 1) {
        size_t n = MIN(len - pos, room);
        while (n > 1 && pos + n < len && ((unsigned char)line[pos + n] & 0xC0) == 0x80)
            n--;
        if (pos > 0)
            g_string_append_c(w->out, ' ');
        g_string_append_len(w->out, line + pos, (gssize)n);
        g_string_append(w->out, "\r\n");
        pos += n;
    }
}

void vcard_put_raw(struct vcard_writer *w, const char *line) {
    g_autoptr(GString) one = g_string_new(NULL);
    for (const char *p = line; *p; p++) {
        if (*p == '=' && p[1] == '\n') // a soft line end of quoted-printable
            p++;
        else if (*p != '\r' && *p != '\n')
            g_string_append_c(one, *p);
    }
    put_folded(w, one->str, one->len);
}

static void put_escaped(GString *out, const char *s) {
    for (; *s; s++) {
        if (*s == '\\' || *s == ';' || *s == ',')
            g_string_append_c(out, '\\');
        if (*s == '\n')
            g_string_append(out, "\\n");
        else if (*s != '\r')
            g_string_append_c(out, *s);
    }
}

// 2.1 knows no escape but that of the semicolon; the backslash is escaped too, which readers take.
static void put_quoted_printable(GString *out, const char *s) {
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '\\' || c == ';' || c == ',')
            g_string_append_c(out, '\\');
        if (c == '=' || c < ' ' || c >= 0x7F)
            g_string_append_printf(out, "=%02X", c);
        else
            g_string_append_c(out, (char)c);
    }
}

static void put_types(struct vcard_writer *w, GString *line, const char *types) {
    if (!types || !*types)
        return;
    if (w->version != VCARD_2_1) {
        g_string_append_printf(line, ";TYPE=%s", types);
        return;
    }
    g_auto(GStrv) words = g_strsplit(types, ",", -1);
    for (char **word = words; *word; word++)
        g_string_append_printf(line, ";%s", *word);
}

static bool is_plain(const char *const *components, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        for (const char *p = components[i]; *p; p++)
            if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7F)
                return false;
    return true;
}

// Quoted-printable folds with soft line ends, where no escape is cut.
static void put_soft(struct vcard_writer *w, const char *line) {
    size_t column = 0;
    for (const char *p = line; *p;) {
        size_t n = *p == '=' && p[1] && p[2] ? 3 : 1;
        if (column + n > MAX_LINE - 1) {
            g_string_append(w->out, "=\r\n");
            column = 0;
        }
        g_string_append_len(w->out, p, (gssize)n);
        column += n;
        p += n;
    }
    g_string_append(w->out, "\r\n");
}

void vcard_put(struct vcard_writer *w, const char *name, const char *types, char separator,
               const char *const *components, unsigned n) {
    g_autoptr(GString) line = g_string_new(name);
    bool is_encoded = w->version == VCARD_2_1 && !is_plain(components, n);
    put_types(w, line, types);
    if (is_encoded)
        g_string_append(line, ";ENCODING=QUOTED-PRINTABLE;CHARSET=utf-8");
    g_string_append_c(line, ':');
    size_t head = line->len;
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(line, separator);
        if (is_encoded)
            put_quoted_printable(line, components[i]);
        else
            put_escaped(line, components[i]);
    }
    if (!is_encoded && w->version == VCARD_2_1) { // lines of 2.1 may be long
        g_string_append_printf(w->out, "%s\r\n", line->str);
    } else if (!is_encoded) {
        put_folded(w, line->str, line->len);
    } else {
        g_string_append_len(w->out, line->str, (gssize)head);
        put_soft(w, line->str + head);
    }
}

void vcard_put_text(struct vcard_writer *w, const char *name, const char *types, const char *text) {
    vcard_put(w, name, types, ';', &text, 1);
}

void vcard_put_binary(struct vcard_writer *w, const char *name, const char *type, const char *media,
                      const void *data, size_t len) {
    g_autofree char *base64 = g_base64_encode(data, len);
    g_autofree char *line = NULL;
    if (w->version == VCARD_4_0)
        line = g_strdup_printf("%s:data:%s;base64,%s", name, media, base64);
    else if (w->version == VCARD_3_0)
        line = g_strdup_printf("%s;TYPE=%s;ENCODING=b:%s", name, type, base64);
    else
        line = g_strdup_printf("%s;%s;ENCODING=BASE64:%s", name, type, base64);
    put_folded(w, line, strlen(line));
    if (w->version == VCARD_2_1)
        g_string_append(w->out, "\r\n"); // an empty line ends it
}
