// The subject without what answering and forwarding put around it ([RFC 5256] 2.1): equal for all
// messages of a conversation.
#pragma once

#include <stdbool.h>

#include "base/arena.h"

#define BASE_SUBJECT_MAX 1000 // bytes of a subject that are looked at

// `subject` is decoded UTF-8. The result is in the arena; "" when nothing is left.
// `*is_reply_out` (may be NULL): something said that it is a reply or forwarded.
const char *base_subject(struct arena *arena, const char *subject, bool *is_reply_out);
