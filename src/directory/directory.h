// The directory: who and what mail can be sent to, and who may log in.
//
// Embedded (DIR/directory.db, through db/) now; LDAP is a second backend behind this header later.
// All names and addresses are compared caselessly (text_fold; domains as IDN A-labels). Objects
// returned live in the caller's arena. Thread-safe.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/guid.h"
#include "base/result.h"

struct directory;

enum directory_kind {
    DIRECTORY_USER,
    DIRECTORY_SHARED, // a mailbox nobody logs in to
    DIRECTORY_ROOM,
    DIRECTORY_EQUIPMENT,
    DIRECTORY_GROUP,         // static members
    DIRECTORY_DYNAMIC,       // members by filter
    DIRECTORY_CONTACT,       // somebody outside
    DIRECTORY_PUBLIC_FOLDER, // mail goes to a folder of the public store
    DIRECTORY_KINDS,
};

// What a user may use; directory_user.protocols has a bit for each that is on.
enum directory_protocol {
    DIRECTORY_SMTP = 1 << 0, // submission
    DIRECTORY_IMAP = 1 << 1,
    DIRECTORY_POP3 = 1 << 2,
    DIRECTORY_EWS = 1 << 3,
    DIRECTORY_MAPI = 1 << 4,
    DIRECTORY_EAS = 1 << 5,
    DIRECTORY_DAV = 1 << 6,
    DIRECTORY_LDAP = 1 << 7,
    DIRECTORY_WEB = 1 << 8,
    DIRECTORY_ALL_PROTOCOLS = 0x1FF,
};

struct directory_object {
    struct guid guid; // never changes; also the mailbox's guid where there is one
    enum directory_kind kind;
    const char *address; // primary SMTP address
    const char *display_name;
    const char *given_name, *surname, *initials, *title, *department, *company, *office, *phone,
        *mobile, *notes; // NULL: not set
    const char *target;  // contact: where mail goes
    const char *filter;  // dynamic group
    uint32_t protocols;
    bool is_disabled; // cannot log in; still receives
    bool is_hidden;   // not in address lists
    bool has_mailbox;
    uint32_t capacity; // room
    filetime_t created, changed;
    const char *locale; // "en", "de-AT": folder names
    uint64_t quota;     // bytes; 0: the default
};

enum ec directory_open(const char *path, struct directory **out);
void directory_close(struct directory *d); // accepts NULL
// A consistent copy in a new file, while it is used (backup).
enum ec directory_copy(struct directory *d, const char *to_path);

// --- Finding ---

// By any of its addresses (primary or alias), plus-addressing ("alice+x@d" finds alice@d) and the
// domain's catch-all not included. EC_NOT_FOUND.
enum ec directory_find_address(struct directory *d, struct arena *arena, const char *address,
                               struct directory_object **out);
enum ec directory_find_guid(struct directory *d, struct arena *arena, const struct guid *guid,
                            struct directory_object **out);

// By what a user logs in with: user@domain, DOMAIN\user, domain.fqdn\user, or a bare name in the
// default domain. Only kinds that can log in. EC_NOT_FOUND.
enum ec directory_find_login(struct directory *d, struct arena *arena, const char *login,
                             struct directory_object **out);

struct directory_list {
    struct directory_object **items;
    unsigned n;
};
// All of the kinds in `kinds` (bits 1 << kind; 0: all), ordered by display name; `prefix` of name
// or address narrows it (NULL: no), at most `limit` after `offset`.
enum ec directory_list(struct directory *d, struct arena *arena, uint32_t kinds, const char *prefix,
                       unsigned offset, unsigned limit, struct directory_list *out);

// Ambiguous name resolution ([MS-OXOABK], [MS-NSPI] ANR): words of display name, given name,
// surname, address, office as prefixes; "=x" exact. EC_NOT_FOUND, EC_AMBIGUOUS (with the candidates
// in out).
enum ec directory_resolve(struct directory *d, struct arena *arena, const char *text,
                          struct directory_list *out);

// --- Where mail goes ---

