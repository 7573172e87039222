// The command table. A command is one file (or one of a group that shares everything) and one row.
#include "protocol/imap/imap_commands.h"

#include <string.h>

#include "protocol/imap/imap_session.h"

static const struct imap_command commands[] = {
    {"APPEND", cmd_append, CMD_LOGGED_IN},
    {"AUTHENTICATE", cmd_authenticate, CMD_NOT_AUTH},
    {"CANCELUPDATE", cmd_cancelupdate, CMD_SELECTED},
    {"CAPABILITY", cmd_capability, CMD_ANY | CMD_NO_ARGS},
    {"CHECK", cmd_check, CMD_SELECTED | CMD_NO_ARGS},
    {"CLOSE", cmd_close, CMD_SELECTED | CMD_NO_ARGS | CMD_NO_SYNC},
    {"COMPRESS", cmd_compress, CMD_LOGGED_IN},
    {"COPY", cmd_copy, CMD_SELECTED | CMD_UID},
    {"CREATE", cmd_create, CMD_LOGGED_IN},
    {"DELETE", cmd_delete, CMD_LOGGED_IN},
    {"DELETEACL", cmd_deleteacl, CMD_LOGGED_IN},
    {"ENABLE", cmd_enable, CMD_LOGGED_IN},
    {"ESEARCH", cmd_esearch, CMD_LOGGED_IN | CMD_NO_EXPUNGE},
    {"EXAMINE", cmd_examine, CMD_LOGGED_IN | CMD_NO_SYNC},
    {"EXPUNGE", cmd_expunge, CMD_SELECTED | CMD_UID | CMD_UID_ONLY_ARGS},
    {"FETCH", cmd_fetch, CMD_SELECTED | CMD_UID | CMD_NO_EXPUNGE},
    {"GETACL", cmd_getacl, CMD_LOGGED_IN},
    {"GETMETADATA", cmd_getmetadata, CMD_LOGGED_IN},
    {"GETQUOTA", cmd_getquota, CMD_LOGGED_IN},
    {"GETQUOTAROOT", cmd_getquotaroot, CMD_LOGGED_IN},
    {"ID", cmd_id, CMD_ANY},
    {"IDLE", cmd_idle, CMD_LOGGED_IN | CMD_NO_ARGS},
    {"LIST", cmd_list, CMD_LOGGED_IN},
    {"LISTRIGHTS", cmd_listrights, CMD_LOGGED_IN},
    {"LOGIN", cmd_login, CMD_NOT_AUTH},
    {"LOGOUT", cmd_logout, CMD_ANY | CMD_NO_ARGS | CMD_NO_SYNC},
    {"LSUB", cmd_lsub, CMD_LOGGED_IN},
    {"MOVE", cmd_move, CMD_SELECTED | CMD_UID},
    {"MYRIGHTS", cmd_myrights, CMD_LOGGED_IN},
    {"NAMESPACE", cmd_namespace, CMD_LOGGED_IN | CMD_NO_ARGS},
    {"NOOP", cmd_noop, CMD_ANY | CMD_NO_ARGS},
    {"NOTIFY", cmd_notify, CMD_LOGGED_IN},
    {"RENAME", cmd_rename, CMD_LOGGED_IN},
    {"REPLACE", cmd_replace, CMD_SELECTED | CMD_UID},
    {"SEARCH", cmd_search, CMD_SELECTED | CMD_UID | CMD_NO_EXPUNGE},
    {"SELECT", cmd_select, CMD_LOGGED_IN | CMD_NO_SYNC},
    {"SETACL", cmd_setacl, CMD_LOGGED_IN},
    {"SETMETADATA", cmd_setmetadata, CMD_LOGGED_IN},
    {"SETQUOTA", cmd_setquota, CMD_LOGGED_IN},
    {"SORT", cmd_sort, CMD_SELECTED | CMD_UID | CMD_NO_EXPUNGE},
    {"STARTTLS", cmd_starttls, CMD_NOT_AUTH | CMD_NO_ARGS},
    {"STATUS", cmd_status, CMD_LOGGED_IN},
    {"STORE", cmd_store, CMD_SELECTED | CMD_UID | CMD_NO_EXPUNGE},
    {"SUBSCRIBE", cmd_subscribe, CMD_LOGGED_IN},
    {"THREAD", cmd_thread, CMD_SELECTED | CMD_UID | CMD_NO_EXPUNGE},
    {"UNSELECT", cmd_unselect, CMD_SELECTED | CMD_NO_ARGS | CMD_NO_SYNC},
    {"UNSUBSCRIBE", cmd_unsubscribe, CMD_LOGGED_IN},
};

const struct imap_command *imap_find_command(const char *name, size_t len) {
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strlen(commands[i].name) == len &&
            g_ascii_strncasecmp(commands[i].name, name, len) == 0)
            return &commands[i];
    return NULL;
}
