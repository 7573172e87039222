// bourse.conf: the settings of the whole program, put together.
#pragma once

#include "base/config.h"

// Every setting, by section, ended by an entry without one.
const struct config_item *settings_items(void);

// The file of a data directory. On failure *error_out says what to correct.
enum ec settings_load(const char *dir, struct config **out, char **error_out);

// What of it is for the mailboxes: quotas, limits, retention.
struct mailbox_options;
void settings_mailbox(const struct config *config, struct mailbox_options *out);

// Which name servers to ask. The strings belong to `config`.
struct dns_options;
void settings_dns(const struct config *config, struct dns_options *out);

// How mail from strangers is judged; `dns` and `keys_dir` are left to the caller.
struct policy_options;
void settings_policy(const struct config *config, struct policy_options *out);
// What of it is for logins: relative paths count from `dir`.
struct auth;
struct directory;
enum ec settings_auth(const struct config *config, const char *dir, struct directory *directory,
                      struct auth **out);

// MAPI over HTTP; what is no setting is left alone.
struct mapihttp_options;
void settings_mapi(const struct config *config, struct mapihttp_options *out);

// The settings `bourse init` writes: profile "production", "demo" or "test".
struct config *settings_new(const char *profile, const char *hostname, const char *organization);
