// Attachments: their ids, finding them, writing and reading them ([MS-OXWSATT]).
#pragma once

#include "protocol/ews/ews_properties.h"

// A chain of opened items down to the one that an attachment is of.
struct ews_attachment {
    struct ews_mailbox *mailbox;
    struct ews_id id;
    struct item *items[EWS_ID_MAX_LEVELS + 1]; // the root, then embedded ones
    unsigned n_items;
    unsigned index; // of the attachment in the last item
};
// EC_NOT_FOUND as ErrorInvalidAttachmentId. To be closed in any case.
enum ec ews_attachment_open(struct ews_call *call, const struct ews_id *id,
                            struct ews_attachment *out);
// One that is named by a t:AttachmentId.
enum ec ews_attachment_read(struct ews_call *call, const struct ews_node *node,
                            struct ews_attachment *out);
void ews_attachment_close(struct ews_attachment *a);
// The item inside; opened items end with it.
enum ec ews_attachment_enter(struct ews_call *call, struct ews_attachment *a);

// The id of an attachment of `parent`, which is `id`'s item (an attachment or an item itself).
void ews_attachment_id(const struct ews_id *parent, struct item *item, unsigned index,
                       struct ews_id *out);
// A t:FileAttachment and the like; with what is in it when `shape` is not NULL.
void ews_write_attachment(struct ews_call *call, struct ews_mailbox *mailbox,
                          const struct ews_id *parent, struct item *item, unsigned index,
                          const struct ews_shape *shape);
// A new attachment of a t:FileAttachment, t:ItemAttachment, t:ReferenceAttachment.
enum ec ews_read_attachment(struct ews_call *call, struct ews_mailbox *mailbox,
                            const struct ews_node *node, unsigned depth,
                            struct attachment_value **out);
