// `bourse user set --forward ...`: settings of one user's mail.
#include "admin/mail_options.h"

#include <string.h>

#include "base/text.h"
#include "directory/setting.h"
#include "mailbox/owner_settings.h"

static const struct {
    const char *option, *setting;
    const char *values; // "yes|no"; NULL: an address
} options[] = {
    {"forward", SETTING_FORWARD, NULL},
    {"keep-copy", SETTING_FORWARD_KEEP, "yes|no"},
    {"receipts", SETTING_RECEIPTS, "protocol|always|never"},
    {"sent-copy", SETTING_SENT_COPY, "yes|no"},
    {"journal", SETTING_JOURNAL, NULL},
};

static bool is_among(const char *values, const char *value) {
    g_auto(GStrv) all = g_strsplit(values, "|", -1);
    return g_strv_contains((const char *const *)all, value);
}

static bool is_address(const char *text) {
    const char *at = strrchr(text, '@');
    return at && at > text && at[1] && strlen(text) <= 320 && !strpbrk(text, "\r\n\t <>,;");
}

bool mail_options_check(struct command_call *call, const struct directory_object *object) {
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *value = call_option(call, options[i].option);
        if (!value || !*value)
            continue;
        bool is_good = options[i].values ? is_among(options[i].values, value) : is_address(value);
        if (!is_good) {
            call_fail(call, EC_INVALID_PARAMETER, "--%s takes %s", options[i].option,
                      options[i].values ? options[i].values : "an address, or \"\" for none");
            return false;
        }
        if (!options[i].values && text_compare_folded(value, object->address) == 0) {
            call_fail(call, EC_INVALID_PARAMETER, "--%s must be another address than the user's",
                      options[i].option);
            return false;
        }
    }
    return true;
}

int mail_options_apply(struct command_call *call, const struct directory_object *object) {
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *value = call_option(call, options[i].option);
        if (!value)
            continue;
        bool is_default = !*value || strcmp(value, "no") == 0 || strcmp(value, "protocol") == 0;
        enum ec ec = directory_set_setting(call->services->directory, &object->guid,
                                           options[i].setting, is_default ? NULL : value);
        if (ec != EC_OK)
            return call_fail(call, ec, "cannot store --%s of %s: %s", options[i].option,
                             object->address, ec_text(ec));
    }
    return EXIT_DONE;
}

void mail_options_print(struct command_call *call, const struct directory_object *object) {
    static const char *const receipts[] = {"protocol", "always", "never"};
    struct owner_settings s;
    if (mailbox_owner_settings(call->services->mailboxes, call->arena, &object->guid, &s) != EC_OK)
        return;
    output_string(call->out, "forward", s.forward);
    if (s.forward)
        output_bool(call->out, "keep_copy", s.keeps_forwarded);
    output_string(call->out, "receipts", receipts[s.receipts]);
    output_bool(call->out, "sent_copy", s.has_sent_copy);
    output_string(call->out, "journal", s.journal);
}
