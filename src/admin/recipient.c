// Directory objects: what all kinds share.
#include "admin/recipient.h"

#include <string.h>

#include "admin/mail_options.h"
#include "admin/quota_options.h"
#include "mailbox/archive.h"
#include "mailbox/mailbox.h"
#include "store/store.h"

#define PAGE 500 // objects read from the directory at once

static const char *const kind_names[] = {
    [DIRECTORY_USER] = "user",       [DIRECTORY_SHARED] = "shared",
    [DIRECTORY_ROOM] = "room",       [DIRECTORY_EQUIPMENT] = "equipment",
    [DIRECTORY_GROUP] = "group",     [DIRECTORY_DYNAMIC] = "dynamic",
    [DIRECTORY_CONTACT] = "contact", [DIRECTORY_PUBLIC_FOLDER] = "folder",
};

static const struct {
    const char *name;
    uint32_t bit;
} protocol_names[] = {
    {"smtp", DIRECTORY_SMTP}, {"imap", DIRECTORY_IMAP}, {"pop3", DIRECTORY_POP3},
    {"ews", DIRECTORY_EWS},   {"mapi", DIRECTORY_MAPI}, {"eas", DIRECTORY_EAS},
    {"dav", DIRECTORY_DAV},   {"ldap", DIRECTORY_LDAP}, {"web", DIRECTORY_WEB},
};

const char *kind_name(enum directory_kind kind) {
    return (unsigned)kind < G_N_ELEMENTS(kind_names) ? kind_names[kind] : "unknown";
}

char *protocols_text(struct arena *arena, uint32_t protocols) {
    if ((protocols & DIRECTORY_ALL_PROTOCOLS) == DIRECTORY_ALL_PROTOCOLS)
        return arena_strdup(arena, "all");
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(protocol_names); i++)
        if (protocols & protocol_names[i].bit)
            g_string_append_printf(text, "%s%s", text->len ? "," : "", protocol_names[i].name);
    return arena_strdup(arena, text->len ? text->str : "none");
}

bool protocols_parse(const char *text, uint32_t *out) {
    uint32_t bits = 0;
    g_auto(GStrv) words = g_strsplit(text, ",", 20);
    for (char **w = words; *w; w++) {
        uint32_t bit = 0;
        bool known = strcmp(*w, "none") == 0;
        if (strcmp(*w, "all") == 0)
            bit = DIRECTORY_ALL_PROTOCOLS;
        for (unsigned i = 0; i < G_N_ELEMENTS(protocol_names); i++)
            if (strcmp(*w, protocol_names[i].name) == 0)
                bit = protocol_names[i].bit;
        if (!bit && !known)
            return false;
        bits |= bit;
    }
    *out = bits;
    return true;
}

static const char *kinds_text(uint32_t kinds) {
    return kinds == KINDS_USER      ? "user"
           : kinds == KINDS_ROOM    ? "room"
           : kinds == KINDS_GROUP   ? "group"
           : kinds == KINDS_CONTACT ? "contact"
                                    : "recipient";
}

bool recipient_find(struct command_call *call, const char *address, uint32_t kinds,
                    struct directory_object **out) {
    struct directory *d = call->services->directory;
    enum ec ec = directory_find_address(d, call->arena, address, out);
    if (ec == EC_NOT_FOUND && !strchr(address, '@')) {
        g_autofree char *domain = directory_default_domain(d);
        if (domain)
            ec = directory_find_address(d, call->arena,
                                        arena_printf(call->arena, "%s@%s", address, domain), out);
    }
    const char *what = kinds_text(kinds);
    if (ec == EC_NOT_FOUND) {
        call_fail(call, EC_NOT_FOUND, "there is no %s %s; `bourse %s list %s` lists them", what,
                  address, kinds == KINDS_ALL ? "user" : what, call_argument(call, 0));
        return false;
    }
    if (ec != EC_OK) {
        call_fail(call, ec, "cannot look up %s: %s", address, ec_text(ec));
        return false;
    }
    if (!(kinds & KIND((*out)->kind))) {
        call_fail(call, EC_NOT_FOUND, "%s is a %s, not a %s", address, kind_name((*out)->kind),
                  what);
        return false;
    }
    return true;
}

// --- Printing ---

static void print_members(struct command_call *call, const struct directory_object *group) {
    struct directory_list members;
    if (directory_members(call->services->directory, call->arena, &group->guid, &members) != EC_OK)
        return;
    output_array_begin(call->out, "members");
    for (unsigned i = 0; i < members.n; i++)
        output_string(call->out, NULL, members.items[i]->address);
    output_array_end(call->out);
}

static void print_aliases(struct command_call *call, const struct directory_object *o) {
    g_auto(GStrv) aliases = NULL;
    if (directory_aliases(call->services->directory, &o->guid, &aliases) != EC_OK)
        return;
    output_array_begin(call->out, "aliases");
    for (char **a = aliases; a && *a; a++)
        output_string(call->out, NULL, *a);
    output_array_end(call->out);
}

