// Folders over EWS: reading, making, changing, permissions ([MS-OXWSFOLD]).
#include "protocol/ews/folders_fixture.h"

static const char get_folders[] =
    "<m:GetFolder><m:FolderShape><t:BaseShape>%s</t:BaseShape></m:FolderShape><m:FolderIds>%s"
    "</m:FolderIds></m:GetFolder>";

// Eight distinguished folders at once; the one that is not there fails alone.
static void test_get_distinguished(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char *const names[] = {"inbox",  "calendar", "contacts",  "archivemsgfolderroot",
                                        "drafts", "tasks",    "junkemail", "msgfolderroot"};
    g_autoptr(GString) ids = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(ids, "<t:DistinguishedFolderId Id='%s'/>", names[i]);
    const char *a = ews_ask(e, get_folders, "Default", ids->str);
    assert_count(a, "<m:GetFolderResponseMessage ", 8); // MS-OXWSCDATA_R1284
    assert_count(a, "ResponseClass=\"Success\"", 7);
    assert_count(a, "ErrorFolderNotFound", 1);
    assert_count(a, "<m:ResponseMessages>", 1);        // MS-OXWSCDATA_R1094
    assert_has(a, "<t:CalendarFolder>");               // MS-OXWSFOLD_R2901
    assert_has(a, "<t:ContactsFolder>");               // MS-OXWSFOLD_R3301
    assert_has(a, "<t:TasksFolder>");                  // MS-OXWSFOLD_R3501
    assert_has(a, "<t:UnreadCount>0</t:UnreadCount>"); // MS-OXWSFOLD_R10010
    assert_has(a, "<t:TotalCount>0</t:TotalCount>");   // MS-OXWSFOLD_R5900
    assert_has(a, "<t:ChildFolderCount>");             // MS-OXWSFOLD_R5912
    // A mailbox with an archive answers for it.
    a = ews_ask(e, get_folders, "AllProperties", "<t:DistinguishedFolderId Id='inbox'/>");
    assert_has(a, "<t:EffectiveRights>"); // MS-OXWSFOLD_R5934
    assert_has(a, "<t:DistinguishedFolderId>inbox</t:DistinguishedFolderId>");
    assert_has(a, "<t:FolderClass>IPF.Note</t:FolderClass>");
    g_assert_null(strstr(a, "<t:PermissionSet>")); // has to be asked for
    a = ews_ask_as(e, e->who, "Exchange2007_SP1",
                   "<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape>"
                   "</m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id='inbox'/>"
                   "</m:FolderIds></m:GetFolder>");
    g_assert_null(strstr(a, "<t:DistinguishedFolderId>")); // not in that version
}

