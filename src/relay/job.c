// Sending: what is said on a connection for one message after the other ([RFC 5321] 3.3, [RFC
// 2920], [RFC 3030], [RFC 3461]).
#include <string.h>

#include "base/log.h"
#include "relay/relay_internal.h"

// A message on its way over a connection.
struct transaction {
    struct relay *r;
    struct connection *c;
    struct sending sending;
    const char *reply_lost;   // what was being done when the connection broke
    struct relay_result lost; // what came of that
    unsigned n_accepted;
    bool is_mail_accepted;
    bool has_answered; // there was a reply to any of it
};

enum step {
    STEP_GO,     // the message may follow
    STEP_EMPTY,  // the server waits for a message that has no recipients
    STEP_DONE,   // every recipient has its result
    STEP_BROKEN, // the connection is lost
};

// --- Commands ---

static void put_notify(struct peer *ch, uint32_t notify) {
    static const char *const words[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
    if (notify & 1)
        notify = 1; // NEVER stands alone
    const char *before = " NOTIFY=";
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (notify >> i & 1) {
            peer_put(ch, before);
            peer_put(ch, words[i]);
            before = ",";
        }
}

// xtext and the like came from a client: what would end the command is left out.
static bool is_word(const char *s) {
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] <= 0x20 || s[i] == 0x7f)
            return false;
    return len > 0 && len <= 500;
}

static bool is_ascii_or_utf8(const struct sending *s, const char *text) {
    return s->uses_smtputf8 || !content_is_8bit((const uint8_t *)text, strlen(text));
}

static void put_mail(struct transaction *t) {
    const struct sending *s = &t->sending;
    const struct relay_job *job = s->job;
    const struct extensions *e = &t->c->extensions;
    struct peer *ch = t->c->peer;
    peer_printf(ch, "MAIL FROM:<%s>", s->sender);
    if (e->has_size)
        peer_printf(ch, " SIZE=%" G_GUINT64_FORMAT, (guint64)s->size);
    if (s->uses_bdat)
        peer_put(ch, " BODY=BINARYMIME");
    else if (s->uses_8bit)
        peer_put(ch, " BODY=8BITMIME");
    if (s->uses_smtputf8)
        peer_put(ch, " SMTPUTF8");
    if (s->uses_requiretls)
        peer_put(ch, " REQUIRETLS");
    if (e->is_dsn && job->ret && is_word(job->ret))
        peer_printf(ch, " RET=%s", job->ret);
    if (e->is_dsn && job->envid && is_word(job->envid) && is_ascii_or_utf8(s, job->envid))
        peer_printf(ch, " ENVID=%s", job->envid);
    peer_put(ch, "\r\n");
}

static void put_rcpt(struct transaction *t, unsigned i) {
    const struct sending *s = &t->sending;
    const struct relay_recipient *r = &s->job->recipients[i];
    struct peer *ch = t->c->peer;
    peer_printf(ch, "RCPT TO:<%s>", s->addresses[i]);
    if (t->c->extensions.is_dsn) {
        if (r->notify)
            put_notify(ch, r->notify);
        if (r->orcpt && is_word(r->orcpt) && is_ascii_or_utf8(s, r->orcpt))
            peer_printf(ch, " ORCPT=%s", r->orcpt);
    }
    peer_put(ch, "\r\n");
}

// --- Replies ---

// The next reply that somebody wants to know: those of RSET and the like are passed over.
static enum ec next_reply(struct transaction *t, unsigned seconds, struct reply *out,
                          const char *doing) {
    struct connection *c = t->c;
    enum ec ec = EC_OK;
    while (c->n_unread > 0 && ec == EC_OK) {
        ec = peer_reply(c->peer, seconds, out, NULL, NULL);
        c->n_unread--;
    }
    if (ec == EC_OK)
        ec = peer_reply(c->peer, seconds, out, NULL, NULL);
    // 421 may come at any time and ends the connection ([RFC 5321] 3.8).
    if (ec == EC_OK && out->code == 421)
        c->is_closing = true;
    if (ec == EC_OK) {
        t->has_answered = true;
    } else {
        c->is_broken = true;
        t->reply_lost = doing;
    }
    return ec;
}

static struct relay_result from_reply(struct transaction *t, const struct reply *reply,
                                      const char *status) {
    return result_from_reply(t->sending.job->arena, t->c->remote, reply, status);
}

