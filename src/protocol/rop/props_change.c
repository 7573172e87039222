// Setting and removing properties ([MS-OXCPRPT] 2.2.5 to 2.2.8, 3.2.5.4 to 3.2.5.7).
#include "mailbox/mailbox.h"
#include "mapi/conversation.h"
#include "mapi/rights.h"
#include "protocol/rop/props_internal.h"

static void add_problem(GArray *problems, unsigned index, proptag_t tag, enum ec ec) {
    struct rop_problem problem = {(uint16_t)index, tag, ec};
    if (problems)
        g_array_append_val(problems, problem);
}

// --- Messages and attachments: in memory ---

// The two parts of a subject follow the whole, and the whole its parts ([MS-OXCMSG] 2.2.1.46).
static void follow_subject(struct bag *bag, proptag_t tag) {
    ARENA_AUTO arena = arena_new();
    const char *prefix = bag_str(bag, PidTagSubjectPrefix);
    if (tag == PidTagSubject) {
        const char *subject = bag_str(bag, PidTagSubject);
        struct subject_parts parts = subject_split(arena, subject ? subject : "", prefix);
        bag_set_str(bag, PidTagSubjectPrefix, parts.prefix);
        bag_set_str(bag, PidTagNormalizedSubject, parts.normalized);
    } else if (tag == PidTagNormalizedSubject || tag == PidTagSubjectPrefix) {
        const char *rest = bag_str(bag, PidTagNormalizedSubject);
        bag_set_str(bag, PidTagSubject,
                    arena_printf(arena, "%s%s", prefix ? prefix : "", rest ? rest : ""));
    }
}

static bool is_computed_of_message(proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagAccess):
    case PROP_ID(PidTagAccessLevel):
    case PROP_ID(PidTagObjectType):
    case PROP_ID(PidTagHasNamedProperties):
    case PROP_ID(PidTagStoreEntryId):
    case PROP_ID(PidTagStoreRecordKey):
    case PROP_ID(PidTagMappingSignature):
    case PROP_ID(PidTagRead):
        return true;
    default:
        return false;
    }
}

static enum ec set_on_message(struct rop_message *m, const struct prop_value *v) {
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    if (is_computed_of_message(v->tag))
        return EC_COMPUTED;
    if (!prop_type_is_valid(PROP_TYPE(v->tag)))
        return EC_INVALID_PARAMETER;
    EC_TRY(message_set_prop(m->message, v));
    follow_subject(rop_message_value(m)->bag, v->tag);
    m->is_changed = true;
    return EC_OK;
}

static enum ec set_on_attachment(struct rop_attachment *a, const struct prop_value *v) {
    if (!a->is_writable)
        return EC_ACCESS_DENIED;
    switch (PROP_ID(v->tag)) {
    case PROP_ID(PidTagAttachNumber):
    case PROP_ID(PidTagAttachSize):
    case PROP_ID(PidTagAccessLevel):
    case PROP_ID(PidTagObjectType):
    case PROP_ID(PidTagRecordKey):
        return EC_COMPUTED;
    default:
        break;
    }
    a->is_changed = true;
    if (v->tag == PidTagAttachDataBinary) {
        EC_TRY(rop_account(&a->object, v->bin.len));
        g_clear_pointer(&a->value->data, g_bytes_unref);
        a->value->external = (struct prop_external){0};
        a->value->data = g_bytes_new(v->bin.data, v->bin.len);
        return EC_OK;
    }
    if (!prop_type_is_valid(PROP_TYPE(v->tag)))
        return EC_INVALID_PARAMETER;
    return bag_set(a->value->bag, v);
}

// --- Folders and stores: in the mailbox at once ---

struct change {
    struct rop_object *object;
    const struct bag *set;
    const proptag_t *remove;
    unsigned n_remove;
};

static enum ec change_object(struct mbox_tx *tx, void *ctx) {
    struct change *c = ctx;
    struct rop_logon *l = c->object->logon;
    if (c->object->kind == ROP_LOGON) {
        EC_TRY(mailbox_require(l->mailbox, tx, FID_ROOT, RIGHTS_OWNER));
        return mbox_set_props(tx, c->set, c->remove, c->n_remove);
    }
    uint64_t fid = ((struct rop_folder *)c->object)->fid;
    EC_TRY(mailbox_require(l->mailbox, tx, fid, RIGHTS_OWNER));
    return folder_set_props(tx, fid, c->set, c->remove, c->n_remove);
}

