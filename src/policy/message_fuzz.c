// Any bytes as a message from a stranger: everything that looks at it, with a DNS that never
// answers, and our signature on it.
#include "base/test.h"
#include "policy/arc.h"
#include "policy/dmarc.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct policy *policy;
    static struct dns *dns;
    if (!policy) {
        static const struct dns_options off = {.servers = "off"};
        assert_ok(dns_new(&off, &dns));
        struct policy_options options = {.dns = dns, .hostname = "mx.example.test"};
        assert_ok(policy_new(&options, &policy));
    }
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    g_autofree char *sender = g_strndup((const char *)data, MIN(size, 40));
    struct policy_message message = {
        .client = "192.0.2.1", .helo = sender, .sender = sender, .bytes = bytes};
    struct policy_verdict verdict;
    policy_check(policy, arena, &message, &verdict);
    // What goes on top of the message is one field, whatever the message says.
    size_t len = strlen(verdict.fields);
    g_assert_true(g_str_has_suffix(verdict.fields, "\r\n"));
    for (size_t i = 0; i + 1 < len; i++) {
        g_assert_true(verdict.fields[i] >= 0x20 || verdict.fields[i] == '\r' ||
                      verdict.fields[i] == '\n' || verdict.fields[i] == '\t');
        if (verdict.fields[i] == '\n')
            g_assert_true(verdict.fields[i + 1] == '\t' || verdict.fields[i + 1] == ' ');
    }
    return 0;
}
