// Certificates that users publish (NspiModProps: the only properties it changes), kept as settings
// of their entries in base64, separated by commas.
#include <string.h>

#include "directory/setting.h"
#include "mapi/catalogue.h"
#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

static const char *setting_name(uint16_t id) {
    return id == PROP_ID(PidTagUserX509Certificate)          ? "certificate.user"
           : id == PROP_ID(PidTagAddressBookX509Certificate) ? "certificate.smime"
                                                             : NULL;
}

enum ec certificates(struct nspi_session *s, struct arena *arena, const struct guid *guid,
                     uint16_t id, struct prop_value *out) {
    const char *text;
    EC_TRY(directory_setting(s->service->directory, arena, guid, setting_name(id), &text));
    g_auto(GStrv) words = g_strsplit(text, ",", NSPI_MAX_CERTIFICATES);
    struct prop_bin *bins = arena_alloc0(arena, sizeof *bins * (g_strv_length(words) + 1));
    unsigned n = 0;
    for (char **word = words; *word; word++) {
        gsize len;
        g_autofree guchar *bytes = g_base64_decode(*word, &len);
        bins[n++] = (struct prop_bin){(uint32_t)len, arena_memdup(arena, bytes, len)};
    }
    out->mv.n = n;
    out->mv.bin = bins;
    return n > 0 ? EC_OK : EC_NOT_FOUND;
}

// What the setting is to hold; NULL: too much or no certificates.
static char *setting_text(const struct prop_value *v) {
    if (PROP_TYPE(v->tag) != PT_MV_BINARY || v->mv.n > NSPI_MAX_CERTIFICATES)
        return NULL;
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < v->mv.n; i++) {
        if (v->mv.bin[i].len == 0 || v->mv.bin[i].len > NSPI_MAX_CERTIFICATE) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_autofree char *word = g_base64_encode(v->mv.bin[i].data, v->mv.bin[i].len);
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", word);
    }
    return g_string_free(text, FALSE);
}

static bool all_are_certificates(const struct columns *remove, const struct prop_value *values,
                                 unsigned n) {
    for (unsigned i = 0; i < remove->n; i++)
        if (!setting_name(PROP_ID(remove->tags[i])))
            return false;
    for (unsigned i = 0; i < n; i++)
        if (!setting_name(PROP_ID(values[i].tag)))
            return false;
    return true;
}

static enum ec set(struct directory *d, const struct guid *guid, uint16_t id, const char *text) {
    enum ec ec = directory_set_setting(d, guid, setting_name(id), text && *text ? text : NULL);
    return ec == EC_OK || (ec == EC_NOT_FOUND && !text) ? EC_OK : EC_ACCESS_DENIED;
}

enum ec nspi_mod_props(struct nspi_session *s, struct arena *arena, const struct nspi_stat *stat,
                       const struct columns *remove, const struct prop_value *values, unsigned n) {
    if (!remove)
        return EC_INVALID_PARAMETER;
    EC_TRY(session_book(s));
    struct nspi_object object;
    if (object_find(s, arena, stat->current, &object) != EC_OK)
        return EC_INVALID_PARAMETER;
    if (object_display_type(object.entry) != 0)
        return EC_INVALID_OBJECT;
    bool is_own = s->who->is_admin || guid_equal(&s->who->guid, &object.entry->guid);
    if (!is_own || !all_are_certificates(remove, values, n))
        return EC_ACCESS_DENIED;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < n; i++) {
        char *text = setting_text(&values[i]);
        if (!text)
            return EC_ACCESS_DENIED;
        g_ptr_array_add(texts, text);
    }
    for (unsigned i = 0; i < remove->n; i++)
        EC_TRY(set(s->service->directory, &object.entry->guid, PROP_ID(remove->tags[i]), NULL));
    for (unsigned i = 0; i < n; i++)
        EC_TRY(set(s->service->directory, &object.entry->guid, PROP_ID(values[i].tag),
                   texts->pdata[i]));
    return EC_OK;
}
