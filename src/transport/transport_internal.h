// What the files of transport/ share: routes and reports.
#pragma once

#include "base/arena.h"
#include "transport/limits.h"
#include "transport/report.h"
#include "transport/transport.h"

// What became of a recipient, worst last.
enum outcome_kind { OUTCOME_DELIVERED, OUTCOME_FAILED, OUTCOME_DEFERRED };

struct outcome {
    enum outcome_kind kind;
    const char *status; // RFC 3463: "5.1.1"
    const char *text;   // for people
};

struct outcome outcome_from_ec(enum ec ec);

// --- route.c ---
struct route_target {
    struct guid mailbox;
    const char *detail; // NULL: none
    uint64_t folder;    // of the public store; 0: a mailbox
};
// The mailboxes that mail for `address` goes to: aliases, groups and forwards followed, each
// mailbox once. *problem says whether a part of them could not be found (OUTCOME_DELIVERED: no).
// Targets (struct route_target) are appended.
void route_address(struct directory *directory, struct arena *arena, const char *address,
                   GArray *targets, struct outcome *problem);
