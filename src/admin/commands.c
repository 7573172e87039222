// The table of commands. The order is the order of `bourse help` and of the manual page.
#include "admin/command_functions.h"

#define OPTIONS(...)                                                                               \
    (const struct command_option[]) {                                                              \
        __VA_ARGS__, {                                                                             \
            NULL                                                                                   \
        }                                                                                          \
    }

#define PASSWORD_STDIN                                                                             \
    { "password-stdin", NULL, "Read the password from the first line of standard input" }
#define YES                                                                                        \
    { "yes", NULL, "Do it without asking" }
#define PREFIX                                                                                     \
    { "prefix", "TEXT", "Only those whose name or address begins with TEXT" }
#define GRANT                                                                                      \
    OPTIONS({"to", "ADDRESS", "Who gets or loses the right (needed)"},                             \
            {"right", "full-access|send-as|send-on-behalf", "Which right (needed)"})
#define IN_FOLDER                                                                                  \
    { "folder", "FOLDER", "The folder's path, such as Inbox or \"Projects/2026\"" }
// What describes a person.
#define PERSON                                                                                     \
    {"given-name", "TEXT", "Given name"}, {"surname", "TEXT", "Family name"},                      \
        {"initials", "TEXT", "Initials"}, {"title", "TEXT", "Job title"},                          \
        {"department", "TEXT", "Department"}, {"company", "TEXT", "Company"},                      \
        {"office", "TEXT", "Office"}, {"phone", "TEXT", "Business telephone"},                     \
        {"mobile", "TEXT", "Mobile telephone"}, {                                                  \
        "notes", "TEXT", "Notes"                                                                   \
    }
#define IN_ARCHIVE                                                                                 \
    { "archive", NULL, "The user's archive instead of the mailbox" }
#define QUOTAS                                                                                     \
    {"quota-warn", "SIZE",                                                                         \
     "From which size on the user is told once a day; here and below: 0 is "                       \
     "the default of bourse.conf, none is no limit"},                                              \
        {"quota-send", "SIZE", "From which size on the user cannot send"},                         \
        {"quota-receive", "SIZE", "Size of the mailbox; the same as --quota"},                     \
        {"quota-recoverable", "SIZE", "Size of what can be restored"},                             \
        {"quota-archive", "SIZE", "Size of the archive"},                                          \
        {"quota-archive-warn", "SIZE", "From which size of the archive on the user is told"},      \
        {"imap-folders", "all|mail|default", "Which folders IMAP clients are shown"}, {            \
        "archive", "on|off", "Whether the user has an archive mailbox; off keeps its file"         \
    }
#define MAIL                                                                                       \
    {"forward", "ADDRESS", "Send on all mail to this address; \"\": no longer"},                   \
        {"keep-copy", "yes|no", "Whether the mailbox keeps what is sent on"},                      \
        {"receipts", "protocol|always|never",                                                      \
         "Who sends read receipts that senders ask for: protocol, the server for clients that "    \
         "leave it to the server; always, the server for all clients"},                            \
        {"sent-copy", "yes|no", "Whether Sent Items gets what others send in the user's name"}, {  \
        "journal", "ADDRESS", "Send a journal report of all mail to and from the user"             \
    }
#define RECOVER                                                                                    \
    {"folder", "FOLDER", "Only what was in this folder or below it"},                              \
        {"subject", "TEXT", "Only with this in the subject"},                                      \
        {"from", "TEXT", "Only with this in the sender's name"},                                   \
        {"since", "DATE", "Only what was deleted then or later"},                                  \
        {"before", "DATE", "Only what was deleted before"},                                        \
        {"id", "N", "Only this message (`recover list` shows the ids)"},                           \
        {"held", NULL, "Also what a hold keeps: purged messages and earlier versions"}, IN_ARCHIVE
#define JUNK_LISTS_OPTIONS                                                                         \
    {"safe-sender", "ADDRESS", "Whose mail is not junk"},                                          \
        {"blocked-sender", "ADDRESS", "Whose mail is junk"}, {                                     \
        "safe-recipient", "ADDRESS", "Mail to this list or address is not junk"                    \
    }
