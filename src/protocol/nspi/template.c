// The dialogs that clients show for entries, and to make a new address: rows of controls
// ([MS-OXOABKT] 2.2.2), laid out here from short tables, one line a control.
//
// Texts are English in every locale.
#include "protocol/nspi/template.h"

#include <string.h>
#include <unicode/uloc.h>

#include "directory/dn.h"
#include "mapi/catalogue.h"
#include "mapi/code_page.h"
#include "mapi/entry_id.h"
#include "protocol/nspi/nspi_internal.h"

enum control_type {
    CONTROL_LABEL = 0,
    CONTROL_EDIT = 1,
    CONTROL_LIST = 2,
    CONTROL_CHECK_BOX = 5,
    CONTROL_GROUP = 6,
    CONTROL_BUTTON = 7,
    CONTROL_PAGE = 8,
    CONTROL_MV_LIST = 11,
};
enum control_flags {
    CONTROL_MULTILINE = 0x01,
    CONTROL_EDITABLE = 0x02,
    CONTROL_REQUIRED = 0x04,
    CONTROL_DBCS = 0x20
};

struct control {
    uint16_t x, width, y, height; // dialog units
    uint8_t type, flags;
    proptag_t tag; // what it shows; 0: nothing
    uint16_t size; // characters that fit
    const char *text;
};

#define S8(tag) PROP_TAG(PROP_ID(tag), PT_STRING8)
#define PAGE(text)                                                                                 \
    { 0, 0, 0, 0, CONTROL_PAGE, 0, 0, 0, text }
#define LABEL(x, y, width, text)                                                                   \
    { x, width, y, 8, CONTROL_LABEL, 0, 0, 0, text }
#define EDIT(x, y, width, tag, size)                                                               \
    { x, width, y, 12, CONTROL_EDIT, CONTROL_DBCS, S8(tag), size, "*" }
// Two columns of a label and its field.
#define LEFT(y, text, tag, size) LABEL(12, (y) + 2, 52, text), EDIT(66, y, 108, tag, size)
#define RIGHT(y, text, tag, size) LABEL(184, (y) + 2, 52, text), EDIT(238, y, 108, tag, size)
#define NOTES(y)                                                                                   \
    LABEL(12, y, 80, "&Notes:"), {                                                                 \
        12, 334, (y) + 10, 48, CONTROL_EDIT, CONTROL_DBCS | CONTROL_MULTILINE, S8(PidTagComment),  \
            1024, "*"                                                                              \
    }
#define LIST(y, height, tag)                                                                       \
    { 12, 334, y, height, CONTROL_LIST, 0, tag, 0, "*" }
#define ADDRESSES                                                                                  \
    PAGE("E-mail Addresses"), LABEL(12, 10, 150, "&E-mail addresses:"), {                          \
        12, 334, 22, 140, CONTROL_MV_LIST, 0,                                                      \
            PROP_TAG(PROP_ID(PidTagAddressBookProxyAddresses), PT_MV_STRING8), 0, "*"              \
    }
#define MEMBER_OF                                                                                  \
    PAGE("Member Of"), LABEL(12, 10, 150, "&Group membership:"),                                   \
        LIST(22, 140, PidTagAddressBookIsMemberOfDistributionList)

static const struct control user[] = {
    PAGE("General"),
    {6, 346, 4, 92, CONTROL_GROUP, 0, 0, 0, "Name"},
    LEFT(16, "&First:", PidTagGivenName, 64),
    RIGHT(16, "&Last:", PidTagSurname, 64),
    LEFT(32, "I&nitials:", PidTagInitials, 16),
    RIGHT(32, "Al&ias:", PidTagAccount, 64),
    LEFT(48, "&Display:", PidTagDisplayName, 256),
    RIGHT(48, "&E-mail:", PidTagSmtpAddress, 320),
    LEFT(102, "&Title:", PidTagTitle, 64),
    RIGHT(102, "C&ompany:", PidTagCompanyName, 64),
    LEFT(118, "De&partment:", PidTagDepartmentName, 64),
    RIGHT(118, "O&ffice:", PidTagOfficeLocation, 64),
    LEFT(134, "P&hone:", PidTagBusinessTelephoneNumber, 32),
    RIGHT(134, "&Mobile:", PidTagMobileTelephoneNumber, 32),
    PAGE("Phone/Notes"),
    LEFT(10, "&Business:", PidTagBusinessTelephoneNumber, 32),
    RIGHT(10, "&Mobile:", PidTagMobileTelephoneNumber, 32),
    NOTES(34),
    MEMBER_OF,
    ADDRESSES,
};
static const struct control list[] = {
    PAGE("General"),
    LEFT(10, "&Display:", PidTagDisplayName, 256),
    RIGHT(10, "Al&ias:", PidTagAccount, 64),
    LABEL(12, 30, 80, "&Owners:"),
    LIST(40, 36, PidTagAddressBookOwner),
    LABEL(12, 80, 80, "&Members:"),
    LIST(90, 60, PidTagAddressBookMember),
    {250, 96, 152, 14, CONTROL_BUTTON, 0, PidTagAddressBookManageDistributionList, 0,
     "Modif&y Members..."},
    NOTES(170),
    MEMBER_OF,
    ADDRESSES,
};
static const struct control folder[] = {
    PAGE("General"),
    LEFT(10, "&Display:", PidTagDisplayName, 256),
    RIGHT(10, "Al&ias:", PidTagAccount, 64),
    NOTES(30),
    MEMBER_OF,
    ADDRESSES,
};
static const struct control creation[] = {
    PAGE("Internet - General"),
    LABEL(12, 12, 60, "&Display name:"),
    {74, 200, 10, 12, CONTROL_EDIT, CONTROL_DBCS | CONTROL_EDITABLE | CONTROL_REQUIRED,
     S8(PidTagDisplayName), 256, "*"},
    LABEL(12, 30, 60, "&E-mail address:"),
    {74, 200, 28, 12, CONTROL_EDIT, CONTROL_EDITABLE | CONTROL_REQUIRED, S8(PidTagEmailAddress),
     320, "[~ ]"},
};

