// Contacts as structs, read from their properties; the search is the mailbox's own.
#include "mailbox/contacts.h"

#include <string.h>

#include "base/text.h"
#include "mailbox/mailbox_internal.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"

#define WORDS_MAX 16
#define MEMBERS_MAX 2000

// --- Reading one ---

static const char *text_of(struct arena *arena, const struct bag *bag, proptag_t tag) {
    const char *s = bag_str(bag, tag);
    return s && *s ? arena_strdup(arena, s) : NULL;
}

static void take_addresses(struct arena *arena, const struct bag *bag, struct contact *c) {
    static const proptag_t tags[CONTACT_ADDRESSES][3] = {
        {PidLidEmail1EmailAddress, PidLidEmail1OriginalDisplayName, PidLidEmail1DisplayName},
        {PidLidEmail2EmailAddress, PidLidEmail2OriginalDisplayName, PidLidEmail2DisplayName},
        {PidLidEmail3EmailAddress, PidLidEmail3OriginalDisplayName, PidLidEmail3DisplayName}};
    for (unsigned i = 0; i < CONTACT_ADDRESSES; i++) {
        const char *address = text_of(arena, bag, tags[i][0]);
        if (!address || !strchr(address, '@')) // of another kind: what it came from
            address = text_of(arena, bag, tags[i][1]);
        c->addresses[i] = address && strchr(address, '@') ? address : NULL;
        c->shown_as[i] = text_of(arena, bag, tags[i][2]);
    }
}

static bool take_contact(struct arena *arena, const struct bag *bag, struct contact *c) {
    const char *class = bag_str(bag, PidTagMessageClass);
    c->is_list = class && g_ascii_strncasecmp(class, "IPM.DistList", 12) == 0;
    if (!class || (!c->is_list && g_ascii_strncasecmp(class, "IPM.Contact", 11) != 0))
        return false;
    const struct {
        const char **to;
        proptag_t tag;
    } texts[] = {
        {&c->name, PidTagDisplayName},
        {&c->given_name, PidTagGivenName},
        {&c->middle_name, PidTagMiddleName},
        {&c->surname, PidTagSurname},
        {&c->nickname, PidTagNickname},
        {&c->file_as, PidLidFileUnder},
        {&c->company, PidTagCompanyName},
        {&c->title, PidTagTitle},
        {&c->department, PidTagDepartmentName},
        {&c->office, PidTagOfficeLocation},
        {&c->business_phone, PidTagBusinessTelephoneNumber},
        {&c->home_phone, PidTagHomeTelephoneNumber},
        {&c->mobile_phone, PidTagMobileTelephoneNumber},
        {&c->notes, PidTagBody},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i].to = text_of(arena, bag, texts[i].tag);
    if (!c->name)
        c->name = c->is_list ? text_of(arena, bag, PidLidDistributionListName) : c->file_as;
    take_addresses(arena, bag, c);
    if (!c->name)
        c->name = c->addresses[0] ? c->addresses[0] : "";
    return true;
}

bool contact_is_there(struct mbox_tx *tx, uint64_t mid) {
    struct message_row row;
    uint64_t fid;
    if (message_get_row(tx, mid, &fid, &row) != EC_OK)
        return false;
    if (row.keywords)
        shared_text_unref(row.keywords);
    return !(row.flags & MSG_SOFT_DELETED);
}

static enum ec read_contact(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                            struct contact *out) {
    struct message *message;
    struct prop_value v;
    if (!contact_is_there(tx, mid))
        return EC_NOT_FOUND;
    EC_TRY(message_open(tx, mid, &message));
    *out = (struct contact){.mid = mid, .fid = message_fid(message)};
    enum ec ec = take_contact(arena, message_value(message)->bag, out) ? EC_OK : EC_NOT_FOUND;
    if (ec == EC_OK && message_get_prop(tx, message, arena, PidTagChangeKey, 0, &v) == EC_OK &&
        v.bin.len == 22)
        for (unsigned i = 0; i < 6; i++)
            out->cn = out->cn << 8 | v.bin.data[16 + i];
    message_free(message);
    return ec;
}

