// One IMAP connection: what the files of this folder share. Never included from outside.
#pragma once

#include "protocol/imap/imap.h"
#include "protocol/imap/imap_parse.h"
#include "protocol/imap/limits.h"

enum imap_state {
    IMAP_NOT_AUTHENTICATED,
    IMAP_AUTHENTICATED,
    IMAP_SELECTED,
    IMAP_LOGOUT, // BYE was said; the connection closes once the answer is out
};

// What the next unit of input is.
enum imap_input {
    INPUT_LINE,    // a command, or its next line after a literal
    INPUT_LITERAL, // bytes of one
    INPUT_SASL,    // the client's answer to a challenge
    INPUT_IDLE,    // DONE
};

struct imap_cmd;
struct imap_pending;
struct imap_contexts;
struct imap_notify;

// What part of a message a client reads in pieces: found once, not in every partial FETCH.
struct imap_part_cache {
    uint64_t mid;
    char section[32];
    uint64_t pos, len;
};

// Before the connection ends because the mailbox was restored or repaired.
#define IMAP_BYE_REPLACED "* BYE [UNAVAILABLE] The mailbox was replaced; connect again\r\n"

struct imap_session {
    struct net_conn *conn; // NULL in tests and fuzzers
    GString *capture;      // gets the output when there is no connection; NULL: it goes nowhere
    struct imap_service *service;
    struct mailbox_set *mailboxes; // NULL before login
    struct mailbox *mailbox;       // the user's own
    struct mailbox *selected;      // the one the selected folder is in
    struct mailbox_view *view;     // of the selected folder; what the client knows of it
    struct mailbox_watch *watch;   // while IDLE
    struct imap_cmd *cmd;          // a command that goes on: a long answer, SASL, IDLE
    struct imap_pending *pending;  // a command not whole yet
    GString *out;                  // output of this job, not yet handed to the connection
    struct imap_part_cache *part_cache;
    uint64_t literal_left;
    size_t scanned; // bytes of the buffered line known to hold no line end
    enum imap_state state;
    enum imap_input input;
    bool is_read_only;
    bool has_condstore; // every FETCH of flags carries MODSEQ
    bool has_qresync;   // VANISHED instead of EXPUNGE
    bool is_rev2;       // ENABLE IMAP4rev2: no RECENT, ESEARCH for SEARCH ([RFC 9051])
    bool is_utf8;       // names and quoted strings may be UTF-8 (IMAP4rev2, UTF8=ACCEPT)
    bool is_uid_only;   // no sequence numbers, neither way ([RFC 9586])
    GArray *saved;      // of struct search_range: the uids that "$" stands for; NULL: none
    struct imap_contexts *contexts; // searches that are kept up to date; NULL: none
    struct imap_notify *notify;     // NOTIFY SET; NULL: none
    uint8_t n_bad, n_login_failures;
    uint16_t n_keepalives; // sent in this IDLE
};

// A command while it runs. Lives in its arena, which ends with it.
struct imap_cmd {
    struct imap_session *s;
    struct arena *arena;
    struct imap_parser args; // after the name and a space; only until the function returns
    const struct imap_command *command;
    const char *tag;
    bool is_uid; // came as "UID name"
    // Set by a command that takes more than one step: called again until it gives true. `free_data`
    // runs when the command ends, also when the connection is lost before.
    bool (*step)(struct imap_cmd *c);
    void (*free_data)(struct imap_cmd *c);
    void *data;
    bool has_answered; // the tagged line was written already (STARTTLS)
    bool is_waiting;   // for input (SASL, IDLE): neither done nor to be called again
    // The answer, written after the updates of the folder.
    const char *reply; // "OK", "NO", "BAD"
    const char *text;
    // Updates of other messages' flags that the client knows already (own changes); may be NULL.
    bool (*is_known)(struct imap_cmd *c, uint32_t old_index, const struct message_row *before,
                     const struct message_row *now);
    enum net_next next;
};

enum imap_command_flags {
    CMD_NOT_AUTH = 1, // allowed before login
    CMD_AUTH = 2,     // allowed after login
    CMD_SELECTED = 4, // allowed with a folder selected
    CMD_ANY = CMD_NOT_AUTH | CMD_AUTH | CMD_SELECTED,
    CMD_LOGGED_IN = CMD_AUTH | CMD_SELECTED,
    CMD_UID = 8,            // also as UID ...
    CMD_UID_ONLY_ARGS = 16, // plain form has no arguments, the UID form has a set (EXPUNGE)
    CMD_NO_EXPUNGE = 32,    // no EXPUNGE in the answer of the plain form ([RFC 3501] 7.4.1)
    CMD_NO_SYNC = 64,       // no updates in the answer at all
    CMD_NO_ARGS = 128,      // anything after the name is an error
};

