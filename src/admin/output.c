// The two faces of every answer. JSON is written as it comes, with a stack of what is open; text
// mode keeps only the table's columns and the fields of the current row.
#include "admin/output.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#define FLUSH_AT 16384
#define MAX_DEPTH 16
#define MAX_COLUMNS 16

struct column {
    char *name;
    size_t width;
};

struct output {
    output_write write;
    void *ctx;
    bool is_json, is_broken;
    GString *buffer;

    // What is open, innermost last: '{' or '[' ; whether it has an element already.
    char open[MAX_DEPTH];
    bool has_element[MAX_DEPTH];
    unsigned depth;

    // Text mode.
    struct column columns[MAX_COLUMNS];
    char *cells[MAX_COLUMNS];
    unsigned n_columns;
    bool in_table;
    GString *items; // of the array that is open
    char *items_name;
};

struct output *output_new(bool is_json, output_write write, void *ctx) {
    struct output *out = g_new0(struct output, 1);
    out->is_json = is_json;
    out->write = write;
    out->ctx = ctx;
    out->buffer = g_string_new(NULL);
    return out;
}

void output_flush(struct output *out) {
    if (out->buffer->len && !out->is_broken &&
        !out->write(out->ctx, OUTPUT_OUT, out->buffer->str, out->buffer->len))
        out->is_broken = true;
    g_string_truncate(out->buffer, 0);
}

static void clear_columns(struct output *out) {
    for (unsigned i = 0; i < out->n_columns; i++) {
        g_clear_pointer(&out->columns[i].name, g_free);
        g_clear_pointer(&out->cells[i], g_free);
    }
    out->n_columns = 0;
}

void output_free(struct output *out) {
    if (!out)
        return;
    output_flush(out);
    clear_columns(out);
    g_string_free(out->buffer, TRUE);
    if (out->items)
        g_string_free(out->items, TRUE);
    g_free(out->items_name);
    g_free(out);
}

bool output_is_json(const struct output *out) {
    return out->is_json;
}

bool output_is_broken(const struct output *out) {
    return out->is_broken;
}

static void flush_if_full(struct output *out) {
    if (out->buffer->len >= FLUSH_AT)
        output_flush(out);
}

void output_say(struct output *out, const char *format, ...) {
    if (out->is_json)
        return;
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(out->buffer, format, args);
    va_end(args);
    g_string_append_c(out->buffer, '\n');
    flush_if_full(out);
}

void output_raw(struct output *out, const void *data, size_t len) {
    output_flush(out);
    if (len && !out->is_broken && !out->write(out->ctx, OUTPUT_OUT, data, len))
        out->is_broken = true;
}

void output_progress(struct output *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    if (!out->is_broken && !out->write(out->ctx, OUTPUT_PROGRESS, line, strlen(line)))
        out->is_broken = true;
}

// --- JSON ---

static void json_text(GString *to, const char *s) {
    g_autofree char *valid = g_utf8_validate(s, -1, NULL) ? NULL : g_utf8_make_valid(s, -1);
    g_string_append_c(to, '"');
    for (const unsigned char *p = (const unsigned char *)(valid ? valid : s); *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(to, "\\%c", *p);
        else if (*p == '\n')
            g_string_append(to, "\\n");
        else if (*p == '\r')
            g_string_append(to, "\\r");
        else if (*p == '\t')
            g_string_append(to, "\\t");
        else if (*p < 0x20 || *p == 0x7f)
            g_string_append_printf(to, "\\u%04x", *p);
        else
            g_string_append_c(to, (char)*p);
    }
    g_string_append_c(to, '"');
}

// What stands before an element: comma, line break in the outermost list, the name.
static void json_before(struct output *out, const char *name) {
    if (out->depth) {
        bool is_rows = out->depth == 1 && out->open[0] == '[';
        if (out->has_element[out->depth - 1])
            g_string_append(out->buffer, is_rows ? "," : ", ");
        if (is_rows)
            g_string_append_c(out->buffer, '\n');
        out->has_element[out->depth - 1] = true;
    }
    if (name) {
        json_text(out->buffer, name);
        g_string_append(out->buffer, ": ");
    }
}

static void json_open(struct output *out, const char *name, char bracket) {
    g_assert(out->depth < MAX_DEPTH);
    json_before(out, name);
    g_string_append_c(out->buffer, bracket);
    out->open[out->depth] = bracket;
    out->has_element[out->depth++] = false;
}

static void json_close(struct output *out) {
    g_assert(out->depth > 0);
    char bracket = out->open[--out->depth];
    if (out->depth == 0 && bracket == '[' && out->has_element[0])
        g_string_append_c(out->buffer, '\n');
    g_string_append_c(out->buffer, bracket == '[' ? ']' : '}');
    if (out->depth == 0)
        g_string_append_c(out->buffer, '\n');
    flush_if_full(out);
}

// --- Text ---

