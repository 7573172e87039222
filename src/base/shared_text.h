// Texts that many hold and that stand in memory once: keywords of messages, for a million rows.
//
// Like GLib's interned reference strings, whose last release can race with a new reference in
// GLib 2.74: there a text is found in the table after its count has become 0.
#pragma once

// The shared copy of `s`, with a reference of the caller's own. Thread-safe.
char *shared_text_new(const char *s);
char *shared_text_ref(char *text);
void shared_text_unref(char *text);