static void print_mailbox(struct command_call *call, const struct directory_object *o) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    struct mbox_info info;
    if (store_open_mailbox(call->services->store, &o->guid, &mbox) != EC_OK ||
        mbox_read(mbox, &tx) != EC_OK || mbox_get_info(tx, call->arena, &info) != EC_OK)
        return;
    output_number(call->out, "messages", info.n_messages);
    output_number(call->out, "size", info.size);
    output_string(call->out, "file",
                  store_mailbox_path(call->services->store, call->arena, &o->guid));
}

static void print_person(struct output *out, const struct directory_object *o) {
    output_string(out, "given_name", o->given_name);
    output_string(out, "surname", o->surname);
    output_string(out, "initials", o->initials);
    output_string(out, "title", o->title);
    output_string(out, "department", o->department);
    output_string(out, "company", o->company);
    output_string(out, "office", o->office);
    output_string(out, "phone", o->phone);
    output_string(out, "mobile", o->mobile);
    output_string(out, "notes", o->notes);
}

static void print_brief(struct command_call *call, const struct directory_object *o) {
    char guid[GUID_STRING_SIZE];
    guid_format(&o->guid, guid);
    output_string(call->out, "address", o->address);
    output_string(call->out, "name", o->display_name);
    output_string(call->out, "kind", kind_name(o->kind));
    output_string(call->out, "guid", guid);
    output_bool(call->out, "disabled", o->is_disabled);
    output_bool(call->out, "hidden", o->is_hidden);
    if (KIND(o->kind) & KINDS_ROOM)
        output_number(call->out, "capacity", o->capacity);
    output_string(call->out, "target", o->target);
    output_string(call->out, "filter", o->filter);
}

void recipient_print(struct command_call *call, const struct directory_object *o) {
    output_object_begin(call->out, NULL);
    print_brief(call, o);
    print_aliases(call, o);
    print_person(call->out, o);
    if (KIND(o->kind) & KINDS_USER)
        output_string(call->out, "protocols", protocols_text(call->arena, o->protocols));
    output_time(call->out, "created", o->created);
    output_time(call->out, "changed", o->changed);
    if (o->kind == DIRECTORY_GROUP)
        print_members(call, o);
    if (o->has_mailbox) {
        output_string(call->out, "locale", o->locale);
        output_number(call->out, "quota", o->quota);
        print_mailbox(call, o);
        quota_print(call, o);
        mail_options_print(call, o);
    }
    output_object_end(call->out);
}

