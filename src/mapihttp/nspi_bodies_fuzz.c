// The address book's request bodies: the first byte says which operation.
#include <glib/gstdio.h>

#include "directory/directory.h"
#include "mapihttp/mapihttp_internal.h"

static const char *const names[] = {
    "CompareMIds",     "DNToMId",           "GetMatches",        "GetPropList", "GetProps",
    "GetSpecialTable", "GetTemplateInfo",   "ModLinkAtt",        "ModProps",    "QueryColumns",
    "QueryRows",       "ResolveNames",      "ResortRestriction", "SeekEntries", "UpdateStat",
    "GetMailboxUrl",   "GetAddressBookUrl",
};

static struct nspi_session *open_book(void) {
    static struct nspi_session *session;
    if (session)
        return session;
    g_autofree char *folder = g_dir_make_tmp("bourse-fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "directory.db", NULL);
    struct directory *d;
    struct nspi_service *service;
    if (directory_open(path, &d) != EC_OK || directory_domain_add(d, "example.test") != EC_OK)
        g_error("no directory for fuzzing");
    static const char *const users[] = {"alice", "bob", "carol"};
    struct directory_object object = {.protocols = DIRECTORY_ALL_PROTOCOLS};
    for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
        g_autofree char *address = g_strdup_printf("%s@example.test", users[i]);
        object = (struct directory_object){.address = address, .display_name = users[i]};
        directory_add(d, &object);
    }
    struct nspi_options options = {d, "Fuzz", "localhost"};
    nspi_service_new(&options, &service);
    struct principal *who = g_new0(struct principal, 1);
    who->refs = 1;
    who->guid = object.guid;
    who->address = g_strdup("carol@example.test");
    who->display_name = g_strdup("carol");
    nspi_bind(service, who, 0, NULL, &session);
    principal_unref(who);
    g_unlink(path); // it stays open
    g_rmdir(folder);
    return session;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct arena *arena = arena_new();
    struct wire_reader in = wire_reader(data + 1, size - 1);
    struct wire_writer out = wire_writer(16u << 20);
    struct nspi_call call = {open_book(), arena, &in, &out, "https://m/", "https://a/"};
    nspi_body_run(&call, names[data[0] % G_N_ELEMENTS(names)]);
    wire_writer_clear(&out);
    arena_free(arena);
    return 0;
}
