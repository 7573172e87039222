// The properties of address book objects ([MS-OXOABK] 2.2): one table says which there are and how
// each is read from an entry of the directory, or from a container.
#include <string.h>

#include "base/text.h"
#include "directory/dn.h"
#include "mapi/catalogue.h"
#include "mapi/entry_id.h"
#include "mapi/prop_shape.h"
#include "protocol/nspi/nspi_internal.h"

enum object_type { OBJECT_FOLDER = 3, OBJECT_CONTAINER = 4, OBJECT_USER = 6, OBJECT_LIST = 8 };
enum container_flags { AB_RECIPIENTS = 0x1, AB_SUBCONTAINERS = 0x2, AB_UNMODIFIABLE = 0x8 };
#define ACL_CAPABLE 0x40000000u // DTE_FLAG_ACL_CAPABLE
enum display_type_ex { DTE_ROOM = 7, DTE_EQUIPMENT = 8, DTE_SECURE_LIST = 9 };

// What a value is made of.
struct view {
    struct nspi_session *s;
    struct arena *arena;
    uint32_t flags;
    const struct nspi_object *object;
    const struct directory_object *entry; // NULL: a container
};
// Sets the value (its tag is set already). False: the object has none.
typedef bool property_get(const struct view *v, struct prop_value *out);

static bool set_text(struct prop_value *out, const char *s) {
    out->str = s;
    return s && *s;
}

static bool set_bytes(struct prop_value *out, struct prop_bin bin) {
    out->bin = bin;
    return bin.data != NULL;
}

static bool is_group(const struct view *v) {
    return v->entry && (v->entry->kind == DIRECTORY_GROUP || v->entry->kind == DIRECTORY_DYNAMIC);
}

// --- Identity ---

uint32_t object_display_type(const struct directory_object *entry) {
    if (!entry)
        return AB_TYPE_CONTAINER;
    switch (entry->kind) {
    case DIRECTORY_GROUP:
        return AB_TYPE_DISTRIBUTION_LIST;
    case DIRECTORY_DYNAMIC:
        return AB_TYPE_AGENT;
    case DIRECTORY_CONTACT:
        return AB_TYPE_REMOTE_USER;
    case DIRECTORY_PUBLIC_FOLDER:
        return AB_TYPE_FORUM;
    default:
        return AB_TYPE_MAIL_USER;
    }
}

// gal-addrlist-dn and addresslist-dn of [MS-OXOABK] 2.2.1.1.
const char *container_dn(struct arena *arena, const struct book_container *container) {
    if (container->mid == CONTAINER_GAL)
        return "/";
    GString *dn = g_string_new("/guid=");
    for (unsigned i = 0; i < sizeof container->guid.bytes; i++)
        g_string_append_printf(dn, "%02X", container->guid.bytes[i]);
    const char *out = arena_strdup(arena, dn->str);
    g_string_free(dn, TRUE);
    return out;
}

static const char *dn(const struct view *v) {
    return v->entry ? dn_of_guid(v->arena, v->s->service->organization, &v->entry->guid)
                    : container_dn(v->arena, v->object->container);
}

// [MS-OXNSPI] 2.2.9.2: 32 bytes.
static struct prop_bin ephemeral_id(const struct view *v) {
    struct wire_writer w = wire_writer(64);
    wire_put_u32(&w, 0x87);
    wire_put_guid(&w, nspi_service_guid(v->s->service));
    wire_put_u32(&w, 1);
    wire_put_u32(&w, object_display_type(v->entry));
    wire_put_u32(&w, v->object->mid);
    GByteArray *bytes = wire_writer_take(&w);
    struct prop_bin id = {bytes->len, arena_memdup(v->arena, bytes->data, bytes->len)};
    g_byte_array_unref(bytes);
    return id;
}

static bool get_permanent_id(const struct view *v, struct prop_value *out) {
    return set_bytes(out, entry_id_of_dn(v->arena, object_display_type(v->entry), dn(v)));
}

static bool get_entry_id(const struct view *v, struct prop_value *out) {
    if (v->flags & NSPI_EPHEMERAL_IDS)
        return set_bytes(out, ephemeral_id(v));
    return get_permanent_id(v, out);
}

