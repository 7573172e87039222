// Remote operations ([MS-OXCROPS]): one client's session, which takes ROP input buffers and gives
// output buffers. What carries them (MAPI over HTTP, RPC) knows this header only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "mailbox/mailbox.h"

struct rop_service; // what all sessions share
struct rop_options {
    struct mailbox_service *mailboxes;
    const char *hostname; // the server's name in DNs and redirects
    const char
        *organization;    // /o=ORGANIZATION/ou=Exchange Administrative Group .../cn=Recipients/cn=
    unsigned max_handles; // of a session; 0: default
    size_t max_memory;    // bytes a session may hold in objects; 0: default
};
// Strings are copied.
enum ec rop_service_new(const struct rop_options *options, struct rop_service **out);
void rop_service_free(struct rop_service *s); // accepts NULL

// A Session Context ([MS-OXCRPC] 3.1.4.1 EcDoConnectEx, [MS-OXCMAPIHTTP] 2.2.4.1 Connect).
struct rop_connect {
    const char *user_dn; // the client's legacyExchangeDN; has to be the principal's own
    uint32_t flags, code_page, lcid_string, lcid_sort;
    uint16_t client_version[4]; // major, minor, build major, build minor
};
struct rop_session;
// EC_UNKNOWN_USER: no such DN; EC_ACCESS_DENIED: not the principal's.
enum ec rop_session_new(struct rop_service *s, struct principal *who,
                        const struct rop_connect *connect, struct rop_session **out);
void rop_session_free(struct rop_session *s); // releases all handles; accepts NULL
const char *rop_session_display_name(const struct rop_session *s); // borrowed
const char *rop_session_dn_prefix(const struct rop_session *s);    // borrowed

// Runs the ROPs of one input buffer (rgbIn: a chain of RPC_HEADER_EXT and ROP buffers, compressed
// or obfuscated) and gives rgbOut, of at most `max_out` bytes, in the arena. One call at a time a
// session. A ROP's failure is in its response; an error here fails the whole call:
// EC_RPC_FORMAT (malformed), EC_BUFFER_TOO_SMALL (max_out). `flags`: ROP_NO_COMPRESSION,
// ROP_NO_XOR, ROP_CHAIN.
enum rop_execute_flags { ROP_NO_COMPRESSION = 1, ROP_NO_XOR = 2, ROP_CHAIN = 4 };
enum ec rop_execute(struct rop_session *s, unsigned flags, const uint8_t *in, size_t in_len,
                    size_t max_out, struct arena *arena, const uint8_t **out, size_t *out_len);

// Whether notifications wait, which the next rop_execute brings (RopNotify).
bool rop_session_has_events(struct rop_session *s);
// `fn(ctx)` is called, from any thread, when there are; only wakes. NULL: no longer. When this
// returns, the function before is not running.
void rop_session_watch(struct rop_session *s, void (*fn)(void *ctx), void *ctx);
