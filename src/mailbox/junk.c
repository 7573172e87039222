// The junk lists of a mailbox, and what they decide when a message is delivered.
#include "mailbox/junk.h"

#include <string.h>

#include "mailbox/deliver_hooks.h"
#include "mailbox/quota.h"
#include "mapi/props.h"

// Names and ids of Outlook's account settings; the server keeps them on the mailbox.
#define PidTagSpamTrustedSenders 0x0418001Fu
#define PidTagSpamTrustedRecipients 0x0419001Fu
#define PidTagSpamJunkSenders 0x041A001Fu

#define SCL_TRUSTED (-1)
#define PCL_SUSPICIOUS 3   // above, nobody is believed to be whom the From says
#define RECIPIENTS_MAX 200 // looked at
#define PHISHING_VALUE 5   // of PidTagAdditionalRenEntryIds

static const proptag_t list_tags[JUNK_LISTS] = {PidTagSpamTrustedSenders, PidTagSpamJunkSenders,
                                                PidTagSpamTrustedRecipients};

// --- Lists ---

// An address or domain in lower case; a domain without its "@". NULL: neither.
static const char *entry_of(struct arena *arena, const char *text) {
    size_t len = strlen(text);
    const char *at = strchr(text, '@');
    const char *domain = at ? at + 1 : text;
    if (len == 0 || len > JUNK_ENTRY_MAX || strpbrk(text, "; \t\r\n,<>\"") || strchr(domain, '@') ||
        !*domain || *domain == '.' || (!at && !strchr(domain, '.')) ||
        !g_utf8_validate(text, (gssize)len, NULL))
        return NULL;
    g_autofree char *lower = g_utf8_strdown(text + (at == text), -1);
    return arena_strdup(arena, lower);
}

static GPtrArray *read_list(struct arena *arena, const struct bag *props, enum junk_list list) {
    GPtrArray *out = g_ptr_array_new();
    const char *text = bag_str(props, list_tags[list]);
    g_auto(GStrv) words = g_strsplit(text ? text : "", ";", JUNK_ENTRIES_MAX + 1);
    for (char **word = words; *word && out->len < JUNK_ENTRIES_MAX; word++) {
        const char *entry = entry_of(arena, g_strstrip(*word));
        if (entry)
            g_ptr_array_add(out, (char *)entry);
    }
    return out;
}

static enum ec write_list(struct mbox_tx *tx, enum junk_list list, const GPtrArray *entries) {
    BAG_AUTO set = bag_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++)
        g_string_append_printf(text, "%s%s", i ? ";" : "", (const char *)entries->pdata[i]);
    bag_set_str(set, list_tags[list], text->str);
    return mbox_set_props(tx, set, NULL, 0);
}

static bool find_entry(const GPtrArray *entries, const char *entry, guint *out) {
    for (*out = 0; *out < entries->len; ++*out)
        if (strcmp(entries->pdata[*out], entry) == 0)
            return true;
    return false;
}

// --- Use cases ---

static enum ec check_access(const struct mailbox *m) {
    return rights_are_full(m) && !m->is_public ? EC_OK : EC_ACCESS_DENIED;
}

enum ec mailbox_get_junk(struct mailbox *m, struct arena *arena, struct junk_settings *out) {
    struct mbox_tx *tx;
    BAG_AUTO props = NULL;
    EC_TRY(check_access(m));
    EC_TRY(mbox_read(m->mbox, &tx));
    enum ec ec = mbox_get_props(tx, &props);
    mbox_read_end(tx);
    EC_TRY(ec);
    *out = (struct junk_settings){
        .threshold = bag_long(props, PidTagJunkThreshold, JUNK_THRESHOLD_DEFAULT),
        .trusts_contacts = bag_long(props, PidTagJunkIncludeContacts, 0) != 0,
        .trusts_addressees = bag_long(props, PidTagJunkAddRecipientsToSafeSendersList, 0) != 0,
        .deletes = bag_long(props, PidTagJunkPermanentlyDelete, 0) != 0,
        .shows_links = bag_bool(props, PidTagJunkPhishingEnableLinks, false),
    };
    for (enum junk_list list = 0; list < JUNK_LISTS; list++) {
        g_autoptr(GPtrArray) entries = read_list(arena, props, list);
        g_ptr_array_add(entries, NULL);
        out->lists[list] =
            arena_memdup(arena, entries->pdata, entries->len * sizeof *out->lists[list]);
    }
    return EC_OK;
}

