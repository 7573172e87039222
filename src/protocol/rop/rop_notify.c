// Notifications of a session ([MS-OXCNOTIF]): what waits, and telling it.
#include "protocol/rop/rop_internal.h"

void rop_notify_put(struct rop_session *s, struct wire_writer *w, size_t room) {
}

void rop_notify_forget(struct rop_session *s, struct rop_object *o) {
}

bool rop_session_has_events(struct rop_session *s) {
    return false;
}

void rop_session_watch(struct rop_session *s, void (*fn)(void *ctx), void *ctx) {
}