static bool get_instance_key(const struct view *v, struct prop_value *out) {
    return set_bytes(out, (struct prop_bin){4, arena_memdup(v->arena, &v->object->mid, 4)});
}

static bool get_search_key(const struct view *v, struct prop_value *out) {
    const char *key = arena_printf(v->arena, "EX:%s", dn(v));
    char *upper = g_ascii_strup(key, -1);
    uint32_t len = (uint32_t)strlen(upper) + 1;
    out->bin = (struct prop_bin){len, arena_memdup(v->arena, upper, len)};
    g_free(upper);
    return v->entry != NULL;
}

static bool get_mapping_signature(const struct view *v, struct prop_value *out) {
    const struct guid *guid = &ENTRY_ID_PROVIDER_ADDRESS_BOOK;
    return set_bytes(out, (struct prop_bin){16, arena_memdup(v->arena, guid->bytes, 16)});
}

static bool get_guid(const struct view *v, struct prop_value *out) {
    return v->entry && set_bytes(out, (struct prop_bin){16, v->entry->guid.bytes});
}

static bool get_dn(const struct view *v, struct prop_value *out) {
    return set_text(out, dn(v));
}

static bool get_address_type(const struct view *v, struct prop_value *out) {
    return set_text(out, v->entry ? "EX" : NULL);
}

static bool get_email(const struct view *v, struct prop_value *out) {
    return v->entry && get_dn(v, out);
}

// --- Kinds ---

static bool get_object_type(const struct view *v, struct prop_value *out) {
    out->l = !v->entry                                   ? OBJECT_CONTAINER
             : is_group(v)                               ? OBJECT_LIST
             : v->entry->kind == DIRECTORY_PUBLIC_FOLDER ? OBJECT_FOLDER
                                                         : OBJECT_USER;
    return true;
}

static bool get_display_type(const struct view *v, struct prop_value *out) {
    out->l = (int32_t)object_display_type(v->entry);
    return true;
}

static bool get_display_type_ex(const struct view *v, struct prop_value *out) {
    uint32_t type = object_display_type(v->entry);
    if (v->entry && v->entry->kind == DIRECTORY_ROOM)
        type = DTE_ROOM;
    else if (v->entry && v->entry->kind == DIRECTORY_EQUIPMENT)
        type = DTE_EQUIPMENT;
    else if (v->entry && v->entry->kind == DIRECTORY_GROUP)
        type = DTE_SECURE_LIST | ACL_CAPABLE;
    else if (type == AB_TYPE_MAIL_USER)
        type |= ACL_CAPABLE;
    out->l = (int32_t)type;
    return v->entry != NULL;
}

static bool get_container_id(const struct view *v, struct prop_value *out) {
    out->l = v->entry ? 0 : (int32_t)v->object->mid; // of the GAL
    return true;
}

static bool get_container_flags(const struct view *v, struct prop_value *out) {
    bool is_root = !v->entry && !v->object->container->name;
    out->l = AB_UNMODIFIABLE | (is_root ? AB_SUBCONTAINERS : AB_RECIPIENTS);
    return !v->entry || is_group(v);
}

static bool get_depth(const struct view *v, struct prop_value *out) {
    out->l = v->entry ? 0 : (int32_t)v->object->container->depth;
    return !v->entry;
}

static bool get_is_master(const struct view *v, struct prop_value *out) {
    out->b = false;
    return !v->entry;
}

static bool get_zero(const struct view *v, struct prop_value *out) {
    (void)v;
    out->l = 0;
    return true;
}

static bool get_send_rich_info(const struct view *v, struct prop_value *out) {
    out->b = v->entry && v->entry->kind != DIRECTORY_CONTACT;
    return v->entry != NULL;
}

// --- Names and addresses ---

static bool get_display_name(const struct view *v, struct prop_value *out) {
    return set_text(out, v->entry ? v->entry->display_name : v->object->container->display_name);
}

// Something that can be sent in any character set: the name in ASCII, as far as there is one.
static bool get_printable_name(const struct view *v, struct prop_value *out) {
    const char *name = v->entry ? v->entry->display_name : v->object->container->display_name;
    if (text_is_ascii(name, strlen(name)))
        return set_text(out, name);
    g_autofree char *ascii = g_str_to_ascii(name, "C");
    return set_text(out, arena_strdup(v->arena, ascii));
}

