// `bourse junk`: whom the owner of a mailbox trusts, whom not, and what goes to Junk E-mail.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "mailbox/junk.h"

static const char *const list_names[JUNK_LISTS] = {"safe-sender", "blocked-sender",
                                                   "safe-recipient"};
static const struct {
    const char *name;
    int threshold;
} thresholds[] = {
    {"default", JUNK_THRESHOLD_DEFAULT},
    {"off", JUNK_THRESHOLD_NONE},
    {"low", 6},
    {"medium", 5},
    {"high", 3},
    {"trusted-only", JUNK_THRESHOLD_TRUSTED_ONLY},
};

static const char *threshold_text(struct command_call *call, int threshold) {
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++)
        if (thresholds[i].threshold == threshold)
            return thresholds[i].name;
    return arena_printf(call->arena, "%d", threshold);
}

int junk_list_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    struct junk_settings settings;
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_get_junk(mailbox, call->arena, &settings);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the junk lists: %s", ec_text(ec));
    output_list_begin(call->out, "list:16 entry");
    for (enum junk_list list = 0; list < JUNK_LISTS; list++)
        for (char **entry = settings.lists[list]; *entry; entry++) {
            output_object_begin(call->out, NULL);
            output_string(call->out, "list", list_names[list]);
            output_string(call->out, "entry", *entry);
            output_object_end(call->out);
        }
    output_object_begin(call->out, NULL);
    output_string(call->out, "list", "level");
    output_string(call->out, "entry", threshold_text(call, settings.threshold));
    output_object_end(call->out);
    output_list_end(call->out);
    return EXIT_DONE;
}

// Which list the options name, and the entry. False: not exactly one; that has been reported.
static bool read_list(struct command_call *call, enum junk_list *list, const char **entry) {
    unsigned n = 0;
    for (enum junk_list l = 0; l < JUNK_LISTS; l++)
        if (call_option(call, list_names[l])) {
            *list = l;
            *entry = call_option(call, list_names[l]);
            n++;
        }
    if (n != 1)
        call_fail(call, EC_INVALID_PARAMETER,
                  "say one of --safe-sender, --blocked-sender, --safe-recipient with an address or "
                  "a domain");
    return n == 1;
}

static int change(struct command_call *call, bool adds) {
    MAILBOX_AUTO mailbox = NULL;
    enum junk_list list = 0;
    const char *entry = NULL;
    if (!read_list(call, &list, &entry) || !call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec =
        adds ? mailbox_add_junk(mailbox, list, entry) : mailbox_remove_junk(mailbox, list, entry);
    if (ec == EC_INVALID_PARAMETER)
        return call_fail(call, ec, "%s is neither an address nor a domain", entry);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "%s is not in that list; `bourse junk list` shows them", entry);
    if (ec == EC_TOO_MANY_OBJECTS)
        return call_fail(call, ec, "the list is full (%d entries)", JUNK_ENTRIES_MAX);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change the junk lists: %s", ec_text(ec));
    output_say(call->out, "%s: %s %s.", list_names[list], adds ? "added" : "removed", entry);
    return EXIT_DONE;
}

int junk_add_command(struct command_call *call) {
    return change(call, true);
}

int junk_remove_command(struct command_call *call) {
    return change(call, false);
}

int junk_level_command(struct command_call *call) {
    MAILBOX_AUTO mailbox = NULL;
    const char *level = call_argument(call, 2);
    int threshold = strlen(level) == 1 && *level >= '1' && *level <= '9' ? *level - '0' : 10;
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++)
        if (strcmp(thresholds[i].name, level) == 0)
            threshold = thresholds[i].threshold;
    if (threshold == 10)
        return call_fail(call, EC_INVALID_PARAMETER,
                         "a level is off, low, medium, high, trusted-only, default or 1 to 9");
    if (!call_open_mailbox(call, 1, &mailbox))
        return EXIT_FAILED;
    enum ec ec = mailbox_set_junk_threshold(mailbox, threshold);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot change the level: %s", ec_text(ec));
    output_say(call->out, "The junk level of %s is %s.", call_argument(call, 1), level);
    return EXIT_DONE;
}
