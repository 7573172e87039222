// The durable spool: messages accepted and not yet delivered.
//
// A message is acknowledged (250) only when queue_submit's callback or return says EC_OK: envelope
// and bytes are on disk then. Submissions that arrive together share one fdatasync (group commit).
// The spool is a folder of append-only segment files (records with a checksum; a torn tail is cut
// at start) plus one file for each large message; a segment goes when all of its entries are
// finished. Finishing is not synced: after a crash an entry may be delivered a second time, and the
// mailbox drops it by its id (message_new.delivery_id), so delivery happens exactly once.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/result.h"

struct queue;
struct queue_item;

#define QUEUE_INLINE_MAX (1024 * 1024) // larger messages get a file of their own

enum { // queue_recipient.notify: DSN NOTIFY ([RFC 3461] 4.1); 0: not said
    QUEUE_NOTIFY_NEVER = 1,
    QUEUE_NOTIFY_SUCCESS = 2,
    QUEUE_NOTIFY_FAILURE = 4,
    QUEUE_NOTIFY_DELAY = 8,
};

struct queue_recipient {
    const char *address;
    const char *orcpt; // DSN ORCPT as it was sent: "rfc822;xtext"; NULL: none
    uint32_t notify;   // QUEUE_NOTIFY_*; 0: default
};

#define QUEUE_SCL_NONE (-2) // POLICY_SCL_NONE of policy/policy.h

struct queue_envelope {
    const char *sender; // "" for the null sender
    const struct queue_recipient *recipients;
    unsigned n_recipients;
    const char *envid; // DSN ENVID as it was sent (xtext); NULL
    const char *ret;   // DSN RET: "FULL", "HDRS"; NULL
    const char *helo, *peer,
        *auth; // where it came from: HELO name, client address, authenticated user; NULL: none
    // Whole header fields with CRLF that stand on top of the message when it is delivered or
    // relayed (Authentication-Results and the like); NULL: none.
    const char *fields;
    int scl; // policy_verdict.scl; QUEUE_SCL_NONE: not checked; 0, as our own messages have: no
             // spam
    int pcl; // policy_verdict.pcl; 0: none
    filetime_t hold_until; // not delivered before ([RFC 4865]); 0: at once
    bool is_smtputf8, is_8bit;
    bool is_binary;    // BODY=BINARYMIME ([RFC 3030]): lines may end in any way
    bool requires_tls; // REQUIRETLS ([RFC 8689])
};

// Reads what is left from before. EC_BUSY: another process has it open; EC_DISK_ERROR, logged.
enum ec queue_open(const char *dir, struct queue **out);
void queue_close(struct queue *q); // no item may be claimed; accepts NULL

// Below so many free bytes on its disk the spool takes nothing new (EC_DISK_FULL); 0: no limit.
#define QUEUE_MIN_FREE (64 * 1024 * 1024)
void queue_set_min_free(struct queue *q, uint64_t bytes);

// --- Submitting: a message comes in pieces and is held in memory up to QUEUE_INLINE_MAX, then in a
// file ---
struct queue_spool;
enum ec queue_spool_new(struct queue *q, struct queue_spool **out);
// EC_DISK_FULL, EC_DISK_ERROR; EC_MESSAGE_TOO_BIG past `max` set by queue_spool_limit.
enum ec queue_spool_write(struct queue_spool *s, const void *data, size_t len);
void queue_spool_limit(struct queue_spool *s, uint64_t max);
uint64_t queue_spool_size(const struct queue_spool *s);
// What was written, for a look at it before it is submitted; nothing may be written after that.
enum ec queue_spool_read(struct queue_spool *s, GBytes **out);
void queue_spool_free(struct queue_spool *s); // drops it; accepts NULL

// Makes the message durable (blocks for the group's fdatasync) and queues it; takes the spool.
// `id_out` (17 bytes at least) gets the queue id, unique for ever in this data directory.
#define QUEUE_ID_SIZE 24
enum ec queue_submit_take(struct queue *q, const struct queue_envelope *envelope,
                          struct queue_spool *s, char id_out[QUEUE_ID_SIZE]);