static enum step broken(struct transaction *t, enum ec ec) {
    struct arena *arena = t->sending.job->arena;
    struct relay_result why =
        result_from_ec(arena, t->c->remote, ec,
                       arena_printf(arena, "%s (%s)", peer_error(t->c->peer), t->reply_lost));
    t->lost = why;
    job_fill(t->sending.job, &why);
    return STEP_BROKEN;
}

// Of all recipients that were accepted.
static void fill(struct transaction *t, const struct reply *reply, const char *status) {
    struct relay_result result = from_reply(t, reply, status);
    if (result.verdict == RELAY_SENT)
        result.sends_reports = t->c->extensions.is_dsn;
    job_fill(t->sending.job, &result);
}

static void on_rcpt(struct transaction *t, unsigned i, const struct reply *reply) {
    struct relay_result *result = &t->sending.job->recipients[i].result;
    if (reply_is_good(reply)) {
        t->n_accepted++;
        return;
    }
    *result = from_reply(t, reply, "5.1.0");
    if (result->verdict == RELAY_SENT) // 3xx is no answer to RCPT
        result->verdict = RELAY_DEFERRED;
    // Too many recipients at once ([RFC 5321] 4.5.3.1.10): the others come again later, whichever
    // of the two codes the server uses.
    if (reply->code == 552)
        result->verdict = RELAY_DEFERRED;
}

static bool is_sent_to(const struct transaction *t, unsigned i) {
    return t->sending.addresses[i] != NULL;
}

// MAIL's reply is a failure: all have it. A positive one that makes no sense counts as later.
static void on_mail(struct transaction *t, const struct reply *reply) {
    t->is_mail_accepted = reply_is_good(reply);
    if (!t->is_mail_accepted)
        fill(t, reply, "5.0.0");
}

static enum step after_data(struct transaction *t, const struct reply *reply) {
    if (reply->code == 354)
        return t->n_accepted > 0 ? STEP_GO : STEP_EMPTY;
    if (t->n_accepted > 0) {
        fill(t, reply, "5.0.0");
        if (reply_is_good(reply)) { // 2xx to DATA: no message was sent
            struct relay_result odd = result_from_ec(t->sending.job->arena, t->c->remote,
                                                     EC_FORMAT_ERROR, "its reply to DATA is odd");
            for (unsigned i = 0; i < t->sending.job->n_recipients; i++)
                if (t->sending.job->recipients[i].result.verdict == RELAY_SENT)
                    t->sending.job->recipients[i].result = odd;
        }
    }
    return STEP_DONE;
}

// --- Up to the message ---

static void put_commands(struct transaction *t) {
    put_mail(t);
    for (unsigned i = 0; i < t->sending.job->n_recipients; i++)
        if (is_sent_to(t, i))
            put_rcpt(t, i);
    if (!t->sending.uses_bdat)
        peer_put(t->c->peer, "DATA\r\n");
}

static enum step read_pipelined(struct transaction *t) {
    const struct relay_options *o = &t->r->options;
    struct reply reply;
    enum ec ec = next_reply(t, o->command_seconds, &reply, "MAIL");
    if (ec != EC_OK)
        return broken(t, ec);
    on_mail(t, &reply);
    for (unsigned i = 0; i < t->sending.job->n_recipients; i++) {
        if (!is_sent_to(t, i))
            continue;
        ec = next_reply(t, o->command_seconds, &reply, "RCPT");
        if (ec != EC_OK)
            return broken(t, ec);
        if (t->is_mail_accepted)
            on_rcpt(t, i, &reply);
    }
    if (t->sending.uses_bdat)
        return t->n_accepted ? STEP_GO : STEP_DONE;
    ec = next_reply(t, o->data_seconds, &reply, "DATA");
    return ec == EC_OK ? after_data(t, &reply) : broken(t, ec);
}

