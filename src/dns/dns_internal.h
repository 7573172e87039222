// Between the files of dns/: names and the bytes of records.
#pragma once

#include "dns/dns.h"

// --- name.c ---

// `name` as ASCII without the last dot, UTF-8 labels as A-labels, letters in lower case. NULL: it
// cannot be a name in the DNS. In the arena.
const char *dns_name_ascii(struct arena *arena, const char *name);

// --- rdata.c ---

// The bytes of one record (names not compressed, as libunbound gives them). False: they are not
// what the type asks for, or hold a name that could not be written down. What *out points to is in
// the arena.
bool dns_rdata_parse(struct arena *arena, enum dns_type type, const void *bytes, size_t len,
                     struct dns_record *out);
