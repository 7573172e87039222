// A POP3 conversation of any bytes, framed as the net does it, on a mailbox with three messages.
// The first byte chooses whether the user is logged in already and how the bytes are cut.
#include "base/log.h"
#include "protocol/pop3/pop3_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pop3_fixture fixture;

static void cleanup(void) {
    pop3_fixture_teardown(&fixture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!fixture.dir) {
        log_setup(LOG_LEVEL_ERROR, "stderr");
        pop3_fixture_setup(&fixture);
        for (unsigned i = 0; i < 3; i++)
            pop3_fixture_add(&fixture, i, "..dots\r\n.\r\nbare\nline\r\n.");
        atexit(cleanup);
    }
    if (size == 0)
        return 0;
    struct pop3_client *c = pop3_client_new(&fixture, data[0] & 1);
    size_t piece = (size_t)(data[0] >> 1) + 1;
    for (size_t pos = 1; pos < size; pos += piece)
        pop3_client_send(c, data + pos, MIN(piece, size - pos));
    pop3_client_free(c);
    return 0;
}
