// IDLE ([RFC 2177]): the folder is watched only while the client waits; a change wakes the session,
// which tells what happened as after any command.
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

#define KEEPALIVES_MAX ((35 * 60) / IMAP_IDLE_KEEPALIVE) // then the client is thought to be gone

static void wake(void *ctx) {
    net_conn_wake(ctx);
}

static void restore_idle_time(struct imap_session *s) {
    imap_set_idle(s, s->service->idle_seconds ? s->service->idle_seconds : IMAP_IDLE_SECONDS);
}

void cmd_idle(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    if (s->state == IMAP_SELECTED && s->conn) {
        enum ec ec =
            mailbox_watch_new(s->selected, mailbox_view_fid(s->view), wake, s->conn, &s->watch);
        if (ec != EC_OK) {
            imap_reply_ec(c, ec);
            return;
        }
    }
    imap_puts(s, "+ idling\r\n");
    // What happened before the watch began nobody will wake us for.
    if (s->state == IMAP_SELECTED)
        imap_sync(s, c, true);
    imap_set_idle(s, IMAP_IDLE_KEEPALIVE);
    s->n_keepalives = 0;
    s->input = INPUT_IDLE;
    c->is_waiting = true;
}

enum net_next imap_take_idle(struct imap_session *s, const char *data, size_t len) {
    struct imap_cmd *c = s->cmd;
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r' || data[len - 1] == ' '))
        len--;
    s->input = INPUT_LINE;
    g_clear_pointer(&s->watch, mailbox_watch_free);
    restore_idle_time(s);
    if (len == 4 && g_ascii_strncasecmp(data, "DONE", 4) == 0)
        imap_reply(c, "OK", "Idle completed");
    else
        imap_reply(c, "BAD", "Expected DONE");
    c->is_waiting = false;
    return imap_finish(c);
}

enum net_next imap_idle_wake(struct imap_session *s) {
    if (s->state != IMAP_SELECTED)
        return NET_READ;
    enum ec ec = imap_sync(s, s->cmd, true);
    if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED || ec == EC_ACCESS_DENIED) {
        imap_puts(s, "* BYE [NONEXISTENT] Selected mailbox is gone\r\n");
        return NET_CLOSE;
    }
    if (ec == EC_END_OF_SESSION) {
        imap_puts(s, IMAP_BYE_REPLACED);
        return NET_CLOSE;
    }
    return NET_READ;
}

enum net_next imap_idle_timeout(struct imap_session *s) {
    if (++s->n_keepalives >= KEEPALIVES_MAX) {
        imap_puts(s, "* BYE Disconnected for inactivity\r\n");
        return NET_CLOSE;
    }
    imap_puts(s, "* OK Still here\r\n");
    return NET_READ;
}
