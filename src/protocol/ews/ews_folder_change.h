// What the operations on folders share.
#pragma once

#include "protocol/ews/ews_folders.h"

// The container class of a new folder by its element and FolderClass.
enum ec ews_folder_class(struct ews_call *call, const struct ews_node *node,
                         const char **class_out);
// t:SearchParameters. Everything lives as long as the call.
enum ec ews_read_search(struct ews_call *call, struct ews_mailbox *m, const struct ews_node *node,
                        struct mailbox_search_criteria *out);
// A t:ExtendedProperty into the bag.
enum ec ews_read_folder_extended(struct ews_call *call, struct ews_mailbox *m,
                                 const struct ews_node *property, struct bag *set);
// What the failure to make, change or move a folder means; EC_OK stays. `denied`: the code for
// missing rights, NULL: ErrorAccessDenied.
enum ec ews_folder_failure(struct ews_call *call, enum ec ec, const char *denied);
// A message of success with the folder's id.
enum ec ews_folder_answer(struct ews_call *call, struct ews_mailbox *m, uint64_t fid);