static bool get_account(const struct view *v, struct prop_value *out) {
    if (!v->entry)
        return false;
    const char *at = strrchr(v->entry->address, '@');
    size_t len = at ? (size_t)(at - v->entry->address) : strlen(v->entry->address);
    return set_text(out, arena_strndup(v->arena, v->entry->address, len));
}

// A contact is reached where its mail goes.
static const char *smtp_address(const struct directory_object *entry) {
    return entry->kind == DIRECTORY_CONTACT && entry->target ? entry->target : entry->address;
}

static bool get_smtp(const struct view *v, struct prop_value *out) {
    return v->entry && set_text(out, smtp_address(v->entry));
}

static bool get_target(const struct view *v, struct prop_value *out) {
    if (!v->entry || v->entry->kind != DIRECTORY_CONTACT)
        return false;
    return set_text(out, arena_printf(v->arena, "SMTP:%s", smtp_address(v->entry)));
}

static bool get_proxies(const struct view *v, struct prop_value *out) {
    char **aliases = NULL, **old = NULL;
    if (!v->entry ||
        directory_aliases(v->s->service->directory, &v->entry->guid, &aliases) != EC_OK)
        return false;
    if (directory_x500_names(v->s->service->directory, v->arena, &v->entry->guid, &old) != EC_OK)
        old = NULL;
    unsigned n = 0, n_aliases = g_strv_length(aliases), n_old = old ? g_strv_length(old) : 0;
    const char **all = arena_alloc(v->arena, (n_aliases + n_old + 2) * sizeof *all);
    all[n++] = arena_printf(v->arena, "SMTP:%s", v->entry->address);
    for (unsigned i = 0; i < n_aliases; i++)
        if (strcmp(aliases[i], v->entry->address) != 0)
            all[n++] = arena_printf(v->arena, "smtp:%s", aliases[i]);
    all[n++] = arena_printf(v->arena, "X500:%s", dn(v));
    for (unsigned i = 0; i < n_old; i++)
        all[n++] = arena_printf(v->arena, "X500:%s", old[i]);
    g_strfreev(aliases);
    out->mv.n = n;
    out->mv.str = all;
    return true;
}

// --- Servers ---

static bool get_home_database(const struct view *v, struct prop_value *out) {
    const struct nspi_service *s = v->s->service;
    if (!v->entry || !v->entry->has_mailbox)
        return false;
    return set_text(out, arena_printf(v->arena, "%s/cn=Microsoft Private MDB",
                                      dn_of_server(v->arena, s->organization, s->hostname)));
}

static bool get_network_address(const struct view *v, struct prop_value *out) {
    if (!v->entry || !v->entry->has_mailbox)
        return false;
    const char **names = arena_alloc(v->arena, sizeof *names);
    names[0] = arena_printf(v->arena, "ncacn_http:%s", v->s->service->hostname);
    out->mv.n = 1;
    out->mv.str = names;
    return true;
}

// --- The rest ---

static bool get_capacity(const struct view *v, struct prop_value *out) {
    out->l = v->entry ? (int32_t)v->entry->capacity : 0;
    return v->entry && v->entry->kind == DIRECTORY_ROOM;
}

static bool get_created(const struct view *v, struct prop_value *out) {
    out->time = v->entry ? v->entry->created : 0;
    return v->entry != NULL;
}

static bool get_changed(const struct view *v, struct prop_value *out) {
    out->time = v->entry ? v->entry->changed : 0;
    return v->entry != NULL;
}

static bool get_member_count(const struct view *v, struct prop_value *out) {
    struct directory_list members;
    if (!v->entry || v->entry->kind != DIRECTORY_GROUP ||
        directory_members(v->s->service->directory, v->arena, &v->entry->guid, &members) != EC_OK)
        return false;
    bool is_external =
        PROP_ID(out->tag) == PROP_ID(PidTagAddressBookDistributionListExternalMemberCount);
    int32_t n = 0;
    for (unsigned i = 0; i < members.n; i++)
        n += !is_external || members.items[i]->kind == DIRECTORY_CONTACT;
    out->l = n;
    return true;
}

