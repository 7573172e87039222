// `bourse group`, `bourse room`, `bourse contact`: recipients that nobody logs in as.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"

static int done(struct command_call *call, const struct directory_object *o, const char *sentence) {
    output_say(call->out, "%s %s.", sentence, o->address);
    if (output_is_json(call->out))
        recipient_print(call, o);
    return EXIT_DONE;
}

static int add(struct command_call *call, struct directory_object *o) {
    o->address = call_argument(call, 1);
    if (!recipient_take_options(call, o))
        return EXIT_FAILED;
    int status = recipient_add(call, o);
    return status == EXIT_DONE ? done(call, o, "Added") : status;
}

static int show(struct command_call *call, uint32_t kinds) {
    struct directory_object *o;
    if (!recipient_find(call, call_argument(call, 1), kinds, &o))
        return EXIT_FAILED;
    recipient_print(call, o);
    return EXIT_DONE;
}

static int set(struct command_call *call, uint32_t kinds) {
    struct directory_object *o;
    if (!recipient_find(call, call_argument(call, 1), kinds, &o))
        return EXIT_FAILED;
    if (call_option(call, "filter") && o->kind != DIRECTORY_DYNAMIC)
        return call_fail(call, EC_INVALID_PARAMETER,
                         "%s has members of its own; make a dynamic group with `bourse group add "
                         "--filter`",
                         o->address);
    if (!recipient_take_options(call, o))
        return EXIT_FAILED;
    int status = recipient_update(call, o);
    return status == EXIT_DONE ? done(call, o, "Changed") : status;
}

static int remove_one(struct command_call *call, uint32_t kinds) {
    struct directory_object *o;
    if (!recipient_find(call, call_argument(call, 1), kinds, &o))
        return EXIT_FAILED;
    return recipient_delete(call, o, false);
}

// --- Groups ---

int group_add(struct command_call *call) {
    bool is_dynamic = call_option(call, "filter") != NULL;
    struct directory_object group = {.kind = is_dynamic ? DIRECTORY_DYNAMIC : DIRECTORY_GROUP};
    return add(call, &group);
}

int group_list(struct command_call *call) {
    return recipient_list(call, KINDS_GROUP, "address:36 name:28 kind:8 filter");
}

int group_show(struct command_call *call) {
    return show(call, KINDS_GROUP);
}

int group_set(struct command_call *call) {
    return set(call, KINDS_GROUP);
}

int group_delete(struct command_call *call) {
    return remove_one(call, KINDS_GROUP);
}

int group_members_list(struct command_call *call) {
    struct directory_object *group;
    struct directory_list members;
    if (!recipient_find(call, call_argument(call, 1), KINDS_GROUP, &group))
        return EXIT_FAILED;
    struct directory *d = call->services->directory;
    enum ec ec = call_switch(call, "expand") || group->kind == DIRECTORY_DYNAMIC
                     ? directory_expand(d, call->arena, &group->guid, &members)
                     : directory_members(d, call->arena, &group->guid, &members);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list the members of %s: %s", group->address,
                         ec_text(ec));
    output_list_begin(call->out, "address:36 name:28 kind");
    for (unsigned i = 0; i < members.n; i++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "address", members.items[i]->address);
        output_string(call->out, "name", members.items[i]->display_name);
        output_string(call->out, "kind", kind_name(members.items[i]->kind));
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

static int change_members(struct command_call *call, bool is_add) {
    struct directory_object *group, *member;
    if (!recipient_find(call, call_argument(call, 1), KINDS_GROUP, &group))
        return EXIT_FAILED;
    if (group->kind == DIRECTORY_DYNAMIC)
        return call_fail(call, EC_NOT_SUPPORTED,
                         "%s is dynamic: its members are whom its filter fits (`bourse group set "
                         "--filter`)",
                         group->address);
    // All are looked up first, so that a mistake in one changes nothing.
    for (unsigned i = 2; i < call->arguments->n; i++)
        if (!recipient_find(call, call_argument(call, i), KINDS_ALL, &member))
            return EXIT_FAILED;
    for (unsigned i = 2; i < call->arguments->n; i++) {
        if (!recipient_find(call, call_argument(call, i), KINDS_ALL, &member))
            return EXIT_FAILED;
        struct directory *d = call->services->directory;
        enum ec ec = is_add ? directory_member_add(d, &group->guid, &member->guid)
                            : directory_member_remove(d, &group->guid, &member->guid);
        if (ec == EC_LOOP_DETECTED)
            return call_fail(call, ec, "%s contains %s: a group cannot be a member of itself",
                             member->address, group->address);
        if (ec == EC_NOT_FOUND && !is_add)
            return call_fail(call, ec, "%s is not a member of %s", member->address, group->address);
        if (ec != EC_OK && ec != EC_COLLISION && ec != EC_DUPLICATE_OBJECT)
            return call_fail(call, ec, "cannot change the members of %s: %s", group->address,
                             ec_text(ec));
    }
    return done(call, group, "Changed");
}

int group_members_add(struct command_call *call) {
    return change_members(call, true);
}

int group_members_remove(struct command_call *call) {
    return change_members(call, false);
}

// --- Rooms ---

int room_add(struct command_call *call) {
    struct directory_object room = {.kind = call_switch(call, "equipment") ? DIRECTORY_EQUIPMENT
                                                                           : DIRECTORY_ROOM,
                                    .has_mailbox = true};
    return add(call, &room);
}

int room_list(struct command_call *call) {
    return recipient_list(call, KINDS_ROOM, "address:36 name:28 kind:9 capacity");
}

int room_show(struct command_call *call) {
    return show(call, KINDS_ROOM);
}

int room_set(struct command_call *call) {
    return set(call, KINDS_ROOM);
}

int room_delete(struct command_call *call) {
    return remove_one(call, KINDS_ROOM);
}

// --- Contacts ---

int contact_add(struct command_call *call) {
    // Without --target the address itself is where mail goes.
    struct directory_object contact = {.kind = DIRECTORY_CONTACT};
    return add(call, &contact);
}

int contact_list(struct command_call *call) {
    return recipient_list(call, KINDS_CONTACT, "address:36 name:28 target");
}

int contact_show(struct command_call *call) {
    return show(call, KINDS_CONTACT);
}

int contact_set(struct command_call *call) {
    return set(call, KINDS_CONTACT);
}

int contact_delete(struct command_call *call) {
    return remove_one(call, KINDS_CONTACT);
}