static void test_wrong_ids(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const struct {
        const char *id, *code;
    } cases[] = {
        {"<t:FolderId Id=''/>", "ErrorInvalidIdEmpty"},
        {"<t:FolderId Id='AAAA'/>", "ErrorInvalidId"},
        {"<t:FolderId Id='not base64 at all!'/>", "ErrorInvalidId"},
        {"<t:DistinguishedFolderId Id='nowhere'/>", "ResponseClass=\"Error\""},
        {"<t:DistinguishedFolderId Id='inbox'><t:Mailbox><t:EmailAddress>bob@example.test"
         "</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>",
         "ResponseClass=\"Error\""},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(ews_ask(e, get_folders, "IdOnly", cases[i].id), cases[i].code);
    // One that was cut off.
    const char *a = ews_ask(e, get_folders, "IdOnly", "<t:DistinguishedFolderId Id='inbox'/>");
    g_autofree char *id = value_after(a, "<t:FolderId Id=\"", 0);
    for (size_t n = strlen(id) - 1; n > 0; n -= MIN(n, 7)) {
        g_autofree char *cut = g_strdup_printf("<t:FolderId Id='%.*s'/>", (int)n, id);
        assert_has(ews_ask(e, get_folders, "IdOnly", cut), "ResponseClass=\"Error\"");
    }
}

static char *create(struct ews_world *e, const char *parent, const char *element,
                    const char *name) {
    const char *a = ews_ask(e,
                            "<m:CreateFolder><m:ParentFolderId>%s</m:ParentFolderId><m:Folders>"
                            "<t:%s><t:DisplayName>%s</t:DisplayName></t:%s></m:Folders>"
                            "</m:CreateFolder>",
                            parent, element, name, element);
    assert_has(a, "ResponseClass=\"Success\"");                // MS-OXWSFOLD_R2202
    assert_has(a, "<m:ResponseCode>NoError</m:ResponseCode>"); // MS-OXWSFOLD_R22202
    return value_after(a, "<t:FolderId Id=\"", 0);
}

static void test_create(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *inbox = "<t:DistinguishedFolderId Id='inbox'/>";
    g_autofree char *id = create(e, inbox, "Folder", "Projects");
    g_autofree char *ref = g_strdup_printf("<t:FolderId Id='%s'/>", id);
    g_autofree char *calendar = create(e, ref, "CalendarFolder", "Dates");
    const char *a = ews_ask(e, get_folders, "AllProperties", ref);
    assert_has(a, "<t:DisplayName>Projects</t:DisplayName>");
    assert_has(a, "<t:ChildFolderCount>1</t:ChildFolderCount>");
    g_autofree char *ref2 = g_strdup_printf("<t:FolderId Id='%s'/>", calendar);
    assert_has(ews_ask(e, get_folders, "AllProperties", ref2), "IPF.Appointment");
    a = ews_ask(e,
                "<m:CreateFolder><m:ParentFolderId>%s</m:ParentFolderId><m:Folders>"
                "<t:Folder><t:DisplayName>projects</t:DisplayName></t:Folder>"
                "<t:Folder><t:DisplayName>Other</t:DisplayName></t:Folder>"
                "<t:CalendarFolder><t:FolderClass>IPF.Note</t:FolderClass>"
                "<t:DisplayName>No</t:DisplayName></t:CalendarFolder>"
                "<t:Folder/></m:Folders></m:CreateFolder>",
                inbox);
    assert_has(a, "ErrorFolderExists"); // MS-OXWSFOLD_R217
    assert_has(a, "ErrorNoFolderClassOverride");
    assert_count(a, "ResponseClass=\"Success\"", 1);
    assert_count(a, "<m:CreateFolderResponseMessage ", 4);
    // IMAP knows it by its path.
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    assert_ok(mailbox_find_folder(e->w.m, arena, "INBOX/Projects", &f));
    a = ews_ask(e,
                "<m:CreateFolderPath><m:ParentFolderId>%s</m:ParentFolderId>"
                "<m:RelativeFolderPath>"
                "<t:Folder><t:DisplayName>Projects</t:DisplayName></t:Folder>"
                "<t:Folder><t:DisplayName>2026</t:DisplayName></t:Folder>"
                "<t:Folder><t:DisplayName>November</t:DisplayName></t:Folder>"
                "</m:RelativeFolderPath></m:CreateFolderPath>",
                inbox);
    assert_count(a, "ResponseClass=\"Success\"", 3);
    assert_ok(mailbox_find_folder(e->w.m, arena, "INBOX/Projects/2026/November", &f));
    a = ews_ask(e, "<m:CreateManagedFolder><m:FolderNames><t:FolderName>A</t:FolderName>"
                   "<t:FolderName>A</t:FolderName></m:FolderNames></m:CreateManagedFolder>");
    assert_has(a, "ErrorDuplicateInputFolderNames"); // MS-OXWSCDATA_R301
    a = ews_ask(e, "<m:CreateManagedFolder><m:FolderNames><t:FolderName>A</t:FolderName>"
                   "</m:FolderNames></m:CreateManagedFolder>");
    assert_has(a, "ErrorManagedFolderNotFound");
}

static void test_update(struct ews_world *e, gconstpointer data) {
    (void)data;
    g_autofree char *id =
        create(e, "<t:DistinguishedFolderId Id='msgfolderroot'/>", "Folder", "Old");
    static const char change[] =
        "<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:FolderId Id='%s'/><t:Updates>%s"
        "</t:Updates></t:FolderChange></m:FolderChanges></m:UpdateFolder>";
    const char *uri = "<t:ExtendedFieldURI PropertyTag='0x3004' PropertyType='String'/>";
    g_autofree char *updates = g_strdup_printf(
        "<t:SetFolderField><t:FieldURI FieldURI='folder:DisplayName'/><t:Folder>"
        "<t:DisplayName>New &amp; better</t:DisplayName></t:Folder></t:SetFolderField>"
        "<t:SetFolderField>%s<t:Folder><t:ExtendedProperty>%s<t:Value>a comment</t:Value>"
        "</t:ExtendedProperty></t:Folder></t:SetFolderField>",
        uri, uri);
    assert_ok_answer(ews_ask(e, change, id, updates));
    g_autofree char *get = g_strdup_printf(
        "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape>"
        "<t:AdditionalProperties>%s</t:AdditionalProperties></m:FolderShape><m:FolderIds>"
        "<t:FolderId Id='%s'/></m:FolderIds></m:GetFolder>",
        uri, id);
    const char *a = ews_ask(e, "%s", get);
    assert_has(a, "<t:DisplayName>New &amp; better</t:DisplayName>");
    assert_has(a, "<t:Value>a comment</t:Value>");
    g_autofree char *delete = g_strdup_printf("<t:DeleteFolderField>%s</t:DeleteFolderField>", uri);
    assert_ok_answer(ews_ask(e, change, id, delete));
    g_assert_null(strstr(ews_ask(e, "%s", get), "a comment"));
    // MS-OXWSCDATA_R335
    a = ews_ask(e, change, id,
                "<t:SetFolderField><t:FieldURI FieldURI='folder:DisplayName'/><t:Folder>"
                "<t:DisplayName>X</t:DisplayName><t:FolderClass>IPF.Note</t:FolderClass>"
                "</t:Folder></t:SetFolderField>");
    assert_has(a, "ErrorIncorrectUpdatePropertyCount");
    a = ews_ask(e, change, id,
                "<t:SetFolderField><t:FieldURI FieldURI='folder:TotalCount'/><t:Folder>"
                "<t:TotalCount>7</t:TotalCount></t:Folder></t:SetFolderField>");
    assert_has(a, "ErrorInvalidPropertySet");
    a = ews_ask(e, change, id,
                "<t:AppendToFolderField><t:FieldURI FieldURI='folder:DisplayName'/><t:Folder>"
                "<t:DisplayName>7</t:DisplayName></t:Folder></t:AppendToFolderField>");
    assert_has(a, "ErrorInvalidPropertyAppend");
}

static void test_move_delete(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *root = "<t:DistinguishedFolderId Id='msgfolderroot'/>";
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    g_autofree char *a_id = create(e, root, "Folder", "A");
    g_autofree char *b_id = create(e, root, "Folder", "B");
    const char *a = ews_ask(e,
                            "<m:MoveFolder><m:ToFolderId><t:FolderId Id='%s'/></m:ToFolderId>"
                            "<m:FolderIds><t:FolderId Id='%s'/><t:DistinguishedFolderId "
                            "Id='inbox'/></m:FolderIds></m:MoveFolder>",
                            a_id, b_id);
    assert_count(a, "ResponseClass=\"Success\"", 1);
    assert_has(a, "ErrorMoveDistinguishedFolder");
    assert_ok(mailbox_find_folder(e->w.m, arena, "A/B", &f));
    a = ews_ask(e,
                "<m:MoveFolder><m:ToFolderId><t:FolderId Id='%s'/></m:ToFolderId>"
                "<m:FolderIds><t:FolderId Id='%s'/></m:FolderIds></m:MoveFolder>",
                b_id, a_id);
    assert_has(a, "ErrorMoveCopyFailed"); // below itself
    a = ews_ask(e,
                "<m:CopyFolder><m:ToFolderId><t:DistinguishedFolderId Id='inbox'/></m:ToFolderId>"
                "<m:FolderIds><t:FolderId Id='%s'/></m:FolderIds></m:CopyFolder>",
                a_id);
    assert_ok_answer(a);
    assert_ok(mailbox_find_folder(e->w.m, arena, "INBOX/A/B", &f));
    a = ews_ask(e,
                "<m:DeleteFolder DeleteType='MoveToDeletedItems'><m:FolderIds>"
                "<t:FolderId Id='%s'/><t:DistinguishedFolderId Id='sentitems'/></m:FolderIds>"
                "</m:DeleteFolder>",
                a_id);
    assert_count(a, "ResponseClass=\"Success\"", 1);
    assert_has(a, "ErrorDeleteDistinguishedFolder");
    assert_ok(mailbox_find_folder(e->w.m, arena, "Deleted Items/A/B", &f));
    assert_ok(world_append(&e->w, FID_DELETED_ITEMS, "waste", 10, NULL));
    // MS-OXWSFOLD_R380
    a = ews_ask(e, "<m:EmptyFolder DeleteType='HardDelete' DeleteSubFolders='true'><m:FolderIds>"
                   "<t:DistinguishedFolderId Id='deleteditems'/></m:FolderIds></m:EmptyFolder>");
    assert_ok_answer(a);
    assert_ec(mailbox_find_folder(e->w.m, arena, "Deleted Items/A", &f), EC_NOT_FOUND);
    assert_ok(mailbox_find_folder(e->w.m, arena, "Deleted Items", &f));
    g_assert_cmpuint(f.n_messages, ==, 0);
    a = ews_ask(e,
                "<m:DeleteFolder DeleteType='HardDelete'><m:FolderIds><t:FolderId Id='%s'/>"
                "</m:FolderIds></m:DeleteFolder>",
                a_id);
    assert_has(a, "ErrorFolderNotFound");
}

static void test_permissions(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char set[] =
        "<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:DistinguishedFolderId Id='%s'/>"
        "<t:Updates><t:SetFolderField><t:FieldURI FieldURI='folder:PermissionSet'/><t:%s>"
        "<t:PermissionSet>%s</t:PermissionSet></t:%s></t:SetFolderField></t:Updates>"
        "</t:FolderChange></m:FolderChanges></m:UpdateFolder>";
    static const char get[] =
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>"
        "<t:AdditionalProperties><t:FieldURI FieldURI='folder:PermissionSet'/>"
        "</t:AdditionalProperties></m:FolderShape><m:FolderIds>"
        "<t:DistinguishedFolderId Id='%s'/></m:FolderIds></m:GetFolder>";
    const char *bob = "<t:UserId><t:PrimarySmtpAddress>bob@example.test</t:PrimarySmtpAddress>"
                      "</t:UserId>";
    g_autofree char *reviewer =
        g_strdup_printf("<t:Permissions><t:Permission>%s<t:PermissionLevel>Reviewer"
                        "</t:PermissionLevel></t:Permission></t:Permissions>",
                        bob);
    assert_ok_answer(ews_ask(e, set, "inbox", "Folder", reviewer, "Folder"));
    const char *a = ews_ask(e, get, "inbox");
    assert_has(a, "<t:PrimarySmtpAddress>bob@example.test</t:PrimarySmtpAddress>");
    assert_has(a, "<t:PermissionLevel>Reviewer</t:PermissionLevel>");
    assert_has(a, "<t:ReadItems>FullDetails</t:ReadItems>");
    assert_has(a, "<t:DistinguishedUser>Default</t:DistinguishedUser>");
    assert_has(a, "<t:DistinguishedUser>Anonymous</t:DistinguishedUser>");
    g_autofree char *custom = g_strdup_printf(
        "<t:Permissions><t:Permission>%s<t:CanCreateItems>true</t:CanCreateItems>"
        "<t:IsFolderVisible>true</t:IsFolderVisible><t:EditItems>Owned</t:EditItems>"
        "<t:DeleteItems>All</t:DeleteItems><t:ReadItems>FullDetails</t:ReadItems>"
        "<t:PermissionLevel>Custom</t:PermissionLevel></t:Permission></t:Permissions>",
        bob);
    assert_ok_answer(ews_ask(e, set, "inbox", "Folder", custom, "Folder"));
    a = ews_ask(e, get, "inbox");
    assert_has(a, "<t:EditItems>Owned</t:EditItems><t:DeleteItems>All</t:DeleteItems>");
    assert_has(a, "<t:PermissionLevel>Custom</t:PermissionLevel>");
    g_autofree char *calendar = g_strdup_printf(
        "<t:CalendarPermissions><t:CalendarPermission>%s<t:CalendarPermissionLevel>"
        "FreeBusyTimeAndSubjectAndLocation</t:CalendarPermissionLevel></t:CalendarPermission>"
        "</t:CalendarPermissions>",
        bob);
    assert_ok_answer(ews_ask(e, set, "calendar", "CalendarFolder", calendar, "CalendarFolder"));
    a = ews_ask(e, get, "calendar");
    assert_has(a, "<t:CalendarPermissionLevel>FreeBusyTimeAndSubjectAndLocation<");
    assert_has(ews_ask(e, set, "inbox", "Folder", calendar, "Folder"),
               "ErrorCannotSetCalendarPermissionOnNonCalendarFolder");
    assert_has(ews_ask(e, set, "calendar", "CalendarFolder", reviewer, "CalendarFolder"),
               "ErrorCannotSetNonCalendarPermissionOnCalendarFolder");
    g_autofree char *twice =
        g_strdup_printf("<t:Permissions><t:Permission>%s<t:PermissionLevel>None"
                        "</t:PermissionLevel></t:Permission><t:Permission>%s<t:PermissionLevel>"
                        "Editor</t:PermissionLevel></t:Permission></t:Permissions>",
                        bob, bob);
    assert_has(ews_ask(e, set, "inbox", "Folder", twice, "Folder"),
               "ErrorDuplicateUserIdsSpecified");
    // Bob sees what he may see, and no more.
    struct principal *who = world_principal(&e->w.bob, "bob@example.test");
    const char *other =
        "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
        "<m:FolderIds><t:DistinguishedFolderId Id='inbox'><t:Mailbox><t:EmailAddress>"
        "alice@example.test</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>"
        "<t:DistinguishedFolderId Id='drafts'><t:Mailbox><t:EmailAddress>alice@example.test"
        "</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:FolderIds></m:GetFolder>";
    a = ews_ask_as(e, who, "Exchange2013_SP1", other);
    assert_count(a, "ResponseClass=\"Success\"", 1);
    assert_count(a, "ErrorFolderNotFound", 1);
    principal_unref(who);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    EWS_TEST("/folders/get", test_get_distinguished);
    EWS_TEST("/folders/wrong-ids", test_wrong_ids);
    EWS_TEST("/folders/create", test_create);
    EWS_TEST("/folders/update", test_update);
    EWS_TEST("/folders/move-delete", test_move_delete);
    EWS_TEST("/folders/permissions", test_permissions);
    add_find_tests();
    add_sync_tests();
    add_notify_tests();
    add_conversation_tests();
    return g_test_run();
}
