// Whole ROP input buffers from outside, to a session that has a logon, folders, a message and a
// table open at handles 1 to 6. The mailbox stays as the inputs leave it; its check is the last.
#include "protocol/rop/rop_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rops fixture;
static uint64_t mid;

static void tear_down(void) {
    rops_teardown(&fixture, NULL);
}

static void set_up(void) {
    rops_setup(&fixture, NULL);
    logon(&fixture);
    open_folder(&fixture, 1, FID_INBOX);
    mid = make_message(&fixture, 1, FID_INBOX, "subject");
    atexit(tear_down);
}

// Handles are counted from 1.
static void open_objects(struct rops *f) {
    memset(f->handles, 0xFF, sizeof f->handles);
    put_logon(f, 0, 0, rops_dn(f, f->alice));
    for (uint8_t i = 1; i <= 2; i++) {
        rop2(f, 0x02, 0, i);
        id(f, FID_ROOT + 3 + i);
        u8(f, 0);
    }
    rop2(f, 0x06, 1, 3);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 0);
    rop2(f, 0x05, 1, 4);
    u8(f, 0);
    rop2(f, 0x03, 1, 5);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 3);
    id(f, mid);
    assert_ok(rops_execute(f, f->session));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rops *f = &fixture;
    const uint8_t *out;
    size_t len;
    if (!f->service)
        set_up();
    rop_session_free(f->session);
    f->session = rops_connect(f, f->alice);
    open_objects(f);
    rop_execute(f->session, ROP_CHAIN, data, size, 0x18008, f->arena, &out, &len);
    arena_reset(f->arena);
    return 0;
}
