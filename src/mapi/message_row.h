// The narrow row of a message: what lists, flags and synchronization read, without its contents.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/filetime.h"
#include "base/shared_text.h"

enum message_flag {
    MSG_READ = 1 << 0,
    MSG_ANSWERED = 1 << 1,
    MSG_FLAGGED = 1 << 2,
    MSG_DELETED = 1 << 3, // marked for deletion (IMAP \Deleted, MSGSTATUS_DELMARKED)
    MSG_DRAFT = 1 << 4,   // MSGFLAG_UNSENT
    // What clients set through IMAP STORE and the like:
    MSG_CLIENT_FLAGS = MSG_READ | MSG_ANSWERED | MSG_FLAGGED | MSG_DELETED | MSG_DRAFT,
    MSG_ASSOCIATED = 1 << 8,   // FAI: not among the normal contents
    MSG_SOFT_DELETED = 1 << 9, // in the folder's soft-deleted contents
    MSG_HAS_ATTACHMENTS = 1 << 10,
    MSG_HAS_MIME = 1 << 11, // an internet original or rendition is stored
};

struct message_row {
    uint64_t mid;
    uint64_t modseq; // the change number of the last change, read state included
    filetime_t received;
    uint64_t size;  // of the internet rendition in bytes (RFC822.SIZE); 0 without MSG_HAS_MIME
    char *keywords; // base/shared_text.h: "$Forwarded Work", sorted, one space between; NULL: none
    uint32_t uid;
    uint32_t flags;
};
