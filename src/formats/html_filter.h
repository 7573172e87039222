// HTML made harmless: what a mail may show and nothing that acts ([MS-OXWSCDATA] 2.2.4.35
// FilterHtmlContent).
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct html_filter_options {
    bool blocks_images;       // images from elsewhere (http) get no source
    bool adds_blank;          // links open in a window of their own
    const char *cid_template; // "{id}" in it is the content id of an inline image; NULL: cid: stays
};

// `html` is UTF-8. Elements and attributes are those of a list; scripts, frames, forms, event
// handlers, links with other schemes than those of mail and the web, and styles that act are left
// out. Linear in time. In the arena; `blocked_out` (may be NULL): an image was blocked.
char *html_filter(struct arena *arena, const char *html, size_t len,
                  const struct html_filter_options *options, bool *blocked_out, size_t *len_out);
