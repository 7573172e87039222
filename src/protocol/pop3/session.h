// One POP3 conversation, without a socket: bytes in, replies into a GString. The net side is
// pop3_net.c; tests and the fuzz target drive it directly.
#pragma once

#include <glib.h>

#include "protocol/pop3/limits.h"
#include "protocol/pop3/pop3.h"

struct pop3_service {
    struct pop3_settings settings; // defaults filled in, strings owned
    struct pop3_drops *drops;
    struct mailbox_service *mailboxes;
    struct auth *auth;
};

enum pop3_next {
    POP3_READ,
    POP3_MORE, // call pop3_session_resume when there is room for more output
    POP3_CLOSE,
    POP3_START_TLS, // after the output so far; then pop3_session_tls_started
};

enum pop3_mode { POP3_COMMAND, POP3_SKIP_LINE, POP3_SASL };

struct pop3_peer {
    const char *address;
    bool is_loopback, is_tls;
};

// One message of the maildrop.
struct pop3_item {
    uint64_t mid, size; // size: as LIST tells it
    uint32_t uid;
    bool is_deleted, is_fetched, is_read; // is_read: before
};

// A message going out, a step at a time.
struct pop3_sending {
    GBytes *mime; // NULL: none
    size_t pos;   // what was sent of it
    size_t end;   // where it ends: its size, or after TOP's lines
    bool at_line_start;
};

// Who fetches one message after the other finds the next ones read already, in one snapshot.
struct pop3_ahead {
    unsigned next;                      // index of the item that is expected
    unsigned n;                         // messages read, from `next` on
    GBytes *mimes[POP3_AHEAD_MESSAGES]; // the first `n`; NULL: was not read
};

struct pop3_session {
    struct pop3_service *service;
    GString *out;
    enum pop3_mode mode;
    struct auth_peer peer; // address owned
    char *user;            // of USER; NULL: none
    struct sasl *sasl;
    struct principal *who;
    unsigned n_errors, n_failures;
    bool is_utf8;

    // The maildrop, from login on.
    struct mailbox *mailbox;
    uint64_t fid;
    uint32_t uid_validity;
    struct pop3_item *items;
    unsigned n;
    struct pop3_sending sending;
    struct pop3_ahead ahead;
};

struct pop3_session *pop3_session_new(struct pop3_service *service, const struct pop3_peer *peer,
                                      GString *out);
void pop3_session_free(struct pop3_session *s); // accepts NULL

// As net_proto.frame, .unit and .resume; every input is a unit.
ssize_t pop3_session_frame(struct pop3_session *s, const uint8_t *data, size_t len);
enum pop3_next pop3_session_unit(struct pop3_session *s, const uint8_t *data, size_t len);
enum pop3_next pop3_session_resume(struct pop3_session *s);
void pop3_session_tls_started(struct pop3_session *s);

// --- Between the files of this folder ---

void pop3_ok(struct pop3_session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
// "-ERR [CODE] text" ([RFC 2449] 8, [RFC 3206]); counted, after too many the connection closes.
// `code` NULL: none.
enum pop3_next pop3_err(struct pop3_session *s, const char *code, const char *text);
enum pop3_next pop3_err_ec(struct pop3_session *s, enum ec ec);

struct pop3_command {
    const char *name;
    enum pop3_next (*run)(struct pop3_session *s, const char *args);
    unsigned flags;
};
enum {
    POP3_BEFORE_LOGIN = 1,
    POP3_AFTER_LOGIN = 2,
    POP3_NO_ARGUMENT = 4,
};

// login.c
enum pop3_next pop3_cmd_user(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_pass(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_auth(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_stls(struct pop3_session *s, const char *args);
enum pop3_next pop3_sasl_line(struct pop3_session *s, const char *line);
// capability.c
enum pop3_next pop3_cmd_capa(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_lang(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_utf8(struct pop3_session *s, const char *args);
// drop.c
// Whether the principal's last login was less than the login delay ago; if not, this one is noted.
bool pop3_drop_is_too_early(struct pop3_session *s);
// Opens and locks the principal's maildrop, or the one that the login name named. EC_BUSY: it is in
// use; EC_NOT_FOUND: there is none, or no right on it.
enum ec pop3_drop_open(struct pop3_session *s);
void pop3_drop_close(struct pop3_session *s);
// Deletes what was marked and marks what was fetched as read.
enum ec pop3_drop_update(struct pop3_session *s);
// list.c
enum pop3_next pop3_cmd_stat(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_list(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_uidl(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_dele(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_rset(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_noop(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_quit(struct pop3_session *s, const char *args);
// The message that `*args` names, which is moved past it; NULL: an answer was given, in *next_out.
struct pop3_item *pop3_item(struct pop3_session *s, const char **args, enum pop3_next *next_out);
// retr.c
enum pop3_next pop3_cmd_retr(struct pop3_session *s, const char *args);
enum pop3_next pop3_cmd_top(struct pop3_session *s, const char *args);
void pop3_sending_end(struct pop3_session *s);
void pop3_ahead_end(struct pop3_session *s);
