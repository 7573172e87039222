// What people type into a search box, as a query (Advanced Query Syntax of Outlook, EWS QueryString
// and web mail).
//
//     from:anna subject:"annual report" hasattachment:yes received:>=2026-01-01 size:>1MB
//     kind:email NOT draft (a OR b) category:x received:"this week" importance:high -spam
//
// Words next to each other must all be found; OR (in capitals) takes the alternatives on its two
// sides, NOT or a "-" before a word leaves out; parentheses group, also after a property. A word
// finds words that begin with it, text in quotation marks just these words one after the other.
// Nothing is an error: a property that is not known, a value that cannot be read, a parenthesis
// without its other half count as words or not at all.
#pragma once

#include "mailbox/mailbox.h"

#define AQS_MAX_TEXT 8192 // bytes; the rest is not read
#define AQS_MAX_TERMS 128 // further ones are not looked for
#define AQS_MAX_DEPTH 24  // of parentheses; those inside are passed over

struct aqs_options {
    filetime_t now;   // what "today" is reckoned from; 0: now
    int zone_minutes; // of the user, east of Greenwich
};

// Never NULL. SEARCH_ALL for a text that asks for nothing. In the arena.
struct search_node *aqs_parse(struct arena *arena, const char *text,
                              const struct aqs_options *options);

// A date as it is written in queries: the time from the beginning of what it names to the beginning
// of what follows ("today", "last week", "2026-03", "31.12.2025", "1/31/2026", "monday", "may").
// False: none.
struct aqs_span {
    filetime_t from, to;
};
bool aqs_date(const char *text, const struct aqs_options *options, struct aqs_span *out);
