// The requests of Autodiscover, both forms: the first byte chooses. Whatever comes in, a document
// goes out.
#include <glib/gstdio.h>

#include "formats/xml_reader.h"
#include "protocol/autodiscover/autodiscover.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct autodiscover_service *service;
static struct principal who = {.refs = 1};

static void open_service(void) {
    g_autofree char *folder = g_dir_make_tmp("bourse-fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "directory.db", NULL);
    g_autofree char *store_path = g_build_filename(folder, "store", NULL);
    struct store_options store_options = {.is_durable = false};
    struct store *store;
    struct autodiscover_options options = {
        .hostname = "h", .organization = "", .has_activesync = true};
    struct directory_object user = {.address = "a@a.test", .display_name = "A", .protocols = ~0u};
    g_assert_true(directory_open(path, &options.directory) == EC_OK &&
                  directory_domain_add(options.directory, "a.test") == EC_OK &&
                  directory_add(options.directory, &user) == EC_OK &&
                  store_open(store_path, &store_options, &store) == EC_OK &&
                  mailbox_service_new(store, options.directory, &options.mailboxes) == EC_OK &&
                  autodiscover_service_new(&options, &service) == EC_OK);
    who.guid = user.guid;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct xml_limits limits = {.bytes = 1 << 26, .depth = 30, .nodes = 1000000};
    unsigned status = 0;
    struct xml_node *root;
    if (size == 0)
        return 0;
    if (service == NULL)
        open_service();
    GString *answer = data[0] & 1 ? autodiscover_pox(service, &who, data + 1, size - 1, 1)
                                  : autodiscover_soap(service, &who, data + 1, size - 1, &status);
    ARENA_AUTO arena = arena_new();
    g_assert_cmpint(xml_read(arena, answer->str, answer->len, &limits, &root), ==, EC_OK);
    g_string_free(answer, TRUE);
    return 0;
}