enum ec mailbox_get_contact(struct mailbox *m, struct arena *arena, uint64_t mid,
                            struct contact *out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(read_contact(tx, arena, mid, out));
    return rights_require(m, tx, out->fid, RIGHTS_READ_ANY);
}

// --- Finding many ---

static struct restriction *word_condition(struct arena *arena, const char *word) {
    static const struct {
        proptag_t tag;
        uint32_t how;
    } fields[] = {
        {PidTagDisplayName, FUZZY_PREFIX_ON_ANY_WORD},
        {PidTagGivenName, FUZZY_PREFIX_ON_ANY_WORD},
        {PidTagSurname, FUZZY_PREFIX_ON_ANY_WORD},
        {PidTagNickname, FUZZY_PREFIX_ON_ANY_WORD},
        {PidTagCompanyName, FUZZY_PREFIX_ON_ANY_WORD},
        {PidLidFileUnder, FUZZY_PREFIX_ON_ANY_WORD},
        {PidLidDistributionListName, FUZZY_PREFIX_ON_ANY_WORD},
        {PidLidEmail1EmailAddress, FUZZY_PREFIX},
        {PidLidEmail2EmailAddress, FUZZY_PREFIX},
        {PidLidEmail3EmailAddress, FUZZY_PREFIX},
    };
    struct restriction **any = arena_alloc(arena, G_N_ELEMENTS(fields) * sizeof *any);
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        struct prop_value *v = arena_alloc(arena, sizeof *v);
        *v = prop_str(fields[i].tag, word);
        any[i] = restriction_content(
            arena, fields[i].how | FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE, fields[i].tag, v);
    }
    return restriction_list(arena, RES_OR, any, G_N_ELEMENTS(fields));
}

static struct restriction *condition(struct arena *arena, const char *text) {
    struct restriction **all = arena_alloc(arena, WORDS_MAX * sizeof *all);
    unsigned n = 0;
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n,;", -1);
    for (char **w = words; *w && n < WORDS_MAX; w++)
        if (**w)
            all[n++] = word_condition(arena, arena_strdup(arena, *w));
    return n ? restriction_list(arena, RES_AND, all, n) : NULL;
}

static int by_name(const void *a, const void *b) {
    const struct contact *x = a, *y = b;
    int order = text_compare_folded(x->name, y->name);
    return order ? order : (x->mid > y->mid) - (x->mid < y->mid);
}

static enum ec read_found(struct mailbox *m, struct arena *arena, const struct mailbox_view *view,
                          const GArray *found, GArray *contacts) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    for (guint i = 0; i < found->len && contacts->len < CONTACTS_MAX; i++) {
        struct contact c;
        uint64_t mid = mailbox_view_row(view, g_array_index(found, uint32_t, i))->mid;
        enum ec ec = read_contact(tx, arena, mid, &c);
        if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED)
            continue; // no contact, or gone meanwhile
        EC_TRY(ec);
        g_array_append_val(contacts, c);
    }
    return EC_OK;
}

enum ec mailbox_find_contacts(struct mailbox *m, struct arena *arena, uint64_t fid,
                              const char *text, unsigned offset, unsigned limit,
                              struct contact_list *out) {
    struct mailbox_view *view;
    g_autoptr(GArray) found = NULL;
    g_autoptr(GArray) contacts = g_array_new(FALSE, FALSE, sizeof(struct contact));
    struct search_node query = {.kind = SEARCH_ALL};
    query.restriction = condition(arena, text);
    if (query.restriction)
        query.kind = SEARCH_RESTRICTION;
    *out = (struct contact_list){0};
    EC_TRY(mailbox_view_open(m, fid, &view));
    enum ec ec = mailbox_search(m, view, &query, NULL, NULL, &found);
    if (ec == EC_OK)
        ec = read_found(m, arena, view, found, contacts);
    mailbox_view_free(view);
    EC_TRY(ec);
    g_array_sort(contacts, by_name);
    out->n_found = contacts->len;
    if (offset < contacts->len) {
        out->n = MIN(limit, contacts->len - offset);
        out->items = arena_memdup(arena, &g_array_index(contacts, struct contact, offset),
                                  out->n * sizeof *out->items);
    }
    return EC_OK;
}

