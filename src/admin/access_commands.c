// `bourse user grant`, `revoke` and `rights`: rights over whole mailboxes.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"

#define KINDS_GRANTED_ON (KINDS_ALL & ~KIND(DIRECTORY_CONTACT))

static const struct {
    const char *name;
    uint32_t right;
} names[] = {
    {"full-access", DIRECTORY_FULL_ACCESS},
    {"send-as", DIRECTORY_SEND_AS},
    {"send-on-behalf", DIRECTORY_SEND_ON_BEHALF},
};

static uint32_t right_by_name(const char *text) {
    for (unsigned i = 0; text && i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(names[i].name, text) == 0)
            return names[i].right;
    return 0;
}

static const char *rights_text(struct arena *arena, uint32_t rights) {
    const char *text = "";
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (rights & names[i].right)
            text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", names[i].name);
    return text;
}

struct request {
    struct directory_object *on, *to;
    uint32_t right;
};

// EXIT_DONE, or what the command ends with.
static int read_request(struct command_call *call, struct request *r) {
    const char *to = call_option(call, "to"), *right = call_option(call, "right");
    r->right = right_by_name(right);
    if (!to || !r->right) {
        call_fail(call, EC_INVALID_PARAMETER,
                  "say --to ADDRESS and --right full-access, send-as or send-on-behalf");
        return EXIT_USAGE;
    }
    if (!recipient_find(call, call_argument(call, 1), KINDS_GRANTED_ON, &r->on) ||
        !recipient_find(call, to, KINDS_GRANTED_ON, &r->to))
        return EXIT_FAILED;
    if (r->right == DIRECTORY_FULL_ACCESS && !r->on->has_mailbox)
        return call_fail(call, EC_INVALID_PARAMETER, "%s has no mailbox", r->on->address);
    return EXIT_DONE;
}

static int done(struct command_call *call, const struct request *r, const char *verb) {
    const char *right = rights_text(call->arena, r->right);
    output_say(call->out, "%s %s %s on %s.", r->to->address, verb, right, r->on->address);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "on", r->on->address);
        output_string(call->out, "to", r->to->address);
        output_string(call->out, "right", right);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

int user_grant(struct command_call *call) {
    struct request r;
    int status = read_request(call, &r);
    if (status != EXIT_DONE)
        return status;
    enum ec ec = directory_grant(call->services->directory, &r.on->guid, &r.to->guid, r.right);
    if (ec == EC_INVALID_PARAMETER)
        return call_fail(call, ec, "%s has every right over their own mailbox", r.on->address);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot give the right: %s", ec_text(ec));
    return done(call, &r, "now has");
}

int user_revoke(struct command_call *call) {
    struct request r;
    int status = read_request(call, &r);
    if (status != EXIT_DONE)
        return status;
    enum ec ec = directory_revoke(call->services->directory, &r.on->guid, &r.to->guid, r.right);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "%s does not have %s on %s", r.to->address,
                         rights_text(call->arena, r.right), r.on->address);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot take the right away: %s", ec_text(ec));
    return done(call, &r, "no longer has");
}

int user_rights(struct command_call *call) {
    struct directory_object *on;
    struct directory_grant_list list;
    if (!recipient_find(call, call_argument(call, 1), KINDS_GRANTED_ON, &on))
        return EXIT_FAILED;
    enum ec ec = directory_grants(call->services->directory, call->arena, &on->guid, &list);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the rights: %s", ec_text(ec));
    output_list_begin(call->out, "address:36 rights");
    for (unsigned i = 0; i < list.n; i++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "address", list.items[i].who->address);
        output_string(call->out, "name", list.items[i].who->display_name);
        output_string(call->out, "kind", kind_name(list.items[i].who->kind));
        output_string(call->out, "rights", rights_text(call->arena, list.items[i].rights));
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}
