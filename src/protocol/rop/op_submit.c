// Submitting a message ([MS-OXOMSG] 2.2.3.1, 2.2.3.2, 2.2.3.6, 3.2.4.1): the use case is
// mailbox/item_send.c's; here the message becomes what that takes, and goes where its properties
// say afterwards.
#include "base/clock.h"
#include "directory/directory.h"
#include "mailbox/item.h"
#include "mailbox/mailbox.h"
#include "mapi/entry_id.h"
#include "protocol/rop/props_internal.h"

#define PidTagSentMailEntryId_ PROP_TAG(0x0E0A, PT_BINARY)

// --- People: X.500 names become internet addresses ---

struct person_tags {
    proptag_t type, address, smtp;
};

static const struct person_tags people[] = {
    {PidTagSenderAddressType, PidTagSenderEmailAddress, PidTagSenderSmtpAddress},
    {PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress,
     PidTagSentRepresentingSmtpAddress},
    {PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress},
};
static const struct person_tags recipient = {PidTagAddressType, PidTagEmailAddress,
                                             PidTagSmtpAddress};

static void resolve_person(struct rop_session *s, struct bag *bag, const struct person_tags *tags) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    struct entry_id id;
    const char *type = bag_str(bag, tags->type), *address = bag_str(bag, tags->address);
    // A recipient may have its name in the entry id alone.
    if ((!address || !*address) && tags == &recipient &&
        entry_id_parse(arena, bag_bytes(bag, PidTagEntryId), &id) == EC_OK) {
        if (id.kind == ENTRY_ID_ADDRESS_BOOK) {
            type = "EX";
            address = id.address_book.dn;
        } else if (id.kind == ENTRY_ID_ONE_OFF) {
            type = id.one_off.address_type;
            address = id.one_off.address;
        }
    }
    if (!address)
        return;
    if (type && g_ascii_strcasecmp(type, "EX") == 0) {
        if (rop_find_dn(s, arena, address, &object) != EC_OK)
            return;
        address = object->address;
    } else if (type && g_ascii_strcasecmp(type, "SMTP") != 0) {
        return;
    }
    char *found = arena_strdup(arena, address); // not from the bag that changes
    bag_set_str(bag, tags->type, "SMTP");
    bag_set_str(bag, tags->address, found);
    bag_set_str(bag, tags->smtp, found);
}

static enum ec resolve(struct rop_message *m, struct message_value **out) {
    MBOX_TX_AUTO tx = NULL;
    struct rop_session *s = m->object.session;
    EC_TRY(mbox_read(m->object.logon->mbox, &tx));
    struct message_value *value = rop_value_copy(rop_message_value(m));
    enum ec ec = rop_value_detach(tx, value);
    if (ec != EC_OK) {
        message_value_free(value);
        return ec;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(people); i++)
        resolve_person(s, value->bag, &people[i]);
    for (guint i = 0; i < value->recipients->len; i++)
        resolve_person(s, value->recipients->pdata[i], &recipient);
    *out = value;
    return EC_OK;
}

// --- When ---

// [MS-OXOMSG] 2.2.3.8 to 2.2.3.10: a time, or a number of units from now on.
static filetime_t hold_until(const struct bag *bag) {
    static const uint64_t units[] = {60, 3600, 86400, 7 * 86400};
    int32_t number = bag_long(bag, PidTagDeferredSendNumber, 0);
    int32_t unit = bag_long(bag, PidTagDeferredSendUnits, -1);
    if (number > 0 && number < 1000 && unit >= 0 && unit < (int32_t)G_N_ELEMENTS(units))
        return clock_now() + (uint64_t)number * units[unit] * FILETIME_SECOND;
    return bag_time(bag, PidTagDeferredSendTime);
}

// --- What becomes of it ---

// What sending found out stands in the message too.
static void take_over(struct rop_message *m, const struct bag *sent) {
    static const proptag_t tags[] = {
        PidTagClientSubmitTime,
        PidTagInternetMessageId,
        PidTagConversationIndex,
        PidTagConversationTopic,
        PidTagSenderName,
        PidTagSenderAddressType,
        PidTagSenderEmailAddress,
        PidTagSenderSmtpAddress,
        PidTagSenderEntryId,
        PidTagSenderSearchKey,
        PidTagSentRepresentingName,
        PidTagSentRepresentingAddressType,
        PidTagSentRepresentingEmailAddress,
        PidTagSentRepresentingSmtpAddress,
        PidTagSentRepresentingEntryId,
        PidTagSentRepresentingSearchKey,
    };
    struct bag *bag = rop_message_value(m)->bag;
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
        const struct prop_value *v = bag_get(sent, tags[i]);
        if (v)
            bag_set(bag, v);
    }
    struct prop_value flags = prop_long(PidTagMessageFlags, 1); // read, no longer a draft
    struct prop_value now = prop_time(PidTagMessageDeliveryTime, clock_now());
    message_set_prop(m->message, &flags);
    message_set_prop(m->message, &now);
    m->is_changed = true;
}

