// What APPEND and REPLACE bring: messages as literals, or put together from literals and parts of
// messages that are here already ([RFC 3501] 6.3.11, [RFC 3502], [RFC 3516] 4.4, [RFC 4469],
// [RFC 6855] 4, [RFC 8508]).
#pragma once

#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_session.h"

struct append_part {
    GBytes *text;    // TEXT, or the whole message
    const char *url; // URL; NULL: text
};

struct append_message {
    struct imap_flags flags;
    filetime_t received; // 0: none given
    struct append_part *parts;
    unsigned n_parts;
};

struct append_args {
    struct append_message *messages;
    unsigned n, room;
    // After append_resolve.
    struct mailbox_append *specs;
    GPtrArray *owned; // GBytes that the rest borrows
};

// Reads " (\Seen) " 2-Nov-2026 09:00:00 +0100" {310}...", again for each further message when
// `many`, to the end of the command. False: the reply is set. append_args_clear in any case.
bool append_args_parse(struct imap_cmd *c, bool many, struct append_args *out);
// Reads what URLs name, and makes `specs`. False: the reply is set.
bool append_args_resolve(struct imap_cmd *c, struct append_args *args);
void append_args_clear(struct append_args *args);

// --- catenate.c ---

// The bytes that an IMAP URL ([RFC 5092]) names: a message or one of its sections, read with the
// user's own rights. EC_NOT_FOUND, EC_ACCESS_DENIED, EC_INVALID_PARAMETER (it is none, or not of
// this server).
enum ec catenate_read_url(struct imap_cmd *c, const char *url, GBytes **out);
