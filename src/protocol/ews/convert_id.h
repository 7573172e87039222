// The forms of ids that ConvertId knows ([MS-OXWSCVTID] 2.2.5.1).
#pragma once

#include "protocol/ews/ews_internal.h"

#define CONVERT_ID_MAX 4096 // characters

enum id_format { ID_EWS_LEGACY, ID_EWS, ID_ENTRY, ID_HEX_ENTRY, ID_STORE, ID_OWA };
bool id_format_parse(const char *text, enum id_format *out);
// Why it is none: a response code; NULL: *out and *replica are filled.
const char *id_read(struct arena *arena, enum id_format format, const char *text,
                    struct ews_id *out, struct guid *replica);
// In the arena. NULL: this kind of object has no such form.
const char *id_write(struct arena *arena, enum id_format format, const struct ews_id *id,
                     const struct guid *replica);
