// The schema of bourse.conf, and the profiles of `bourse init`. The help texts become the comments
// of the file.
#include "main/settings.h"

#include <stdio.h>
#include <string.h>

#include "dns/dns.h"
#include "mailbox/quota.h"
#include "mapihttp/mapihttp.h"
#include "policy/policy.h"

static const struct config_item items[] = {
    {"server", "hostname", CONFIG_STRING, "localhost", NULL,
     "The name this server has in the DNS; it greets with it."},
    {"server", "organization", CONFIG_STRING, "", NULL, "The organization's name."},
    {"server", "user", CONFIG_STRING, "", NULL,
     "When started as root, the server becomes this system user, to whom the data directory must "
     "belong. Empty: it stays who it is."},
    {"server", "loops", CONFIG_INT, "0", NULL,
     "Threads that wait on sockets; 0: chosen from the processors."},
    {"server", "workers", CONFIG_INT, "0", NULL,
     "Threads that run requests; 0: chosen from the processors."},

    {"listen", "smtp", CONFIG_ADDRESS, "", NULL,
     "Where mail arrives from other servers: address:port, such as [::]:25 for all addresses. Port "
     "0 "
     "is any free port; the ports in use are written to run/listeners. Empty: off."},
    {"listen", "submission", CONFIG_ADDRESS, "", NULL,
     "Where users send mail, with STARTTLS (port 587)."},
    {"listen", "submissions", CONFIG_ADDRESS, "", NULL,
     "Where users send mail, TLS from the start (port 465)."},
    {"listen", "lmtp", CONFIG_ADDRESS, "", NULL,
     "Where a mail server in front of this one hands mail over (LMTP), from this machine and "
     "[transport] trusted only."},
    {"listen", "proxy", CONFIG_STRING, "", NULL,
     "Names of services, separated by commas (smtp, imaps, ...), that are reached through a load "
     "balancer: each connection begins with a header of the PROXY protocol (version 1 or 2), and "
     "comes from [transport] trusted."},
    {"listen", "imap", CONFIG_ADDRESS, "", NULL, "IMAP with STARTTLS (port 143)."},
    {"listen", "imaps", CONFIG_ADDRESS, "", NULL, "IMAP, TLS from the start (port 993)."},
    {"listen", "pop3", CONFIG_ADDRESS, "", NULL, "POP3 with STARTTLS (port 110)."},
    {"listen", "pop3s", CONFIG_ADDRESS, "", NULL, "POP3, TLS from the start (port 995)."},
    {"listen", "http", CONFIG_ADDRESS, "", NULL, "HTTP without TLS (port 80)."},
    {"listen", "https", CONFIG_ADDRESS, "", NULL,
     "HTTPS (port 443): Outlook, Exchange Web Services, ActiveSync, DAV, web mail."},
    {"listen", "ldap", CONFIG_ADDRESS, "", NULL, "Address book by LDAP (port 389)."},
    {"listen", "ldaps", CONFIG_ADDRESS, "", NULL, "Address book by LDAP with TLS (port 636)."},

    {"tls", "cert", CONFIG_STRING, "", NULL,
     "Certificate chain in PEM, the server's own first. Empty: the one in tls/, made by `bourse "
     "init` "
     "and renewed by itself. SIGHUP reads a new one."},
    {"tls", "key", CONFIG_STRING, "", NULL, "The certificate's private key in PEM."},

    {"store", "durable", CONFIG_BOOL, "true", NULL,
     "Whether a change is on the disk before a client is told so. false is for tests only: after a "
     "power failure acknowledged mail may be gone."},
    {"store", "idle_mailboxes", CONFIG_INT, "64", NULL,
     "Mailboxes that are kept open while nobody uses them."},
    {"store", "index", CONFIG_CHOICE, "on-demand", "on-demand|always|off",
     "Full-text indexes: on-demand, a mailbox gets one when it is first searched; always, every "
     "mailbox that is used has one; off, none is made and none grows (searches read messages)."},
    {"store", "index_converter", CONFIG_STRING, "", NULL,
     "A program that makes text of attachments we cannot read (office documents, PDF): it gets the "
     "attachment on standard input, its type and name as arguments, and prints UTF-8. Empty: "
     "none."},

    {"store", "keep_deleted", CONFIG_DURATION, "14d", NULL,
     "How long deleted messages and folders can be restored."},
    {"store", "nightly", CONFIG_STRING, "02:00", NULL,
     "When (local time) the nightly pass begins: retention, purging what was deleted long ago, "
     "telling owners of full mailboxes. Empty: never."},
    {"store", "databases", CONFIG_STRING, "", NULL,
     "More folders for mailboxes beside store/, which is called default: name=path, separated by "
     "commas; relative paths count from the data directory. `bourse move` moves mailboxes between "
     "them."},

    {"directory", "backend", CONFIG_CHOICE, "embedded", "embedded",
     "Where users are kept: embedded is directory.db."},

    {"auth", "plaintext", CONFIG_CHOICE, "never", "never|loopback",
     "Whether passwords may come over a connection without TLS: never, or only from this machine."},
    {"auth", "ntlm", CONFIG_BOOL, "false", NULL,
     "Whether to let in by NTLM, and to keep what it needs: the NT hash of every password set or "
     "used "
     "from now on, which is as good as the password to whoever steals it."},
    {"auth", "scram_iterations", CONFIG_INT, "100000", NULL,
     "SCRAM-SHA-256: how much work a guess is to somebody who stole the keys kept for it, and a "
     "login to the client. 4096 at least; 0: no SCRAM, and no keys are kept."},
    {"auth", "oauth_issuer", CONFIG_STRING, "", NULL,
     "Bearer tokens (XOAUTH2, OAUTHBEARER) of this issuer are taken instead of passwords: what "
     "their "
     "claim iss says. Empty: none are."},
    {"auth", "oauth_audience", CONFIG_STRING, "", NULL,
     "What the tokens' claim aud has to name. Needed with oauth_issuer."},
    {"auth", "oauth_keys", CONFIG_STRING, "", NULL,
     "The issuer's public keys: a file in PEM or a JWK set, relative to the data directory; read "
     "again when it changes. Needed with oauth_issuer."},
    {"auth", "oauth_claim", CONFIG_STRING, "email", NULL,
     "The claim of a token that names the user: an address or another login name."},
    {"auth", "gssapi_keytab", CONFIG_STRING, "", NULL,
     "Kerberos (GSSAPI): a keytab with the keys of smtp/HOST, imap/HOST and pop/HOST, relative to "
     "the data directory. Empty: off."},
    {"auth", "gssapi_realm", CONFIG_STRING, "", NULL,
     "The realm whose principals are users here. Empty: principals of a realm that is one of our "
     "domains in capitals."},

    {"transport", "workers", CONFIG_INT, "4", NULL, "Threads that deliver from the queue."},
    {"transport", "retry", CONFIG_DURATION, "1m", NULL,
     "How long to wait before a delivery that failed is tried again; doubled each time."},
    {"transport", "retry_max", CONFIG_DURATION, "1h", NULL, "The longest such wait."},
    {"transport", "expire", CONFIG_DURATION, "2d", NULL, "When to give up and tell the sender."},
    {"transport", "delay_warning", CONFIG_DURATION, "4h", NULL,
     "When to tell the sender that it takes longer."},
    {"transport", "journal", CONFIG_STRING, "", NULL,
     "Address that gets a journal report of every message, with the message in it. Users can have "
     "their own (`bourse user set --journal`)."},
    {"transport", "journal_domains", CONFIG_STRING, "", NULL,
     "The same for mail from and to some domains: domain=address, separated by commas."},
    {"transport", "duplicates", CONFIG_DURATION, "1h", NULL,
     "How long a mailbox remembers the Message-ID of what arrived, to drop the same message when "
     "it comes another way; 0: it keeps both."},
    {"transport", "smarthost", CONFIG_STRING, "", NULL,
     "host:port of a server that takes all mail for other domains. Empty: mail goes to the servers "
     "that the DNS names (MX)."},
    {"transport", "smarthost_user", CONFIG_STRING, "", NULL,
     "The name to log in to the smarthost with. Empty: no login."},
    {"transport", "smarthost_password_file", CONFIG_STRING, "", NULL,
     "File whose first line is the password for the smarthost; relative paths count from the data "
     "directory."},
    {"transport", "smarthost_tls", CONFIG_CHOICE, "verified",
     "verified|implicit|required|opportunistic|off",
     "TLS to the smarthost: verified, with a certificate for its name; implicit, the same from the "
     "first byte (port 465); required, with any certificate; opportunistic, where it is offered; "
     "off. A password goes only over TLS, unless this is off."},
    {"transport", "routes", CONFIG_STRING, "", NULL,
     "Servers that take the mail of single domains, before smarthost and DNS: domain=host:port, "
     "separated by commas; a domain that begins with a dot means all below it."},
    {"transport", "tls", CONFIG_CHOICE, "opportunistic", "opportunistic|required|off",
     "TLS to other servers where neither DANE nor MTA-STS asks for more."},
    {"transport", "dane", CONFIG_BOOL, "true", NULL,
     "Whether to look for TLSA records (they count only where the DNS is signed)."},
    {"transport", "mta_sts", CONFIG_BOOL, "true", NULL,
     "Whether to look for MTA-STS policies of domains."},
    {"transport", "ca", CONFIG_STRING, "", NULL,
     "Certificates in PEM that servers' certificates must lead to where they are verified. Empty: "
     "the system's."},
    {"transport", "port", CONFIG_INT, "25", NULL, "The port of other servers."},
    {"transport", "mta_sts_port", CONFIG_INT, "443", NULL,
     "The port policies are fetched from; for tests."},
    {"transport", "connections", CONFIG_INT, "200", NULL,
     "Connections to other servers at a time; those that wait for a slow server do not count."},
    {"transport", "connections_per_domain", CONFIG_INT, "20", NULL,
     "Of them to one destination; it begins with 5."},
    {"transport", "timeout_connect", CONFIG_DURATION, "30s", NULL,
     "How long another server may take to accept a connection."},
    {"transport", "timeout_command", CONFIG_DURATION, "5m", NULL,
     "How long it may take to answer a command."},
    {"transport", "timeout_data", CONFIG_DURATION, "2m", NULL,
     "How long it may take to answer DATA; half more for each block of the message."},
    {"transport", "timeout_end", CONFIG_DURATION, "10m", NULL,
     "How long it may take to accept a message that it has received."},

    {"track", "keep", CONFIG_DURATION, "30d", NULL,
     "How long the tracking log is kept, which `bourse track` reads: what became of each message. "
     "0: none is written."},
    {"track", "subjects", CONFIG_BOOL, "false", NULL, "Whether subjects are written into it."},

    {"transport", "trusted", CONFIG_STRING, "", NULL,
     "Networks of mail servers and load balancers in front of this one, such as 10.0.0.0/8, "
     "2001:db8::/32: they may name the real client (XCLIENT, PROXY protocol) and use LMTP; what "
     "they send is not checked by [policy] again (127.0.0.1, if programs of this machine send "
     "through it)."},
    {"transport", "relay_domains", CONFIG_STRING, "", NULL,
     "Domains of others, separated by commas, that we take mail for from anybody and send on."},

    {"smtp", "errors", CONFIG_INT, "20", NULL, "Errors of one connection before it is closed."},
    {"smtp", "unknown_recipients", CONFIG_INT, "100", NULL,
     "Refused recipients of one connection before it is closed."},
    {"smtp", "tarpit_after", CONFIG_INT, "5", NULL,
     "Errors and refused recipients of one connection that are answered at once; the answers to "
     "more of them come late."},
    {"smtp", "tarpit", CONFIG_DURATION, "5s", NULL,
     "How late; 0: not. This machine and [transport] trusted never wait."},
    {"smtp", "connections_per_minute", CONFIG_INT, "0", NULL,
     "Connections from one address (of IPv6, from a /64) in a minute, this machine and [transport] "
     "trusted excepted; 0: no limit. One more is told to come later."},
    {"smtp", "messages_per_minute", CONFIG_INT, "0", NULL,
     "Messages from one address in a minute; 0: no limit."},
    {"smtp", "user_messages_per_minute", CONFIG_INT, "0", NULL,
     "Messages that one user sends in a minute; 0: no limit."},
    {"smtp", "user_recipients_per_hour", CONFIG_INT, "0", NULL,
     "Recipients of one user's messages in an hour; 0: no limit."},
    {"smtp", "hide_clients", CONFIG_BOOL, "false", NULL,
     "Whether the addresses of users who send mail are left out of it (its Received field)."},

    {"http", "url", CONFIG_STRING, "", NULL,
     "What clients are told the server's address is (Autodiscover), such as "
     "https://mail.example.com. Empty: https, [server] hostname, and the port of [listen] https."},
    {"http", "idle", CONFIG_DURATION, "2m", NULL,
     "How long a connection of HTTP may be without a request, and a request or an answer without "
     "going on."},
    {"http", "access_log", CONFIG_STRING, "", NULL,
     "File that gets a line for each request (Common Log Format, and the milliseconds it took), "
     "relative to the data directory. Empty: none."},
    {"http", "metrics", CONFIG_STRING, "", NULL,
     "Networks that may read figures for Prometheus at /metrics, besides this machine."},

    {"ews", "requests_per_user", CONFIG_INT, "27", NULL,
     "Requests of one user that are worked on at a time; more are told to wait."},
    {"ews", "push", CONFIG_BOOL, "true", NULL,
     "Whether users may have notifications posted to a URL of their choice."},
    {"mapi", "session", CONFIG_DURATION, "15m", NULL,
     "How long a session of Outlook (MAPI over HTTP) without requests is kept."},
    {"mapi", "sessions", CONFIG_INT, "50000", NULL, "Sessions of all users."},
    {"mapi", "sessions_per_user", CONFIG_INT, "64", NULL,
     "Sessions of one user; one more ends the one unused longest."},
    {"mapi", "pending", CONFIG_DURATION, "15s", NULL,
     "How often a request that takes long is told to be alive."},
    {"mapi", "wait", CONFIG_DURATION, "5m", NULL,
     "How long a request for notifications waits without one."},

    {"imap", "folders", CONFIG_CHOICE, "all", "all|mail",
     "Which folders IMAP clients are shown: all of them, as Exchange does, or only those of mail "
     "(not calendars, contacts, tasks). Users can have their own (`bourse user set`)."},

    {"limits", "message", CONFIG_SIZE, "50M", NULL, "The largest message that is accepted."},
    {"limits", "quota_warn", CONFIG_SIZE, "0", NULL,
     "Size of a mailbox from which on its owner is told once a day; 0: none. Users can have their "
     "own (`bourse user set`), here and below."},
    {"limits", "quota_send", CONFIG_SIZE, "0", NULL,
     "Size of a mailbox from which on its owner cannot send; 0: none."},
    {"limits", "quota_receive", CONFIG_SIZE, "0", NULL,
     "Size of a mailbox beyond which nothing more is put into it; 0: none."},
    {"limits", "quota_recoverable", CONFIG_SIZE, "30G", NULL,
     "Size of what can be restored of a mailbox; beyond it the oldest is purged early (unless it "
     "is on hold); 0: none."},
    {"limits", "quota_archive_warn", CONFIG_SIZE, "0", NULL,
     "Size of an archive from which on its owner is told; 0: none."},
    {"limits", "quota_archive", CONFIG_SIZE, "0", NULL, "Size of an archive; 0: no limit."},
    {"limits", "messages", CONFIG_INT, "0", NULL, "Messages of a mailbox; 0: no limit."},
    {"limits", "folder_messages", CONFIG_INT, "10000000", NULL,
     "Messages of one folder; 0: no limit."},
    {"limits", "folders", CONFIG_INT, "100000", NULL, "Folders of a mailbox; 0: no limit."},
    {"limits", "subfolders", CONFIG_INT, "10000", NULL, "Folders in one folder; 0: no limit."},
    {"limits", "folder_depth", CONFIG_INT, "300", NULL, "Levels of folders (300 at most)."},
    {"limits", "recipients", CONFIG_INT, "1000", NULL, "Recipients of one message."},
    {"limits", "connections", CONFIG_INT, "10000", NULL, "Connections to one service at a time."},
    {"limits", "connections_per_address", CONFIG_INT, "100", NULL,
     "Connections to one service from one address (this machine excepted)."},
    {"limits", "idle", CONFIG_DURATION, "30m", NULL,
     "How long a logged-in client may be silent; 30 minutes at least by the standards."},
    {"limits", "pop3_login_delay", CONFIG_DURATION, "0s", NULL,
     "How long a user has to wait between two logins by POP3; 0s: not at all."},
    {"limits", "shutdown", CONFIG_DURATION, "10s", NULL,
     "How long connections have to finish when the server stops."},

    {"dns", "servers", CONFIG_STRING, "", NULL,
     "Name servers that are asked, address or address:port, separated by spaces. Empty: those of "
     "/etc/resolv.conf. root: none, names are resolved from the root servers down. off: nothing is "
     "asked, mail to other servers and the checks that need the DNS are off."},
    {"dns", "trust_anchor", CONFIG_STRING, "", NULL,
     "File with the DS or DNSKEY records that DNSSEC starts from. Empty: the system's root key "
     "(package dns-root-data). none: nothing is validated, for name servers that strip "
     "signatures."},
    {"dns", "timeout", CONFIG_DURATION, "10s", NULL, "How long one question may take in all."},

    {"policy", "enforce_dmarc", CONFIG_BOOL, "true", NULL,
     "Whether mail is refused when DMARC fails and the domain in its From asks for that. false: it "
     "gets a high spam confidence level only."},
    {"policy", "junk_threshold", CONFIG_INT, "5", NULL,
     "Spam confidence level (1 to 9) from which on a message goes to Junk Email, unless the user "
     "has "
     "another one (`bourse junk level`); 0: none does."},
    {"policy", "trusted_sealers", CONFIG_STRING, "", NULL,
     "Domains, separated by spaces, whose ARC seals are believed: what passed DMARC there is not "
     "refused here (mailing lists, forwarders)."},
    {"policy", "rspamd", CONFIG_STRING, "", NULL,
     "URL of an rspamd (its normal worker) that is asked about every message from outside: "
     "http://127.0.0.1:11333. Empty: none."},
    {"policy", "rspamd_down", CONFIG_CHOICE, "accept", "accept|defer",
     "What to do with mail while rspamd does not answer."},
    {"policy", "rspamd_timeout", CONFIG_DURATION, "10s", NULL, "How long to wait for its answer."},

    {"log", "level", CONFIG_CHOICE, "info", "debug|info|warning|error", "What is logged."},
    {"log", "target", CONFIG_CHOICE, "auto", "auto|stderr|journal",
     "Where: auto is the journal when it is there."},
    {NULL},
};