// The id the message will have, known from queue_spool_new on (for its Received field).
const char *queue_spool_id(const struct queue_spool *s);

// The same without waiting: `done(ctx, result)` is called from the queue's own thread when the
// message is durable or has failed; it must be quick and not submit. Not called when this returns
// an error. Does not wait for the disk unless the message is larger than QUEUE_INLINE_MAX.
enum ec queue_submit_async_take(struct queue *q, const struct queue_envelope *envelope,
                                struct queue_spool *s, void (*done)(void *ctx, enum ec result),
                                void *ctx);

// --- Delivering ---
// Takes up to `max` items that are due, waiting up to `wait_ms` for the first. The number goes to
// *n_out. Items are shared among callers; each must be finished, retried or released.
enum ec queue_claim(struct queue *q, struct queue_item **items, unsigned max, unsigned wait_ms,
                    unsigned *n_out);
const char *queue_item_id(const struct queue_item *item);
const struct queue_envelope *queue_item_envelope(const struct queue_item *item);
// Recipients that are not done yet: indexes into the envelope's. In the arena.
unsigned queue_item_pending(const struct queue_item *item, struct arena *arena,
                            unsigned **indexes_out);
enum ec queue_item_read(struct queue_item *item, GBytes **out); // the bytes, mapped or inline
filetime_t queue_item_arrived(const struct queue_item *item);
unsigned queue_item_attempts(const struct queue_item *item);

// Memory that lives until the item is given back; for one thread at a time.
struct arena *queue_item_arena(struct queue_item *item);

void queue_item_recipient_done(struct queue_item *item, unsigned recipient); // delivered or bounced
// Writes down which recipients are done, while others are still being tried.
void queue_item_note(struct queue_item *item);
// Whether the sender was told that it takes longer; remembered with the next release.
bool queue_item_is_delay_reported(const struct queue_item *item);
void queue_item_set_delay_reported(struct queue_item *item);
// Gives the item back: finished when no recipient is pending, else tried again at `next` (written
// with `reason`, a line for each recipient, for `bourse queue`, and synced soon; does not wait for
// it). It waits in `lane` (NULL: none) too, a destination's name: queue_wake_lane.
void queue_item_release(struct queue_item *item, filetime_t next, const char *reason,
                        const char *lane);
// The same for an item of which nothing was tried: no attempt is counted and nothing is written
// unless recipients were done.
void queue_item_put_back(struct queue_item *item, filetime_t next, const char *lane);

// Makes the first `n` items that wait in a lane due now (0: all).
void queue_wake_lane(struct queue *q, const char *lane, unsigned n);

// Wakes those waiting in queue_claim (shutdown).
void queue_wake(struct queue *q);

// --- Steering ---
struct queue_entry {
    char id[QUEUE_ID_SIZE];
    const char *sender;
    const char *const *pending; // addresses
    unsigned n_pending;
    uint64_t size;
    filetime_t arrived, next;
    unsigned attempts;
    const char *reason; // of the last failure, a line for each recipient; NULL: none
    bool is_held;       // not tried until it is released
    bool is_active;     // being tried right now
};
enum ec queue_list(struct queue *q, struct arena *arena, struct queue_entry **out, unsigned *n_out);
enum ec queue_get(struct queue *q, struct arena *arena, const char *id, struct queue_entry *out,
                  struct queue_envelope *envelope_out); // EC_NOT_FOUND
enum ec queue_retry(struct queue *q, const char *id);   // NULL: all; due now. EC_NOT_FOUND
// Makes due what has a recipient of the domain; their number goes to *n_out. Held ones stay.
enum ec queue_flush(struct queue *q, const char *domain, unsigned *n_out);
// Keeps a message from being tried, durably, and lets it go again. EC_NOT_FOUND, EC_BUSY while it
// is being delivered.
enum ec queue_hold(struct queue *q, const char *id);
enum ec queue_unhold(struct queue *q, const char *id);
enum ec queue_drop(struct queue *q,
                   const char *id); // EC_NOT_FOUND, EC_BUSY while it is being delivered
uint64_t queue_count(struct queue *q);
