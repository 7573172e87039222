// `bourse alias`, `bourse domain`: the addresses and domains mail is received for.
#include <string.h>

#include "admin/command_functions.h"
#include "admin/recipient.h"

#define PAGE 500

static int say_done(struct command_call *call, const char *field, const char *value,
                    const char *sentence) {
    output_say(call->out, "%s %s.", sentence, value);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, field, value);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

int alias_add(struct command_call *call) {
    const char *alias = call_argument(call, 1), *dir = call_argument(call, 0);
    struct directory_object *o;
    if (!recipient_find(call, call_argument(call, 2), KINDS_ALL, &o))
        return EXIT_FAILED;
    enum ec ec = directory_alias_add(call->services->directory, &o->guid, alias);
    if (ec == EC_COLLISION || ec == EC_DUPLICATE_OBJECT)
        return call_fail(call, ec, "%s is taken; `bourse alias show %s %s` says by whom", alias,
                         dir, alias);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec, "%s is not in one of our domains; `bourse domain add %s DOMAIN`",
                         alias, dir);
    if (ec == EC_INVALID_PARAMETER)
        return call_fail(call, ec, "'%s' is not an address such as alice@example.com", alias);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot add %s: %s", alias, ec_text(ec));
    output_say(call->out, "Added %s for %s.", alias, o->address);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "alias", alias);
        output_string(call->out, "address", o->address);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

static enum ec print_aliases(struct command_call *call, const struct directory_object *o) {
    g_auto(GStrv) aliases = NULL;
    EC_TRY(directory_aliases(call->services->directory, &o->guid, &aliases));
    for (char **a = aliases; a && *a; a++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "alias", *a);
        output_string(call->out, "address", o->address);
        output_object_end(call->out);
    }
    return EC_OK;
}

static enum ec print_all_aliases(struct command_call *call) {
    for (unsigned offset = 0;; offset += PAGE) {
        ARENA_AUTO page = arena_new();
        struct directory_list list;
        EC_TRY(directory_list(call->services->directory, page, 0, NULL, offset, PAGE, &list));
        for (unsigned i = 0; i < list.n; i++)
            EC_TRY(print_aliases(call, list.items[i]));
        if (list.n < PAGE || output_is_broken(call->out))
            return EC_OK;
    }
}

int alias_list(struct command_call *call) {
    struct directory_object *o = NULL;
    if (call_argument(call, 1) && !recipient_find(call, call_argument(call, 1), KINDS_ALL, &o))
        return EXIT_FAILED;
    output_list_begin(call->out, "alias:36 address");
    enum ec ec = o ? print_aliases(call, o) : print_all_aliases(call);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the directory: %s", ec_text(ec));
    output_list_end(call->out);
    return EXIT_DONE;
}

int alias_show(struct command_call *call) {
    struct directory_object *o;
    const char *alias = call_argument(call, 1);
    if (!recipient_find(call, alias, KINDS_ALL, &o))
        return EXIT_FAILED;
    output_object_begin(call->out, NULL);
    output_string(call->out, "alias", alias);
    output_string(call->out, "address", o->address);
    output_string(call->out, "name", o->display_name);
    output_string(call->out, "kind", kind_name(o->kind));
    output_bool(call->out, "primary", g_ascii_strcasecmp(alias, o->address) == 0);
    output_object_end(call->out);
    return EXIT_DONE;
}

int alias_delete(struct command_call *call) {
    const char *alias = call_argument(call, 1);
    enum ec ec = directory_alias_remove(call->services->directory, alias);
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec,
                         "there is no alias %s (a primary address is changed with `bourse user set "
                         "--address`)",
                         alias);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete %s: %s", alias, ec_text(ec));
    return say_done(call, "deleted", alias, "Deleted");
}

// --- Domains ---

static int domain_failed(struct command_call *call, enum ec ec, const char *domain) {
    const char *dir = call_argument(call, 0);
    switch (ec) {
    case EC_COLLISION:
    case EC_DUPLICATE_OBJECT:
        return call_fail(call, ec, "%s is one of our domains already", domain);
    case EC_INVALID_PARAMETER:
        return call_fail(call, ec, "'%s' is not a domain name such as example.com", domain);
    case EC_NOT_FOUND:
        return call_fail(call, ec,
                         "%s is not one of our domains; `bourse domain list %s` lists them", domain,
                         dir);
    case EC_BUSY:
        return call_fail(call, ec,
                         "addresses in %s are in use; delete or rename those users, groups and "
                         "aliases first",
                         domain);
    default:
        return call_fail(call, ec, "%s: %s", domain, ec_text(ec));
    }
}

int domain_add(struct command_call *call) {
    const char *domain = call_argument(call, 1);
    enum ec ec = directory_domain_add(call->services->directory, domain);
    if (ec != EC_OK)
        return domain_failed(call, ec, domain);
    return say_done(call, "domain", domain, "Added");
}

static void print_domain(struct command_call *call, const char *domain) {
    g_autofree char *def = directory_default_domain(call->services->directory);
    output_object_begin(call->out, NULL);
    output_string(call->out, "domain", domain);
    g_autofree char *catchall = directory_domain_catchall(call->services->directory, domain);
    output_bool(call->out, "default", def && g_ascii_strcasecmp(def, domain) == 0);
    output_string(call->out, "catchall", catchall ? catchall : "");
    output_object_end(call->out);
}

int domain_list(struct command_call *call) {
    g_auto(GStrv) domains = directory_domains(call->services->directory);
    output_list_begin(call->out, "domain:36 default catchall");
    for (char **d = domains; d && *d; d++)
        print_domain(call, *d);
    output_list_end(call->out);
    return EXIT_DONE;
}

int domain_show(struct command_call *call) {
    const char *domain = call_argument(call, 1);
    if (!directory_is_local_domain(call->services->directory, domain))
        return domain_failed(call, EC_NOT_FOUND, domain);
    print_domain(call, domain);
    return EXIT_DONE;
}

int domain_set(struct command_call *call) {
    const char *domain = call_argument(call, 1), *catchall = call_option(call, "catchall");
    struct directory_object *o;
    if (!catchall)
        return call_fail(call, EC_INVALID_PARAMETER, "say what to change: --catchall ADDRESS");
    if (!directory_is_local_domain(call->services->directory, domain))
        return domain_failed(call, EC_NOT_FOUND, domain);
    if (*catchall && !recipient_find(call, catchall, KINDS_ALL, &o))
        return EXIT_FAILED;
    enum ec ec = directory_domain_set_catchall(call->services->directory, domain,
                                               *catchall ? catchall : NULL);
    if (ec != EC_OK)
        return domain_failed(call, ec, domain);
    return say_done(call, "domain", domain, "Changed");
}

int domain_delete(struct command_call *call) {
    const char *domain = call_argument(call, 1);
    enum ec ec = directory_domain_remove(call->services->directory, domain);
    if (ec != EC_OK)
        return domain_failed(call, ec, domain);
    return say_done(call, "deleted", domain, "Deleted");
}
