// The service, and what is known of an account.
#include <string.h>

#include "directory/dn.h"
#include "mailbox/archive.h"
#include "protocol/autodiscover/autodiscover_internal.h"

const struct xml_limits autodiscover_xml = {
    .bytes = AUTODISCOVER_BODY_MAX, .depth = 24, .nodes = 4000};

enum ec autodiscover_service_new(const struct autodiscover_options *options,
                                 struct autodiscover_service **out) {
    uint8_t secret[32];
    // An id of this installation that stays.
    EC_TRY(directory_secret(options->directory, "autodiscover.deployment", secret));
    struct autodiscover_service *s = g_new0(struct autodiscover_service, 1);
    s->options = *options;
    s->options.hostname = g_strdup(options->hostname);
    s->options.organization = g_strdup(options->organization);
    bool has_url = options->url != NULL && *options->url != '\0';
    s->options.url = has_url ? g_strdup(options->url) : NULL;
    memcpy(s->deployment.bytes, secret, sizeof s->deployment.bytes);
    s->connections = g_array_new(FALSE, FALSE, sizeof(struct connection));
    pthread_mutex_init(&s->lock, NULL);
    autodiscover_set_listeners(s, "");
    *out = s;
    return EC_OK;
}

static void forget_connections(struct autodiscover_service *s) {
    for (unsigned i = 0; i < s->connections->len; i++)
        g_free(g_array_index(s->connections, struct connection, i).name);
    g_array_set_size(s->connections, 0);
}

void autodiscover_service_free(struct autodiscover_service *s) {
    if (s == NULL)
        return;
    forget_connections(s);
    g_array_unref(s->connections);
    pthread_mutex_destroy(&s->lock);
    g_free(s->url);
    g_free((char *)(uintptr_t)s->options.hostname);
    g_free((char *)(uintptr_t)s->options.organization);
    g_free((char *)(uintptr_t)s->options.url);
    g_free(s);
}

static unsigned port_locked(struct autodiscover_service *s, const char *name) {
    for (unsigned i = 0; i < s->connections->len; i++) {
        const struct connection *c = &g_array_index(s->connections, struct connection, i);
        if (strcmp(c->name, name) == 0)
            return c->port;
    }
    return 0;
}

static char *make_url(struct autodiscover_service *s) {
    if (s->options.url != NULL) {
        size_t len = strlen(s->options.url);
        return g_strndup(s->options.url, s->options.url[len - 1] == '/' ? len - 1 : len);
    }
    unsigned port = port_locked(s, "https");
    return port == 0 || port == 443 ? g_strdup_printf("https://%s", s->options.hostname)
                                    : g_strdup_printf("https://%s:%u", s->options.hostname, port);
}

void autodiscover_set_listeners(struct autodiscover_service *s, const char *listeners) {
    g_auto(GStrv) lines = g_strsplit(listeners, "\n", -1);
    pthread_mutex_lock(&s->lock);
    forget_connections(s);
    for (char **line = lines; *line != NULL; line++) {
        const char *blank = strchr(*line, ' '), *colon = strrchr(*line, ':');
        if (blank == NULL || colon == NULL)
            continue;
        struct connection c = {g_strndup(*line, (gsize)(blank - *line)),
                               (unsigned)g_ascii_strtoull(colon + 1, NULL, 10)};
        g_array_append_val(s->connections, c);
    }
    g_free(s->url);
    s->url = make_url(s);
    pthread_mutex_unlock(&s->lock);
}

unsigned autodiscover_port(struct autodiscover_service *s, const char *name) {
    pthread_mutex_lock(&s->lock);
    unsigned port = port_locked(s, name);
    pthread_mutex_unlock(&s->lock);
    return port;
}

const char *autodiscover_url(struct autodiscover_service *s, struct arena *arena,
                             const char *path) {
    pthread_mutex_lock(&s->lock);
    const char *url = arena_printf(arena, "%s%s", s->url, path);
    pthread_mutex_unlock(&s->lock);
    return url;
}

const char *autodiscover_mapi_url(struct autodiscover_service *s, struct arena *arena,
                                  const struct account *account, const char *endpoint) {
    const char *path = arena_printf(arena, "/mapi/%s/?MailboxId=%s", endpoint, account->server);
    return autodiscover_url(s, arena, path);
}

bool autodiscover_is_local(struct autodiscover_service *s, const char *address) {
    const char *at = strrchr(address, '@');
    return at != NULL && directory_is_local_domain(s->options.directory, at + 1);
}

// --- Accounts ---

static bool has_mailbox(const struct directory_object *object) {
    return object->has_mailbox && object->kind <= DIRECTORY_EQUIPMENT;
}

// Who is in no address list is there for those alone who have rights.
static bool may_know(struct autodiscover_service *s, const struct principal *who,
                     const struct directory_object *object) {
    return !object->is_hidden || guid_equal(&who->guid, &object->guid) ||
           directory_rights(s->options.directory, &object->guid, &who->guid) != 0;
}

