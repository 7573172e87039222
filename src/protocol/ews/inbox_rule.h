// Inbox rules between EWS's predicates and actions and those that are stored ([MS-OXWSRULES] 2.2.4,
// [MS-OXORULE] 2.2.1.3, 2.2.5).
//
// Every predicate is a restriction of one shape; conditions are put together with AND, exceptions
// are the same under NOT. What is stored in another shape, by Outlook for instance, is told as not
// supported and left alone.
#pragma once

#include "mailbox/rules.h"
#include "protocol/ews/ews_internal.h"

#define INBOX_RULE_PROVIDER "ExchangeMailboxRules14" // Exchange's own, not Outlook's

// What is wrong with a rule of a request: t:Error elements.
struct rule_error {
    const char *field; // "Condition:SentToMe"
    const char *code;  // "InvalidValue"
    const char *value; // never NULL
};
// The restriction of t:Conditions and t:Exceptions (either may be NULL; NULL: every message).
// `errors`: of struct rule_error.
struct restriction *inbox_rule_condition(struct ews_call *call, const struct ews_node *conditions,
                                         const struct ews_node *exceptions, GArray *errors);
// Writes t:Conditions and t:Exceptions. False: not of the shapes that EWS has; nothing was written.
bool inbox_rule_write_condition(struct ews_call *call, const struct restriction *condition);

// The actions of t:Actions; *stops_out: no further rules.
struct rule_actions inbox_rule_actions(struct ews_call *call, struct ews_mailbox *mailbox,
                                       const struct ews_node *actions, bool *stops_out,
                                       GArray *errors);
// Writes t:Actions. False as above.
bool inbox_rule_write_actions(struct ews_call *call, struct ews_mailbox *mailbox,
                              const struct rule_actions *actions, bool stops);

void inbox_rule_error(GArray *errors, const char *field, const char *code, const char *value);
