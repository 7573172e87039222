// The dictionary of a user configuration: EWS's entries to and from the XML that is stored
// ([MS-OXOCFG] 2.2.5.1, [MS-OXWSUSRCFG] 2.2.4.3).
//
//     <UserConfiguration><Info version="Bourse.1"/>
//       <Data><e k="18-piRemindDefault" v="9-0"/></Data></UserConfiguration>
//
// A value is its type's number and its text. [MS-OXOCFG] has 3 (boolean), 9 (32-bit integer) and 18
// (string); the others of EWS have the numbers that .NET gives these types, and what is several
// bytes or texts stands as 1 with a letter before it.
#pragma once

#include "protocol/ews/ews_internal.h"

#define DICTIONARY_ENTRIES_MAX 10000

// A t:Dictionary as stored XML, in the arena. ErrorInvalidArgument-like failures are said by
// ews_fail.
enum ec dictionary_read(struct ews_call *call, const struct ews_node *dictionary,
                        struct prop_bin *out);
// Writes a t:Dictionary. EC_CORRUPT_DATA: the bytes are no dictionary; nothing was written then.
enum ec dictionary_write(struct ews_call *call, struct prop_bin stored);