// --- Bytes ---

#define ROWS_OFFSET 8
#define ROW_SIZE 36

static struct prop_bin template_bytes(struct arena *arena, const struct control *controls,
                                      unsigned n, uint32_t code_page) {
    GByteArray *texts = g_byte_array_new();
    struct wire_writer w = wire_writer(64 * 1024);
    wire_put_u32(&w, 1);
    wire_put_u32(&w, n);
    for (unsigned i = 0; i < n; i++) {
        const struct control *c = &controls[i];
        wire_put_u32(&w, c->x);
        wire_put_u32(&w, c->width);
        wire_put_u32(&w, c->y);
        wire_put_u32(&w, c->height);
        wire_put_u32(&w, c->type);
        wire_put_u32(&w, c->flags);
        wire_put_u32(&w, c->tag);
        wire_put_u32(&w, c->size);
        wire_put_u32(&w, ROWS_OFFSET + n * ROW_SIZE + texts->len);
        code_page_from_utf8(code_page, c->text, texts);
        g_byte_array_append(texts, (const guint8 *)"", 1);
    }
    wire_put_bytes(&w, texts->data, texts->len);
    g_byte_array_free(texts, TRUE);
    GByteArray *bytes = wire_writer_take(&w);
    struct prop_bin out = {bytes->len, arena_memdup(arena, bytes->data, bytes->len)};
    g_byte_array_unref(bytes);
    return out;
}

// --- Finding ---

const char *template_creation_dn(struct arena *arena, const char *organization) {
    return dn_of_server(arena, organization, "Address Templates/cn=SMTP");
}

bool template_has_locale(uint32_t lcid) {
    char name[ULOC_FULLNAME_CAPACITY];
    UErrorCode error = U_ZERO_ERROR;
    uloc_getLocaleForLCID(lcid, name, sizeof name, &error);
    return U_SUCCESS(error) && lcid != 0;
}

struct template {
    const struct control *controls;
    unsigned n;
    bool has_script;
};

static bool find_by_type(uint32_t type, struct template *out) {
    switch (type) {
    case AB_TYPE_MAIL_USER:
    case AB_TYPE_REMOTE_USER:
        *out = (struct template){user, G_N_ELEMENTS(user), false};
        return true;
    case AB_TYPE_DISTRIBUTION_LIST:
    case AB_TYPE_AGENT:
        *out = (struct template){list, G_N_ELEMENTS(list), false};
        return true;
    case AB_TYPE_FORUM:
        *out = (struct template){folder, G_N_ELEMENTS(folder), false};
        return true;
    default:
        return false;
    }
}

static bool find_by_dn(struct nspi_session *s, struct arena *arena, const char *dn,
                       struct template *out) {
    if (g_ascii_strcasecmp(dn, template_creation_dn(arena, s->service->organization)) == 0) {
        *out = (struct template){creation, G_N_ELEMENTS(creation), true};
        return true;
    }
    struct directory_object *entry; // PidTagTemplateid of an entry is its own id
    return directory_find_dn(s->service->directory, arena, dn, &entry) == EC_OK &&
           find_by_type(object_display_type(entry), out);
}

enum ec nspi_get_template_info(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               uint32_t type, const char *dn, uint32_t code_page, uint32_t locale,
                               struct nspi_list *out) {
    if (code_page == NSPI_CODE_PAGE_UNICODE ||
        (code_page != NSPI_CODE_PAGE_TELETEX && !code_page_charset(code_page)))
        return EC_INVALID_CODEPAGE;
    struct template template;
    if (dn ? !find_by_dn(s, arena, dn, &template)
           : !template_has_locale(locale) || !find_by_type(type, &template))
        return EC_INVALID_LOCALE;
    struct prop_value *values = arena_alloc0(arena, 2 * sizeof *values);
    unsigned n = 0;
    if (flags & NSPI_TEMPLATE) {
        struct prop_bin bytes = template_bytes(arena, template.controls, template.n, code_page);
        values[n++] = prop_bytes(PidTagTemplateData, bytes.data, bytes.len);
    }
    // What is typed is the address already: the script does nothing but end.
    static const uint8_t halt[4] = {0};
    if (flags & NSPI_SCRIPT && template.has_script)
        values[n++] = prop_bytes(PidTagScriptData, halt, sizeof halt);
    else if (flags & NSPI_SCRIPT)
        values[n++] = (struct prop_value){.tag = PROP_TAG(PROP_ID(PidTagScriptData), PT_ERROR),
                                          .l = EC_NOT_FOUND};
    *out = (struct nspi_list){n, values, true};
    return EC_OK;
}