static const char *server_of(struct arena *arena, const struct guid *guid, const char *address) {
    char text[GUID_STRING_SIZE];
    const char *at = strrchr(address, '@');
    guid_format(guid, text);
    return arena_printf(arena, "%s%s", text, at != NULL ? at : "");
}

// Mailboxes that Outlook opens beside the user's own: the archive, and those of full access.
static void find_alternates(struct autodiscover_service *s, struct arena *arena,
                            struct account *out) {
    struct directory *d = s->options.directory;
    struct directory_list shared = {0};
    struct guid archive;
    if (directory_shared_with(d, arena, &out->object->guid, &shared) != EC_OK)
        shared.n = 0;
    struct alternate *all =
        arena_alloc0(arena, (MIN(shared.n, AUTODISCOVER_ALTERNATES_MAX) + 1) * sizeof *all);
    out->alternates = all;
    if (mailbox_archive_of(s->options.mailboxes, &out->object->guid, &archive) == EC_OK)
        all[out->n_alternates++] = (struct alternate){
            .type = "Archive",
            .display_name = arena_printf(arena, "Online Archive - %s", out->object->display_name),
            .address = out->object->address,
            .dn = arena_printf(arena, "%s/guid=%s", out->dn, server_of(arena, &archive, "")),
            .server = server_of(arena, &archive, out->object->address),
        };
    for (unsigned i = 0; i < shared.n && i < AUTODISCOVER_ALTERNATES_MAX; i++) {
        const struct directory_object *o = shared.items[i];
        if (!has_mailbox(o) || guid_equal(&o->guid, &out->object->guid) ||
            !(directory_rights(d, &o->guid, &out->object->guid) & DIRECTORY_FULL_ACCESS))
            continue;
        all[out->n_alternates++] = (struct alternate){
            .type = "Delegate",
            .display_name = o->display_name,
            .address = o->address,
            .dn = dn_of_guid(arena, s->options.organization, &o->guid),
            .server = server_of(arena, &o->guid, o->address),
        };
    }
}

static void fill(struct autodiscover_service *s, struct arena *arena, struct principal *who,
                 struct account *out) {
    const struct directory_object *o = out->object;
    const char *organization = s->options.organization;
    char text[GUID_STRING_SIZE];
    out->dn = dn_of_guid(arena, organization, &o->guid);
    out->server = server_of(arena, &o->guid, o->address);
    out->server_dn = dn_of_server(arena, organization, out->server);
    out->database_dn = arena_printf(arena, "%s/cn=Microsoft Private MDB", out->server_dn);
    guid_format(&s->deployment, text);
    out->deployment = arena_strdup(arena, text);
    struct mailbox *public_store;
    if (mailbox_open_public(s->options.mailboxes, who, &public_store) == EC_OK) {
        mailbox_close(public_store);
        out->public_folders = server_of(arena, mailbox_public_guid(), o->address);
    }
    // What somebody may open is told to nobody else.
    if (guid_equal(&who->guid, &o->guid))
        find_alternates(s, arena, out);
}

static enum ec find(struct autodiscover_service *s, struct arena *arena, const char *name,
                    struct directory_object **out) {
    struct guid guid;
    struct directory *d = s->options.directory;
    if (name[0] == '/')
        return directory_find_dn(d, arena, name, out);
    if (g_ascii_strncasecmp(name, "SMTP:", 5) == 0)
        name += 5;
    enum ec ec = directory_find_address(d, arena, name, out);
    // GUID@DOMAIN, which we call a mailbox's server.
    g_autofree char *head = g_strndup(name, strcspn(name, "@"));
    return ec == EC_NOT_FOUND && guid_parse(head, &guid) ? directory_find_guid(d, arena, &guid, out)
                                                         : ec;
}

// Outlook asks for the address it was given for public folders (PublicFolderInformation).
static bool is_public_store(const char *name) {
    struct guid guid;
    g_autofree char *head = g_strndup(name, strcspn(name, "@"));
    return guid_parse(head, &guid) && guid_equal(&guid, mailbox_public_guid());
}

enum ec autodiscover_account(struct autodiscover_service *s, struct arena *arena,
                             struct principal *who, const char *name, struct account *out) {
    struct directory_object *object;
    *out = (struct account){0};
    if (is_public_store(name)) {
        EC_TRY(directory_find_guid(s->options.directory, arena, &who->guid, &object));
        out->object = object;
        fill(s, arena, who, out);
        out->server = arena_strdup(arena, name);
        return out->public_folders != NULL ? EC_OK : EC_NOT_FOUND;
    }
    EC_TRY(find(s, arena, name, &object));
    if (!may_know(s, who, object))
        return EC_NOT_FOUND;
    out->object = object;
    if (object->kind == DIRECTORY_CONTACT && object->target != NULL) {
        out->redirect = object->target;
        return EC_OK;
    }
    if (!has_mailbox(object))
        return EC_NOT_FOUND;
    fill(s, arena, who, out);
    return EC_OK;
}