// An embedded table: its number is that of the object; GetMatches opens it.
static bool get_link(const struct view *v, struct prop_value *out) {
    struct directory_list list;
    enum ec ec = link_targets(v->s, v->arena, v->object, PROP_ID(out->tag), &list);
    return ec == EC_OK && list.n > 0 && get_instance_key(v, out);
}

static bool get_contents(const struct view *v, struct prop_value *out) {
    return (is_group(v) || (!v->entry && v->object->container->name)) && get_instance_key(v, out);
}

static bool get_certificates(const struct view *v, struct prop_value *out) {
    return v->entry &&
           certificates(v->s, v->arena, &v->entry->guid, PROP_ID(out->tag), out) == EC_OK;
}

// --- The table ---

// A plain text field of an entry is read at `offset`.
struct property {
    proptag_t tag;
    property_get *get;
    size_t offset;
};
#define FIELD(name) NULL, G_STRUCT_OFFSET(struct directory_object, name)

static const struct property properties[] = {
    {PidTagEntryId, get_entry_id, 0},
    {PidTagObjectType, get_object_type, 0},
    {PidTagDisplayType, get_display_type, 0},
    {PidTagDisplayTypeEx, get_display_type_ex, 0},
    {PidTagDisplayName, get_display_name, 0},
    {PidTagTransmittableDisplayName, get_display_name, 0},
    {PidTagAddressBookDisplayNamePrintable, get_printable_name, 0},
    {PidTagAddressType, get_address_type, 0},
    {PidTagEmailAddress, get_email, 0},
    {PidTagSmtpAddress, get_smtp, 0},
    {PidTagAccount, get_account, 0},
    {PidTagAddressBookProxyAddresses, get_proxies, 0},
    {PidTagAddressBookTargetAddress, get_target, 0},
    {PidTagAddressBookObjectDistinguishedName, get_dn, 0},
    {PidTagAddressBookObjectGuid, get_guid, 0},
    {PidTagRecordKey, get_permanent_id, 0},
    {PidTagTemplateid, get_permanent_id, 0},
    {PidTagOriginalEntryId, get_permanent_id, 0},
    {PidTagInstanceKey, get_instance_key, 0},
    {PidTagSearchKey, get_search_key, 0},
    {PidTagMappingSignature, get_mapping_signature, 0},
    {PidTagInitialDetailsPane, get_zero, 0},
    {PidTagSendRichInfo, get_send_rich_info, 0},
    {PidTagAddressBookContainerId, get_container_id, 0},
    {PidTagContainerFlags, get_container_flags, 0},
    {PidTagDepth, get_depth, 0},
    {PidTagAddressBookIsMaster, get_is_master, 0},
    {PidTagGivenName, FIELD(given_name)},
    {PidTagSurname, FIELD(surname)},
    {PidTagInitials, FIELD(initials)},
    {PidTagTitle, FIELD(title)},
    {PidTagDepartmentName, FIELD(department)},
    {PidTagCompanyName, FIELD(company)},
    {PidTagOfficeLocation, FIELD(office)},
    {PidTagBusinessTelephoneNumber, FIELD(phone)},
    {PidTagPrimaryTelephoneNumber, FIELD(phone)},
    {PidTagMobileTelephoneNumber, FIELD(mobile)},
    {PidTagComment, FIELD(notes)},
    {PidTagAddressBookHomeMessageDatabase, get_home_database, 0},
    {PidTagAddressBookNetworkAddress, get_network_address, 0},
    {PidTagAddressBookRoomCapacity, get_capacity, 0},
    {PidTagCreationTime, get_created, 0},
    {PidTagLastModificationTime, get_changed, 0},
    {PidTagAddressBookDistributionListMemberCount, get_member_count, 0},
    {PidTagAddressBookDistributionListExternalMemberCount, get_member_count, 0},
    {PidTagUserX509Certificate, get_certificates, 0},
    {PidTagAddressBookX509Certificate, get_certificates, 0},
    {PidTagContainerContents, get_contents, 0},
    {PidTagAddressBookMember, get_link, 0},
    {PidTagAddressBookOwner, get_link, 0},
    {PidTagAddressBookOwnerBackLink, get_link, 0},
    {PidTagAddressBookIsMemberOfDistributionList, get_link, 0},
    {PidTagAddressBookPublicDelegates, get_link, 0},
};

