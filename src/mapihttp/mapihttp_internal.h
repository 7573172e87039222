// What the parts of MAPI over HTTP share: session contexts, the envelope of requests and answers,
// and the operations.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/wire.h"
#include "mapihttp/mapihttp.h"

// X-ResponseCode ([MS-OXCMAPIHTTP] 2.2.3.3.3).
enum response_code {
    RESPONSE_SUCCESS = 0,
    RESPONSE_UNKNOWN_FAILURE = 1,
    RESPONSE_INVALID_VERB = 2,
    RESPONSE_INVALID_PATH = 3,
    RESPONSE_INVALID_HEADER = 4,
    RESPONSE_INVALID_REQUEST_TYPE = 5,
    RESPONSE_INVALID_CONTEXT_COOKIE = 6,
    RESPONSE_MISSING_HEADER = 7,
    RESPONSE_ANONYMOUS_NOT_ALLOWED = 8,
    RESPONSE_TOO_LARGE = 9,
    RESPONSE_CONTEXT_NOT_FOUND = 10,
    RESPONSE_NO_PRIVILEGE = 11,
    RESPONSE_INVALID_BODY = 12,
    RESPONSE_MISSING_COOKIE = 13,
    RESPONSE_INVALID_SEQUENCE = 15,
    RESPONSE_ENDPOINT_DISABLED = 16,
    RESPONSE_INVALID_RESPONSE = 17,
    RESPONSE_SHUTTING_DOWN = 18,
    RESPONSE_CODES,
};

enum endpoint { ENDPOINT_EMSMDB, ENDPOINT_NSPI };

// --- Session contexts (context.c) ---

#define CONTEXT_ID_LEN 32
#define SEQUENCE_LEN 20

struct context {
    atomic_int refs;
    enum endpoint endpoint;
    char id[CONTEXT_ID_LEN + 1]; // the cookie MapiContext
    struct guid user;
    // Of contexts.lock:
    char sequence[SEQUENCE_LEN + 1]; // the cookie MapiSequence that has to come next
    bool is_busy;                    // a request runs (waiting for notifications is none)
    bool is_gone;                    // no longer in the table
    unsigned n_requests;
    int64_t used_us; // end of the last request
    // Belongs to the request that made it busy; ended by the last reference.
    struct rop_session *rop;
    struct nspi_session *nspi;
    // The request that waits for notifications. Taken with nothing else held.
    pthread_mutex_t wake_lock;
    struct http_waker *waker;
    uint64_t turn; // counts requests that waited
};

struct contexts {
    pthread_mutex_t lock;
    GHashTable *by_id; // struct context, one reference each
    GHashTable *users; // guid -> number of contexts
    unsigned max, max_user;
    int64_t idle_us;
};
void contexts_init(struct contexts *c, unsigned max, unsigned max_user, unsigned idle_seconds);
void contexts_clear(struct contexts *c);
void contexts_expire(struct contexts *c);
unsigned contexts_count(struct contexts *c);

// Makes a context that is in no table yet and is busy.
struct context *context_new(enum endpoint endpoint, const struct guid *user);
// Puts it in; may end the user's one that was unused longest. EC_SERVER_BUSY: too many.
enum ec contexts_add(struct contexts *c, struct context *context);
// Finds the context and makes it busy, when `sequence` is what has to come; `is_wait`: neither.
// The caller gets a reference, to give back with contexts_release.
enum response_code contexts_acquire(struct contexts *c, enum endpoint endpoint,
                                    const struct guid *user, const char *id, const char *sequence,
                                    bool is_wait, struct context **out);
void contexts_release(struct contexts *c, struct context *context, bool is_wait);
// Takes it out of the table; whoever waits on it is woken.
void contexts_remove(struct contexts *c, struct context *context);
bool context_is_gone(struct contexts *c, struct context *context);
struct context *context_ref(struct context *context);
void context_unref(struct context *context); // accepts NULL

// --- The service ---

struct mapihttp {
    struct mapihttp_options options;
    char *hostname;
    struct contexts contexts;
    struct net_timer *timer;
    atomic_uint_fast64_t requests, failures;
};