const struct config_item *settings_items(void) {
    return items;
}

enum ec settings_load(const char *dir, struct config **out, char **error_out) {
    g_autofree char *path = g_build_filename(dir, "bourse.conf", NULL);
    return config_load(path, settings_items(), out, error_out);
}

// "HH:MM" as minutes; anything else is never.
static uint32_t minutes_of(const char *text) {
    unsigned hours, minutes;
    char rest;
    if (sscanf(text, "%2u:%2u%c", &hours, &minutes, &rest) != 2 || hours > 23 || minutes > 59)
        return MAILBOX_NEVER;
    return hours * 60 + minutes;
}

void settings_mailbox(const struct config *config, struct mailbox_options *out) {
    *out = (struct mailbox_options){
        .quota_warn = (uint64_t)config_int(config, "limits", "quota_warn"),
        .quota_send = (uint64_t)config_int(config, "limits", "quota_send"),
        .quota_receive = (uint64_t)config_int(config, "limits", "quota_receive"),
        .quota_recoverable = (uint64_t)config_int(config, "limits", "quota_recoverable"),
        .quota_archive_warn = (uint64_t)config_int(config, "limits", "quota_archive_warn"),
        .quota_archive = (uint64_t)config_int(config, "limits", "quota_archive"),
        .message = (uint64_t)config_int(config, "limits", "message"),
        .messages = (uint32_t)MIN(config_int(config, "limits", "messages"), UINT32_MAX),
        .folder_items = (uint32_t)MIN(config_int(config, "limits", "folder_messages"), UINT32_MAX),
        .folders = (uint32_t)MIN(config_int(config, "limits", "folders"), UINT32_MAX),
        .subfolders = (uint32_t)MIN(config_int(config, "limits", "subfolders"), UINT32_MAX),
        .folder_depth = (uint32_t)MIN(config_int(config, "limits", "folder_depth"), UINT32_MAX),
        .keep_deleted = (uint32_t)MIN(config_int(config, "store", "keep_deleted"), UINT32_MAX),
        .junk_threshold = (uint32_t)MIN(config_int(config, "policy", "junk_threshold"), 10),
        .duplicates = (uint32_t)MIN(config_int(config, "transport", "duplicates"), UINT32_MAX),
        .nightly = minutes_of(config_string(config, "store", "nightly")),
        .mail_folders_only = strcmp(config_string(config, "imap", "folders"), "mail") == 0,
    };
}

