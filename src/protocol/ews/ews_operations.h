// The functions of operations.c, by the files that have them.
#pragma once

#include "protocol/ews/ews_internal.h"

// --- Items (op_*_item.c) ---
enum ec op_get_item(struct ews_call *call);
enum ec op_create_item(struct ews_call *call);
enum ec op_update_item(struct ews_call *call);
enum ec op_delete_item(struct ews_call *call);
enum ec op_move_item(struct ews_call *call);
enum ec op_copy_item(struct ews_call *call);
enum ec op_send_item(struct ews_call *call);
enum ec op_archive_item(struct ews_call *call);
enum ec op_mark_all_items_as_read(struct ews_call *call);
enum ec op_mark_as_junk(struct ews_call *call);
enum ec op_update_item_in_recoverable_items(struct ews_call *call);

// --- Attachments (op_attachment.c) ---
enum ec op_create_attachment(struct ews_call *call);
enum ec op_get_attachment(struct ews_call *call);
enum ec op_delete_attachment(struct ews_call *call);

// --- Folders ---
enum ec op_get_folder(struct ews_call *call);
enum ec op_create_folder(struct ews_call *call);
enum ec op_create_folder_path(struct ews_call *call);
enum ec op_create_managed_folder(struct ews_call *call);
enum ec op_update_folder(struct ews_call *call);
enum ec op_delete_folder(struct ews_call *call);
enum ec op_empty_folder(struct ews_call *call);
enum ec op_move_folder(struct ews_call *call);
enum ec op_copy_folder(struct ews_call *call);

// --- Finding ---
enum ec op_find_item(struct ews_call *call);
enum ec op_find_folder(struct ews_call *call);

// --- Synchronization ---
enum ec op_sync_folder_hierarchy(struct ews_call *call);
enum ec op_sync_folder_items(struct ews_call *call);

// --- Notifications ---
enum ec op_subscribe(struct ews_call *call);
enum ec op_unsubscribe(struct ews_call *call);
enum ec op_get_events(struct ews_call *call);
enum ec op_get_streaming_events(struct ews_call *call);

// --- Conversations, ids, export ---
enum ec op_find_conversation(struct ews_call *call);
enum ec op_get_conversation_items(struct ews_call *call);
enum ec op_apply_conversation_action(struct ews_call *call);
enum ec op_convert_id(struct ews_call *call);

// --- Directory ---
enum ec op_resolve_names(struct ews_call *call); // op_resolve.c
enum ec op_expand_dl(struct ews_call *call);
enum ec op_find_people(struct ews_call *call); // op_people.c
enum ec op_get_persona(struct ews_call *call);
enum ec op_get_room_lists(struct ews_call *call); // op_rooms.c
enum ec op_get_rooms(struct ews_call *call);
enum ec op_get_user_photo(struct ews_call *call); // op_photo.c
enum ec op_set_user_photo(struct ews_call *call);

// --- Settings and the rest ---
enum ec op_add_delegate(struct ews_call *call); // op_delegate.c
enum ec op_get_delegate(struct ews_call *call);
enum ec op_update_delegate(struct ews_call *call);
enum ec op_remove_delegate(struct ews_call *call);
enum ec op_get_user_oof_settings(struct ews_call *call); // op_oof.c
enum ec op_set_user_oof_settings(struct ews_call *call);
enum ec op_get_user_availability(struct ews_call *call); // op_availability.c
enum ec op_get_mail_tips(struct ews_call *call);         // op_mail_tips.c
enum ec op_get_service_configuration(struct ews_call *call);
enum ec op_get_server_time_zones(struct ews_call *call);     // op_time_zones.c
enum ec op_create_user_configuration(struct ews_call *call); // op_user_configuration.c
enum ec op_get_user_configuration(struct ews_call *call);
enum ec op_update_user_configuration(struct ews_call *call);
enum ec op_delete_user_configuration(struct ews_call *call);
enum ec op_get_inbox_rules(struct ews_call *call); // op_inbox_rules.c
enum ec op_update_inbox_rules(struct ews_call *call);
enum ec op_get_password_expiration_date(struct ews_call *call); // op_mailbox_settings.c
enum ec op_get_user_retention_policy_tags(struct ews_call *call);
enum ec op_get_reminders(struct ews_call *call);
enum ec op_perform_reminder_action(struct ews_call *call);
enum ec op_get_sharing_metadata(struct ews_call *call); // op_sharing.c
enum ec op_get_sharing_folder(struct ews_call *call);
enum ec op_refresh_sharing_folder(struct ews_call *call);
enum ec op_get_app_manifests(struct ews_call *call); // op_apps.c
enum ec op_get_app_marketplace_url(struct ews_call *call);
enum ec op_install_app(struct ews_call *call);
enum ec op_uninstall_app(struct ews_call *call);
enum ec op_disable_app(struct ews_call *call);
enum ec op_get_client_access_token(struct ews_call *call);
enum ec op_play_on_phone(struct ews_call *call); // op_absent.c
enum ec op_get_phone_call_information(struct ews_call *call);
enum ec op_disconnect_phone_call(struct ews_call *call);
enum ec op_set_team_mailbox(struct ews_call *call);
enum ec op_unpin_team_mailbox(struct ews_call *call);
enum ec op_get_searchable_mailboxes(struct ews_call *call); // op_discovery.c
enum ec op_search_mailboxes(struct ews_call *call);
enum ec op_get_discovery_search_configuration(struct ews_call *call);
enum ec op_get_hold_on_mailboxes(struct ews_call *call);
enum ec op_set_hold_on_mailboxes(struct ews_call *call);
enum ec op_get_non_indexable_item_details(struct ews_call *call);
enum ec op_get_non_indexable_item_statistics(struct ews_call *call);
enum ec op_find_message_tracking_report(struct ews_call *call); // op_tracking.c
enum ec op_get_message_tracking_report(struct ews_call *call);
enum ec op_add_im_contact_to_group(struct ews_call *call); // op_im.c
enum ec op_add_new_im_contact_to_group(struct ews_call *call);
enum ec op_add_new_tel_uri_contact_to_group(struct ews_call *call);
enum ec op_add_im_group(struct ews_call *call);
enum ec op_add_distribution_group_to_im_list(struct ews_call *call);
enum ec op_get_im_item_list(struct ews_call *call);
enum ec op_get_im_items(struct ews_call *call);
enum ec op_remove_contact_from_im_list(struct ews_call *call);
enum ec op_remove_distribution_group_from_im_list(struct ews_call *call);
enum ec op_remove_im_contact_from_group(struct ews_call *call);
enum ec op_remove_im_group(struct ews_call *call);
enum ec op_set_im_group(struct ews_call *call);
enum ec op_set_im_list_migration_completed(struct ews_call *call);
