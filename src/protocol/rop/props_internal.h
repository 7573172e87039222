// Between the files on properties: many of one object at once, contents outside of bags.
#pragma once

#include "protocol/rop/rop_internal.h"

// The properties of one object while several are asked for; folders and stores are read once.
struct rop_props {
    struct rop_object *object;
    struct mbox_tx *tx;
    struct arena *arena;
    struct bag *bag; // of stores and folders
};
// EC_NOT_SUPPORTED: an object without properties.
enum ec rop_props_begin(struct rop_object *o, struct mbox_tx *tx, struct arena *arena,
                        struct rop_props *out);
void rop_props_end(struct rop_props *p);
// As rop_get_prop and rop_list_props.
enum ec rop_props_get(struct rop_props *p, proptag_t tag, size_t max, struct prop_value *out);
void rop_props_list(struct rop_props *p, GArray *tags);

// A value that stands in the mailbox's blobs.
enum ec rop_external_value(struct mbox_tx *tx, struct arena *arena, const struct prop_value *v,
                           size_t max, struct prop_value *out);
// An attachment's content. EC_NOT_FOUND.
enum ec rop_attachment_content(struct rop_attachment *a, struct mbox_tx *tx, GBytes **out);