int recipient_list(struct command_call *call, uint32_t kinds, const char *columns) {
    const char *prefix = call_option(call, "prefix");
    output_list_begin(call->out, columns);
    for (unsigned offset = 0;; offset += PAGE) {
        ARENA_AUTO page = arena_new();
        struct directory_list list;
        enum ec ec =
            directory_list(call->services->directory, page, kinds, prefix, offset, PAGE, &list);
        if (ec != EC_OK)
            return call_fail(call, ec, "cannot read the directory: %s", ec_text(ec));
        for (unsigned i = 0; i < list.n; i++) {
            output_object_begin(call->out, NULL);
            print_brief(call, list.items[i]);
            output_object_end(call->out);
        }
        if (list.n < PAGE || output_is_broken(call->out))
            break;
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

// --- Changing ---

// An option's text; "" clears.
static void take_text(struct command_call *call, const char *option, const char **field) {
    const char *text = call_option(call, option);
    if (text)
        *field = *text ? text : NULL;
}

// A filter of one comparison may be written without parentheses ("department = Sales").
static const char *full_filter(struct arena *arena, const char *text) {
    const char *equals = strchr(text, '=');
    if (text[strspn(text, " ")] == '(' || !equals)
        return text;
    g_autofree char *name = g_strstrip(g_strndup(text, (gsize)(equals - text)));
    g_autofree char *value = g_strstrip(g_strdup(equals + 1));
    g_autoptr(GString) filter = g_string_new(NULL);
    g_string_append_printf(filter, "(%s=", name);
    for (const char *p = value; *p; p++) // [RFC 4515] 3; '*' keeps its meaning
        if (strchr("()\\", *p))
            g_string_append_printf(filter, "\\%02x", (unsigned char)*p);
        else
            g_string_append_c(filter, *p);
    g_string_append_c(filter, ')');
    return arena_strdup(arena, filter->str);
}

bool recipient_take_options(struct command_call *call, struct directory_object *o) {
    uint64_t capacity = o->capacity;
    take_text(call, "given-name", &o->given_name);
    take_text(call, "surname", &o->surname);
    take_text(call, "initials", &o->initials);
    take_text(call, "title", &o->title);
    take_text(call, "department", &o->department);
    take_text(call, "company", &o->company);
    take_text(call, "office", &o->office);
    take_text(call, "phone", &o->phone);
    take_text(call, "mobile", &o->mobile);
    take_text(call, "notes", &o->notes);
    take_text(call, "locale", &o->locale);
    take_text(call, "target", &o->target);
    take_text(call, "filter", &o->filter);
    if (o->filter)
        o->filter = full_filter(call->arena, o->filter);
    if (call_option(call, "name"))
        o->display_name = call_option(call, "name");
    if (!call_option_size(call, "quota", &o->quota) ||
        !call_option_yes_no(call, "hidden", &o->is_hidden) ||
        !call_option_number(call, "capacity", 1000000, &capacity))
        return false;
    o->capacity = (uint32_t)capacity;
    const char *protocols = call_option(call, "protocols");
    if (protocols && !protocols_parse(protocols, &o->protocols)) {
        call_fail(
            call, EC_INVALID_PARAMETER,
            "--protocols takes all, none, or a list of smtp, imap, pop3, ews, mapi, eas, dav, "
            "ldap, web separated by commas");
        return false;
    }
    if (!o->display_name || !*o->display_name)
        o->display_name = arena_strndup(call->arena, o->address, strcspn(o->address, "@"));
    return true;
}

// Why the directory refused an object or an address, and what to do.
static int refused(struct command_call *call, enum ec ec, const char *address) {
    const char *dir = call_argument(call, 0);
    const char *at = strrchr(address, '@');
    switch (ec) {
    case EC_COLLISION:
        return call_fail(call, ec,
                         "%s is taken; `bourse alias show %s %s` says by whom, then choose another "
                         "address or delete that one",
                         address, dir, address);
    case EC_NOT_FOUND:
        return call_fail(call, ec,
                         "%s is not one of our domains; `bourse domain add %s %s` makes it one",
                         at ? at + 1 : address, dir, at ? at + 1 : "DOMAIN");
    case EC_INVALID_PARAMETER:
        return call_fail(
            call, ec,
            "'%s' cannot be stored: it must be an address such as alice@example.com (of "
            "a contact with an address in our own domain, --target must say where mail "
            "goes), names must have no control characters, and a filter must be "
            "well-formed",
            address);
    case EC_DISK_FULL:
        return call_fail(call, ec, "the disk is full; make room and run the command again");
    default:
        return call_fail(call, ec, "%s: %s", address, ec_text(ec));
    }
}

static enum ec create_mailbox(struct command_call *call, const struct directory_object *o) {
    struct mbox_new spec = {.guid = o->guid,
                            .address = o->address,
                            .display_name = o->display_name,
                            .locale = o->locale ? o->locale : "en"};
    return store_create_mailbox(call->services->store, &spec);
}

int recipient_add(struct command_call *call, struct directory_object *o) {
    enum ec ec = directory_add(call->services->directory, o);
    if (ec != EC_OK)
        return refused(call, ec, o->address);
    if (o->has_mailbox) {
        ec = create_mailbox(call, o);
        if (ec != EC_OK) {
            directory_remove(call->services->directory, &o->guid);
            return call_fail(call, ec, "cannot make the mailbox of %s: %s; nothing was added",
                             o->address, ec_text(ec));
        }
    }
    return EXIT_DONE;
}

int recipient_update(struct command_call *call, struct directory_object *o) {
    struct directory *d = call->services->directory;
    const char *address = call_option(call, "address"), *old = o->address;
    bool is_new = address && g_ascii_strcasecmp(address, old) != 0;
    enum ec ec;
    if (is_new) {
        // The new address may be an alias of the object already.
        struct directory_object *holder;
        if (directory_find_address(d, call->arena, address, &holder) == EC_OK &&
            guid_equal(&holder->guid, &o->guid))
            directory_alias_remove(d, address);
        o->address = address;
    }
    ec = directory_update(d, o);
    if (ec != EC_OK)
        return refused(call, ec, o->address);
    if (is_new) {
        ec = directory_alias_add(d, &o->guid, old);
        if (ec != EC_OK && ec != EC_COLLISION)
            return call_fail(call, ec, "the address is %s now, but %s could not be kept: %s",
                             address, old, ec_text(ec));
    }
    return EXIT_DONE;
}

// Sessions that have the mailbox open end when their clients do; nobody new gets in meanwhile.
static enum ec delete_mailbox(struct command_call *call, struct directory_object *o) {
    if (!o->is_disabled) {
        o->is_disabled = true;
        EC_TRY(directory_update(call->services->directory, o));
    }
    enum ec ec = EC_BUSY;
    for (unsigned tries = 0; tries < 50 && ec == EC_BUSY; tries++) {
        ec = mailbox_archive_delete(call->services->mailboxes, &o->guid);
        if (ec == EC_OK)
            ec = store_delete_mailbox(call->services->store, &o->guid);
        if (ec == EC_BUSY)
            g_usleep(100000);
    }
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

int recipient_delete(struct command_call *call, struct directory_object *o, bool keep_mailbox) {
    enum ec ec = o->has_mailbox && !keep_mailbox ? delete_mailbox(call, o) : EC_OK;
    if (ec == EC_BUSY)
        return call_fail(call, ec,
                         "somebody is connected to the mailbox of %s; it is disabled now: run the "
                         "command again when they are gone, or restart the server first",
                         o->address);
    if (ec == EC_OK)
        ec = directory_remove(call->services->directory, &o->guid);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot delete %s: %s", o->address, ec_text(ec));
    output_say(call->out, "Deleted %s.", o->address);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "deleted", o->address);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}
