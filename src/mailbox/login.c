// Login names that name a mailbox besides the user ([MS-OXIMAP4], [MS-OXPOP3]:
// domain/user/mailbox): a delegate opens somebody else's mailbox as if it were the only one.
#include <string.h>

#include "base/log.h"
#include "mailbox/mailbox_internal.h"

static enum ec find_named(struct mailbox_service *s, struct arena *arena,
                          const struct principal *who, struct directory_object **out) {
    struct directory *d = s->directory;
    if (strchr(who->mailbox, '@'))
        return directory_find_address(d, arena, who->mailbox, out);
    const char *at = strrchr(who->address, '@');
    g_autofree char *domain = directory_default_domain(d);
    enum ec ec =
        at ? directory_find_address(d, arena, arena_printf(arena, "%s%s", who->mailbox, at), out)
           : EC_NOT_FOUND;
    if (ec != EC_NOT_FOUND || !domain)
        return ec;
    return directory_find_address(d, arena, arena_printf(arena, "%s@%s", who->mailbox, domain),
                                  out);
}

enum ec mailbox_open_login(struct mailbox_service *s, struct principal *who, struct mailbox **out) {
    if (!who->mailbox)
        return mailbox_open_own(s, who, out);
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    enum ec ec = s->directory ? find_named(s, arena, who, &object) : EC_NOT_FOUND;
    if (ec == EC_OK)
        ec = object->has_mailbox ? mailbox_open(s, who, &object->guid, out) : EC_NOT_FOUND;
    if (ec == EC_OK)
        (*out)->is_login = !(*out)->is_owner;
    log_event(LOG_LEVEL_INFO, "mailbox.login", "user", who->address, "mailbox",
              ec == EC_OK ? object->address : "(refused)", NULL);
    return ec == EC_ACCESS_DENIED ? EC_NOT_FOUND : ec;
}

const struct guid *mailbox_guid(const struct mailbox *m) {
    return mbox_guid(m->mbox);
}
