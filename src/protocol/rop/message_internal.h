// Between the files on messages: how a message and its recipients stand in responses.
#pragma once

#include "protocol/rop/rop_internal.h"

// CodePageId of a request. EC_UNKNOWN_CODE_PAGE.
enum ec rop_code_page(const struct rop_session *s, uint16_t wanted, unsigned *out);

// HasNamedProperties, the subject's parts, and the recipients that fit.
enum ec rop_put_message(struct rop_call *c, struct rop_message *m);

// RecipientColumns: what the recipients have beside what every row has. In the arena.
struct columns rop_recipient_columns(struct rop_message *m, struct arena *arena);

struct rop_recipient_rows {
    struct rop_message *message;
    const struct columns *columns;
    unsigned max;  // rows
    size_t room;   // bytes for them
    bool with_ids; // ReadRecipientRow; else OpenRecipientRow
};
// RowCount and the rows of recipients with a RowId of at least `from` in their order.
// EC_NOT_FOUND: there is none (only with_ids); EC_BUFFER_TOO_SMALL: not even one fits.
enum ec rop_put_recipients(struct wire_writer *w, const struct rop_recipient_rows *rows,
                           uint32_t from);
