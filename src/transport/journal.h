// Journaling: a report of each message, with the message in it, to an address that keeps them
// ([MS-XJRNL]).
//
// The organization, a domain and a person can each have such an address. The report is in the queue
// before the message is delivered. Not journaled are reports of any kind (the null sender), journal
// reports themselves, and what the server sends on for a mailbox, which was journaled when it came
// in. After a crash a message may be journaled twice; both reports have the same Message-ID.
#pragma once

#include "transport/transport_internal.h"

// `deliveries` from `first` on are those of the job. An error: the message must wait.
enum ec journal_message(struct job *job, const GArray *deliveries, unsigned first);
// The report about a message to the journal address `to`.
GString *journal_make(struct job *job, const char *to);