#define HIDDEN                                                                                     \
    { "hidden", "yes|no", "Whether address lists leave it out" }
#define NAME                                                                                       \
    { "name", "TEXT", "Display name" }

const struct command admin_commands[] = {
    {"init", "DIR",
     OPTIONS(
         {"domain", "DOMAIN", "The mail domain, such as example.com (needed)"},
         {"organization", "TEXT", "Name of the organization; the domain if not given"},
         {"hostname", "NAME", "Name this server has in the DNS; mail.DOMAIN if not given"},
         {"profile", "production|demo|test",
          "Where it listens: standard ports on all addresses, high ports on this machine only, or "
          "any free ports on this machine only"},
         {"user", "NAME", "System user the server runs as; DIR is given to it (as root)"}),
     COMMAND_LOCAL, "Make a data directory",
     "Makes DIR with its configuration (bourse.conf), a certificate authority and a certificate of "
     "its "
     "own (tls/), a directory with the domain, and an empty store. DIR must be new or empty.\n"
     "Let clients trust DIR/tls/ca.pem, or name your own certificate in bourse.conf, [tls].",
     init_command},
    {"serve", "DIR", NULL, COMMAND_LOCAL, "Run the server in the foreground",
     "Prints `bourse: ready' when every listener answers; the ports in use stand in "
     "DIR/run/listeners. "
     "SIGTERM or SIGINT stops it: connections are told, commands under way are finished. SIGHUP "
     "reads "
     "the log level and the certificate files again.",
     serve_command},

    {"user add", "DIR ADDRESS",
     OPTIONS(NAME, PASSWORD_STDIN, {"no-password", NULL, "Nobody can log in until one is set"},
             {"shared", NULL, "A shared mailbox: nobody logs in to it (folder grant gives access)"},
             {"locale", "LOCALE", "Language of the folder names, such as en or de"},
             {"quota", "SIZE", "Mailbox limit, such as 2G; 0: the default"}, QUOTAS, HIDDEN,
             PERSON),
     COMMAND_PASSWORD, "Add a user with a mailbox",
     "The password is asked for on the terminal, or read with --password-stdin.", user_add},
    {"user list", "DIR", OPTIONS(PREFIX, {"shared", NULL, "Only shared mailboxes"}), 0,
     "List users and shared mailboxes", NULL, user_list},
    {"user show", "DIR USER", NULL, 0, "Show everything about a user",
     "USER is an address of the user, here and in all other commands.", user_show},
    {"user set", "DIR USER",
     OPTIONS(NAME, {"address", "ADDRESS", "New primary address; the old one stays as an alias"},
             {"protocols", "LIST",
              "What the user may use: all, none, or of smtp,imap,pop3,ews,mapi,eas,dav,ldap,web"},
             {"locale", "LOCALE", "Language, such as en or de"},
             {"quota", "SIZE", "Mailbox limit, such as 2G; 0: the default"}, QUOTAS, MAIL, HIDDEN,
             PERSON),
     0, "Change a user", "Text options take \"\" to clear.", user_set},
    {"user passwd", "DIR USER", OPTIONS(PASSWORD_STDIN), COMMAND_PASSWORD, "Set a password", NULL,
     user_passwd},
    {"user disable", "DIR USER", NULL, 0, "Let a user no longer log in; mail still arrives", NULL,
     user_disable},
    {"user enable", "DIR USER", NULL, 0, "Let a disabled user log in again", NULL, user_enable},
    {"user delete", "DIR USER",
     OPTIONS(YES, {"keep-mailbox", NULL, "Leave the mailbox's file in the store"}), COMMAND_CONFIRM,
     "Delete a user and the mailbox", NULL, user_delete},

    {"user grant", "DIR USER", GRANT, 0, "Give somebody rights over a mailbox",
     "full-access: everything in the mailbox, as its owner. send-as: mail from USER's addresses as "
     "if USER sent it. send-on-behalf: the same, with the one who sends named in Sender. USER may "
     "also be a group (to send as it), ADDRESS a user or a group.",
     user_grant},
    {"user revoke", "DIR USER", GRANT, 0, "Take rights over a mailbox away", NULL, user_revoke},
    {"user rights", "DIR USER", NULL, 0, "Show who has rights over a mailbox", NULL, user_rights},

    {"group add", "DIR ADDRESS",
     OPTIONS(NAME,
             {"filter", "FILTER",
              "A dynamic group: everybody the filter fits, such as \"department = Sales\" or the "
              "LDAP filter \"(&(kind=user)(office=Berl*))\""},
             HIDDEN, {"notes", "TEXT", "Notes"}),
     0, "Add a group", NULL, group_add},
    {"group list", "DIR", OPTIONS(PREFIX), 0, "List groups", NULL, group_list},
    {"group show", "DIR GROUP", NULL, 0, "Show a group and its members", NULL, group_show},
    {"group set", "DIR GROUP",
     OPTIONS(NAME, {"address", "ADDRESS", "New primary address; the old one stays as an alias"},
             {"filter", "FILTER", "Filter of a dynamic group"}, HIDDEN, {"notes", "TEXT", "Notes"}),
     0, "Change a group", NULL, group_set},
    {"group delete", "DIR GROUP", OPTIONS(YES), COMMAND_CONFIRM, "Delete a group", NULL,
     group_delete},
    {"group members list", "DIR GROUP",
     OPTIONS({"expand", NULL, "Everybody a message to the group reaches, nested groups opened"}), 0,
     "List members of a group", NULL, group_members_list},
    {"group members add", "DIR GROUP MEMBER...", NULL, 0, "Add members to a group",
     "Members are addresses of users, rooms, contacts or other groups.", group_members_add},
    {"group members remove", "DIR GROUP MEMBER...", NULL, 0, "Take members out of a group", NULL,
     group_members_remove},

    {"restrict", "DIR RECIPIENT",
     OPTIONS({"authenticated-only", "YES|NO", "Whether only senders who logged in may write"},
             {"accept-from", "ADDRESSES",
              "Users and groups who alone may write, separated by commas; empty: everybody"},
             {"reject-from", "ADDRESSES", "Users and groups who may not write; empty: nobody"}),
     0, "Say who may write to a group, a user or a room, or show it", NULL, restrict_recipient},

    {"room add", "DIR ADDRESS",
     OPTIONS(NAME, {"equipment", NULL, "Equipment instead of a room"},
             {"capacity", "N", "Number of seats"}, {"office", "TEXT", "Where it is"},
             {"phone", "TEXT", "Telephone in the room"},
             {"locale", "LOCALE", "Language of the folder names"}, HIDDEN,
             {"notes", "TEXT", "Notes"}),
     0, "Add a room or equipment with a mailbox", NULL, room_add},
    {"room list", "DIR", OPTIONS(PREFIX), 0, "List rooms and equipment", NULL, room_list},
    {"room show", "DIR ROOM", NULL, 0, "Show a room", NULL, room_show},
    {"room set", "DIR ROOM",
     OPTIONS(NAME, {"address", "ADDRESS", "New primary address; the old one stays as an alias"},
             {"capacity", "N", "Number of seats"}, {"office", "TEXT", "Where it is"},
             {"phone", "TEXT", "Telephone in the room"}, HIDDEN, {"notes", "TEXT", "Notes"}),
     0, "Change a room", NULL, room_set},
    {"room delete", "DIR ROOM", OPTIONS(YES), COMMAND_CONFIRM, "Delete a room and its mailbox",
     NULL, room_delete},

    {"contact add", "DIR ADDRESS",
     OPTIONS(
         NAME,
         {"target", "ADDRESS", "Where mail to ADDRESS goes, if that is an address of our domain"},
         HIDDEN, PERSON),
     0, "Add somebody outside to the address lists", NULL, contact_add},
    {"contact list", "DIR", OPTIONS(PREFIX), 0, "List contacts", NULL, contact_list},
    {"contact show", "DIR CONTACT", NULL, 0, "Show a contact", NULL, contact_show},
    {"contact set", "DIR CONTACT",
     OPTIONS(NAME, {"target", "ADDRESS", "Where mail goes"}, HIDDEN, PERSON), 0, "Change a contact",
     NULL, contact_set},
    {"contact delete", "DIR CONTACT", OPTIONS(YES), COMMAND_CONFIRM, "Delete a contact", NULL,
     contact_delete},

    {"alias add", "DIR ALIAS USER", NULL, 0, "Give a user, group or room one more address", NULL,
     alias_add},
    {"alias list", "DIR [USER]", NULL, 0, "List aliases, of everybody or of one", NULL, alias_list},
    {"alias show", "DIR ALIAS", NULL, 0, "Show whose address it is", NULL, alias_show},
    {"alias delete", "DIR ALIAS", NULL, 0, "Take an alias away", NULL, alias_delete},

    {"domain add", "DIR DOMAIN", NULL, 0, "Receive mail for one more domain", NULL, domain_add},
    {"domain list", "DIR", NULL, 0, "List our domains", NULL, domain_list},
    {"domain show", "DIR DOMAIN", NULL, 0, "Show a domain", NULL, domain_show},
    {"domain set", "DIR DOMAIN",
     OPTIONS({"catchall", "ADDRESS",
              "Who gets mail for unknown addresses; \"\": it is refused, as usual"}),
     0, "Change a domain", NULL, domain_set},
    {"domain delete", "DIR DOMAIN", OPTIONS(YES), COMMAND_CONFIRM,
     "Remove a domain that no address uses", NULL, domain_delete},

    {"import", "DIR USER FILE...",
     OPTIONS({"folder", "FOLDER",
              "Where messages go; Inbox if not given. Folders of a Maildir or of a "
              "directory tree are made below it"},
             {"again", NULL, "Import also what was imported before"},
             {"flat", NULL, "Put everything into the one folder, whatever the tree"},
             {"crlf", NULL, "Store line ends as CRLF (files of Unix programs often have LF)"},
             {"file-dates", NULL, "Take the date of .eml files from the file, not from its header"},
             {"mbox-quoting", "auto|rd|none", "How \">From \" in mbox files is meant"},
             {"quiet", NULL, "No progress bar and no list of what was skipped"}, IN_ARCHIVE),
     0, "Import mail, contacts and Outlook data files",
     "Each FILE is a message (.eml; .msg, winmail.dat), contacts (.vcf), an mbox file, a Maildir "
     "(with its subfolders), an Outlook data file (.pst, with its folders), or a directory of "
     "such. "
     "Contacts go to Contacts if no folder is given. Messages keep their bytes, and their dates "
     "and flags where the format has them.\n"
     "An import that was interrupted goes on where it stopped when the same command is given again "
     "(within 30 days): messages that were imported before are passed over. What was skipped, and "
     "why, is listed at the end; the exit status is 1 when messages are missing.",
     import_command, import_client},
    {"export", "DIR USER OUT",
     OPTIONS({"format", "eml|mbox|maildir|msg|vcf", "What to write (needed)"},
             {"folder", "FOLDER", "Only this folder; all folders if not given"},
             {"quiet", NULL, "No progress bar"}, IN_ARCHIVE),
     0, "Export a mailbox as mail, .msg files or vCards",
     "With --folder, OUT is an mbox file, a directory of .eml files or a Maildir; without it OUT "
     "is a "
     "directory with one of these for each folder (maildir: one Maildir with subfolders). OUT must "
     "not "
     "exist, or be an empty directory. Messages in .eml and Maildir files are byte for byte what "
     "is "
     "stored; mbox files quote lines that begin with \"From \" (the mboxrd rules). The format msg "
     "writes a file with all properties of each message, whatever its class; vcf one file of "
     "contacts "
     "and distribution lists for each folder.",
     export_command, export_client},

    {"convert", "FROM TO",
     OPTIONS({"from", "FORMAT", "The format of FROM, when its name and its first bytes do not say"},
             {"to", "FORMAT", "The format of TO, when its name does not say"},
             {"version", "2.1|3.0|4.0", "The version of vCards that are written (default: 3.0)"}),
     COMMAND_LOCAL, "Convert a message, contact or text to another format",
     "Formats: eml (internet message), msg (Outlook), tnef (winmail.dat), vcf (vCard), rtf, lzfu "
     "(compressed RTF), html, txt. Messages lose nothing between msg and tnef; rtf, html and txt "
     "are "
     "the text of a message. TO may be - for standard output.",
     convert_command},

    {"folder list", "DIR USER", OPTIONS(IN_ARCHIVE), 0, "List the folders of a mailbox", NULL,
     folder_list_command},
    {"folder create", "DIR USER FOLDER", OPTIONS(IN_ARCHIVE), 0, "Create a folder", NULL,
     folder_create_command},
    {"folder delete", "DIR USER FOLDER", OPTIONS(YES), COMMAND_CONFIRM,
     "Delete a folder and its messages", NULL, folder_delete_command},
    {"folder grant", "DIR USER FOLDER MEMBER RIGHTS", NULL, 0, "Let others use a folder",
     "MEMBER is an address, default (everybody) or anonymous. RIGHTS is one of owner, "
     "publishing-editor, editor, publishing-author, author, nonediting-author, reviewer, "
     "contributor, "
     "none, or a list of read, create, edit-own, delete-own, edit-all, delete-all, subfolders, "
     "owner, contact, visible, free-busy, free-busy-details separated by commas.\n"
     "USER is public for the public folders.",
     folder_grant_command},
    {"folder rights", "DIR USER FOLDER", NULL, 0, "Show who may use a folder", NULL,
     folder_rights_command},

    {"public add", "DIR PATH", NULL, 0, "Add a public folder",
     "The first one makes the public store. Everybody may read it, write to it and change what "
     "they "
     "wrote (the role author) until `bourse folder grant DIR public PATH` says otherwise.",
     public_add},
    {"public list", "DIR", NULL, 0, "List the public folders", NULL, public_list},
    {"public show", "DIR PATH", NULL, 0, "Show a public folder, its limits and its address", NULL,
     public_show},
    {"public set", "DIR PATH",
     OPTIONS({"item-size", "SIZE", "Largest message, such as 10M; 0: no limit"},
             {"quota", "SIZE", "All messages together; 0: no limit"},
             {"age-days", "N", "Messages are deleted N days after they arrived; 0: never"}),
     0, "Change a public folder's limits", NULL, public_set},
    {"public delete", "DIR PATH", OPTIONS(YES), COMMAND_CONFIRM,
     "Delete a public folder and its messages", NULL, public_delete},
    {"public mail-enable", "DIR PATH ADDRESS", OPTIONS(NAME), 0,
     "Give a public folder an address: mail to it arrives there", NULL, public_mail_enable},
    {"public mail-disable", "DIR PATH", NULL, 0, "Take a public folder's address away", NULL,
     public_mail_disable},

    {"message list", "DIR USER",
     OPTIONS(IN_FOLDER, {"limit", "N", "At most N messages"}, {"newest", NULL, "The newest first"},
             IN_ARCHIVE),
     0, "List the messages of a folder", NULL, message_list_command},
    {"message show", "DIR USER UID",
     OPTIONS(IN_FOLDER, {"headers", NULL, "Only the header"}, IN_ARCHIVE), 0,
     "Print a message as it is stored", NULL, message_show_command},

    {"recover list", "DIR USER", OPTIONS(RECOVER), 0, "List deleted messages that can be restored",
     "Deleted messages can be restored for as long as bourse.conf says ([store] keep_deleted); "
     "DATE is a day such as 2026-01-31, or a time such as 2026-01-31T14:00:00.",
     recover_list_command},
    {"recover restore", "DIR USER",
     OPTIONS(RECOVER, {"all", NULL, "Everything that can be restored"},
             {"to", "FOLDER",
              "Where messages go whose folder is gone; it is made anew under its old path if not "
              "given"}),
     0, "Put deleted messages back into their folders", NULL, recover_restore_command},
    {"recover folders", "DIR USER", NULL, 0, "List deleted folders that can be restored", NULL,
     recover_folders_command},
    {"recover folder", "DIR USER FOLDER", NULL, 0,
     "Make a deleted folder again, with those below it and their messages", NULL,
     recover_folder_command},
    {"hold show", "DIR USER", NULL, 0, "Show the holds on a mailbox", NULL, hold_show_command},
    {"hold set", "DIR USER HOLD STATE",
     OPTIONS({"days", "N", "litigation: keep each message N days from its arrival; 0: always"}), 0,
     "Put a mailbox on hold, or end that",
     "HOLD is litigation (nothing is lost: what is deleted for good or changed is kept out of the "
     "user's sight) or single-item (the same, as long as deleted messages are kept anyway). STATE "
     "is on or off. Ending a hold lets the next nightly pass purge what it kept.",
     hold_set_command},
    {"retention add", "DIR NAME",
     OPTIONS({"action", "delete|purge|archive",
              "What becomes of messages: deleted and restorable for a while, deleted for good, or "
              "moved to the archive (needed)"},
             {"days", "N", "How old they become; 0: they stay (needed)"},
             {"folder", "FOLDER",
              "Applies by itself, to everything (all) or to a folder every mailbox has, by its "
              "English name; if not given, only where it is assigned"}),
     0, "Add a retention tag", NULL, retention_add_command},
    {"retention list", "DIR", NULL, 0, "List retention tags", NULL, retention_list_command},
    {"retention delete", "DIR NAME", OPTIONS(YES), COMMAND_CONFIRM, "Delete a retention tag",
     "Messages and folders that have it are no longer acted on.", retention_delete_command},
    {"retention assign", "DIR USER NAME", OPTIONS(IN_FOLDER, IN_ARCHIVE), 0,
     "Let a retention tag apply to a folder or a mailbox",
     "NAME none takes the tags away. Without --folder it is for the whole mailbox.",
     retention_assign_command},
    {"retention run", "DIR [USER]", NULL, 0, "Do now what the nightly pass does", NULL,
     retention_run_command},

    {"status", "DIR", NULL, 0, "Show what the server is doing", NULL, status_command},
    {"check", "DIR",
     OPTIONS({"repair", NULL, "Repair what can be derived from the rest"},
             {"contents", NULL, "Read every stored message too (slow)"},
             {"user", "USER", "Only this mailbox"}),
     0, "Verify the directory and every mailbox",
     "Prints a line for each fault. The exit status is 1 when faults remain.", check_command},
    {"index", "DIR [USER]",
     OPTIONS({"status", NULL, "Only show what there is"},
             {"rebuild", NULL, "Build a new index beside the one in use, which it then replaces"},
             {"drop", NULL, "Delete the index"}),
     0, "Build or show the full-text indexes of mailboxes",
     "Searches are quick in mailboxes that have an index. By default a mailbox gets one when it is "
     "first searched (bourse.conf, [store] index), and new messages are added in the background; "
     "this command does it at once, for one mailbox or all.\n"
     "The table shows how many messages are in the index, how many still have to be added, and how "
     "many are in it that the mailbox no longer has (too many of these lead to a rebuild).",
     index_command},
    {"backup", "DIR [USER...]",
     OPTIONS(
         {"to", "TARGET", "The folder that keeps the backups (needed); made when missing", true},
         {"incremental", NULL, "Pass over mailboxes that did not change since the last one"},
         {"quiet", NULL, "Do not show progress"}),
     0, "Back up everything, or some mailboxes, while in use",
     "Without USER: the configuration, the certificates, the directory, the queue and all "
     "mailboxes. "
     "Each mailbox is saved as it was at one moment; nobody has to wait. Only what TARGET does not "
     "have yet is stored, whatever was asked for; without --incremental what it has is read and "
     "compared too.\n"
     "A backup that was interrupted does not count; the next one goes on with what it had stored. "
     "TARGET holds mail and password hashes: keep it as safe as DIR.",
     backup_command},
    {"backup list", "TARGET", NULL, COMMAND_LOCAL, "List the backups of a folder", NULL,
     backup_list_command},
    {"backup verify", "TARGET [ID...]", NULL, COMMAND_LOCAL, "Read backups and compare checksums",
     "Prints a line for each fault. The exit status is 1 when there are any.",
     backup_verify_command},
    {"backup prune", "TARGET",
     OPTIONS({"keep", "N", "How many of the newest backups stay (needed)"}), COMMAND_LOCAL,
     "Delete old backups and what only they needed", NULL, backup_prune_command},

    {"restore", "DIR [USER]",
     OPTIONS({"from", "TARGET", "The folder that keeps the backups (needed)", true},
             {"at", "TIME|ID", "The newest backup up to that time, or the one with this id"},
             {"replace", NULL, "Put the backup in the place of the whole mailbox"},
             {"as", "USER", "Add to the mailbox of this user instead"},
             {"folder", "FOLDER", "Only this folder and those below it"},
             {"message", "UID,...|TEXT", "Only messages with these uids, or TEXT in the subject"},
             {"to", "FOLDER", "The folder to add to, instead of the one it was in"},
             {"list", NULL, "Only list the folders, or with --folder the messages"}),
     COMMAND_NEW_DIR, "Restore everything, a mailbox, folders or messages",
     "Without USER everything is restored to DIR, which must be new or empty. With USER the server "
     "may run. --replace puts the mailbox back to what it was; the file of before stays beside it "
     "as FILE.replaced, and clients connect again. Otherwise messages are added: those that are "
     "still in their folder are passed over.",
     restore_command},
    {"move", "DIR USER...",
     OPTIONS({"to", "DATABASE",
              "The database to move to (needed): default, or a name of [store] "
              "databases"}),
     0, "Move mailboxes to another database while they are used",
     "Databases are folders of mailbox files, named in bourse.conf, [store] databases. Clients "
     "stay "
     "connected. A move that was interrupted leaves the mailbox where it was, or has moved it; "
     "give "
     "the command again.",
     move_command},
    {"migrate", "DIR",
     OPTIONS({"status", NULL, "Only list the mailboxes and their versions"},
             {"forget-old", NULL, "Delete the files of before that migrations have kept"}),
     0, "Bring all mailboxes to the version of this program",
     "A mailbox is brought up when it is first opened; this does it ahead of use, one after the "
     "other. Each is migrated on a copy; the file of before stays beside it as FILE.old-vN until "
     "`bourse check` has found the mailbox sound, or --forget-old is given.",
     migrate_command},
    {"queue list", "DIR", NULL, 0, "List messages that wait for delivery", NULL,
     queue_list_command},
    {"queue show", "DIR ID", NULL, 0, "Show a message that waits: recipients, last replies", NULL,
     queue_show_command},
    {"queue destinations", "DIR", NULL, 0,
     "List the servers that mail goes to: connections, failures", NULL, queue_destinations_command},
    {"queue hold", "DIR ID", NULL, 0, "Keep a message from being tried until it is released", NULL,
     queue_hold_command},
    {"queue release", "DIR ID", NULL, 0, "Let a message go that was held", NULL,
     queue_release_command},
    {"queue flush", "DIR DOMAIN", NULL, 0, "Try again now what goes to a domain", NULL,
     queue_flush_command},
    {"queue retry", "DIR [ID]", NULL, 0, "Try to deliver again now, one message or all", NULL,
     queue_retry_command},
    {"queue drop", "DIR ID", OPTIONS(YES), COMMAND_CONFIRM, "Remove a message from the queue", NULL,
     queue_drop_command},
    {"junk list", "DIR USER", NULL, 0, "Show whom a user trusts, and the junk level", NULL,
     junk_list_command},
    {"junk add", "DIR USER", OPTIONS(JUNK_LISTS_OPTIONS), 0,
     "Add an address or domain to a user's junk lists",
     "Mail of safe senders and to safe recipients is never junk, unless it is forged; mail of "
     "blocked senders always is. A domain stands for those below it too.",
     junk_add_command},
    {"junk remove", "DIR USER", OPTIONS(JUNK_LISTS_OPTIONS), 0,
     "Take an address or domain out of a user's junk lists", NULL, junk_remove_command},
    {"junk level", "DIR USER LEVEL", NULL, 0, "Set from which level on a user's mail is junk",
     "LEVEL is off, low (6), medium (5), high (3), trusted-only (all mail but that of safe "
     "senders), "
     "default ([policy] junk_threshold), or a spam confidence level from 1 to 9.",
     junk_level_command},
    {"dkim create", "DIR DOMAIN",
     OPTIONS({"selector", "NAME", "The key's name in the DNS (default: s and the date)"},
             {"type", "rsa|ed25519", "Which kind (default: rsa, of 2048 bits)"}),
     0, "Make a key that mail of a domain is signed with",
     "Prints the TXT record to publish. All keys of a domain sign, so an RSA and an Ed25519 key "
     "may "
     "stand side by side. To change a key, make a new one, publish it, then delete the old one. "
     "Keys are kept in DIR/dkim/DOMAIN/SELECTOR.pem.",
     dkim_create_command},
    {"dkim list", "DIR [DOMAIN]", NULL, 0, "List the keys that mail is signed with", NULL,
     dkim_list_command},
    {"dkim show", "DIR DOMAIN", OPTIONS({"selector", "NAME", "Only this key"}), 0,
     "Show a domain's keys and their DNS records", NULL, dkim_show_command},
    {"dkim delete", "DIR DOMAIN", OPTIONS({"selector", "NAME", "Which key (needed)"}, YES),
     COMMAND_CONFIRM, "Delete a key: nothing is signed with it any more", NULL,
     dkim_delete_command},
    {"dns", "DIR [DOMAIN]",
     OPTIONS({"check", NULL,
              "Compare with what the DNS says now; exit status 1 when a record that "
              "is needed is not there"}),
     0, "Print the DNS records that our domains need",
     "In the syntax of zone files: MX, SPF, DKIM, DMARC, SRV and autodiscover for clients, TLSA "
     "from "
     "the certificate, MTA-STS and TLS reports.",
     dns_command},

    {"track", "DIR",
     OPTIONS(
         {"sender", "ADDRESS", "Only mail from this address; @domain: of a domain; <>: of none"},
         {"recipient", "ADDRESS", "Only mail to this address or @domain"},
         {"message-id", "ID", "Only the message with this Message-ID"},
         {"queue-id", "ID", "Only what happened to this entry of the queue"},
         {"since", "TIME", "Only what happened then or later"},
         {"until", "TIME", "Only what happened before"},
         {"limit", "N", "At most N events, the newest ones; without it 1000"}),
     0, "Show what became of messages",
     "Reads the tracking log: one line an event. TIME is a date (2026-11-24), a date and time "
     "(2026-11-24T10:00:00Z), or how long ago (90m, 2h, 7d).",
     track_command},

    {"probe", "TARGET",
     OPTIONS(PASSWORD_STDIN, {"user", "USER", "The login; TARGET when that is an address"},
             {"scenario", "NAME",
              "discover, addressbook, logon, inbox, send, notify or all (the default)"},
             {"ca", "FILE", "Certificates to trust beside the system's"},
             {"insecure", NULL, "Do not check certificates"}),
     COMMAND_LOCAL | COMMAND_PASSWORD, "Try a server from outside, as Outlook would",
     "TARGET is the user's address, or the URL of a server (then --user is the address). Works "
     "against any Exchange-compatible server, step by step: Autodiscover, the address book, the "
     "mailbox over MAPI over HTTP. Prints a line for each step and why it failed; the exit status "
     "is 1 when one has.\n"
     "send and notify leave messages in the user's own mailbox.",
     probe_command},

    {"help", "[COMMAND...]",
     OPTIONS({"man", NULL, "Print the manual page (roff)"},
             {"completion", NULL, "Print completion rules for bash"}),
     COMMAND_LOCAL, "Explain a command", NULL, help_command},
    {"version", "", NULL, COMMAND_LOCAL, "Print the version", NULL, version_command},
    {NULL},
};
