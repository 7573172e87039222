// A store in a temporary folder with one mailbox, for the tests of store/ and above.
#pragma once

#include <string.h>

#include "base/test.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/store.h"

struct fixture {
    char *dir;
    struct store *store;
    struct guid guid;
    struct mbox *mbox;
};

static inline void fixture_open(struct fixture *f) {
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(f->dir, &options, &f->store));
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
}

static inline void fixture_close(struct fixture *f) {
    mbox_unref(f->mbox);
    store_close(f->store);
    f->mbox = NULL;
    f->store = NULL;
}

static inline void fixture_setup(struct fixture *f, gconstpointer data) {
    (void)data;
    f->dir = test_folder();
    f->guid = guid_new();
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(f->dir, &options, &f->store));
    struct mbox_new spec = {f->guid, "alice@example.test", "Alice Adams", "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
}

static inline void fixture_teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    fixture_close(f);
    test_folder_remove(f->dir);
}

// One message to create; results in mid and uid.
struct fixture_message {
    uint64_t fid;
    const char *subject, *mime, *delivery_id;
    uint32_t flags;
    const char *keywords;
    uint64_t mid;
    uint32_t uid;
};

static inline enum ec fixture_create(struct mbox_tx *tx, void *ctx) {
    struct fixture_message *m = ctx;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, m->subject);
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    g_autoptr(GBytes) mime = m->mime ? g_bytes_new(m->mime, strlen(m->mime)) : NULL;
    struct message_new spec = {.value = value,
                               .mime = mime,
                               .envelope = "(envelope)",
                               .structure = "(structure)",
                               .flags = m->flags,
                               .keywords = m->keywords,
                               .delivery_id = m->delivery_id,
                               .is_new_mail = m->delivery_id != NULL};
    enum ec ec = message_create(tx, m->fid, &spec, &m->mid, &m->uid);
    message_value_free(value);
    return ec;
}

static inline uint64_t fixture_add(struct fixture *f, uint64_t fid, const char *subject,
                                   const char *mime) {
    struct fixture_message m = {.fid = fid, .subject = subject, .mime = mime};
    assert_ok(mbox_write(f->mbox, fixture_create, &m));
    return m.mid;
}
