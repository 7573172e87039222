// A whole message, for another mailbox or file that takes all of its properties.
#include "convert/tnef.h"
#include "mailbox/mailbox_internal.h"

enum ec mailbox_read_item(struct mailbox_reader *r, uint64_t mid, GBytes **out) {
    struct mbox_tx *tx = reader_tx(r);
    struct message *message;
    EC_TRY(message_open(tx, mid, &message));
    struct convert_source source = {reader_read_external, tx};
    enum ec ec = message_load_names(tx, message);
    if (ec == EC_OK)
        ec = convert_message_to_tnef(message_value(message), &source, TNEF_WHOLE, out);
    message_free(message);
    return ec;
}
