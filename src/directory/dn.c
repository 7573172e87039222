// X.500 names: made of guids, read back, and those that came from elsewhere, which are settings of
// their entries ("x500.N", compared caselessly, so kept folded).
#include "directory/dn.h"

#include <string.h>

#include "base/text.h"
#include "directory/setting.h"

#define ADMIN_GROUP "ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
#define RECIPIENTS "/cn=Recipients/cn="
#define X500_MAX 16 // old names of one entry

static const char *organization_or_default(struct arena *arena, const char *organization) {
    if (!organization || !*organization)
        return "First Organization";
    char *clean = arena_strdup(arena, organization);
    return g_strdelimit(clean, "/=", '-'); // these would begin another part
}

const char *dn_prefix(struct arena *arena, const char *organization) {
    return arena_printf(arena, "/o=%s/" ADMIN_GROUP RECIPIENTS,
                        organization_or_default(arena, organization));
}

const char *dn_of_guid(struct arena *arena, const char *organization, const struct guid *guid) {
    GString *hex = g_string_sized_new(32);
    for (unsigned i = 0; i < sizeof guid->bytes; i++)
        g_string_append_printf(hex, "%02x", guid->bytes[i]);
    const char *dn = arena_printf(arena, "%s%s", dn_prefix(arena, organization), hex->str);
    g_string_free(hex, TRUE);
    return dn;
}

const char *dn_of_server(struct arena *arena, const char *organization, const char *hostname) {
    return arena_printf(arena, "/o=%s/" ADMIN_GROUP "/cn=Configuration/cn=Servers/cn=%s",
                        organization_or_default(arena, organization), hostname);
}

bool dn_guid(const char *dn, struct guid *out) {
    size_t len = strnlen(dn, DN_MAX + 1);
    size_t tail = strlen(RECIPIENTS) + 32;
    if (len > DN_MAX || len < tail || g_ascii_strncasecmp(dn, "/o=", 3) != 0)
        return false;
    const char *at = dn + len - tail;
    if (g_ascii_strncasecmp(at, RECIPIENTS, strlen(RECIPIENTS)) != 0)
        return false;
    at += strlen(RECIPIENTS);
    struct guid guid;
    for (unsigned i = 0; i < sizeof guid.bytes; i++) {
        int high = g_ascii_xdigit_value(at[2 * i]), low = g_ascii_xdigit_value(at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        guid.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = guid;
    return true;
}

// --- Old names ---

static const char *setting_name(struct arena *arena, unsigned i) {
    return arena_printf(arena, "x500.%u", i);
}

static bool is_dn(const char *dn) {
    size_t len = strnlen(dn, DN_MAX + 1);
    return dn[0] == '/' && strchr(dn, '=') && len <= DN_MAX && g_utf8_validate(dn, -1, NULL);
}

static enum ec find_old(struct directory *d, struct arena *arena, const char *dn,
                        struct guid *out) {
    const char *folded = text_fold(arena, dn);
    for (unsigned i = 0; i < X500_MAX; i++) {
        enum ec ec = directory_find_setting(d, setting_name(arena, i), folded, out);
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_NOT_FOUND;
}

enum ec directory_find_dn(struct directory *d, struct arena *arena, const char *dn,
                          struct directory_object **out) {
    struct guid guid;
    if (dn_guid(dn, &guid)) {
        enum ec ec = directory_find_guid(d, arena, &guid, out);
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    if (!is_dn(dn))
        return EC_NOT_FOUND;
    EC_TRY(find_old(d, arena, dn, &guid));
    return directory_find_guid(d, arena, &guid, out);
}

static bool is_x500_setting(const struct directory_setting *s) {
    return g_str_has_prefix(s->name, "x500.");
}

enum ec directory_x500_names(struct directory *d, struct arena *arena, const struct guid *guid,
                             char ***out) {
    struct directory_settings settings;
    EC_TRY(directory_settings(d, arena, guid, &settings));
    char **names = arena_alloc0(arena, (settings.n + 1) * sizeof *names);
    unsigned n = 0;
    for (unsigned i = 0; i < settings.n; i++)
        if (is_x500_setting(&settings.items[i]))
            names[n++] = arena_strdup(arena, settings.items[i].value);
    *out = names;
    return EC_OK;
}

enum ec directory_x500_add(struct directory *d, const struct guid *guid, const char *dn) {
    ARENA_AUTO arena = arena_new();
    if (!is_dn(dn))
        return EC_INVALID_PARAMETER;
    struct directory_object *owner;
    enum ec ec = directory_find_dn(d, arena, dn, &owner);
    if (ec == EC_OK)
        return guid_equal(&owner->guid, guid) ? EC_OK : EC_COLLISION;
    if (ec != EC_NOT_FOUND)
        return ec;
    for (unsigned i = 0; i < X500_MAX; i++) {
        const char *old;
        ec = directory_setting(d, arena, guid, setting_name(arena, i), &old);
        if (ec == EC_NOT_FOUND)
            return directory_set_setting(d, guid, setting_name(arena, i), text_fold(arena, dn));
        EC_TRY(ec);
    }
    return EC_TOO_MANY_OBJECTS;
}

enum ec directory_x500_remove(struct directory *d, const struct guid *guid, const char *dn) {
    ARENA_AUTO arena = arena_new();
    struct directory_settings settings;
    EC_TRY(directory_settings(d, arena, guid, &settings));
    const char *folded = text_fold(arena, dn);
    for (unsigned i = 0; i < settings.n; i++)
        if (is_x500_setting(&settings.items[i]) && strcmp(settings.items[i].value, folded) == 0)
            return directory_set_setting(d, guid, settings.items[i].name, NULL);
    return EC_NOT_FOUND;
}