// Appends `text` and spaces up to `width` columns; control characters become '?', so that stored
// names cannot steer the terminal.
static void append_cell(GString *to, const char *text, size_t width) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    size_t columns = 0;
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_iscntrl(c))
            c = '?';
        g_string_append_unichar(to, c);
        columns += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    for (; columns < width; columns++)
        g_string_append_c(to, ' ');
}

static void text_row(struct output *out, bool is_header) {
    for (unsigned i = 0; i < out->n_columns; i++) {
        bool is_last = i + 1 == out->n_columns;
        const char *text = is_header ? out->columns[i].name : out->cells[i] ? out->cells[i] : "-";
        append_cell(out->buffer, text, is_last ? 0 : out->columns[i].width);
        g_string_append(out->buffer, is_last ? "\n" : "  ");
    }
    flush_if_full(out);
}

static void text_field(struct output *out, const char *name, const char *value) {
    if (out->items) {
        if (out->items->len)
            g_string_append(out->items, ", ");
        g_string_append(out->items, value);
        return;
    }
    if (!name)
        return;
    if (out->in_table) {
        for (unsigned i = 0; i < out->n_columns; i++)
            if (strcmp(out->columns[i].name, name) == 0) {
                g_free(out->cells[i]);
                out->cells[i] = g_strdup(value);
            }
        return;
    }
    g_autofree char *label = g_strdelimit(g_strconcat(name, ":", NULL), "_", ' ');
    append_cell(out->buffer, label, 15);
    g_string_append_c(out->buffer, ' ');
    append_cell(out->buffer, value, 0);
    g_string_append_c(out->buffer, '\n');
    flush_if_full(out);
}

// --- Both ---

static void add_columns(struct output *out, const char *columns) {
    g_auto(GStrv) parts = g_strsplit(columns, " ", MAX_COLUMNS);
    clear_columns(out);
    for (char **p = parts; *p; p++) {
        char *colon = strchr(*p, ':');
        struct column *c = &out->columns[out->n_columns++];
        c->width = colon ? (size_t)g_ascii_strtoull(colon + 1, NULL, 10) : 0;
        c->name = colon ? g_strndup(*p, (gsize)(colon - *p)) : g_strdup(*p);
    }
}

void output_list_begin(struct output *out, const char *columns) {
    if (out->is_json) {
        json_open(out, NULL, '[');
        return;
    }
    add_columns(out, columns);
    out->in_table = true;
    text_row(out, true);
}

void output_list_end(struct output *out) {
    if (out->is_json)
        json_close(out);
    out->in_table = false;
    clear_columns(out);
}

void output_object_begin(struct output *out, const char *name) {
    if (out->is_json)
        json_open(out, name, '{');
    for (unsigned i = 0; i < out->n_columns; i++)
        g_clear_pointer(&out->cells[i], g_free);
}

void output_object_end(struct output *out) {
    if (out->is_json)
        json_close(out);
    else if (out->in_table)
        text_row(out, false);
}

void output_array_begin(struct output *out, const char *name) {
    if (out->is_json) {
        json_open(out, name, '[');
        return;
    }
    out->items = g_string_new(NULL);
    out->items_name = g_strdup(name);
}

void output_array_end(struct output *out) {
    if (out->is_json) {
        json_close(out);
        return;
    }
    g_autofree char *text = g_string_free(g_steal_pointer(&out->items), FALSE);
    g_autofree char *name = g_steal_pointer(&out->items_name);
    if (*text)
        text_field(out, name, text);
}

void output_string(struct output *out, const char *name, const char *value) {
    if (!value)
        return;
    if (out->is_json) {
        json_before(out, name);
        json_text(out->buffer, value);
    } else
        text_field(out, name, value);
}

static void output_plain(struct output *out, const char *name, const char *json, const char *text) {
    if (out->is_json) {
        json_before(out, name);
        g_string_append(out->buffer, json);
    } else
        text_field(out, name, text);
}

void output_number(struct output *out, const char *name, uint64_t value) {
    char text[24];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, (guint64)value);
    output_plain(out, name, text, text);
}

void output_bool(struct output *out, const char *name, bool value) {
    output_plain(out, name, value ? "true" : "false", value ? "yes" : "no");
}

void output_time(struct output *out, const char *name, filetime_t value) {
    if (!value)
        return;
    time_t seconds = (time_t)filetime_to_unix(value);
    struct tm tm;
    char text[40];
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return;
    output_string(out, name, text);
}

void output_error(struct output *out, enum ec ec, const char *text) {
    g_autoptr(GString) line = g_string_new(NULL);
    if (out->is_json) {
        g_string_append(line, "{\"error\": ");
        json_text(line, text);
        g_string_append_printf(line, ", \"code\": \"%s\"}\n", ec_name(ec));
    } else
        g_string_append_printf(line, "bourse: %s\n", text);
    output_flush(out);
    if (!out->is_broken && !out->write(out->ctx, OUTPUT_ERROR, line->str, line->len))
        out->is_broken = true;
}