// One command after the other, for servers that do not pipeline.
static enum step converse(struct transaction *t) {
    const struct relay_options *o = &t->r->options;
    struct reply reply;
    put_mail(t);
    enum ec ec = next_reply(t, o->command_seconds, &reply, "MAIL");
    if (ec != EC_OK)
        return broken(t, ec);
    on_mail(t, &reply);
    for (unsigned i = 0; t->is_mail_accepted && i < t->sending.job->n_recipients; i++) {
        if (!is_sent_to(t, i))
            continue;
        put_rcpt(t, i);
        ec = next_reply(t, o->command_seconds, &reply, "RCPT");
        if (ec != EC_OK)
            return broken(t, ec);
        on_rcpt(t, i, &reply);
    }
    if (t->n_accepted == 0 || t->sending.uses_bdat)
        return t->n_accepted ? STEP_GO : STEP_DONE;
    peer_put(t->c->peer, "DATA\r\n");
    ec = next_reply(t, o->data_seconds, &reply, "DATA");
    return ec == EC_OK ? after_data(t, &reply) : broken(t, ec);
}

// --- The message ---

static enum ec put_piece(struct transaction *t, GBytes *piece, bool *at_start) {
    gsize len = 0;
    const uint8_t *data = piece ? g_bytes_get_data(piece, &len) : NULL;
    GByteArray *out = peer_out(t->c->peer);
    for (gsize pos = 0, n; pos < len; pos += n) {
        n = MIN(len - pos, RELAY_OUT_MAX);
        // Not between CR and LF, which belong together.
        if (pos + n < len && data[pos + n - 1] == '\r')
            n = n > 1 ? n - 1 : n + 1;
        if (t->sending.uses_bdat)
            g_byte_array_append(out, data + pos, (guint)n);
        else
            content_put(out, data + pos, n, at_start);
        if (out->len >= RELAY_OUT_MAX)
            EC_TRY(peer_flush(t->c->peer, t->r->options.data_seconds * 3 / 2));
    }
    return EC_OK;
}

static enum ec put_message(struct transaction *t) {
    bool at_start = true;
    if (t->sending.uses_bdat)
        peer_printf(t->c->peer, "BDAT %" G_GUINT64_FORMAT " LAST\r\n", (guint64)t->sending.size);
    EC_TRY(put_piece(t, t->sending.top, &at_start));
    EC_TRY(put_piece(t, t->sending.message, &at_start));
    if (!t->sending.uses_bdat)
        peer_put(t->c->peer, at_start ? ".\r\n" : "\r\n.\r\n");
    return EC_OK;
}

static enum step read_end(struct transaction *t) {
    struct reply reply;
    peer_set_in_doubt(t->c->peer, true);
    enum ec ec = next_reply(t, t->r->options.end_seconds, &reply, "end of data");
    peer_set_in_doubt(t->c->peer, false);
    if (ec != EC_OK)
        return broken(t, ec);
    fill(t, &reply, "5.0.0");
    return STEP_DONE;
}

// Nothing of the transaction must be left for the next one.
static void clean_up(struct transaction *t, enum step step) {
    if (step == STEP_EMPTY) {
        peer_put(t->c->peer, ".\r\n");
        t->c->n_unread++;
    } else if (t->is_mail_accepted) {
        peer_put(t->c->peer, "RSET\r\n");
        t->c->n_unread++;
    }
}

// --- One connection's turn ---

struct turn {
    struct relay *r;
    struct destination *d;
    struct connection *c;
    int64_t until;
};

// Reads and checks the next job that can be sent here; those that cannot are answered.
static bool prepare_next(struct turn *turn, struct transaction *t, struct relay_job *job) {
    for (; job; job = relay_next_job(turn->r, turn->d)) {
        *t = (struct transaction){.r = turn->r, .c = turn->c};
        if (sending_prepare(&t->sending, turn->c, job))
            return true;
        sending_clear(&t->sending);
        relay_job_done(turn->r, job);
    }
    return false;
}

static bool may_go_on(const struct turn *turn) {
    return !turn->c->is_broken && !turn->c->is_closing && !atomic_load(&turn->r->is_stopping) &&
           (g_get_monotonic_time() < turn->until || atomic_load(&turn->r->n_ready) == 0);
}

static bool was_sent(const struct relay_job *job) {
    for (unsigned i = 0; i < job->n_recipients; i++)
        if (job->recipients[i].result.verdict == RELAY_SENT)
            return true;
    return false;
}

static void finish(struct turn *turn, struct transaction *t) {
    struct relay_job *job = t->sending.job;
    bool is_sent = was_sent(job);
    sending_clear(&t->sending);
    turn->c->n_messages++;
    if (is_sent)
        relay_succeeded(turn->r, turn->d);
    relay_job_done(turn->r, job);
}

static void forget_results(struct relay_job *job) {
    for (unsigned i = 0; i < job->n_recipients; i++)
        job->recipients[i].result = (struct relay_result){0};
}

