// GetRoomLists and GetRooms ([MS-OXWSGTRM] 3.1.4).
//
// A room list is a group whose members are all rooms, with at least one.
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define GROUPS_MAX 10000

static bool is_room_list(const struct directory_list *members) {
    for (unsigned i = 0; i < members->n; i++)
        if (members->items[i]->kind != DIRECTORY_ROOM)
            return false;
    return members->n > 0;
}

static enum ec members_of(struct ews_call *call, const struct directory_object *group,
                          struct directory_list *out) {
    struct directory *d = ews_directory(call);
    return group->kind == DIRECTORY_DYNAMIC ? directory_expand(d, call->arena, &group->guid, out)
                                            : directory_members(d, call->arena, &group->guid, out);
}

enum ec op_get_room_lists(struct ews_call *call) {
    struct directory_list groups, members;
    EC_TRY(directory_list(ews_directory(call), call->arena,
                          1u << DIRECTORY_GROUP | 1u << DIRECTORY_DYNAMIC, NULL, 0, GROUPS_MAX,
                          &groups));
    ews_success(call);
    ews_open(call->w, "m:RoomLists");
    for (unsigned i = 0; i < groups.n; i++)
        if (!groups.items[i]->is_hidden && members_of(call, groups.items[i], &members) == EC_OK &&
            is_room_list(&members))
            ews_write_object(call, "t:Address", groups.items[i]);
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_rooms(struct ews_call *call) {
    const char *address = ews_child_text(call->arena, call->request, "RoomList/EmailAddress");
    struct directory_object *group;
    struct directory_list members;
    enum ec ec = ews_find_object(call, address, &group);
    if (ec == EC_NOT_FOUND || ec == EC_INVALID_PARAMETER)
        return ews_fail(call, "ErrorNameResolutionNoResults", "No results were found.");
    EC_TRY(ec);
    if (group->kind != DIRECTORY_GROUP && group->kind != DIRECTORY_DYNAMIC)
        return ews_fail(call, "ErrorNameResolutionNoResults", "No results were found.");
    EC_TRY(members_of(call, group, &members));
    ews_success(call);
    ews_open(call->w, "m:Rooms");
    for (unsigned i = 0; i < members.n; i++)
        if (members.items[i]->kind == DIRECTORY_ROOM) {
            ews_open(call->w, "t:Room");
            ews_write_object(call, "t:Id", members.items[i]);
            ews_close(call->w);
        }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}
