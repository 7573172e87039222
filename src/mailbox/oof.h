// Out of office: what the owner of a mailbox has set ([MS-OXWOOF] 2.2, 3.1).
//
// The settings stand in an associated message of the mailbox; PidTagOutOfOfficeState of the mailbox
// says whether the owner is out now; the texts are also reply templates of the Inbox, where MAPI
// clients look for them. Answering is the delivery's (deliver_hooks.h).
#pragma once

#include "mailbox/mailbox.h"

#define OOF_REPLY_MAX (128 * 1024) // bytes of a text

enum oof_state { OOF_DISABLED, OOF_ENABLED, OOF_SCHEDULED };
enum oof_audience { OOF_NOBODY, OOF_KNOWN, OOF_EVERYBODY }; // of those outside of the organization

struct oof_reply {
    const char *text;     // HTML or plain, as the client wrote it; NULL: none
    const char *language; // xml:lang; NULL: not said
};
struct oof_settings {
    enum oof_state state;
    enum oof_audience audience;
    filetime_t start, end; // of OOF_SCHEDULED; 0: none
    struct oof_reply internal, external;
};
// In the arena. Of a mailbox that never set any: disabled, everybody, no texts. Only the owner and
// those with full access: EC_ACCESS_DENIED.
enum ec mailbox_get_oof(struct mailbox *m, struct arena *arena, struct oof_settings *out);
// EC_INVALID_PARAMETER: scheduled, but the end is not after the start; EC_MESSAGE_TOO_BIG: a text.
enum ec mailbox_set_oof(struct mailbox *m, const struct oof_settings *settings);

// Whether the owner is out at `now`.
bool oof_is_active(const struct oof_settings *settings, filetime_t now);

// What others may know: whether the owner of a mailbox is out and the text for `for_internal`
// people (NULL: not out, or nothing for them). Asks for no right: every sender gets it as an
// answer. In the arena.
struct oof_tip {
    const char *text;
    const char *language;
    filetime_t start, end; // 0: not scheduled
};
enum ec mailbox_oof_tip(struct mailbox_service *s, struct arena *arena, const struct guid *owner,
                        bool for_internal, struct oof_tip *out);
