// RTF made from HTML or plain text, as servers make PidTagRtfCompressed for clients that want it
// ([MS-OXRTFEX] 3.1, [MS-OXBBODY] 3.2).
#pragma once

#include <glib.h>
#include <stddef.h>

// RTF that carries the HTML (valid UTF-8) in its tags, so that rtf_to_html gives it back, beside a
// plain rendition of it (paragraphs, bold, italic, underlined).
GBytes *rtf_from_html(const char *html, size_t len);

// RTF of plain text (valid UTF-8), marked as made from text.
GBytes *rtf_from_text(const char *text, size_t len);
