// Any bytes as a SASL exchange: the first byte chooses the mechanism and whether there is an
// initial response, then come steps, each a length byte and its bytes.
//
// The directory is empty and made once, so that an input costs at most one hash, and throttling
// keeps most from even that.
#include "auth/auth.h"

#include "base/log.h"
#include "base/test.h"
#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct auth *make_auth(void) {
    static const struct auth_options options = {.scram_iterations = 4096,
                                                .store_nt_hash = true,
                                                .oauth_issuer = "i",
                                                .oauth_audience = "a",
                                                .oauth_keys = "/dev/null",
                                                .gssapi_keytab = "/dev/null"};
    char *folder = test_folder();
    g_autofree char *path = g_build_filename(folder, "directory.db", NULL);
    struct directory *directory;
    struct auth *auth;
    assert_ok(directory_open(path, &directory));
    assert_ok(auth_new(directory, &options, &auth));
    test_folder_remove(folder); // the open files live on
    return auth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct auth *auth;
    if (auth == NULL)
        auth = make_auth();
    static const struct auth_peer peer = {
        .address = "192.0.2.1", .is_tls = true, .protocol = DIRECTORY_IMAP};
    struct wire_reader r = wire_reader(data, size);
    uint8_t choice = wire_u8(&r);
    struct sasl *s;
    static const char *const mechanisms[] = {"PLAIN",   "LOGIN",        "SCRAM-SHA-256",
                                             "XOAUTH2", "OAUTHBEARER",  "NTLM",
                                             "GSSAPI",  "SCRAM-SHA-256"};
    // The lowest bit chose between the first two in the older part of the corpus.
    assert_ok(sasl_begin(auth, &peer, mechanisms[(choice & 1) | (choice >> 2 & 3) << 1], &s));
    for (int i = 0; i < 8; i++) {
        size_t len = MIN(wire_u8(&r), wire_left(&r));
        const uint8_t *in = i == 0 && (choice & 2) ? NULL : wire_bytes(&r, len);
        char *challenge = NULL;
        size_t challenge_len;
        struct principal *p = NULL;
        enum ec ec = sasl_step(s, in, in != NULL ? len : 0, &challenge, &challenge_len, &p);
        g_free(challenge);
        g_assert(p == NULL); // there is nobody
        if (ec != EC_BUSY)
            break;
    }
    sasl_free(s);
    return 0;
}
