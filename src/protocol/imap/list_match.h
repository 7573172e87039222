// Matching mailbox names against LIST patterns ([RFC 3501] 6.3.8).
#pragma once

#include <stdbool.h>

// '*' matches anything, '%' anything without a '/'. Names and patterns in UTF-8; INBOX in any case.
// Time and memory are bounded by the product of the lengths.
bool imap_list_match(const char *pattern, const char *name);
