// The message tracking log: what became of every message, one line an event, for `bourse track`.
//
// Files DIR/YYYY-MM-DD.log (UTC) that are only appended to, in batches and without waiting for the
// disk: after a power failure the last second may be missing; nothing depends on it. Like the log
// there is one of it in a process, and track_event does nothing before track_open. Contents and
// subjects are never written unless the options say so. Thread-safe.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/result.h"

enum track_kind {
    TRACK_RECEIVE, // into the queue
    TRACK_DELIVER, // into a mailbox
    TRACK_RELAY,   // to another server
    TRACK_DEFER,   // did not work for the time being
    TRACK_FAIL,    // given up
    TRACK_EXPAND,  // a group's members took its place
    TRACK_FORWARD, // sent on by a mailbox or its rules
    TRACK_JOURNAL, // a journal report was made
    TRACK_DSN,     // a report to the sender was made
    TRACK_DROP,    // nothing was done on purpose: a duplicate, a report about a report
    TRACK_POLICY,  // refused or marked as it came in
    TRACK_RECEIPT, // a read receipt was made
    TRACK_KINDS,
};

// What is not known is NULL or 0.
struct track_event {
    enum track_kind kind;
    filetime_t time; // 0: now
    const char *queue_id, *message_id;
    const char *sender; // "" for the null sender
    const char *recipient, *client;
    const char *status; // "2.0.0"
    const char *detail; // one line: a reason, the id of a report, a server's name
    const char *subject;
    uint64_t size;
};

struct track_options {
    const char *dir;       // made when missing
    unsigned keep_seconds; // how long files are kept; 0: nothing is written
    bool with_subjects;
};
// Begins to track. Called again it takes the new options. EC_DISK_ERROR, logged.
enum ec track_open(const struct track_options *options);
void track_close(void); // writes what waits

// Whether anything would be written, so that a caller need not gather what nobody reads.
bool track_is_open(void);
void track_event(const struct track_event *event);
// Writes what waits, and removes old files now and then. Call it every second or so.
void track_flush(void);

// --- Reading ---

// NULL, 0: anything. Addresses are compared caselessly; "@domain" stands for all of a domain.
// Message ids count with or without their angle brackets.
struct track_filter {
    const char *sender, *recipient, *message_id, *queue_id;
    filetime_t since, until; // until: not included
};
// Calls `each` for every event that fits, oldest first, until it gives false. The event's strings
// last until it returns. Lines that make no sense are passed over. EC_DISK_ERROR.
enum ec track_read(const char *dir, const struct track_filter *filter,
                   bool (*each)(void *ctx, const struct track_event *event), void *ctx);

const char *track_kind_name(enum track_kind kind);
// One event as a line and back; the strings of *out are in the arena. False: it is none.
void track_format(const struct track_event *event, GString *out);
bool track_parse(struct arena *arena, const char *line, size_t len, struct track_event *out);
