// Whole sessions: the input is what a logged-in client sends (a first byte of 0: before login), on
// a small store that keeps what earlier inputs did to it.
#include "protocol/imap/imap_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct imap_fixture fixture;

static void remove_fixture(void) {
    imap_fixture_teardown(&fixture);
}

static void begin(void) {
    static const char fill[] =
        "1 APPEND INBOX (\\Seen Work) {57+}\r\n"
        "Subject: one\r\nContent-Type: text/plain\r\n\r\nhello world!!!\r\n\r\n"
        "2 APPEND INBOX {24+}\r\nSubject: two\r\n\r\nsecond!!\r\n";
    imap_fixture_setup(&fixture);
    atexit(remove_fixture);
    struct imap_client *c = imap_client_new(&fixture, true);
    imap_client_say(c, fill);
    imap_client_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!fixture.store)
        begin();
    bool logged_in = size == 0 || data[0] != 0;
    struct imap_client *c = imap_client_new(&fixture, logged_in);
    if (logged_in)
        imap_client_say(c, "s SELECT INBOX\r\n");
    imap_client_send(c, data + !logged_in, size - !logged_in);
    imap_client_free(c);
    return 0;
}