struct junk_change {
    enum junk_list list;
    const char *entry;
    bool removes;
    struct arena *arena;
};

static enum ec change_list(struct mbox_tx *tx, void *ctx) {
    const struct junk_change *change = ctx;
    BAG_AUTO props = NULL;
    EC_TRY(mbox_get_props(tx, &props));
    g_autoptr(GPtrArray) entries = read_list(change->arena, props, change->list);
    guint at;
    bool is_there = find_entry(entries, change->entry, &at);
    if (change->removes) {
        if (!is_there)
            return EC_NOT_FOUND;
        g_ptr_array_remove_index(entries, at);
        return write_list(tx, change->list, entries);
    }
    if (change->list != JUNK_SAFE_RECIPIENTS) {
        enum junk_list other =
            change->list == JUNK_SAFE_SENDERS ? JUNK_BLOCKED_SENDERS : JUNK_SAFE_SENDERS;
        g_autoptr(GPtrArray) others = read_list(change->arena, props, other);
        if (find_entry(others, change->entry, &at)) {
            g_ptr_array_remove_index(others, at);
            EC_TRY(write_list(tx, other, others));
        }
    }
    if (is_there)
        return EC_OK;
    if (entries->len == JUNK_ENTRIES_MAX)
        return EC_TOO_MANY_OBJECTS;
    g_ptr_array_add(entries, (char *)change->entry);
    return write_list(tx, change->list, entries);
}

static enum ec change_entry(struct mailbox *m, enum junk_list list, const char *text,
                            bool removes) {
    ARENA_AUTO arena = arena_new();
    struct junk_change change = {
        .list = list, .entry = entry_of(arena, text), .removes = removes, .arena = arena};
    EC_TRY(check_access(m));
    if (!change.entry || list >= JUNK_LISTS)
        return EC_INVALID_PARAMETER;
    return mbox_write(m->mbox, change_list, &change);
}

enum ec mailbox_add_junk(struct mailbox *m, enum junk_list list, const char *entry) {
    return change_entry(m, list, entry, false);
}

enum ec mailbox_remove_junk(struct mailbox *m, enum junk_list list, const char *entry) {
    return change_entry(m, list, entry, true);
}

static enum ec change_threshold(struct mbox_tx *tx, void *ctx) {
    static const proptag_t tag = PidTagJunkThreshold;
    int threshold = *(const int *)ctx;
    BAG_AUTO set = bag_new();
    if (threshold == JUNK_THRESHOLD_DEFAULT)
        return mbox_set_props(tx, set, &tag, 1);
    bag_set_long(set, tag, threshold);
    return mbox_set_props(tx, set, NULL, 0);
}

enum ec mailbox_set_junk_threshold(struct mailbox *m, int threshold) {
    EC_TRY(check_access(m));
    if (threshold != JUNK_THRESHOLD_NONE && threshold != JUNK_THRESHOLD_TRUSTED_ONLY &&
        (threshold < 0 || threshold > 9))
        return EC_INVALID_PARAMETER;
    return mbox_write(m->mbox, change_threshold, &threshold);
}

// --- Delivery ---

// `address` is in the list, or its domain or one above it is.
static bool list_has(const GPtrArray *entries, const char *address) {
    guint at;
    if (entries->len == 0 || !address || !*address || strlen(address) > JUNK_ENTRY_MAX)
        return false;
    g_autofree char *lower = g_utf8_strdown(address, -1);
    if (find_entry(entries, lower, &at))
        return true;
    const char *domain = strrchr(lower, '@');
    for (domain = domain ? domain + 1 : NULL; domain && *domain;) {
        if (find_entry(entries, domain, &at))
            return true;
        domain = strchr(domain, '.');
        domain = domain ? domain + 1 : NULL;
    }
    return false;
}

// One of the addresses that a message says it is from.
static bool is_sender_in(const GPtrArray *entries, const struct bag *message) {
    return list_has(entries, bag_str(message, PidTagSentRepresentingSmtpAddress)) ||
           list_has(entries, bag_str(message, PidTagSenderSmtpAddress));
}