// --- Personal distribution lists ---

static void take_contact_member(struct mbox_tx *tx, struct arena *arena, struct prop_bin entry,
                                unsigned address, struct list_member *out) {
    struct entry_id id;
    struct contact c;
    if (entry_id_parse(arena, entry, &id) != EC_OK || id.kind != ENTRY_ID_MESSAGE ||
        read_contact(tx, arena, id.message.counter, &c) != EC_OK)
        return;
    out->fid = c.fid;
    out->mid = c.mid;
    out->is_list = c.is_list;
    if (!out->name)
        out->name = c.name;
    out->address = c.is_list ? NULL : c.addresses[MIN(address, CONTACT_ADDRESSES - 1)];
}

// `one_off`: PidLidDistributionListOneOffMembers, what the member was when it was added.
static struct list_member member_of(struct mbox_tx *tx, struct arena *arena, struct prop_bin bytes,
                                    const struct prop_bin *one_off) {
    struct list_member out = {0};
    struct entry_id id, old;
    if (one_off && entry_id_parse(arena, *one_off, &old) == EC_OK && old.kind == ENTRY_ID_ONE_OFF) {
        out.name = old.one_off.display_name;
        out.address = strchr(old.one_off.address, '@') ? old.one_off.address : NULL;
    }
    if (entry_id_parse(arena, bytes, &id) != EC_OK)
        return out;
    if (id.kind == ENTRY_ID_ONE_OFF) {
        out.name = id.one_off.display_name;
        out.address = id.one_off.address;
    } else if (id.kind == ENTRY_ID_WRAPPED) {
        // [MS-OXOCNTC] 2.2.2.2.1.2: bits 4 to 6 tell which address
        unsigned address = (id.wrapped.type >> 4) & 7;
        take_contact_member(tx, arena, id.wrapped.entry, address, &out);
    }
    return out;
}

enum ec mailbox_list_members(struct mailbox *m, struct arena *arena, uint64_t mid,
                             struct list_members *out) {
    MBOX_TX_AUTO tx = NULL;
    struct contact list;
    struct message *message;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(read_contact(tx, arena, mid, &list));
    EC_TRY(rights_require(m, tx, list.fid, RIGHTS_READ_ANY));
    if (!list.is_list)
        return EC_NOT_SUPPORTED;
    EC_TRY(message_open(tx, mid, &message));
    const struct bag *bag = message_value(message)->bag;
    const struct prop_value *members = bag_get(bag, PidLidDistributionListMembers);
    const struct prop_value *one_offs = bag_get(bag, PidLidDistributionListOneOffMembers);
    unsigned n = members ? MIN(members->mv.n, (uint32_t)MEMBERS_MAX) : 0;
    *out = (struct list_members){arena_alloc(arena, (n + 1) * sizeof *out->items), 0};
    for (unsigned i = 0; i < n; i++)
        out->items[out->n++] =
            member_of(tx, arena, members->mv.bin[i],
                      one_offs && i < one_offs->mv.n ? &one_offs->mv.bin[i] : NULL);
    for (unsigned i = 0; i < out->n; i++) { // they borrow from the message
        out->items[i].name = arena_strdup(arena, out->items[i].name);
        out->items[i].address = arena_strdup(arena, out->items[i].address);
    }
    message_free(message);
    return EC_OK;
}
