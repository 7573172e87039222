// One SMTP conversation, without a socket: bytes in, replies into a GString. The net side is
// smtp_net.c; tests and the fuzz target drive it directly.
#pragma once

#include <glib.h>
#include <pthread.h>

#include "base/arena.h"
#include "protocol/smtp/dots.h"
#include "protocol/smtp/filter.h"
#include "protocol/smtp/limits.h"
#include "protocol/smtp/smtp.h"

// The limits in use; sessions keep the ones they began with until their next message.
struct smtp_rules {
    int refs;                  // atomic
    struct smtp_limits limits; // owned
};
void smtp_rules_unref(struct smtp_rules *rules); // accepts NULL

struct smtp_service {
    struct smtp_settings settings; // strings owned; without limits
    pthread_mutex_t lock;
    struct smtp_rules *rules; // under lock
    GQueue checks;            // struct smtp_check that wait for a place; under lock
    unsigned n_checking;      // under lock
    struct queue *queue;
    struct directory *directory;
    struct auth *auth;
    struct mailbox_service *mailboxes; // asked whether a user may send; NULL: nobody is
};

enum smtp_next {
    SMTP_READ,
    SMTP_CLOSE,
    SMTP_START_TLS, // after the output so far; then smtp_session_tls_started
    SMTP_WAIT,      // no unit until `wake` was called; then smtp_session_submitted
    SMTP_DELAY,     // the output is sent in limits.tarpit_seconds, and nothing is read before
};

// What the next bytes are.
enum smtp_mode {
    SMTP_COMMAND,
    SMTP_SKIP_LINE, // the rest of a line that was too long
    SMTP_SASL,      // a response of the client
    SMTP_DATA,
    SMTP_CHUNK, // of BDAT
};

struct smtp_peer {
    const char *address;
    bool is_loopback, is_tls;
};

// A message between the queue's thread and ours; whoever lets go last frees it.
struct smtp_submission {
    int refs;
    int is_done; // atomic
    enum ec result;
    void (*wake)(void *ctx);
    void (*unref)(void *ctx);
    void *ctx;
};

// What the header of a submitted message has, while it is collected.
struct smtp_header {
    GByteArray *bytes; // NULL: not collected (any more)
};

struct smtp_check; // check.c

struct smtp_session {
    struct smtp_service *service;
    GString *out;
    enum smtp_mode mode;
    struct smtp_rules *rules;
    struct auth_peer peer;       // address owned
    bool may_xclient, is_exempt; // trusted; trusted or loopback
    bool is_refused;             // the greeting was a farewell
    bool is_slowed;              // this answer comes late
    unsigned n_unknown;
    char *client_name; // of XCLIENT; NULL: not said
    char *helo;        // NULL: not yet
    bool is_extended;  // EHLO
    struct principal *who;
    struct sasl *sasl;
    unsigned n_errors;

    // How to be woken when a message is durable; NULL: submitting blocks instead.
    void (*wake)(void *ctx);
    void *(*wake_ref)(void *ctx);
    void (*wake_unref)(void *ctx);
    void *wake_ctx;

    // The transaction, from MAIL on.
    struct arena *arena; // NULL: none
    const char *sender;
    GArray *recipients; // struct queue_recipient
    unsigned n_rcpt;    // RCPT commands, the refused ones too
    const char *envid, *ret;
    uint64_t max_size, size; // of this message; what MAIL said, 0: nothing
    filetime_t hold_until;
    bool is_smtputf8, is_8bit, is_binary, requires_tls;

    // The message, from DATA or the first BDAT on.
    bool has_message, is_chunked, is_last_chunk;
    uint64_t chunk_left;
    struct queue_spool *spool; // NULL: `failed` says why
    enum ec failed;
    struct dots dots;
    struct smtp_header header;
    struct smtp_filter filter;
    size_t received_len;      // of our own field
    struct smtp_check *check; // the policy is being asked
    unsigned n_answers;       // LMTP: one for each recipient, also after the transaction is gone
    char queue_id[QUEUE_ID_SIZE];
    struct smtp_submission *submission;
};

struct smtp_session *smtp_session_new(struct smtp_service *service, const struct smtp_peer *peer,
                                      GString *out);
void smtp_session_free(struct smtp_session *s); // accepts NULL

// As net_proto.frame and .unit; `smtp_session_bad_input` is never needed: every input is a unit.
ssize_t smtp_session_frame(struct smtp_session *s, const uint8_t *data, size_t len);
enum smtp_next smtp_session_unit(struct smtp_session *s, const uint8_t *data, size_t len);
void smtp_session_tls_started(struct smtp_session *s);
// After SMTP_WAIT; SMTP_WAIT again when it was woken too early.
enum smtp_next smtp_session_submitted(struct smtp_session *s);