// --- The envelope (headers.c, envelope.c) ---

// What the header fields of a request say, checked.
struct envelope {
    const char *method, *content_type, *request_type, *request_id, *client_info,
        *client_application;
    uint16_t client_version[4]; // out: of X-ClientApplication
};
// The first thing wrong with them.
enum response_code envelope_check(struct envelope *e);
// Printable ASCII, not too long: what is given back in answers.
bool header_is_plain(const char *s);

// One request on its way to its answer.
struct operation;
struct exchange {
    struct mapihttp *m;
    struct http_request *r;
    enum endpoint endpoint;
    struct envelope envelope;
    const struct operation *operation;
    struct principal *who; // borrowed
    struct arena *arena;
    struct wire_reader body;
    struct context *context; // a reference; NULL: none
    struct wire_writer out;  // the answer's body
    bool is_begun;           // the header is written
    int64_t start_us;
    filetime_t start;
    // Of NotificationWait:
    int64_t wait_until_us, pending_us;
    uint64_t turn;
};

// An operation reads x->body and returns an error before it begins to answer, or calls
// exchange_begin, writes x->out and returns RESPONSE_SUCCESS. WAITING: parked.
#define RESPONSE_WAITING RESPONSE_CODES
struct operation {
    const char *name; // X-RequestType
    enum context_need { CONTEXT_NONE, CONTEXT_MAKES, CONTEXT_NEEDS, CONTEXT_WAITS } need;
    enum response_code (*run)(struct exchange *x);
};
extern const struct operation emsmdb_operations[], nspi_operations[];

// Writes the header and PROCESSING; `is_long`: they are sent at once, the rest follows in chunks.
void exchange_begin(struct exchange *x, bool is_long);
void exchange_pending(struct exchange *x); // a sign of life
// Ends the answer: DONE, then the body; or what went wrong.
enum http_next exchange_finish(struct exchange *x, enum response_code code);

// --- Notifications (wait.c) ---
enum response_code run_notification_wait(struct exchange *x);
enum http_next wait_resume(struct exchange *x);

// --- Auxiliary buffers (aux.c; [MS-OXCRPC] 2.2.2) ---

struct aux_in {
    unsigned n_blocks;
    const char *client_machine, *user; // of AUX_PERF_CLIENTINFO; NULL: not told
    uint16_t client_mode;              // 1 classic, 2 cached
    char process[64];                  // of AUX_PERF_PROCESSINFO
};
// Reads AuxiliaryBufferSize and AuxiliaryBuffer; unknown blocks are skipped. False: malformed.
bool aux_read(struct wire_reader *r, struct arena *arena, struct aux_in *out);
void aux_put_none(struct wire_writer *w);
void aux_put_connect(struct wire_writer *w, bool has_public_folders, const char *session_info);

// --- Bodies of the address book (nspi_wire.c) ---

bool nspi_wire_stat(struct wire_reader *r, struct nspi_stat *out); // HasState and State
// HasX, then tags or ids; *is_there_out false: NULL.
struct columns nspi_wire_columns(struct wire_reader *r, struct arena *arena, bool *is_there_out);
struct nspi_mids nspi_wire_mids(struct wire_reader *r, struct arena *arena);
void nspi_wire_put_stat(struct wire_writer *w, bool is_there, const struct nspi_stat *stat);
void nspi_wire_put_tags(struct wire_writer *w, unsigned n, const uint32_t *tags);
void nspi_wire_put_rows(struct wire_writer *w, uint32_t code_page, const struct nspi_rows *rows);
void nspi_wire_put_list(struct wire_writer *w, uint32_t code_page, const struct nspi_list *list);

// Runs the address book's operation of this name on a body and writes the answer's, without
// HTTP. RESPONSE_INVALID_REQUEST_TYPE, RESPONSE_INVALID_BODY.
struct nspi_call {
    struct nspi_session *session;
    struct arena *arena;
    struct wire_reader *in;
    struct wire_writer *out;
    const char *mailbox_url, *address_book_url;
};
enum response_code nspi_body_run(struct nspi_call *call, const char *name);
