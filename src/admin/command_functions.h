// The functions behind the table, by file.
#pragma once

#include "admin/command.h"

// user_commands.c
int user_add(struct command_call *call);
int user_list(struct command_call *call);
int user_show(struct command_call *call);
int user_set(struct command_call *call);
int user_passwd(struct command_call *call);
int user_disable(struct command_call *call);
int user_enable(struct command_call *call);
int user_delete(struct command_call *call);

// access_commands.c: rights over whole mailboxes
int user_grant(struct command_call *call);
int user_revoke(struct command_call *call);
int user_rights(struct command_call *call);

// recipient_commands.c: groups, rooms, contacts
int group_add(struct command_call *call);
int group_list(struct command_call *call);
int group_show(struct command_call *call);
int group_set(struct command_call *call);
int restrict_recipient(struct command_call *call);
int group_delete(struct command_call *call);
int group_members_list(struct command_call *call);
int group_members_add(struct command_call *call);
int group_members_remove(struct command_call *call);
int room_add(struct command_call *call);
int room_list(struct command_call *call);
int room_show(struct command_call *call);
int room_set(struct command_call *call);
int room_delete(struct command_call *call);
int contact_add(struct command_call *call);
int contact_list(struct command_call *call);
int contact_show(struct command_call *call);
int contact_set(struct command_call *call);
int contact_delete(struct command_call *call);

// address_commands.c: aliases, domains
int alias_add(struct command_call *call);
int alias_list(struct command_call *call);
int alias_show(struct command_call *call);
int alias_delete(struct command_call *call);
int domain_add(struct command_call *call);
int domain_list(struct command_call *call);
int domain_show(struct command_call *call);
int domain_set(struct command_call *call);
int domain_delete(struct command_call *call);

// folder_commands.c, message_commands.c
int folder_list_command(struct command_call *call);
int folder_create_command(struct command_call *call);
int folder_delete_command(struct command_call *call);
int folder_grant_command(struct command_call *call);
int folder_rights_command(struct command_call *call);
int message_list_command(struct command_call *call);
int message_show_command(struct command_call *call);

// public_commands.c
int public_add(struct command_call *call);
int public_list(struct command_call *call);
int public_show(struct command_call *call);
int public_set(struct command_call *call);
int public_delete(struct command_call *call);
int public_mail_enable(struct command_call *call);
int public_mail_disable(struct command_call *call);

// recover_commands.c, retention_commands.c
int recover_list_command(struct command_call *call);
int recover_restore_command(struct command_call *call);
int recover_folders_command(struct command_call *call);
int recover_folder_command(struct command_call *call);
int hold_show_command(struct command_call *call);
int hold_set_command(struct command_call *call);
int retention_add_command(struct command_call *call);
int retention_list_command(struct command_call *call);
int retention_delete_command(struct command_call *call);
int retention_assign_command(struct command_call *call);
int retention_run_command(struct command_call *call);

// import_command.c, import_client.c, export_command.c, export_client.c
int import_command(struct command_call *call);
int import_client(struct client_call *call);
int export_command(struct command_call *call);
int export_client(struct client_call *call);
// convert_command.c
int convert_command(struct command_call *call);

// index_command.c
int index_command(struct command_call *call);
// move_command.c, migrate_command.c
int move_command(struct command_call *call);
int migrate_command(struct command_call *call);

// backup_command.c, backup_target_commands.c, restore_command.c
int backup_command(struct command_call *call);
int backup_list_command(struct command_call *call);
int backup_verify_command(struct command_call *call);
int backup_prune_command(struct command_call *call);
int restore_command(struct command_call *call);

// server_commands.c, queue_commands.c, help.c
int status_command(struct command_call *call);
int check_command(struct command_call *call);
int queue_list_command(struct command_call *call);
int queue_retry_command(struct command_call *call);
int queue_show_command(struct command_call *call);
int queue_destinations_command(struct command_call *call);
int queue_hold_command(struct command_call *call);
int queue_release_command(struct command_call *call);
int queue_flush_command(struct command_call *call);
int queue_drop_command(struct command_call *call);
int track_command(struct command_call *call);
int help_command(struct command_call *call);
int version_command(struct command_call *call);

// dkim_commands.c, dns_commands.c
int dkim_create_command(struct command_call *call);
int dkim_list_command(struct command_call *call);
int dkim_show_command(struct command_call *call);
int dkim_delete_command(struct command_call *call);
int dns_command(struct command_call *call);

// junk_commands.c
int junk_list_command(struct command_call *call);
int junk_add_command(struct command_call *call);
int junk_remove_command(struct command_call *call);
int junk_level_command(struct command_call *call);

// The composition root's
int init_command(struct command_call *call);
int serve_command(struct command_call *call);
int probe_command(struct command_call *call);
