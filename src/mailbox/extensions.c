// Manifests in associated messages of the root folder: the binary part is the manifest, the XML
// part says when it is switched off.
#include "mailbox/extensions.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "store/associated.h"

#define PREFIX "ExtensionManifest."
#define CLASS "IPM.Configuration." PREFIX
#define DISABLED "<disabled/>"
#define EXTENSIONS_MAX 100

static const char *name_of(struct arena *arena, const char *id) {
    return arena_printf(arena, PREFIX "%s", id);
}

static bool is_disabled(const struct configuration *c) {
    return c->xml.len == strlen(DISABLED) && memcmp(c->xml.data, DISABLED, c->xml.len) == 0;
}

enum ec mailbox_extensions(struct mailbox *m, struct arena *arena, struct extensions *out) {
    MBOX_TX_AUTO tx = NULL;
    struct associated_rows rows;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, FID_ROOT, RIGHTS_READ_ANY));
    EC_TRY(associated_list(tx, arena, FID_ROOT, "IPM.Configuration.ExtensionManifest", &rows));
    mbox_read_end(tx);
    tx = NULL;
    *out = (struct extensions){arena_alloc0(arena, (rows.n + 1) * sizeof *out->items), 0};
    for (unsigned i = 0; i < rows.n && out->n < EXTENSIONS_MAX; i++) {
        struct configuration c;
        const char *class = rows.items[i].class;
        if (strlen(class) <= strlen(CLASS))
            continue;
        const char *id = class + strlen(CLASS);
        if (mailbox_get_configuration(m, arena, FID_ROOT, name_of(arena, id), &c) == EC_OK)
            out->items[out->n++] = (struct extension){id, c.binary, is_disabled(&c)};
    }
    return EC_OK;
}

enum ec mailbox_install_extension(struct mailbox *m, const char *id, struct prop_bin manifest,
                                  bool *is_new_out) {
    ARENA_AUTO arena = arena_new();
    struct extensions all;
    struct configuration old, c = {.name = name_of(arena, id),
                                   .kinds = CONFIGURATION_BINARY | CONFIGURATION_XML,
                                   .binary = manifest,
                                   .xml = {0, (const uint8_t *)""}};
    enum ec ec = mailbox_get_configuration(m, arena, FID_ROOT, c.name, &old);
    *is_new_out = ec == EC_NOT_FOUND;
    if (ec != EC_NOT_FOUND)
        EC_TRY(ec);
    EC_TRY(mailbox_extensions(m, arena, &all));
    if (*is_new_out && all.n >= EXTENSIONS_MAX)
        return EC_TOO_MANY_OBJECTS;
    return mailbox_put_configuration(m, FID_ROOT, &c, CONFIGURATION_PUT, NULL);
}

enum ec mailbox_change_extension(struct mailbox *m, const char *id, enum extension_change change) {
    ARENA_AUTO arena = arena_new();
    struct configuration c = {.name = name_of(arena, id),
                              .kinds = CONFIGURATION_XML,
                              .xml = {strlen(DISABLED), (const uint8_t *)DISABLED}};
    if (change == EXTENSION_REMOVE)
        return mailbox_delete_configuration(m, FID_ROOT, c.name);
    return mailbox_put_configuration(m, FID_ROOT, &c, CONFIGURATION_UPDATE, NULL);
}
