// Any bytes as the two messages of an NTLM client: the first byte says how long the first one is.
#include "auth/ntlm.h"

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t hash[16] = {1}, nonce[8] = {2};
    struct wire_reader r = wire_reader(data, size);
    size_t first_len = MIN(wire_u8(&r), wire_left(&r));
    const uint8_t *first = wire_bytes(&r, first_len);
    struct ntlm_challenge c = {.domain = "EXAMPLE",
                               .domain_dns = "example.test",
                               .computer = "MAIL",
                               .computer_dns = "mail.example.test"};
    ARENA_AUTO arena = arena_new();
    struct ntlm_authenticate a;
    bool is_refused;
    if (first == NULL || !ntlm_read_negotiate(first, first_len, &c.flags))
        return 0;
    g_autoptr(GByteArray) asked = ntlm_write_challenge(&c);
    size_t len = wire_left(&r);
    g_autofree uint8_t *message = g_memdup2(data + size - len, len);
    if (!ntlm_read_authenticate(arena, message, len, &a, &is_refused) || is_refused)
        return 0;
    uint8_t key[16], exported[16];
    g_autoptr(GBytes) negotiate = g_bytes_new(first, first_len);
    g_autoptr(GBytes) challenge = g_bytes_new(asked->data, asked->len);
    ntlm_verify(&a, hash, nonce, key);
    ntlm_exported_key(&a, key, exported);
    if (a.has_mic)
        ntlm_verify_mic(&a, exported, negotiate, challenge, message, len);
    return 0;
}
