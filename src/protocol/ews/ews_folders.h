// Folders as EWS shows them: shapes, elements, permissions, search parameters ([MS-OXWSFOLD]
// 2.2.4, [MS-OXWSSRCH] 2.2.4.33).
#pragma once

#include "mailbox/folder_object.h"
#include "mapi/restriction.h"
#include "protocol/ews/ews_internal.h"

#define EWS_FOLDER_ADDITIONS 256 // properties asked for beside the base shape

enum ews_folder_field { // as bits; the order of the schema
    FOLDER_FIELD_ID = 1 << 0,
    FOLDER_FIELD_PARENT = 1 << 1,
    FOLDER_FIELD_CLASS = 1 << 2,
    FOLDER_FIELD_NAME = 1 << 3,
    FOLDER_FIELD_TOTAL = 1 << 4,
    FOLDER_FIELD_CHILDREN = 1 << 5,
    FOLDER_FIELD_MANAGED = 1 << 6,
    FOLDER_FIELD_RIGHTS = 1 << 7,
    FOLDER_FIELD_DISTINGUISHED = 1 << 8,
    FOLDER_FIELD_POLICY = 1 << 9,
    FOLDER_FIELD_ARCHIVE = 1 << 10,
    FOLDER_FIELD_REPLICAS = 1 << 11,
    FOLDER_FIELD_SHARING = 1 << 12,
    FOLDER_FIELD_PERMISSIONS = 1 << 13,
    FOLDER_FIELD_UNREAD = 1 << 14,
    FOLDER_FIELD_SEARCH = 1 << 15,
};
struct ews_folder_shape {
    uint32_t fields;
    GArray *extended; // of struct ews_path
    bool with_props;  // the folder's property bag is needed
};
// A t:/m:FolderShape; NULL: IdOnly. Cleared in any case with ews_folder_shape_clear.
enum ec ews_read_folder_shape(struct ews_call *call, const struct ews_node *node,
                              struct ews_folder_shape *out);
void ews_folder_shape_clear(struct ews_folder_shape *shape);
// The field of a FieldURI ("folder:DisplayName"); 0: none.
uint32_t ews_folder_field(const char *uri);

// "t:CalendarFolder" and the object type in its change keys.
const char *ews_folder_element(const struct mailbox_folder_object *f);
unsigned ews_folder_object(const struct mailbox_folder_object *f);
// The whole element.
enum ec ews_write_folder(struct ews_call *call, const struct ews_folder_shape *shape,
                         struct ews_mailbox *m, const struct mailbox_folder_object *f);
// A folder, or what the failure means: ErrorFolderNotFound.
enum ec ews_get_folder(struct ews_call *call, const struct ews_folder_ref *ref, bool with_props,
                       struct mailbox_folder_object *out);

// --- Permissions (folder_permissions.c) ---
enum ec ews_write_permissions(struct ews_call *call, struct ews_mailbox *m,
                              const struct mailbox_folder_object *f);
// A t:PermissionSet of the request: the folder's list anew.
enum ec ews_set_permissions(struct ews_call *call, struct ews_mailbox *m, uint64_t fid,
                            bool is_calendar, const struct ews_node *set);

// --- Restrictions (restriction_read.c, restriction_write.c) ---
// Of a t:Restriction (m:Restriction, t:Condition); NULL gives NULL. For items, or with `is_folder`
// for folders. ErrorUnsupportedPathForQuery, ErrorInvalidRestriction, ErrorRestrictionTooComplex.
enum ec ews_read_restriction(struct ews_call *call, struct ews_mailbox *m,
                             const struct ews_node *node, bool is_folder, struct restriction **out);
// The expression inside t:Restriction. What EWS has no words for is left out.
void ews_write_restriction(struct ews_call *call, struct ews_mailbox *m,
                           const struct restriction *res);
// The property that sorting, grouping and comparing go by, with those that are parts of others
// (message:IsRead: PidTagMessageFlags). EC_NOT_FOUND: nothing has it.
enum ec ews_sort_tag(struct ews_call *call, struct ews_mailbox *m, const struct ews_path *path,
                     bool is_folder, proptag_t *out);
#define EWS_CHILD_COUNT PROP_TAG(0x6638, PT_LONG) // folder:ChildFolderCount in restrictions

// --- Pages (paging.c) ---
#define EWS_FIND_MAX 1000 // rows of one answer
enum ews_page_kind { EWS_PAGE_ALL, EWS_PAGE_INDEXED, EWS_PAGE_FRACTIONAL, EWS_PAGE_SEEK };
struct ews_page {
    enum ews_page_kind kind;
    bool is_from_end;
    uint32_t offset, max;
    uint32_t numerator, denominator;
    const struct ews_node *condition; // SEEK
    // Out, of ews_page_cut: rows [from, to) of `total`.
    uint32_t from, to, total;
    bool is_last;
    int64_t next; // IndexedPagingOffset or NumeratorOffset
};
// Of the view element among the children of the request; without one everything.
// ErrorInvalidIndexedPagingParameters and others.
enum ec ews_read_page(struct ews_call *call, const struct ews_node *request, struct ews_page *out);
// Which rows. `seek`: the row that the condition found (SEEK).
void ews_page_cut(struct ews_page *page, uint32_t total, uint32_t seek);
// The paging attributes of the element just opened.
void ews_page_attributes(struct ews_call *call, const struct ews_page *page);