// The connection broke before the message was sent. The job, if another connection is to be tried
// for it at once: one that was used before may be closed by the server at any time.
static struct relay_job *lost(struct turn *turn, struct transaction *t) {
    struct relay_job *job = t->sending.job;
    bool was_used = turn->c->n_messages > 0;
    sending_clear(&t->sending);
    if (t->has_answered || t->lost.verdict != RELAY_DEFERRED ||
        (was_used && job->n_returns >= RELAY_JOB_RETURNS)) {
        relay_job_done(turn->r, job);
        return NULL;
    }
    forget_results(job);
    job->n_returns++;
    if (was_used)
        return job;
    relay_connection_failed(turn->r, turn->d, job, &t->lost);
    return NULL;
}

// Sends the message and, in the same breath, the commands of the next one.
static enum step send_message(struct turn *turn, struct transaction *t, struct transaction *next,
                              bool *has_next) {
    enum ec ec = put_message(t);
    if (ec != EC_OK) {
        t->c->is_broken = true;
        t->reply_lost = "sending the message";
        return broken(t, ec);
    }
    *has_next = turn->c->extensions.is_pipelining && may_go_on(turn) &&
                prepare_next(turn, next, relay_next_job(turn->r, turn->d));
    if (*has_next)
        put_commands(next);
    return read_end(t);
}

// Sends jobs while there are any. A job that is to be tried on a new connection, or NULL.
static struct relay_job *use_connection(struct turn *turn, struct relay_job *job) {
    struct transaction t, next;
    if (!prepare_next(turn, &t, job))
        return NULL;
    if (turn->c->extensions.is_pipelining)
        put_commands(&t);
    for (bool has_next;; t = next) {
        has_next = false;
        enum step step = turn->c->extensions.is_pipelining ? read_pipelined(&t) : converse(&t);
        if (step == STEP_BROKEN)
            return lost(turn, &t);
        if (step == STEP_GO)
            step = send_message(turn, &t, &next, &has_next);
        else
            clean_up(&t, step);
        finish(turn, &t);
        if (turn->c->is_broken || turn->c->is_closing) {
            if (!has_next)
                return NULL;
            // Nothing of it was answered.
            struct relay_job *again = next.sending.job;
            sending_clear(&next.sending);
            return again;
        }
        if (has_next)
            continue;
        if (!may_go_on(turn) || !prepare_next(turn, &next, relay_next_job(turn->r, turn->d)))
            return NULL;
        if (turn->c->extensions.is_pipelining)
            put_commands(&next);
    }
}

// To the idle ones of the destination, unless it is used up.
static void put_away(struct turn *turn) {
    struct connection *c = turn->c;
    struct transaction t = {.r = turn->r, .c = c};
    struct reply reply;
    while (!c->is_broken && !c->is_closing && c->n_unread > 0) {
        c->n_unread--;
        if (next_reply(&t, turn->r->options.command_seconds, &reply, "RSET") != EC_OK)
            break;
    }
    if (c->is_broken || c->is_closing || atomic_load(&turn->r->is_stopping)) {
        connection_close(c);
        return;
    }
    c->idle_since = g_get_monotonic_time();
    pthread_mutex_lock(&turn->r->lock);
    g_queue_push_head_link(&turn->d->idle, &c->link);
    pthread_mutex_unlock(&turn->r->lock);
}

void session_run(struct relay *r, struct destination *d, struct relay_job *job,
                 struct connection *c) {
    struct turn turn = {.r = r, .d = d, .c = c};
    turn.until = g_get_monotonic_time() + RELAY_TURN_SECONDS * G_TIME_SPAN_SECOND;
    if (c && !peer_is_alive(c->peer)) {
        c->is_broken = true;
        connection_close(g_steal_pointer(&turn.c));
    }
    while (job) {
        if (!turn.c) {
            struct relay_result why = {.verdict = RELAY_DEFERRED};
            turn.c = connection_open(r, job->arena, &d->hop, &why);
            if (!turn.c) {
                relay_connection_failed(r, d, job, &why);
                return;
            }
        }
        job = use_connection(&turn, job);
        if (job || turn.c->is_broken || turn.c->is_closing)
            connection_close(g_steal_pointer(&turn.c));
    }
    if (turn.c)
        put_away(&turn);
}