// Where it goes; 0: it stays.
static uint64_t sent_folder(struct rop_message *m) {
    ARENA_AUTO arena = arena_new();
    const struct bag *bag = rop_message_value(m)->bag;
    struct server_id server;
    struct entry_id id;
    if (server_id_parse(bag_bytes(bag, PidTagSentMailSvrEID), &server) && server.is_ours)
        return server.folder.counter;
    struct prop_bin entry = bag_bytes(bag, PidTagSentMailEntryId_);
    if (entry.len && entry_id_parse(arena, entry, &id) == EC_OK && id.kind == ENTRY_ID_FOLDER &&
        guid_equal(&id.folder.replica, &m->object.logon->replica))
        return id.folder.counter;
    return 0;
}

static enum ec settle(struct rop_message *m) {
    struct mailbox *mailbox = m->object.logon->mailbox;
    uint64_t fid = sent_folder(m);
    unsigned n;
    if (bag_bool(rop_message_value(m)->bag, PidTagDeleteAfterSubmit, false)) {
        enum ec ec = mailbox_delete_messages(mailbox, m->fid, &m->mid, 1, true, false, &n);
        return ec == EC_PARTIAL_COMPLETION ? EC_OK : ec;
    }
    EC_TRY(rop_message_save(m, MESSAGE_SAVE_FORCE));
    if (fid == 0 || fid == m->fid)
        return EC_OK;
    g_autoptr(GArray) moved = NULL;
    EC_TRY(mailbox_move(mailbox, m->fid, &m->mid, 1, fid, &moved));
    if (moved && moved->len == 1) {
        m->mid = g_array_index(moved, struct mailbox_copied, 0).new_mid;
        m->fid = fid;
    }
    return EC_OK;
}

static enum ec submit(struct rop_message *m) {
    struct message_value *value;
    uint64_t copy;
    if (m->container || m->object.logon->is_public)
        return EC_NOT_SUPPORTED;
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    if (rop_message_value(m)->recipients->len == 0)
        return EC_INVALID_RECIPIENTS;
    EC_TRY(rop_message_save(m, 0));
    EC_TRY(resolve(m, &value));
    struct item_send how = {.saves_copy = false, .hold_until = hold_until(value->bag)};
    enum ec ec = item_send_value(m->object.logon->mailbox, value, &how, &copy);
    if (ec == EC_OK) {
        take_over(m, value->bag);
        ec = settle(m);
        m->is_writable = false;
    }
    message_value_free(value);
    return ec;
}

// --- The ROPs ---

enum { SUBMIT_PRE_PROCESS = 0x01, SUBMIT_NEEDS_SPOOLER = 0x02, SUBMIT_KNOWN = 0x03 };

enum ec rop_submit_message(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    if (flags & ~SUBMIT_KNOWN)
        return EC_INVALID_PARAMETER;
    return submit(m);
}

enum ec rop_transport_send(struct rop_call *c) {
    static const proptag_t tags[] = {PidTagSenderName,
                                     PidTagSenderEntryId,
                                     PidTagSenderSearchKey,
                                     PidTagSenderAddressType,
                                     PidTagSenderEmailAddress,
                                     PidTagSentRepresentingName,
                                     PidTagSentRepresentingEntryId,
                                     PidTagSentRepresentingSearchKey,
                                     PidTagClientSubmitTime};
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    EC_TRY(submit(m));
    struct prop_wire form = rop_form(&m->object);
    const struct bag *bag = rop_message_value(m)->bag;
    unsigned n = 0;
    wire_put_u8(c->w, 0); // NoPropertiesReturned
    wire_put_u16(c->w, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
        const struct prop_value *v = bag_get(bag, tags[i]);
        if (!v)
            continue;
        prop_wire_put_tagged(c->w, &form, v);
        n++;
    }
    wire_patch_u16(c->w, 1, (uint16_t)n);
    return EC_OK;
}

// What was submitted has left for the queue at once, from where it is not called back.
enum ec rop_abort_submit(struct rop_call *c) {
    uint64_t fid = rop_read_id(c), mid = rop_read_id(c), in;
    struct rop_logon *l;
    struct message_row row;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(rop_logon_in(c, &l));
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(message_get_row(tx, mid, &in, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    if (in != fid)
        return EC_NOT_FOUND;
    return row.flags & MSG_DRAFT ? EC_NOT_IN_QUEUE : EC_CANCEL;
}
