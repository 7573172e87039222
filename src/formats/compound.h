// Compound files: a tree of storages (folders) and streams (files) in one file ([MS-CFB]), which
// .msg files and OLE objects are.
//
// Entries go by numbers; the root is COMPOUND_ROOT. Names are UTF-8; case does not count when one
// is looked for.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/result.h"

#define COMPOUND_ROOT 0u
#define COMPOUND_NONE 0xFFFFFFFFu
#define COMPOUND_MAX (1024u * 1024 * 1024) // bytes of a file that is written

// --- Reading ---

struct compound;

// Whether the bytes begin as a compound file.
bool compound_looks_like(const void *data, size_t len);
// Borrows the bytes. EC_FORMAT_ERROR: no compound file; EC_CORRUPT_DATA: its tables make no sense.
// Cycles and what is beyond the end are cut off.
enum ec compound_open(const void *data, size_t len, struct compound **out);
void compound_free(struct compound *c); // accepts NULL

// The entry called `name` in a storage; COMPOUND_NONE.
unsigned compound_find(const struct compound *c, unsigned storage, const char *name);
// The entries of a storage, one after the other: first(storage), then next(entry) until
// COMPOUND_NONE.
unsigned compound_first(const struct compound *c, unsigned storage);
unsigned compound_next(const struct compound *c, unsigned entry);
const char *compound_name(const struct compound *c, unsigned entry);
bool compound_is_storage(const struct compound *c, unsigned entry);
struct guid compound_class(const struct compound *c, unsigned entry);
// The bytes of a stream. EC_CORRUPT_DATA: it is no stream, its chain of sectors is broken, or
// streams that share their sectors add up to more than the file could hold.
enum ec compound_read(struct compound *c, unsigned entry, GBytes **out);

// --- Writing ---

struct compound_writer;

struct compound_writer *compound_writer_new(const struct guid *class); // of the root; NULL: none
void compound_writer_free(struct compound_writer *w);                  // accepts NULL
// Both give the new entry. A name has at most 31 UTF-16 units; longer ones are cut.
unsigned compound_add_storage(struct compound_writer *w, unsigned storage, const char *name,
                              const struct guid *class);
unsigned compound_add_stream(struct compound_writer *w, unsigned storage, const char *name,
                             GBytes *bytes); // takes a reference
// Copies everything in a storage of `from`.
enum ec compound_copy(struct compound_writer *w, unsigned storage, struct compound *from,
                      unsigned from_storage);
// EC_MESSAGE_TOO_BIG past COMPOUND_MAX.
enum ec compound_write(struct compound_writer *w, GBytes **out);