enum directory_route {
    DIRECTORY_ROUTE_MAILBOX, // deliver to object->guid
    DIRECTORY_ROUTE_GROUP,   // expand with directory_expand
    DIRECTORY_ROUTE_FORWARD, // send on to object->target
    DIRECTORY_ROUTE_REMOTE,  // not our domain
    DIRECTORY_ROUTE_FOLDER,  // to the public folder directory_folder_target(object->guid)
    DIRECTORY_ROUTE_UNKNOWN, // our domain, no such recipient
};
// The recipient's route, with plus-addressing ("+detail" goes to *detail_out, may be NULL) and the
// domain's catch-all.
enum ec directory_route(struct directory *d, struct arena *arena, const char *address,
                        enum directory_route *route_out, struct directory_object **object_out,
                        const char **detail_out);

// All final members of a group (nested groups opened, loops cut, each once). At most 100,000.
enum ec directory_expand(struct directory *d, struct arena *arena, const struct guid *group,
                         struct directory_list *out);
// Whether `who` is in the group, directly or nested.
bool directory_is_member(struct directory *d, const struct guid *group, const struct guid *who);

// Every group that `who` is in, directly or nested. In the arena.
enum ec directory_groups_of(struct directory *d, struct arena *arena, const struct guid *who,
                            struct guid **out, unsigned *n_out);

// --- Rights over whole mailboxes (directory/access.c) ---

enum directory_right {
    DIRECTORY_FULL_ACCESS = 1 << 0,    // everything in it, as its owner
    DIRECTORY_SEND_AS = 1 << 1,        // as if it were the sender
    DIRECTORY_SEND_ON_BEHALF = 1 << 2, // From the mailbox, Sender the one who sends
};
struct directory_grant {
    struct directory_object *who; // a user or a group
    uint32_t rights;              // enum directory_right
};
struct directory_grant_list {
    struct directory_grant *items;
    unsigned n;
};
// Adds and takes away rights of `who` over the mailbox or group `on`. EC_NOT_FOUND: one of them
// does not exist; revoke: `who` had none of these rights.
enum ec directory_grant(struct directory *d, const struct guid *on, const struct guid *who,
                        uint32_t rights);
enum ec directory_revoke(struct directory *d, const struct guid *on, const struct guid *who,
                         uint32_t rights);
enum ec directory_grants(struct directory *d, struct arena *arena, const struct guid *on,
                         struct directory_grant_list *out);
// What `who` may do with `on`, by own entries and those of groups. 0 when in doubt.
uint32_t directory_rights(struct directory *d, const struct guid *on, const struct guid *who);

enum directory_sender {
    DIRECTORY_SENDER_DENIED,
    DIRECTORY_SENDER_OWN, // one of their own addresses
    DIRECTORY_SENDER_AS,
    DIRECTORY_SENDER_ON_BEHALF,
};
// Whether `who` may send mail from `address`; plus-addressing is undone. Addresses that belong to
// nobody here are denied.
enum directory_sender directory_may_send(struct directory *d, const struct guid *who,
                                         const char *address);

// Which mailboxes may have something to show to somebody: a hint that names at least those.
// `member` zero: everybody. Nothing is written when it is known already.
enum ec directory_share_add(struct directory *d, const struct guid *mailbox,
                            const struct guid *member);
// Mailboxes shared with `who`, one of their groups or everybody, or open to them by full access;
// not their own; ordered by address.
enum ec directory_shared_with(struct directory *d, struct arena *arena, const struct guid *who,
                              struct directory_list *out);

// --- Mail-enabled public folders (directory/folder_target.c) ---

// The folder of the public store that a DIRECTORY_PUBLIC_FOLDER stands for. EC_NOT_FOUND.
enum ec directory_folder_target(struct directory *d, const struct guid *guid, uint64_t *fid_out);
// Adds an object for a folder, as directory_add (which refuses this kind). EC_COLLISION: the
// address is taken, or the folder has one already.
enum ec directory_add_folder(struct directory *d, struct directory_object *object, uint64_t fid);
// The object of a folder. EC_NOT_FOUND: it takes no mail.
enum ec directory_find_folder(struct directory *d, struct arena *arena, uint64_t fid,
                              struct directory_object **out);

