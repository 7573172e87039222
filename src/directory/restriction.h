// Who may write to an entry: restrictions of delivery, as settings of the entry
// (directory/setting.h). Exchange's RequireSenderAuthentication, AcceptMessagesOnlyFrom and
// RejectMessagesFrom.
#pragma once

#include "directory/directory.h"

#define SETTING_AUTHENTICATED "delivery.authenticated" // "1": authenticated senders only
#define SETTING_ACCEPT "delivery.accept" // guids of those who may, separated by commas
#define SETTING_REJECT "delivery.reject" // guids of those who may not

// Whether `from` (NULL: nobody we know) may write to `to`. EC_NOT_AUTHORIZED: not without a login;
// EC_ACCESS_DENIED. Costs nothing while no entry has a restriction.
enum ec directory_may_write_to(struct directory *d, struct arena *arena, const struct guid *to,
                               const struct guid *from);

// The lists as values of settings, and back. Members that do not exist any more are left out.
char *directory_guids_text(const struct guid *guids, unsigned n); // g_free
enum ec directory_guids_objects(struct directory *d, struct arena *arena, const char *text,
                                struct directory_list *out);
