// Ids are made of the mailbox's guid and the store's own numbers, which are never used again.
#include "mailbox/identity.h"

#include <inttypes.h>
#include <stdio.h>

#include "mailbox/mailbox_internal.h"
#include "store/id_time.h"
#include "store/message_identity.h"

static char *put_hex(char *out, const uint8_t *bytes, unsigned n) {
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

// "F", the mailbox, the number.
static void put_id(char kind, const struct mailbox *m, uint64_t number, char *out) {
    char *end = out;
    *end++ = kind;
    end = put_hex(end, mbox_guid(m->mbox)->bytes, 16);
    snprintf(end, MAILBOX_ID_SIZE - 33, "-%" PRIx64, number);
}

void mailbox_folder_id(const struct mailbox *m, uint64_t fid, char out[MAILBOX_ID_SIZE]) {
    put_id('F', m, fid, out);
}

enum ec mailbox_read_ids(struct mailbox_reader *r, uint64_t mid, char email_out[MAILBOX_ID_SIZE],
                         char thread_out[MAILBOX_ID_SIZE]) {
    struct message_identity id;
    EC_TRY(mailbox_reader_check(r, mid));
    EC_TRY(message_get_identity(reader_tx(r), mid, &id));
    put_id('M', reader_mailbox(r), id.doc, email_out);
    thread_out[0] = 'T';
    *put_hex(thread_out + 1, id.conversation, sizeof id.conversation) = 0;
    return EC_OK;
}

enum ec mailbox_read_save_date(struct mailbox_reader *r, uint64_t mid, filetime_t *out) {
    EC_TRY(mailbox_reader_check(r, mid));
    enum ec ec = id_time_of(reader_tx(r), mid, out);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

enum ec mailbox_saved_since(struct mailbox *m, filetime_t since, uint64_t *first_out,
                            uint64_t *known_out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    return id_time_boundary(tx, since, first_out, known_out);
}
