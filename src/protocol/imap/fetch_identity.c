// FETCH items about what a message is rather than what it says: EMAILID, THREADID ([RFC 8474]),
// SAVEDATE ([RFC 8514]), PREVIEW ([RFC 8970]).
#include "mailbox/identity.h"
#include "protocol/imap/fetch.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_write.h"

static enum ec put_ids(struct imap_session *s, struct mailbox_reader *reader, uint64_t mid,
                       bool is_thread) {
    char email[MAILBOX_ID_SIZE], thread[MAILBOX_ID_SIZE];
    EC_TRY(mailbox_read_ids(reader, mid, email, thread));
    imap_printf(s, is_thread ? "THREADID (%s)" : "EMAILID (%s)", is_thread ? thread : email);
    return EC_OK;
}

static enum ec put_save_date(struct imap_session *s, struct mailbox_reader *reader, uint64_t mid) {
    filetime_t date = 0;
    struct imap_date_cache cache = {0};
    EC_TRY(mailbox_read_save_date(reader, mid, &date));
    imap_puts(s, "SAVEDATE ");
    if (date == 0)
        imap_puts(s, "NIL");
    else
        imap_advance(s, imap_put_date_time(imap_room(s, IMAP_DATE_TIME_SIZE), date, &cache));
    return EC_OK;
}

static enum ec put_preview(struct imap_session *s, struct mailbox_reader *reader, uint64_t mid,
                           struct arena *arena) {
    const char *text;
    EC_TRY(mailbox_read_preview(reader, mid, arena, &text));
    imap_puts(s, "PREVIEW ");
    imap_put_string(s, text);
    return EC_OK;
}

enum ec fetch_put_identity(struct imap_session *s, struct mailbox_reader *reader,
                           const struct message_row *row, enum fetch_kind kind,
                           struct arena *arena) {
    switch (kind) {
    case FETCH_EMAILID:
    case FETCH_THREADID:
        return put_ids(s, reader, row->mid, kind == FETCH_THREADID);
    case FETCH_SAVEDATE:
        return put_save_date(s, reader, row->mid);
    default:
        return put_preview(s, reader, row->mid, arena);
    }
}
