// A message as a source for restrictions.
#include "store/message_match.h"

#include "mapi/props.h"
#include "mapi/restriction.h"

struct match {
    struct mbox_tx *tx;
    struct message *m;
    struct arena *arena;
    enum ec ec;
};

static const struct prop_value *get_of_message(void *ctx, proptag_t tag) {
    struct match *match = ctx;
    struct prop_value *v = arena_alloc(match->arena, sizeof *v);
    enum ec ec = message_get_prop(match->tx, match->m, match->arena, tag, MATCH_VALUE_MAX, v);
    if (ec == EC_OK)
        return v;
    if (ec == EC_DISK_ERROR || ec == EC_DATABASE_ERROR || ec == EC_CORRUPT_DATA)
        match->ec = ec;
    return NULL;
}

static const struct prop_value *get_of_bag(void *ctx, proptag_t tag) {
    return bag_get(ctx, tag);
}

static const GPtrArray *subobjects(const struct match *match, proptag_t tag) {
    struct message_value *value = message_value(match->m);
    if (PROP_ID(tag) == PROP_ID(PidTagMessageRecipients))
        return value->recipients;
    if (PROP_ID(tag) == PROP_ID(PidTagMessageAttachments))
        return value->attachments;
    return NULL;
}

static unsigned n_subobjects(void *ctx, proptag_t tag) {
    const GPtrArray *list = subobjects(ctx, tag);
    return list ? list->len : 0;
}

static struct restriction_source subobject(void *ctx, proptag_t tag, unsigned i) {
    const GPtrArray *list = subobjects(ctx, tag);
    struct bag *bag = PROP_ID(tag) == PROP_ID(PidTagMessageAttachments)
                          ? ((struct attachment_value *)list->pdata[i])->bag
                          : list->pdata[i];
    return (struct restriction_source){.get = get_of_bag, .ctx = bag};
}

enum ec message_matches(struct mbox_tx *tx, struct message *m, const struct restriction *res,
                        bool *matches_out) {
    ARENA_AUTO arena = arena_new();
    struct match match = {tx, m, arena, EC_OK};
    struct restriction_source source = {
        .get = get_of_message, .n_subobjects = n_subobjects, .subobject = subobject, .ctx = &match};
    *matches_out = res == NULL || restriction_matches(res, &source);
    return match.ec;
}
