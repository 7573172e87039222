// The schema of bourse.conf, and the profiles of `bourse init`. The help texts become the comments
// of the file.
#include "main/settings.h"

#include <stdio.h>
#include <string.h>

#include "mailbox/quota.h"

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
     "Whether to keep what NTLM needs (the NT hash of every password set from now on)."},

    {"transport", "workers", CONFIG_INT, "4", NULL, "Threads that deliver from the queue."},
    {"transport", "retry", CONFIG_DURATION, "1m", NULL,
     "How long to wait before a delivery that failed is tried again; doubled each time."},
    {"transport", "retry_max", CONFIG_DURATION, "1h", NULL, "The longest such wait."},
    {"transport", "expire", CONFIG_DURATION, "2d", NULL, "When to give up and tell the sender."},

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
    {"limits", "shutdown", CONFIG_DURATION, "10s", NULL,
     "How long connections have to finish when the server stops."},

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
        .nightly = minutes_of(config_string(config, "store", "nightly")),
        .mail_folders_only = strcmp(config_string(config, "imap", "folders"), "mail") == 0,
    };
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
      {"listen", "pop3s", "[::]:995"}}},
    {"demo",
     {{"listen", "smtp", "127.0.0.1:2525"},
      {"listen", "submission", "127.0.0.1:2587"},
      {"listen", "submissions", "127.0.0.1:2465"},
      {"listen", "imap", "127.0.0.1:2143"},
      {"listen", "imaps", "127.0.0.1:2993"},
      {"listen", "pop3", "127.0.0.1:2110"},
      {"listen", "pop3s", "127.0.0.1:2995"},
      {"auth", "plaintext", "loopback"}}},
    {"test",
     {{"listen", "smtp", "127.0.0.1:0"},
      {"listen", "submission", "127.0.0.1:0"},
      {"listen", "submissions", "127.0.0.1:0"},
      {"listen", "imap", "127.0.0.1:0"},
      {"listen", "imaps", "127.0.0.1:0"},
      {"listen", "pop3", "127.0.0.1:0"},
      {"listen", "pop3s", "127.0.0.1:0"},
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
