// The header of a message as it streams in: fields that only a server of ours may write are taken
// out, and Received fields are counted ([RFC 5321] 6.3, [RFC 8601] 5).
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct smtp_filter_rules {
    const char *hostname;  // our authserv-id, and the name in our Received fields
    bool is_submitted;     // Bcc goes too
    bool removes_verdicts; // what strangers say of Authentication-Results by us, and fields of
                           // our organization
};

struct smtp_filter {
    struct smtp_filter_rules rules;
    GByteArray *held;             // the field that is not complete yet; NULL: the header is over
    bool is_passing, is_dropping; // a field too long to be held: kept or removed as it comes
    unsigned n_received, n_own;
};

// `rules` are borrowed until the header is over.
struct smtp_filter smtp_filter(const struct smtp_filter_rules *rules);
void smtp_filter_clear(struct smtp_filter *f);
// Takes the next bytes of a message, any number; appends what is kept to `out`. After the header
// everything is kept.
void smtp_filter_feed(struct smtp_filter *f, const uint8_t *data, size_t len, GByteArray *out);
// The message is over: what was held back goes to `out`.
void smtp_filter_finish(struct smtp_filter *f, GByteArray *out);

static inline bool smtp_filter_is_over(const struct smtp_filter *f) {
    return f->held == NULL;
}
