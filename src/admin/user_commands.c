// `bourse user`: people with a mailbox, and shared mailboxes.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mail_options.h"
#include "admin/quota_options.h"
#include "admin/recipient.h"
#include "auth/auth.h"

// The object as it is now, for JSON; a sentence for people.
static int done(struct command_call *call, const struct guid *guid, const char *sentence) {
    struct directory_object *o;
    if (directory_find_guid(call->services->directory, call->arena, guid, &o) != EC_OK)
        return EXIT_DONE;
    output_say(call->out, "%s %s.", sentence, o->address);
    if (output_is_json(call->out))
        recipient_print(call, o);
    return EXIT_DONE;
}

int user_add(struct command_call *call) {
    bool is_shared = call_switch(call, "shared");
    struct directory_object user = {.kind = is_shared ? DIRECTORY_SHARED : DIRECTORY_USER,
                                    .address = call_argument(call, 1),
                                    .protocols = DIRECTORY_ALL_PROTOCOLS,
                                    .has_mailbox = true};
    struct quota_options quotas;
    if (!recipient_take_options(call, &user) || !quota_options_take(call, &user, &quotas))
        return EXIT_FAILED;
    if (is_shared && call->password)
        return call_fail(call, EC_INVALID_PARAMETER,
                         "nobody logs in to a shared mailbox; leave the password out");
    int status = recipient_add(call, &user);
    if (status == EXIT_DONE)
        status = quota_options_apply(call, &user, &quotas);
    if (status != EXIT_DONE)
        return status;
    if (call->password) {
        enum ec ec = auth_set_password(call->services->auth, &user.guid, call->password);
        if (ec != EC_OK)
            return call_fail(
                call, ec,
                "%s was added, but the password could not be set: %s; use `bourse user "
                "passwd`",
                user.address, ec_text(ec));
    }
    return done(call, &user.guid, "Added");
}

int user_list(struct command_call *call) {
    uint32_t kinds = call_switch(call, "shared") ? KIND(DIRECTORY_SHARED) : KINDS_USER;
    return recipient_list(call, kinds, "address:36 name:28 kind:6 disabled");
}

int user_show(struct command_call *call) {
    struct directory_object *user;
    if (!recipient_find(call, call_argument(call, 1), KINDS_ALL, &user))
        return EXIT_FAILED;
    recipient_print(call, user);
    return EXIT_DONE;
}

int user_set(struct command_call *call) {
    struct directory_object *user;
    struct quota_options quotas;
    if (!recipient_find(call, call_argument(call, 1), KINDS_USER, &user) ||
        !recipient_take_options(call, user) || !quota_options_take(call, user, &quotas) ||
        !mail_options_check(call, user))
        return EXIT_FAILED;
    int status = recipient_update(call, user);
    if (status == EXIT_DONE)
        status = quota_options_apply(call, user, &quotas);
    if (status == EXIT_DONE)
        status = mail_options_apply(call, user);
    return status == EXIT_DONE ? done(call, &user->guid, "Changed") : status;
}

int user_passwd(struct command_call *call) {
    struct directory_object *user;
    if (!recipient_find(call, call_argument(call, 1), KIND(DIRECTORY_USER), &user))
        return EXIT_FAILED;
    enum ec ec =
        auth_set_password(call->services->auth, &user->guid, call->password ? call->password : "");
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot set the password of %s: %s", user->address, ec_text(ec));
    return done(call, &user->guid, "Password set for");
}

static int set_disabled(struct command_call *call, bool is_disabled, const char *sentence) {
    struct directory_object *user;
    if (!recipient_find(call, call_argument(call, 1), KINDS_USER, &user))
        return EXIT_FAILED;
    user->is_disabled = is_disabled;
    enum ec ec = directory_update(call->services->directory, user);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change %s: %s", user->address, ec_text(ec));
    return done(call, &user->guid, sentence);
}

int user_disable(struct command_call *call) {
    return set_disabled(call, true, "Disabled");
}

int user_enable(struct command_call *call) {
    return set_disabled(call, false, "Enabled");
}

int user_delete(struct command_call *call) {
    struct directory_object *user;
    if (!recipient_find(call, call_argument(call, 1), KINDS_USER, &user))
        return EXIT_FAILED;
    return recipient_delete(call, user, call_switch(call, "keep-mailbox"));
}
