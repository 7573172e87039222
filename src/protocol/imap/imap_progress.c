// The count and the goal are left out: no command here knows them beforehand.
#include "protocol/imap/imap_progress.h"

#include "protocol/imap/imap_write.h"

struct imap_progress imap_progress_begin(struct imap_cmd *c) {
    return (struct imap_progress){.c = c, .last = g_get_monotonic_time()};
}

bool imap_progress_tick(void *progress) {
    struct imap_progress *p = progress;
    struct imap_session *s = p->c->s;
    int64_t now = g_get_monotonic_time();
    if (now - p->last < IMAP_PROGRESS_SECONDS * G_USEC_PER_SEC)
        return false;
    p->last = now;
    imap_puts(s, "* OK [INPROGRESS (");
    imap_put_string(s, p->c->tag);
    imap_puts(s, ")] Still working\r\n");
    imap_flush(s);
    if (s->conn)
        net_flush(s->conn);
    return false;
}