static bool is_recipient_in(const GPtrArray *entries, const struct message_value *value) {
    for (guint i = 0; entries->len && i < MIN(value->recipients->len, RECIPIENTS_MAX); i++) {
        const struct bag *recipient = value->recipients->pdata[i];
        if (list_has(entries, bag_str(recipient, PidTagSmtpAddress)) ||
            list_has(entries, bag_str(recipient, PidTagEmailAddress)))
            return true;
    }
    return false;
}

// What the mailbox thinks of the message.
enum verdict { VERDICT_NONE, VERDICT_SAFE, VERDICT_JUNK };

static enum verdict judge(const struct delivery_plan *plan, const struct bag *props) {
    const struct mailbox_delivery *d = plan->delivery;
    g_autoptr(GPtrArray) safe = read_list(plan->arena, props, JUNK_SAFE_SENDERS);
    g_autoptr(GPtrArray) blocked = read_list(plan->arena, props, JUNK_BLOCKED_SENDERS);
    g_autoptr(GPtrArray) safe_recipients = read_list(plan->arena, props, JUNK_SAFE_RECIPIENTS);
    int threshold = bag_long(props, PidTagJunkThreshold, JUNK_THRESHOLD_DEFAULT);
    if (threshold == JUNK_THRESHOLD_DEFAULT)
        threshold = (int)mailbox_options_of(plan->service).junk_threshold;
    bool is_from_safe = is_sender_in(safe, plan->value->bag);
    if (is_sender_in(blocked, plan->value->bag) && !is_from_safe)
        return VERDICT_JUNK;
    // Who is trusted must be the one who wrote it.
    if (d->pcl <= PCL_SUSPICIOUS && (is_from_safe || is_recipient_in(safe_recipients, plan->value)))
        return VERDICT_SAFE;
    if (d->scl == SCL_TRUSTED || threshold == JUNK_THRESHOLD_NONE)
        return VERDICT_NONE;
    if (threshold == JUNK_THRESHOLD_TRUSTED_ONLY || (threshold > 0 && d->scl >= threshold))
        return VERDICT_JUNK;
    return VERDICT_NONE;
}

static void add_tag(struct delivery_plan *plan, proptag_t tag, int32_t value) {
    struct prop_value v = prop_long(tag, value);
    if (!plan->tags)
        plan->tags = g_array_new(FALSE, FALSE, sizeof v);
    g_array_append_val(plan->tags, v);
}

// [MS-OXPHISH] 2.2.1.1: the stamp is the mailbox's own number, in the sixth value of
// PidTagAdditionalRenEntryIds when a client has put one there; with it, links are switched off.
static enum ec stamp_phishing(struct delivery_plan *plan) {
    BAG_AUTO props = NULL;
    enum ec ec = folder_get_props(plan->tx, FID_INBOX, &props);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    const struct prop_value *ids = bag_get(props, PidTagAdditionalRenEntryIds);
    if (!ids || ids->is_external || ids->mv.n <= PHISHING_VALUE)
        return EC_OK;
    struct wire_reader r =
        wire_reader(ids->mv.bin[PHISHING_VALUE].data, ids->mv.bin[PHISHING_VALUE].len);
    uint32_t stamp = wire_u32(&r) & 0x0fffffffu;
    if (wire_ok(&r))
        add_tag(plan, PidNamePhishingStamp, (int32_t)stamp);
    return EC_OK;
}

enum ec delivery_junk(struct delivery_plan *plan) {
    BAG_AUTO props = NULL;
    if (plan->delivery->folder || plan->fid != FID_INBOX)
        return EC_OK;
    if (plan->delivery->pcl > PCL_SUSPICIOUS)
        EC_TRY(stamp_phishing(plan));
    EC_TRY(mbox_get_props(plan->tx, &props));
    enum verdict verdict = judge(plan, props);
    if (verdict == VERDICT_SAFE) {
        plan->is_safe = true;
        add_tag(plan, PidTagContentFilterSpamConfidenceLevel, SCL_TRUSTED);
    } else if (verdict == VERDICT_JUNK) {
        plan->fid = FID_JUNK;
        plan->is_done = true; // nobody is told of it, nothing sent on
    }
    return EC_OK;
}

void junk_stamp(struct message_value *value, int scl, int pcl) {
    if (scl >= SCL_TRUSTED && scl <= 9)
        bag_set_long(value->bag, PidTagContentFilterSpamConfidenceLevel, scl);
    if (pcl > 0 && pcl <= 8)
        bag_set_long(value->bag, PidTagContentFilterPhishingConfidenceLevel, pcl);
}
