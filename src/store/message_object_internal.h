// An opened message, shared by the files on message objects.
#pragma once

#include "store/message_internal.h"

struct message {
    struct guid guid, replica;
    struct message_full row; // as opened; texts are not used
    char *keywords;
    struct message_value *value;
    uint64_t source;
    uint32_t flags; // with what was set since
    bool is_changed;
    unsigned bodies_set; // for body_replaced
    uint64_t new_mid;    // of a new message; 0: the next one
    GBytes *change;      // what a client said of its change (replica.h); NULL: nothing
};

// A property the store computes; false: `tag` is none of them. `out` in the arena.
bool message_computed(const struct message *m, struct arena *arena, proptag_t tag,
                      struct prop_value *out);
bool message_is_computed(proptag_t tag);

// Reads an external value's bytes, transfer encoding undone; strings as UTF-8.
enum ec external_read(struct mbox_tx *tx, const struct prop_external *external, bool is_text,
                      GBytes **out);

// message_new.c: puts a new one into its folder.
enum ec message_save_new(struct mbox_tx *tx, struct message *m);

// embedded.c: the message in a message/rfc822 part's bytes, self-contained.
enum ec embedded_parse(GBytes *bytes, struct message_value **out);
