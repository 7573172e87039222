// `bourse dkim`: the keys that mail of our domains is signed with. A running server uses a new key,
// and forgets a deleted one, at once.
#include <string.h>
#include <time.h>

#include "admin/certificates.h"
#include "admin/command_functions.h"
#include "directory/directory.h"
#include "policy/keys.h"
#include "policy/policy.h"

static char *keys_dir(const struct command_call *call) {
    return g_build_filename(call->services->dir, "dkim", NULL);
}

// The domain of argument `i` as A-labels (g_free). NULL: none of ours; that has been reported.
static char *own_domain(struct command_call *call, unsigned i) {
    const char *name = call_argument(call, i);
    g_autofree char *domain = host_name_to_ascii(name);
    if (!domain) {
        call_fail(call, EC_INVALID_PARAMETER, "%s is no domain", name);
        return NULL;
    }
    if (!directory_is_local_domain(call->services->directory, domain)) {
        call_fail(call, EC_NOT_FOUND, "%s is none of our domains; `bourse domain list` shows them",
                  name);
        return NULL;
    }
    g_autofree char *lower = g_ascii_strdown(domain, -1);
    return g_steal_pointer(&lower);
}

// "s20261124", so that a newer key gets another name.
static const char *selector_of(struct command_call *call) {
    const char *selector = call_option(call, "selector");
    if (selector)
        return selector;
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    const char *type = call_option(call, "type");
    return arena_printf(call->arena, "%s%04d%02d%02d", type && *type == 'e' ? "e" : "s",
                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void print_key(struct command_call *call, const struct policy_key *key) {
    const char *name = arena_printf(call->arena, "%s._domainkey.%s", key->selector, key->domain);
    output_object_begin(call->out, NULL);
    output_string(call->out, "domain", key->domain);
    output_string(call->out, "selector", key->selector);
    output_string(call->out, "type", key->is_ed25519 ? "ed25519" : "rsa");
    output_string(call->out, "name", name);
    output_string(call->out, "record", policy_key_record(call->arena, key));
    output_object_end(call->out);
}

// Prints the keys of one domain (NULL: all) and selector (NULL: all). Their number.
static unsigned print_keys(struct command_call *call, const struct policy_keys *keys,
                           const char *domain, const char *selector) {
    unsigned n, printed = 0;
    const struct policy_key *own =
        domain ? policy_keys_of(keys, domain, &n) : policy_keys_all(keys, &n);
    for (unsigned i = 0; i < n; i++)
        if (!selector || strcmp(selector, own[i].selector) == 0) {
            print_key(call, &own[i]);
            printed++;
        }
    return printed;
}

static enum ec load(struct command_call *call, struct policy_keys **out) {
    g_autofree char *dir = keys_dir(call);
    enum ec ec = policy_keys_load(dir, out);
    if (ec != EC_OK)
        call_fail(call, ec, "cannot read the keys in %s: %s", dir, ec_text(ec));
    return ec;
}

int dkim_create_command(struct command_call *call) {
    g_autofree char *dir = keys_dir(call), *domain = own_domain(call, 1);
    const char *type = call_option(call, "type");
    if (!domain)
        return EXIT_FAILED;
    if (type && strcmp(type, "rsa") != 0 && strcmp(type, "ed25519") != 0)
        return call_fail(call, EC_INVALID_PARAMETER, "--type is rsa or ed25519");
    const char *selector = selector_of(call);
    enum ec ec = policy_key_create(dir, domain, selector,
                                   type && *type == 'e' ? POLICY_KEY_ED25519 : POLICY_KEY_RSA);
    if (ec == EC_COLLISION)
        return call_fail(call, ec, "%s has a key %s already; choose another --selector", domain,
                         selector);
    if (ec == EC_INVALID_PARAMETER)
        return call_fail(call, ec, "%s is no selector: small letters, digits, - and _", selector);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot make the key in %s: %s", dir, ec_text(ec));
    policy_reload(call->services->policy);
    struct policy_keys *keys;
    if (load(call, &keys) != EC_OK)
        return EXIT_FAILED;
    output_say(call->out, "Made the key. Publish this TXT record; mail is signed from now on:");
    print_keys(call, keys, domain, selector);
    policy_keys_unref(keys);
    return EXIT_DONE;
}

int dkim_list_command(struct command_call *call) {
    struct policy_keys *keys;
    if (load(call, &keys) != EC_OK)
        return EXIT_FAILED;
    output_list_begin(call->out, "domain:30 selector:20 type");
    print_keys(call, keys, call_argument(call, 1), NULL);
    output_list_end(call->out);
    policy_keys_unref(keys);
    return EXIT_DONE;
}

int dkim_show_command(struct command_call *call) {
    g_autofree char *domain = own_domain(call, 1);
    struct policy_keys *keys;
    if (!domain || load(call, &keys) != EC_OK)
        return EXIT_FAILED;
    unsigned n = print_keys(call, keys, domain, call_option(call, "selector"));
    policy_keys_unref(keys);
    if (n == 0)
        return call_fail(call, EC_NOT_FOUND, "%s has no such key; `bourse dkim create` makes one",
                         domain);
    return EXIT_DONE;
}

int dkim_delete_command(struct command_call *call) {
    g_autofree char *dir = keys_dir(call);
    g_autofree char *domain = host_name_to_ascii(call_argument(call, 1));
    const char *selector = call_option(call, "selector");
    if (!selector)
        return call_fail(call, EC_INVALID_PARAMETER, "say which key: --selector NAME");
    g_autofree char *lower = g_ascii_strdown(domain ? domain : "", -1);
    enum ec ec = policy_key_delete(dir, lower, selector);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete the key %s of %s: %s", selector,
                         call_argument(call, 1), ec_text(ec));
    policy_reload(call->services->policy);
    output_say(call->out, "Deleted the key %s of %s. Leave its record in the DNS for a week.",
               selector, lower);
    return EXIT_DONE;
}