void settings_dns(const struct config *config, struct dns_options *out) {
    *out = (struct dns_options){
        .servers = config_string(config, "dns", "servers"),
        .trust_anchor = config_string(config, "dns", "trust_anchor"),
        .timeout_ms = (unsigned)MIN(config_int(config, "dns", "timeout"), 3600) * 1000,
    };
}

void settings_policy(const struct config *config, struct policy_options *out) {
    *out = (struct policy_options){
        .hostname = config_string(config, "server", "hostname"),
        .enforces_dmarc = config_bool(config, "policy", "enforce_dmarc"),
        .trusted_sealers = config_string(config, "policy", "trusted_sealers"),
        .rspamd_url = config_string(config, "policy", "rspamd"),
        .rspamd_fail_closed = config_string(config, "policy", "rspamd_down")[0] == 'd',
        .rspamd_timeout_ms =
            (unsigned)MIN(config_int(config, "policy", "rspamd_timeout"), 600) * 1000,
    };
}

static const char *set_or_null(const struct config *config, const char *key) {
    const char *value = config_string(config, "auth", key);
    return *value ? value : NULL;
}

static char *path_or_null(const struct config *config, const char *dir, const char *key) {
    const char *value = set_or_null(config, key);
    return value ? g_canonicalize_filename(value, dir) : NULL;
}

