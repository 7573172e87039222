// `bourse restrict`: who may write to a group, a user or a room.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"
#include "directory/restriction.h"
#include "directory/setting.h"

#define NAMED_MAX 100

// The value of a list of addresses, "" for an empty one (g_free). False: reported.
static bool read_list(struct command_call *call, const char *text, char **out) {
    g_auto(GStrv) words = g_strsplit_set(text, ", ", -1);
    struct guid guids[NAMED_MAX];
    unsigned n = 0;
    for (char **word = words; *word; word++) {
        struct directory_object *o;
        if (!**word)
            continue;
        if (n == NAMED_MAX) {
            call_fail(call, EC_INVALID_PARAMETER, "name a group rather than more than %d senders",
                      NAMED_MAX);
            return false;
        }
        if (!recipient_find(call, *word, KINDS_ALL, &o))
            return false;
        guids[n++] = o->guid;
    }
    *out = directory_guids_text(guids, n);
    return true;
}

static int set(struct command_call *call, const struct directory_object *o, const char *name,
               const char *value) {
    enum ec ec = directory_set_setting(call->services->directory, &o->guid, name,
                                       value && *value ? value : NULL);
    return ec == EC_OK ? EXIT_DONE
                       : call_fail(call, ec, "cannot restrict %s: %s", o->address, ec_text(ec));
}

static int set_list(struct command_call *call, const struct directory_object *o, const char *option,
                    const char *name) {
    g_autofree char *value = NULL;
    const char *text = call_option(call, option);
    if (!text)
        return EXIT_DONE;
    return read_list(call, text, &value) ? set(call, o, name, value) : EXIT_FAILED;
}

static int set_authenticated(struct command_call *call, const struct directory_object *o) {
    const char *text = call_option(call, "authenticated-only");
    if (!text)
        return EXIT_DONE;
    bool is_on = g_ascii_strcasecmp(text, "yes") == 0;
    if (!is_on && g_ascii_strcasecmp(text, "no") != 0)
        return call_fail(call, EC_INVALID_PARAMETER, "--authenticated-only is yes or no");
    return set(call, o, SETTING_AUTHENTICATED, is_on ? "1" : NULL);
}

static void print_list(struct command_call *call, const struct directory_object *o,
                       const char *field, const char *name) {
    const char *value, *text = "";
    struct directory_list list;
    struct directory *d = call->services->directory;
    if (directory_setting(d, call->arena, &o->guid, name, &value) == EC_OK &&
        directory_guids_objects(d, call->arena, value, &list) == EC_OK)
        for (unsigned i = 0; i < list.n; i++)
            text = arena_printf(call->arena, "%s%s%s", text, i ? "," : "", list.items[i]->address);
    output_string(call->out, field, text);
}

static void print(struct command_call *call, const struct directory_object *o) {
    const char *value;
    output_object_begin(call->out, NULL);
    output_string(call->out, "address", o->address);
    output_bool(call->out, "authenticated_only",
                directory_setting(call->services->directory, call->arena, &o->guid,
                                  SETTING_AUTHENTICATED, &value) == EC_OK);
    print_list(call, o, "accept_from", SETTING_ACCEPT);
    print_list(call, o, "reject_from", SETTING_REJECT);
    output_object_end(call->out);
}

int restrict_recipient(struct command_call *call) {
    struct directory_object *o;
    if (!recipient_find(call, call_argument(call, 1), KINDS_ALL, &o))
        return EXIT_FAILED;
    int status = set_authenticated(call, o);
    if (status == EXIT_DONE)
        status = set_list(call, o, "accept-from", SETTING_ACCEPT);
    if (status == EXIT_DONE)
        status = set_list(call, o, "reject-from", SETTING_REJECT);
    if (status == EXIT_DONE)
        print(call, o);
    return status;
}