static bool get(const struct view *v, const struct property *p, struct prop_value *out) {
    out->tag = p->tag;
    if (p->get)
        return p->get(v, out);
    return v->entry &&
           set_text(out, *(const char *const *)(const void *)((const char *)v->entry + p->offset));
}

// Strings may be asked for in either form.
static bool type_fits(uint16_t asked, uint16_t own) {
    return asked == own || asked == PT_UNSPECIFIED || (asked == PT_STRING8 && own == PT_UNICODE) ||
           (asked == PT_MV_STRING8 && own == PT_MV_UNICODE);
}

struct prop_value object_value(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               const struct nspi_object *object, proptag_t column) {
    struct view v = {s, arena, flags, object, object->entry};
    struct prop_value out = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(properties); i++) {
        const struct property *p = &properties[i];
        if (PROP_ID(p->tag) == PROP_ID(column) && type_fits(PROP_TYPE(column), PROP_TYPE(p->tag)) &&
            get(&v, p, &out))
            return out;
    }
    return (struct prop_value){.tag = PROP_TAG(PROP_ID(column), PT_ERROR), .l = EC_NOT_FOUND};
}

static proptag_t reported(proptag_t tag, bool is_unicode) {
    if (is_unicode || !prop_is_string(PROP_TYPE(tag)))
        return tag;
    return PROP_TAG(PROP_ID(tag), PROP_TYPE(tag) - (PT_UNICODE - PT_STRING8));
}

struct columns object_columns(struct nspi_session *s, struct arena *arena, uint32_t flags,
                              const struct nspi_object *has_value_on, bool is_unicode) {
    proptag_t *tags = arena_alloc(arena, sizeof(proptag_t) * G_N_ELEMENTS(properties));
    struct columns out = {0, tags};
    struct view v = {s, arena, flags, has_value_on, has_value_on ? has_value_on->entry : NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(properties); i++) {
        const struct property *p = &properties[i];
        struct prop_value unused;
        if (flags & NSPI_SKIP_OBJECTS && PROP_TYPE(p->tag) == PT_OBJECT)
            continue;
        if (!has_value_on || get(&v, p, &unused))
            tags[out.n++] = reported(p->tag, is_unicode);
    }
    return out;
}

// --- Finding ---

enum ec object_find(struct nspi_session *s, struct arena *arena, uint32_t mid,
                    struct nspi_object *out) {
    *out = (struct nspi_object){.mid = mid};
    uint32_t i = book_index(s->book, mid);
    if (i != UINT32_MAX) {
        out->entry = s->book->objects[i];
        return EC_OK;
    }
    struct guid guid;
    if (!mid_guid(&s->service->mids, mid, &guid))
        return EC_NOT_FOUND;
    out->container = book_container(s->book, mid);
    if (out->container)
        return EC_OK;
    struct directory_object *entry; // hidden, or new
    EC_TRY(directory_find_guid(s->service->directory, arena, &guid, &entry));
    out->entry = entry;
    return EC_OK;
}

struct prop_bin object_entry_id(struct nspi_session *s, struct arena *arena, uint32_t flags,
                                const struct nspi_object *object) {
    struct view v = {s, arena, flags, object, object->entry};
    struct prop_value value = {0};
    get_entry_id(&v, &value);
    return value.bin;
}

bool object_of_entry_id(struct nspi_session *s, struct arena *arena, struct prop_bin id,
                        struct guid *out) {
    if (id.len == 32 && id.data[0] == 0x87) {
        struct wire_reader r = wire_reader(id.data, id.len);
        wire_skip(&r, 4);
        struct guid server = wire_guid(&r);
        wire_skip(&r, 8); // the display type is no part of the identity
        return guid_equal(&server, nspi_service_guid(s->service)) &&
               mid_guid(&s->service->mids, wire_u32(&r), out);
    }
    struct entry_id parsed;
    struct directory_object *entry;
    if (entry_id_parse(arena, id, &parsed) != EC_OK || parsed.kind != ENTRY_ID_ADDRESS_BOOK ||
        directory_find_dn(s->service->directory, arena, parsed.address_book.dn, &entry) != EC_OK)
        return false;
    *out = entry->guid;
    return true;
}