enum ec settings_auth(const struct config *config, const char *dir, struct directory *directory,
                      struct auth **out) {
    int64_t iterations = config_int(config, "auth", "scram_iterations");
    g_autofree char *keys = path_or_null(config, dir, "oauth_keys");
    g_autofree char *keytab = path_or_null(config, dir, "gssapi_keytab");
    struct auth_options options = {
        .plaintext_loopback = config_string(config, "auth", "plaintext")[0] == 'l',
        .store_nt_hash = config_bool(config, "auth", "ntlm"),
        .scram_iterations = iterations > 0 ? (unsigned)CLAMP(iterations, 4096, 10000000) : 0,
        .hostname = config_string(config, "server", "hostname"),
        .oauth_issuer = set_or_null(config, "oauth_issuer"),
        .oauth_audience = set_or_null(config, "oauth_audience"),
        .oauth_keys = keys,
        .oauth_claim = set_or_null(config, "oauth_claim"),
        .gssapi_keytab = keytab,
        .gssapi_realm = set_or_null(config, "gssapi_realm"),
    };
    return auth_new(directory, &options, out);
}

static unsigned positive(const struct config *config, const char *key) {
    return (unsigned)CLAMP(config_int(config, "mapi", key), 1, G_MAXINT32);
}

void settings_mapi(const struct config *config, struct mapihttp_options *out) {
    out->session_seconds = positive(config, "session");
    out->pending_seconds = positive(config, "pending");
    out->wait_seconds = positive(config, "wait");
    out->max_sessions = positive(config, "sessions");
    out->max_user_sessions = positive(config, "sessions_per_user");
}

