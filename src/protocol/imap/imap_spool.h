// The message of an APPEND on its way in: in memory while small, in a temporary file otherwise.
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/result.h"

struct imap_spool;

// For a message of `size` bytes. `dir` NULL: the system's temporary folder.
struct imap_spool *imap_spool_new(const char *dir, uint64_t size);
void imap_spool_free(struct imap_spool *s); // accepts NULL

// Remembers a failure instead of giving it: the literal has to be read to its end anyway.
void imap_spool_write(struct imap_spool *s, const void *data, size_t len);

// The whole message. EC_DISK_FULL, EC_DISK_ERROR.
enum ec imap_spool_finish(struct imap_spool *s, GBytes **out);
