// vCard as a file: cards, lines with parameters, escapes and encodings (vCard 2.1, [RFC 2425],
// [RFC 2426], [RFC 6350]). What the lines mean is the business of convert/.
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/arena.h"

#define VCARD_MAX_LINES 20000 // of one card; the rest of it is not read

enum vcard_version { VCARD_2_1, VCARD_3_0, VCARD_4_0 };

// --- Reading ---

struct vcard_param {
    const char *name;  // upper case; TYPE for the bare words of 2.1
    const char *value; // UTF-8; several values in one parameter are rows of their own
};

struct vcard_line {
    const char *raw;   // unfolded, as it stands, UTF-8
    const char *group; // NULL: none
    const char *name;  // upper case
    struct vcard_param *params;
    unsigned n_params;
    const char *value; // UTF-8, quoted-printable undone; escapes still stand in it
};

struct vcard {
    enum vcard_version version;
    struct vcard_line *lines; // without BEGIN, END and VERSION
    unsigned n_lines;
};

// The next card at or after `*p`, which moves behind it; false: there is none. A card in a card
// (AGENT of 2.1) is the value of the line before it. In the arena.
bool vcard_next(struct arena *arena, const char **p, const char *end, struct vcard *out);

// The first value of a parameter; NULL: none.
const char *vcard_param(const struct vcard_line *line, const char *name);
// Whether TYPE has the word; in any case.
bool vcard_has_type(const struct vcard_line *line, const char *type);
// The value as text, escapes undone; line ends are CRLF.
const char *vcard_text(struct arena *arena, const struct vcard_line *line);
// The i-th component between semicolons, escapes undone; "": it has none. A list in it stays one
// text.
const char *vcard_component(struct arena *arena, const struct vcard_line *line, unsigned i);
// The values between commas, escapes undone, empty ones left out; ended by NULL.
const char **vcard_list(struct arena *arena, const struct vcard_line *line, unsigned *n_out);
// Bytes in base64 or in a data: address; NULL: it holds none.
GBytes *vcard_binary(const struct vcard_line *line);

// --- Writing ---

struct vcard_writer {
    GString *out;
    enum vcard_version version;
};

void vcard_begin(struct vcard_writer *w); // BEGIN and VERSION
void vcard_end(struct vcard_writer *w);
// A line; `types` are words for TYPE with commas between them, NULL: none. `components` (at least
// one) are escaped and put with `separator` between them.
void vcard_put(struct vcard_writer *w, const char *name, const char *types, char separator,
               const char *const *components, unsigned n);
void vcard_put_text(struct vcard_writer *w, const char *name, const char *types, const char *text);
// Bytes: `type` is the kind of data ("JPEG"), `media` its media type for 4.0.
void vcard_put_binary(struct vcard_writer *w, const char *name, const char *type, const char *media,
                      const void *data, size_t len);
// A whole line as it is, folded.
void vcard_put_raw(struct vcard_writer *w, const char *line);