struct profile {
    const char *name;
    const char *values[16][3];
};

static const struct profile profiles[] = {
    {"production",
     {{"listen", "smtp", "[::]:25"},
      {"listen", "submission", "[::]:587"},
      {"listen", "submissions", "[::]:465"},
      {"listen", "imap", "[::]:143"},
      {"listen", "imaps", "[::]:993"},
      {"listen", "pop3", "[::]:110"},
      {"listen", "pop3s", "[::]:995"},
      {"listen", "http", "[::]:80"},
      {"listen", "https", "[::]:443"}}},
    {"demo",
     {{"listen", "smtp", "127.0.0.1:2525"},
      {"listen", "submission", "127.0.0.1:2587"},
      {"listen", "submissions", "127.0.0.1:2465"},
      {"listen", "imap", "127.0.0.1:2143"},
      {"listen", "imaps", "127.0.0.1:2993"},
      {"listen", "pop3", "127.0.0.1:2110"},
      {"listen", "pop3s", "127.0.0.1:2995"},
      {"listen", "http", "127.0.0.1:2080"},
      {"listen", "https", "127.0.0.1:2443"},
      {"dns", "servers", "off"},
      {"auth", "plaintext", "loopback"}}},
    {"test",
     {{"listen", "smtp", "127.0.0.1:0"},
      {"listen", "submission", "127.0.0.1:0"},
      {"listen", "submissions", "127.0.0.1:0"},
      {"listen", "lmtp", "127.0.0.1:0"},
      {"listen", "imap", "127.0.0.1:0"},
      {"listen", "imaps", "127.0.0.1:0"},
      {"listen", "pop3", "127.0.0.1:0"},
      {"listen", "pop3s", "127.0.0.1:0"},
      {"listen", "http", "127.0.0.1:0"},
      {"listen", "https", "127.0.0.1:0"},
      {"dns", "servers", "off"},
      {"auth", "plaintext", "loopback"}}},
};

struct config *settings_new(const char *profile, const char *hostname, const char *organization) {
    struct config *config = config_new(settings_items());
    for (unsigned i = 0; i < G_N_ELEMENTS(profiles); i++)
        if (strcmp(profiles[i].name, profile) == 0)
            for (unsigned k = 0; profiles[i].values[k][0]; k++) {
                const char *const *v = profiles[i].values[k];
                enum ec ec = config_set(config, v[0], v[1], v[2]);
                g_assert(ec == EC_OK);
            }
    config_set(config, "server", "hostname", hostname);
    config_set(config, "server", "organization", organization);
    return config;
}