// --- sender.c ---
// EC_SEND_AS_DENIED: a submitted message's header names a sender that is not the user's. `missing`
// gets the Sender field that sending on behalf needs. `is_complete`: the whole header is there.
enum ec smtp_check_header(struct smtp_session *s, const uint8_t *header, size_t len,
                          bool is_complete, GString *missing);

// --- Between the files of this folder ---

// "CODE STATUS text". `status` NULL: without (greeting, 354, 334).
void smtp_reply(struct smtp_session *s, int code, const char *status, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void smtp_reply_ec(struct smtp_session *s, enum ec ec);
// An error of the client's: counted; after too many the connection ends.
enum smtp_next smtp_reject(struct smtp_session *s, int code, const char *status, const char *format,
                           ...) G_GNUC_PRINTF(4, 5);
void smtp_reset_transaction(struct smtp_session *s);
// What is told after a message: once, or by LMTP once for each recipient.
void smtp_reply_message(struct smtp_session *s, int code, const char *status, const char *text);
// Counts something that a client should not do often: answers to more of it come late.
void smtp_note_misuse(struct smtp_session *s);
// The limits of now, for a new message.
void smtp_renew_rules(struct smtp_session *s);
// Whether one more is allowed, and counts it. `limit` 0: always.
bool smtp_take_rate(struct smtp_session *s, enum smtp_rate what, unsigned limit);
// Says hello, or why not (is_refused).
void smtp_greet(struct smtp_session *s);
void smtp_set_peer(struct smtp_session *s, const char *address);
bool smtp_needs_auth(const struct smtp_session *s); // and has none

struct smtp_command {
    const char *name;
    enum smtp_next (*run)(struct smtp_session *s, const char *args);
    unsigned flags;
};
enum {
    SMTP_NEEDS_HELO = 1,
    SMTP_NEEDS_MAIL = 2, // a transaction
    SMTP_NO_MESSAGE = 4, // not between BDATs
    SMTP_NO_ARGUMENT = 8,
    SMTP_NEEDS_TLS = 16, // where the settings say so
    SMTP_NOT_LMTP = 32,
    SMTP_ONLY_LMTP = 64,
};

// hello.c
enum smtp_next smtp_cmd_ehlo(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_lhlo(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_helo(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_noop(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_rset(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_quit(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_help(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_vrfy(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_expn(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_etrn(struct smtp_session *s, const char *args);
// xclient.c
enum smtp_next smtp_cmd_xclient(struct smtp_session *s, const char *args);
// login.c
enum smtp_next smtp_cmd_starttls(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_auth(struct smtp_session *s, const char *args);
enum smtp_next smtp_sasl_line(struct smtp_session *s, const char *line);
// envelope.c
enum smtp_next smtp_cmd_mail(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_rcpt(struct smtp_session *s, const char *args);
// recipient.c
// Whether mail is taken for `address`. False: *code_out and the rest say why not.
struct smtp_refusal {
    int code;
    const char *status, *text;
};
bool smtp_may_receive(struct smtp_session *s, const char *address, struct smtp_refusal *out);
// check.c
bool smtp_wants_check(const struct smtp_session *s);
// Asks the policy about the message in the spool. SMTP_WAIT, or smtp_check_done's.
enum smtp_next smtp_check_start(struct smtp_session *s);
bool smtp_check_is_done(const struct smtp_check *check);
const struct policy_verdict *smtp_check_verdict(const struct smtp_check *check);
void smtp_check_unref(struct smtp_check *check); // accepts NULL
// data.c
enum smtp_next smtp_cmd_data(struct smtp_session *s, const char *args);
enum smtp_next smtp_cmd_bdat(struct smtp_session *s, const char *args);
enum smtp_next smtp_data_unit(struct smtp_session *s, const uint8_t *data, size_t len);
enum smtp_next smtp_chunk_unit(struct smtp_session *s, const uint8_t *data, size_t len);
enum smtp_next smtp_check_done(struct smtp_session *s); // the verdict is there
void smtp_submission_unref(struct smtp_submission *submission);
// trace.c
void smtp_put_received(const struct smtp_session *s, GString *out);
// Fields that a submitted message lacks, before `header` (its bytes as far as they are there).
void smtp_put_missing(const struct smtp_session *s, const uint8_t *header, size_t len,
                      GString *out);
// Where a header ends in `len` bytes: after its empty line, or before what is no field any more;
// 0 while it goes on. *is_empty: the message begins without any field.
size_t smtp_header_end(const uint8_t *data, size_t len, bool *is_empty);