static bool is_computed_of_object(const struct rop_object *o, proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagObjectType):
    case PROP_ID(PidTagStoreEntryId):
    case PROP_ID(PidTagStoreRecordKey):
    case PROP_ID(PidTagMappingSignature):
    case PROP_ID(PidTagEntryId):
    case PROP_ID(PidTagRecordKey):
    case PROP_ID(PidTagAccess):
    case PROP_ID(PidTagAccessLevel):
    case PROP_ID(PidTagRights):
        return true;
    case PROP_ID(PidTagSourceKey):
    case PROP_ID(PidTagParentSourceKey):
    case PROP_ID(PidTagChangeKey):
    case PROP_ID(PidTagPredecessorChangeList):
    case PROP_ID(PidTagHasRules):
        return o->kind == ROP_FOLDER;
    case PROP_ID(PidTagStoreSupportMask):
    case PROP_ID(PidTagUserEntryId):
    case PROP_ID(PidTagMailboxOwnerName):
    case PROP_ID(PidTagMailboxOwnerEntryId):
    case PROP_ID(PidTagMessageSize):
    case PROP_ID(PidTagProhibitSendQuota):
    case PROP_ID(PidTagProhibitReceiveQuota):
    case PROP_ID(PidTagMaximumSubmitMessageSize):
        return o->kind == ROP_LOGON;
    default:
        return false;
    }
}

static enum ec set_one(struct rop_object *o, const struct prop_value *v) {
    BAG_AUTO bag = bag_new();
    if (is_computed_of_object(o, v->tag))
        return EC_COMPUTED;
    EC_TRY(bag_set(bag, v));
    struct change c = {o, bag, NULL, 0};
    return mbox_write(o->logon->mbox, change_object, &c);
}

static enum ec set_on_object(struct rop_object *o, const struct prop_value *values, unsigned n,
                             GArray *problems) {
    BAG_AUTO bag = bag_new();
    bool is_simple = true;
    for (unsigned i = 0; i < n && is_simple; i++)
        is_simple = !is_computed_of_object(o, values[i].tag) && bag_set(bag, &values[i]) == EC_OK;
    struct change c = {o, bag, NULL, 0};
    enum ec ec = is_simple ? mbox_write(o->logon->mbox, change_object, &c) : EC_COMPUTED;
    if (ec == EC_OK || ec == EC_ACCESS_DENIED || ec == EC_NOT_FOUND)
        return ec;
    // Something is refused: each by itself.
    for (unsigned i = 0; i < n; i++) {
        ec = set_one(o, &values[i]);
        if (ec != EC_OK)
            add_problem(problems, i, values[i].tag, ec);
    }
    return EC_OK;
}

static enum ec remove_on_object(struct rop_object *o, const proptag_t *tags, unsigned n,
                                GArray *problems) {
    for (unsigned i = 0; i < n; i++) {
        struct change c = {o, NULL, &tags[i], 1};
        enum ec ec = is_computed_of_object(o, tags[i])
                         ? EC_COMPUTED
                         : mbox_write(o->logon->mbox, change_object, &c);
        if (ec == EC_ACCESS_DENIED && i == 0)
            return ec;
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            add_problem(problems, i, tags[i], ec);
    }
    return EC_OK;
}

// --- Any object ---

enum ec rop_set_props(struct rop_object *o, const struct prop_value *values, unsigned n,
                      GArray *problems) {
    if (o->kind == ROP_LOGON || o->kind == ROP_FOLDER)
        return set_on_object(o, values, n, problems);
    if (o->kind != ROP_MESSAGE && o->kind != ROP_ATTACHMENT)
        return EC_NOT_SUPPORTED;
    for (unsigned i = 0; i < n; i++) {
        enum ec ec = o->kind == ROP_MESSAGE
                         ? set_on_message((struct rop_message *)o, &values[i])
                         : set_on_attachment((struct rop_attachment *)o, &values[i]);
        if (ec != EC_OK)
            add_problem(problems, i, values[i].tag, ec);
    }
    return o->kind == ROP_MESSAGE ? rop_message_account((struct rop_message *)o) : EC_OK;
}

static enum ec remove_from_message(struct rop_message *m, proptag_t tag) {
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    if (is_computed_of_message(tag))
        return EC_COMPUTED;
    m->is_changed = true;
    return message_remove_prop(m->message, tag);
}

static enum ec remove_from_attachment(struct rop_attachment *a, proptag_t tag) {
    if (!a->is_writable)
        return EC_ACCESS_DENIED;
    a->is_changed = true;
    if (PROP_ID(tag) == PROP_ID(PidTagAttachDataBinary)) {
        g_clear_pointer(&a->value->data, g_bytes_unref);
        g_clear_pointer(&a->value->embedded, message_value_free);
        a->value->external = (struct prop_external){0};
        return EC_OK;
    }
    bag_remove(a->value->bag, tag);
    return EC_OK;
}

enum ec rop_remove_props(struct rop_object *o, const proptag_t *tags, unsigned n,
                         GArray *problems) {
    if (o->kind == ROP_LOGON || o->kind == ROP_FOLDER)
        return remove_on_object(o, tags, n, problems);
    if (o->kind != ROP_MESSAGE && o->kind != ROP_ATTACHMENT)
        return EC_NOT_SUPPORTED;
    for (unsigned i = 0; i < n; i++) {
        enum ec ec = o->kind == ROP_MESSAGE
                         ? remove_from_message((struct rop_message *)o, tags[i])
                         : remove_from_attachment((struct rop_attachment *)o, tags[i]);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            add_problem(problems, i, tags[i], ec);
    }
    return EC_OK;
}