struct imap_command {
    const char *name;
    void (*run)(struct imap_cmd *c);
    unsigned flags;
};
// NULL: no such command.
const struct imap_command *imap_find_command(const char *name, size_t len);

// --- imap_session.c ---
struct imap_session *imap_session_new(struct net_conn *conn, struct imap_service *service);
void imap_session_free(struct imap_session *s);
// For fuzzers: what imap_proto's frame and unit do.
ssize_t imap_session_frame(struct imap_session *s, const uint8_t *data, size_t len);
enum net_next imap_session_unit(struct imap_session *s, const uint8_t *data, size_t len);
void imap_put_capabilities(struct imap_session *s); // cmd_capability.c
bool imap_is_tls(const struct imap_session *s);
struct auth_peer imap_peer(const struct imap_session *s);
bool imap_may_login(const struct imap_session *s);
void imap_set_idle(struct imap_session *s, unsigned seconds);
// Makes the session one of `who`; EC_NOT_FOUND when there is no mailbox.
enum ec imap_log_in(struct imap_session *s, struct principal *who);
void imap_deselect(struct imap_session *s);

// --- imap_run.c: commands from beginning to end ---
enum net_next imap_run_line(struct imap_session *s, const char *data, size_t len,
                            const struct imap_spooled *spooled, unsigned n_spooled);
enum net_next imap_continue(struct imap_session *s); // after NET_MORE
// Ends a command that waited for input: its reply is set.
enum net_next imap_finish(struct imap_cmd *c);
void imap_cmd_free(struct imap_cmd *c); // accepts NULL
// A syntax error outside of any command; closes after too many in a row.
enum net_next imap_bad_line(struct imap_session *s, const char *tag, const char *text);

// --- The answer of a command ---
void imap_reply(struct imap_cmd *c, const char *reply, const char *text); // text: static or arena
void imap_reply_ok(struct imap_cmd *c);                                   // "OK Done"
void imap_reply_bad_args(struct imap_cmd *c);                             // from c->args.error
void imap_reply_ec(struct imap_cmd *c, enum ec ec);                       // imap_errors.c
// The same where the target of COPY, MOVE, APPEND does not exist.
void imap_reply_ec_target(struct imap_cmd *c, enum ec ec);
const char *imap_ec_code(enum ec ec); // "[NONEXISTENT] " or ""

// Reads a mailbox name (canonical INBOX, UTF-8). False: the reply is set.
bool imap_arg_mailbox(struct imap_cmd *c, const char **out);
// A decoded name with INBOX as it is written.
const char *imap_canonical_name(struct arena *arena, const char *path);
// The rest has to be nothing. False: the reply is set.
bool imap_arg_end(struct imap_cmd *c);
// Reads a set and finds its rows in the view. False: the reply is set.
struct imap_rows;
bool imap_arg_rows(struct imap_cmd *c, struct imap_rows *out);
// The ids of rows. In the arena.
uint64_t *imap_row_mids(struct imap_cmd *c, const struct imap_rows *rows, unsigned *n_out);

// --- imap_sync.c ---
// Tells the client what changed in the selected folder. EXPUNGE only when `may_expunge`: otherwise
// a change that has some waits for the next time. `c` (may be NULL): the command running.
enum ec imap_sync(struct imap_session *s, struct imap_cmd *c, bool may_expunge);
// "* 3 EXISTS", with RECENT (always 0) for clients of IMAP4rev1.
void imap_put_exists(struct imap_session *s, uint32_t count);
// "* VANISHED (EARLIER) 3:5,9": what left the selected folder after the modseq `since`, of the uids
// in `known` (imap_uids_of_set; NULL: of all).
enum ec imap_put_vanished_since(struct imap_session *s, uint64_t since,
                                const struct imap_rows *known);
// "* 3 FETCH (UID 7 FLAGS (...) MODSEQ (...))".
void imap_put_flags_update(struct imap_session *s, uint32_t number, const struct message_row *row,
                           bool with_uid, bool with_flags, bool with_modseq);

// --- imap_pending.c: putting a command together ---
enum net_next imap_take_line(struct imap_session *s, const char *data, size_t len);
enum net_next imap_take_literal(struct imap_session *s, const uint8_t *data, size_t len);
void imap_pending_free(struct imap_pending *p); // accepts NULL

// --- cmd_login.c, cmd_idle.c: input that is no command ---
enum net_next imap_take_sasl(struct imap_session *s, const char *data, size_t len);
enum net_next imap_take_idle(struct imap_session *s, const char *data, size_t len);
enum net_next imap_idle_wake(struct imap_session *s);
enum net_next imap_idle_timeout(struct imap_session *s);