// --- Domains ---
bool directory_is_local_domain(struct directory *d, const char *domain);
char *directory_default_domain(struct directory *d); // g_free; NULL: none yet
enum ec directory_domain_add(struct directory *d, const char *domain);
enum ec directory_domain_remove(struct directory *d, const char *domain); // EC_BUSY while in use
enum ec directory_domain_set_catchall(struct directory *d, const char *domain, const char *address);
// Who gets the mail to unknown addresses of the domain: an address; NULL: nobody. g_free.
char *directory_domain_catchall(struct directory *d, const char *domain);
char **directory_domains(struct directory *d); // g_strfreev

// --- Changing ---

// Creates an object; guid (new when zero), created, changed are filled in. EC_COLLISION when an
// address is taken, EC_INVALID_PARAMETER for a bad address, EC_NOT_FOUND for a domain that is not
// ours.
enum ec directory_add(struct directory *d, struct directory_object *object);
// Stores every field of `object` (found by guid).
enum ec directory_update(struct directory *d, const struct directory_object *object);
enum ec directory_remove(struct directory *d, const struct guid *guid);
enum ec directory_alias_add(struct directory *d, const struct guid *guid, const char *address);
enum ec directory_alias_remove(struct directory *d, const char *address);
enum ec directory_aliases(struct directory *d, const struct guid *guid, char ***out); // g_strfreev
enum ec directory_member_add(struct directory *d, const struct guid *group,
                             const struct guid *member);
enum ec directory_member_remove(struct directory *d, const struct guid *group,
                                const struct guid *member);
enum ec directory_members(struct directory *d, struct arena *arena, const struct guid *group,
                          struct directory_list *out); // direct ones

// --- Address lists ---
// Names of the lists ("Global Address List", "All Users", "All Rooms", ... and the admin's own: a
// name and a filter in the syntax of dynamic groups).
enum ec directory_address_lists(struct directory *d, char ***names_out);
enum ec directory_address_list_add(struct directory *d, const char *name, const char *filter);
enum ec directory_address_list_members(struct directory *d, struct arena *arena, const char *name,
                                       unsigned offset, unsigned limit, struct directory_list *out);

// --- Credentials (compared in auth/ only) ---

#define DIRECTORY_NT_HASH 16
#define DIRECTORY_SCRAM_KEYS 84
// What an entry's password left behind.
struct directory_credentials {
    char *password_hash; // crypt string; NULL: none set
    bool has_nt_hash, has_scram_keys;
    uint8_t nt_hash[DIRECTORY_NT_HASH];       // only where NTLM is switched on
    uint8_t scram_keys[DIRECTORY_SCRAM_KEYS]; // auth/scram_keys.h
};
// Of nobody: nothing is set, EC_OK. Clear it with the function below.
enum ec directory_credentials(struct directory *d, const struct guid *guid,
                              struct directory_credentials *out);
void directory_credentials_clear(struct directory_credentials *c); // overwrites the secrets
// All of a new password, in one transaction. EC_NOT_FOUND: no such entry.
enum ec directory_set_credentials(struct directory *d, const struct guid *guid,
                                  const struct directory_credentials *c);
// Sets the NT hash and the SCRAM keys if the password hash is still c->password_hash. EC_NOT_FOUND:
// it is another one now.
enum ec directory_renew_credentials(struct directory *d, const struct guid *guid,
                                    const struct directory_credentials *c);
// 32 random bytes under a name, made when they are first asked for.
enum ec directory_secret(struct directory *d, const char *name, uint8_t out[32]);

// A counter that grows with every change (caches; address-list generations).
uint64_t directory_generation(struct directory *d);

// Every invariant (addresses unique, members exist, no cycles); a line a fault into `faults`.
enum ec directory_check(struct directory *d, bool repair, GPtrArray *faults);
