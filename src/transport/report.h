// Delivery status notifications: what became of a message, told to its sender ([RFC 3461]-
// [RFC 3464], [RFC 6533], [MS-OXOMSG] 2.2.2).
//
// One call makes a report of one kind about some recipients of a message. report_send decides
// whether one may go at all (never about the null sender, not in a loop) and queues it.
#pragma once

#include "mailbox/mailbox.h"
#include "queue/queue.h"

enum report_action {
    REPORT_FAILED,    // given up
    REPORT_DELAYED,   // still being tried
    REPORT_DELIVERED, // in the mailbox
    REPORT_RELAYED,   // handed to a server that sends no reports
    REPORT_EXPANDED,  // handed to the members of a group, of whom nothing more is told
};

struct report_recipient {
    const char *address;     // as the envelope has it
    const char *orcpt;       // NULL: none
    const char *status;      // [RFC 3463]: "5.1.1"
    const char *text;        // one line for people
    const char *remote;      // the server that said so; NULL: this one
    const char *diagnostic;  // what it said: "550 5.1.1 no such user"; NULL: nothing
    filetime_t last_attempt; // 0: not told
    filetime_t retry_until;  // REPORT_DELAYED; 0: not told
};

struct report_about {
    const char *hostname;
    const char *domain; // of the report's From; NULL: hostname
    const struct queue_envelope *envelope;
    const char *queue_id;
    filetime_t arrived;
    GBytes *original; // as it stands in the queue
};

// Whether the sender wants to hear of this: NOTIFY, or what goes without it.
bool report_is_wanted(enum report_action action, const struct queue_recipient *recipient);

// The whole report, a multipart/report. The original goes with it as RET and the action ask.
GString *report_make(enum report_action action, const struct report_about *about,
                     const struct report_recipient *recipients, unsigned n);
// Whether such a report needs SMTPUTF8 on its way.
bool report_is_utf8(const struct report_about *about, const struct report_recipient *recipients,
                    unsigned n);

// Counts reports, so that two programs that answer each other do not go on for ever. Thread-safe.
struct report_limit;
struct report_limit *report_limit_new(void);
void report_limit_free(struct report_limit *l); // accepts NULL
// Whether one more report about mail of `sender` to `recipient` may go now.
bool report_limit_admit(struct report_limit *l, const char *sender, const char *recipient);

// Makes and queues a report. EC_OK also when none may be sent: about a message without a sender,
// without its bytes, past the limit (NULL: none); *id_out is "" then. An error: it must be tried
// again, so the recipients have to stay in the queue.
enum ec report_send(struct queue *queue, struct report_limit *limit, enum report_action action,
                    const struct report_about *about, const struct report_recipient *recipients,
                    unsigned n, char id_out[QUEUE_ID_SIZE]);
