// `bourse dns`: the records that our domains need, in the syntax of zone files, and whether the DNS
// has them.
#include <string.h>

#include "admin/certificates.h"
#include "admin/command_functions.h"
#include "admin/dns_records.h"
#include "directory/directory.h"

static const char *need_text(enum record_need need) {
    static const char *const texts[] = {"needed", "advised", "optional"};
    return texts[need];
}

// Whether one of the records that are needed is not there.
static bool print_record(struct command_call *call, const struct dns_needed *record, bool checks) {
    const char *found = NULL, *state = NULL;
    if (checks)
        state = dns_record_check(call->services->dns, call->arena, record, &found);
    if (!output_is_json(call->out)) {
        output_say(call->out, "; %s (%s)%s%s", record->why, need_text(record->need),
                   state ? ": " : "", state ? state : "");
        if (state && found && strcmp(state, "different") == 0)
            output_say(call->out, "; now: %s", found);
        output_say(call->out, "%s. IN %s %s", record->name, record->type, record->data);
    } else {
        output_object_begin(call->out, NULL);
        output_string(call->out, "name", record->name);
        output_string(call->out, "type", record->type);
        output_string(call->out, "data", record->data);
        output_string(call->out, "need", need_text(record->need));
        output_string(call->out, "why", record->why);
        output_string(call->out, "state", state);
        output_string(call->out, "found", found);
        output_object_end(call->out);
    }
    return state && record->need == RECORD_NEEDED && strcmp(state, "ok") != 0 &&
           strcmp(state, "different") != 0;
}

// Prints the records of one domain; how many that are needed are missing.
static unsigned print_domain(struct command_call *call, const char *name,
                             const struct policy_keys *keys, bool checks) {
    g_autofree char *domain = host_name_to_ascii(name);
    g_autofree char *own = g_build_filename(call->services->dir, "tls", "cert.pem", NULL);
    const char *certificate = call->services->certificate;
    g_autofree char *hostname = host_name_to_ascii(call->services->hostname);
    struct dns_wanted wanted = {.domain = domain ? domain : name,
                                .hostname = hostname ? hostname : call->services->hostname,
                                .certificate = certificate ? certificate : own,
                                .keys = keys};
    g_autoptr(GArray) records = dns_records_of(call->arena, &wanted);
    unsigned missing = 0;
    for (unsigned i = 0; i < records->len; i++)
        missing += print_record(call, &g_array_index(records, struct dns_needed, i), checks);
    return missing;
}

int dns_command(struct command_call *call) {
    const char *domain = call_argument(call, 1);
    bool checks = call_switch(call, "check");
    g_autofree char *dir = g_build_filename(call->services->dir, "dkim", NULL);
    struct policy_keys *keys;
    if (domain && !directory_is_local_domain(call->services->directory, domain))
        return call_fail(call, EC_NOT_FOUND,
                         "%s is none of our domains; `bourse domain list` shows them", domain);
    enum ec ec = policy_keys_load(dir, &keys);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the DKIM keys in %s: %s", dir, ec_text(ec));
    g_auto(GStrv) domains = directory_domains(call->services->directory);
    unsigned missing = 0;
    if (output_is_json(call->out)) // else a zone file
        output_list_begin(call->out, "name");
    for (char **d = domains; d && *d; d++)
        if (!domain || g_ascii_strcasecmp(*d, domain) == 0)
            missing += print_domain(call, *d, keys, checks);
    if (output_is_json(call->out))
        output_list_end(call->out);
    policy_keys_unref(keys);
    if (missing > 0)
        return call_fail(call, EC_NOT_FOUND, "%u record%s needed and not there", missing,
                         missing == 1 ? " is" : "s are");
    return EXIT_DONE;
}
