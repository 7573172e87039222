// `bourse user set --quota-...`: what differs from the server's defaults for one user.
#include "admin/quota_options.h"

#include <string.h>

#include "directory/setting.h"
#include "mailbox/archive.h"
#include "mailbox/hold.h"
#include "mailbox/quota.h"

static const struct {
    const char *option, *setting;
} quotas[] = {
    {"quota-warn", SETTING_QUOTA_WARN},
    {"quota-send", SETTING_QUOTA_SEND},
    {"quota-recoverable", SETTING_QUOTA_RECOVERABLE},
    {"quota-archive", SETTING_QUOTA_ARCHIVE},
    {"quota-archive-warn", SETTING_QUOTA_ARCHIVE_WARN},
};

// A size, or none. 0 is the default again.
static bool take_size(struct command_call *call, const char *option, uint64_t *out) {
    const char *text = call_option(call, option);
    if (text && strcmp(text, "none") == 0) {
        *out = MAILBOX_NO_LIMIT;
        return true;
    }
    return call_option_size(call, option, out);
}

bool quota_options_take(struct command_call *call, struct directory_object *object,
                        struct quota_options *out) {
    *out = (struct quota_options){.archive = -1};
    for (unsigned i = 0; i < G_N_ELEMENTS(quotas); i++) {
        uint64_t size = 0;
        if (!take_size(call, quotas[i].option, &size))
            return false;
        if (call_option(call, quotas[i].option))
            out->values[i] = arena_printf(call->arena, "%" G_GUINT64_FORMAT, (guint64)size);
    }
    if (!take_size(call, "quota-receive", &object->quota))
        return false;
    out->imap_folders = call_option(call, "imap-folders");
    if (out->imap_folders && strcmp(out->imap_folders, "all") != 0 &&
        strcmp(out->imap_folders, "mail") != 0 && strcmp(out->imap_folders, "default") != 0) {
        call_fail(call, EC_INVALID_PARAMETER, "--imap-folders takes all, mail or default");
        return false;
    }
    const char *archive = call_option(call, "archive");
    if (!archive)
        return true;
    out->archive = strcmp(archive, "on") == 0;
    if (out->archive || strcmp(archive, "off") == 0)
        return true;
    call_fail(call, EC_INVALID_PARAMETER, "--archive takes on or off");
    return false;
}

static enum ec apply_archive(struct command_call *call, const struct guid *guid, bool is_on) {
    struct mailbox_service *s = call->services->mailboxes;
    enum ec ec = is_on ? mailbox_archive_enable(s, guid) : mailbox_archive_disable(s, guid);
    // It is as it should be.
    return ec == (is_on ? EC_COLLISION : EC_NOT_FOUND) ? EC_OK : ec;
}

int quota_options_apply(struct command_call *call, const struct directory_object *object,
                        const struct quota_options *options) {
    enum ec ec = EC_OK;
    for (unsigned i = 0; ec == EC_OK && i < G_N_ELEMENTS(quotas); i++) {
        const char *value = options->values[i];
        if (value)
            ec = directory_set_setting(call->services->directory, &object->guid, quotas[i].setting,
                                       strcmp(value, "0") == 0 ? NULL : value);
    }
    if (ec == EC_OK && options->imap_folders)
        ec = directory_set_setting(
            call->services->directory, &object->guid, SETTING_IMAP_FOLDERS,
            strcmp(options->imap_folders, "default") == 0 ? NULL : options->imap_folders);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot store the quotas of %s: %s", object->address,
                         ec_text(ec));
    if (options->archive >= 0)
        ec = apply_archive(call, &object->guid, options->archive == 1);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot switch the archive of %s %s: %s", object->address,
                         options->archive ? "on" : "off", ec_text(ec));
    return EXIT_DONE;
}

// --- Showing ---

static void print_archive(struct command_call *call, const struct guid *owner) {
    struct mailbox_service *s = call->services->mailboxes;
    struct guid archive;
    struct mailbox *m;
    struct mailbox_quota q;
    bool has_archive = mailbox_archive_of(s, owner, &archive) == EC_OK;
    output_bool(call->out, "archive", has_archive);
    if (!has_archive)
        return;
    struct principal *admin = principal_admin();
    if (mailbox_open_archive(s, admin, owner, &m) == EC_OK) {
        if (mailbox_get_quota(m, &q) == EC_OK) {
            output_number(call->out, "archive_messages", q.usage.n_messages);
            output_number(call->out, "archive_size", q.usage.size);
            output_number(call->out, "archive_quota", q.limits.receive);
        }
        mailbox_close(m);
    }
    principal_unref(admin);
    output_string(call->out, "archive_file",
                  store_mailbox_path(call->services->store, call->arena, &archive));
}

void quota_print(struct command_call *call, const struct directory_object *object) {
    struct mailbox_service *s = call->services->mailboxes;
    struct mailbox_limits l;
    struct mbox_holds holds;
    if (mailbox_limits(s, &object->guid, &l) == EC_OK) {
        output_number(call->out, "quota_warn", l.warn);
        output_number(call->out, "quota_send", l.send);
        output_number(call->out, "quota_receive", l.receive);
        output_number(call->out, "quota_recoverable", l.recoverable);
    }
    if (mailbox_get_holds(s, &object->guid, &holds) == EC_OK) {
        output_bool(call->out, "litigation_hold", holds.has_litigation);
        output_bool(call->out, "single_item_recovery", holds.has_single_item);
    }
    print_archive(call, &object->guid);
}
