// Operations on items through ews_run.
#include "protocol/ews/ews_fixture.h"
#include "protocol/ews/items_test_part.h"

#define MESSAGE                                                                                    \
    "<t:Message><t:Subject>Hello</t:Subject><t:Body BodyType=\"Text\">One &amp; two</t:Body>"      \
    "<t:Categories><t:String>Red</t:String><t:String>Blue</t:String></t:Categories>"               \
    "<t:Importance>High</t:Importance>"                                                            \
    "<t:ToRecipients><t:Mailbox><t:Name>Bob</t:Name>"                                              \
    "<t:EmailAddress>bob@example.test</t:EmailAddress></t:Mailbox></t:ToRecipients>"               \
    "<t:IsRead>false</t:IsRead></t:Message>"

static void test_create_get(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    const char *answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "<m:ResponseCode>NoError</m:ResponseCode>");
    assert_has(answer, "<t:Subject>Hello</t:Subject>");
    assert_has(answer, "<t:Body BodyType=\"Text\" IsTruncated=\"false\">One &amp; two</t:Body>");
    assert_has(answer, "<t:Categories><t:String>Red</t:String><t:String>Blue</t:String>");
    assert_has(answer, "<t:Importance>High</t:Importance>");
    assert_has(answer, "<t:IsDraft>true</t:IsDraft>");
    assert_has(answer, "<t:IsRead>false</t:IsRead>"); // MS-OXWSMSG_R6100
    assert_has(answer, "<t:ItemClass>IPM.Note</t:ItemClass>");
    assert_has(answer, "<t:EmailAddress>bob@example.test</t:EmailAddress>");
    assert_has(answer, "<t:MailboxType>Mailbox</t:MailboxType>"); // MS-OXWSCORE_R1675
    assert_has(answer, "<t:From><t:Mailbox><t:Name>Alice Adams</t:Name>");
    assert_has_not(answer, "MimeContent");
    assert_has(answer, "<t:ConversationId Id=");
    // IdOnly is the id alone.
    answer = ews_get(f, f->alice, id, "IdOnly", NULL);
    assert_has(answer, "<m:Items><t:Message><t:ItemId Id=");
    assert_has_not(answer, "Subject");
    answer =
        ews_get(f, f->alice, id, "IdOnly", "<t:IncludeMimeContent>true</t:IncludeMimeContent>");
    assert_has(answer, "<t:MimeContent CharacterSet=\"UTF-8\">");
}

static void test_versions(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    f->version = "Exchange2007_SP1";
    const char *answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "<t:Subject>Hello</t:Subject>");
    assert_has_not(answer, "t:Flag");
    assert_has_not(answer, "ConversationId");
    assert_has_not(answer, "IsTruncated");
    f->version = "Exchange2099";
    answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "ErrorInvalidServerVersion");
    g_assert_cmpuint(f->status, ==, 500);
    f->version = "Exchange2007_SP1";
    answer = ews_ask(f, f->alice, "<m:MarkAsJunk IsJunk=\"true\"/>");
    assert_has(answer, "a:ErrorIncorrectSchemaVersion");
}

static const char *update(struct ews_fixture *f, const char *id, const char *attributes,
                          const char *updates) {
    g_autofree char *body = g_strdup_printf(
        "<m:UpdateItem MessageDisposition=\"SaveOnly\" %s><m:ItemChanges><t:ItemChange>%s"
        "<t:Updates>%s</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>",
        attributes, id, updates);
    return ews_ask(f, f->alice, body);
}

#define SET_SUBJECT(text)                                                                          \
    "<t:SetItemField><t:FieldURI FieldURI=\"item:Subject\"/><t:Message><t:Subject>" text           \
    "</t:Subject></t:Message></t:SetItemField>"

static void test_update(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    const char *answer = update(f, id, "ConflictResolution=\"NeverOverwrite\"", SET_SUBJECT("Two"));
    assert_has(answer, "ResponseClass=\"Success\"");
    // MS-OXWSCORE_R61, MS-OXWSCORE_R65
    assert_has(answer, "<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>");
    // The change key is an old one now.
    answer = update(f, id, "ConflictResolution=\"NeverOverwrite\"", SET_SUBJECT("Three"));
    assert_has(answer, "ErrorIrresolvableConflict");
    answer = update(
        f, id, "ConflictResolution=\"AlwaysOverwrite\"",
        SET_SUBJECT(
            "RE: Four") "<t:AppendToItemField><t:FieldURI FieldURI=\"item:Body\"/>"
                        "<t:Message><t:Body BodyType=\"Text\"> three</t:Body></t:Message>"
                        "</t:AppendToItemField><t:DeleteItemField>"
                        "<t:FieldURI FieldURI=\"item:Categories\"/></t:DeleteItemField>"
                        "<t:SetItemField><t:FieldURI FieldURI=\"message:IsRead\"/><t:Message>"
                        "<t:IsRead>true</t:IsRead></t:Message></t:SetItemField>");
    assert_has(answer, "ResponseClass=\"Success\"");
    answer = ews_get(f, f->alice, ews_item_of(f, answer), "AllProperties", NULL);
    assert_has(answer, "<t:Subject>RE: Four</t:Subject>");
    assert_has(answer, ">One &amp; two three</t:Body>");
    assert_has(answer, "<t:IsRead>true</t:IsRead>"); // MS-OXWSMSG_R60, MS-OXWSMSG_R61
    assert_has_not(answer, "Categories");
    // Mistakes.
    answer = update(f, id, "",
                    "<t:SetItemField><t:FieldURI FieldURI=\"item:Subject\"/><t:Message>"
                    "<t:Importance>Low</t:Importance></t:Message></t:SetItemField>");
    assert_has(answer, "ErrorUpdatePropertyMismatch");
    answer = update(f, id, "",
                    "<t:DeleteItemField><t:FieldURI FieldURI=\"item:DateTimeReceived\"/>"
                    "</t:DeleteItemField>");
    assert_has(answer, "ErrorInvalidPropertyDelete");
    assert_has(answer, "<m:MessageXml><t:FieldURI FieldURI=\"item:DateTimeReceived\"/>");
    answer = update(f, id, "",
                    "<t:AppendToItemField><t:FieldURI FieldURI=\"item:Subject\"/><t:Message>"
                    "<t:Subject>x</t:Subject></t:Message></t:AppendToItemField>");
    assert_has(answer, "ErrorInvalidPropertyAppend");
}

#define NAMED                                                                                      \
    "<t:ExtendedFieldURI PropertySetId=\"00020329-0000-0000-c000-000000000046\""                   \
    " PropertyName=\"MyField\" PropertyType=\"%s\"/>"

static void test_extended(struct ews_fixture *f, gconstpointer data) {
    g_autofree char *text = g_strdup_printf(NAMED, "String");
    g_autofree char *numbers = g_strdup_printf(NAMED, "IntegerArray");
    const char *shape = "<t:AdditionalProperties>"
                        "<t:ExtendedFieldURI PropertyTag=\"0x3FDE\" PropertyType=\"Integer\"/>"
                        "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\""
                        " PropertyName=\"MyField\" PropertyType=\"String\"/>"
                        "<t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\""
                        " PropertyName=\"Others\" PropertyType=\"StringArray\"/>"
                        "</t:AdditionalProperties>";
    g_autofree char *item = g_strdup_printf(
        "<t:Message><t:Subject>x</t:Subject><t:ExtendedProperty>%s<t:Value>hello</t:Value>"
        "</t:ExtendedProperty><t:ExtendedProperty><t:ExtendedFieldURI"
        " DistinguishedPropertySetId=\"PublicStrings\" PropertyName=\"Others\""
        " PropertyType=\"StringArray\"/><t:Values><t:Value>a</t:Value><t:Value>b</t:Value>"
        "</t:Values></t:ExtendedProperty></t:Message>",
        text);
    const char *id = ews_make(f, f->alice, item);
    const char *answer = ews_get(f, f->alice, id, "IdOnly", shape);
    assert_has(answer, "PropertyName=\"MyField\" PropertyType=\"String\"/><t:Value>hello<");
    assert_has(answer, "<t:Values><t:Value>a</t:Value><t:Value>b</t:Value></t:Values>");
    // A named property has no tag, and a set needs a name.
    answer = ews_get(f, f->alice, id, "IdOnly",
                     "<t:AdditionalProperties><t:ExtendedFieldURI PropertyTag=\"0x8005\""
                     " PropertyType=\"String\"/></t:AdditionalProperties>");
    assert_has(answer, "ErrorNoPropertyTagForCustomProperties");
    answer = ews_get(f, f->alice, id, "IdOnly",
                     "<t:AdditionalProperties><t:ExtendedFieldURI"
                     " DistinguishedPropertySetId=\"Common\" PropertyType=\"String\"/>"
                     "</t:AdditionalProperties>");
    assert_has(answer, "ErrorInvalidExtendedProperty");
}

static void test_delete_move(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    g_autofree char *move = g_strdup_printf(
        "<m:MoveItem><m:ToFolderId><t:DistinguishedFolderId Id=\"inbox\"/></m:ToFolderId>"
        "<m:ItemIds>%s</m:ItemIds></m:MoveItem>",
        id);
    const char *answer = ews_ask(f, f->alice, move);
    assert_has(answer, "ResponseClass=\"Success\"");
    const char *moved = ews_item_of(f, answer);
    g_assert_cmpstr(moved, !=, id);
    assert_has(ews_get(f, f->alice, id, "IdOnly", NULL), "ErrorItemNotFound");
    g_autofree char *copy = g_strdup_printf(
        "<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id=\"drafts\"/></m:ToFolderId>"
        "<m:ItemIds>%s%s</m:ItemIds></m:CopyItem>",
        moved, id);
    answer = ews_ask(f, f->alice, copy);
    assert_has(answer, "ResponseClass=\"Success\"");
    assert_has(answer, "ErrorItemNotFound"); // each on its own
    const char *copied = ews_item_of(f, answer);
    g_autofree char *trash = g_strdup_printf(
        "<m:DeleteItem DeleteType=\"MoveToDeletedItems\"><m:ItemIds>%s</m:ItemIds></m:DeleteItem>",
        copied);
    answer = ews_ask(f, f->alice, trash);
    assert_has(answer, "<m:DeleteItemResponseMessage ResponseClass=\"Success\">");
    assert_has(ews_ask(f, f->alice, trash), "ErrorItemNotFound");
    g_autofree char *hard = g_strdup_printf(
        "<m:DeleteItem DeleteType=\"HardDelete\"><m:ItemIds>%s</m:ItemIds></m:DeleteItem>", moved);
    assert_has(ews_ask(f, f->alice, hard), "ResponseClass=\"Success\"");
    assert_has(ews_get(f, f->alice, moved, "IdOnly", NULL), "ErrorItemNotFound");
}

static void test_send(struct ews_fixture *f, gconstpointer data) {
    const char *answer = ews_ask(
        f, f->alice,
        "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items>" MESSAGE "</m:Items>"
        "</m:CreateItem>");
    assert_has(answer, "<m:ResponseCode>NoError</m:ResponseCode><m:Items/>");
    g_assert_cmpuint(f->sent->len, ==, 1);
    assert_has(f->sent->pdata[0], "alice@example.test bob@example.test\n");
    assert_has(f->sent->pdata[0], "Subject: Hello\r\n");
    assert_has(f->sent->pdata[0], "From: Alice Adams <alice@example.test>");
    // Nobody to send to.
    answer = ews_ask(f, f->alice,
                     "<m:CreateItem MessageDisposition=\"SendOnly\"><m:Items><t:Message>"
                     "<t:Subject>x</t:Subject></t:Message></m:Items></m:CreateItem>");
    assert_has(answer, "ErrorMissingRecipients");
    // As somebody else.
    answer = ews_ask(f, f->alice,
                     "<m:CreateItem MessageDisposition=\"SendOnly\"><m:Items><t:Message>"
                     "<t:ToRecipients><t:Mailbox><t:EmailAddress>x@example.net</t:EmailAddress>"
                     "</t:Mailbox></t:ToRecipients><t:From><t:Mailbox>"
                     "<t:EmailAddress>bob@example.test</t:EmailAddress></t:Mailbox></t:From>"
                     "</t:Message></m:Items></m:CreateItem>");
    assert_has(answer, "ErrorSendAsDenied");
    // A draft.
    const char *id = ews_make(f, f->alice, MESSAGE);
    g_autofree char *send = g_strdup_printf(
        "<m:SendItem SaveItemToFolder=\"true\"><m:ItemIds>%s</m:ItemIds></m:SendItem>", id);
    assert_has(ews_ask(f, f->alice, send), "SendItemResponseMessage ResponseClass=\"Success\"");
    g_assert_cmpuint(f->sent->len, ==, 2);
    assert_has(ews_get(f, f->alice, id, "IdOnly", NULL), "ErrorItemNotFound");
}

static void test_reply(struct ews_fixture *f, gconstpointer data) {
    const char *mime = "From: Carol <carol@example.net>\r\nTo: alice@example.test, Dan "
                       "<dan@example.net>\r\nSubject: Plan\r\nMessage-ID: <1@x>\r\n\r\nText\r\n";
    g_autofree char *base64 = g_base64_encode((const guchar *)mime, strlen(mime));
    g_autofree char *item = g_strdup_printf(
        "<t:Message><t:MimeContent>%s</t:MimeContent><t:ExtendedProperty>"
        "<t:ExtendedFieldURI PropertyTag=\"0x0E07\" PropertyType=\"Integer\"/><t:Value>1</t:Value>"
        "</t:ExtendedProperty></t:Message>",
        base64);
    const char *id = ews_make(f, f->alice, item);
    const char *answer =
        ews_get(f, f->alice, id, "Default", "<t:IncludeMimeContent>true</t:IncludeMimeContent>");
    assert_has(answer, base64); // byte for byte
    assert_has(answer, "<t:Subject>Plan</t:Subject>");
    // MS-OXWSCORE_R131, MS-OXWSCORE_R132, MS-OXWSCORE_R133
    assert_has(answer, "<t:ReplyToItem/><t:ReplyAllToItem/><t:ForwardItem/>");
    const char *reference =
        arena_printf(f->arena, "<t:ReferenceItemId %s", ews_cut(f, id, "<t:ItemId ", ">"));
    g_autofree char *reply = g_strdup_printf(
        "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:ReplyAllToItem>%s>"
        "<t:NewBodyContent BodyType=\"Text\">Yes</t:NewBodyContent></t:ReplyAllToItem></m:Items>"
        "</m:CreateItem>",
        reference);
    answer = ews_ask(f, f->alice, reply);
    assert_has(answer, "ResponseClass=\"Success\"");
    g_assert_cmpuint(f->sent->len, ==, 1);
    assert_has(f->sent->pdata[0], "alice@example.test carol@example.net dan@example.net\n");
    assert_has(f->sent->pdata[0], "Subject: RE: Plan\r\n");
    assert_has(f->sent->pdata[0], "In-Reply-To: <1@x>\r\n");
    assert_has(f->sent->pdata[0], "Yes");
    answer = ews_get(f, f->alice, id, "IdOnly",
                     "<t:AdditionalProperties><t:ExtendedFieldURI PropertyTag=\"0x1081\""
                     " PropertyType=\"Integer\"/></t:AdditionalProperties>");
    assert_has(answer, "<t:Value>103</t:Value>");
}

static void test_contact_task(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(
        f, f->alice,
        "<t:Contact><t:DisplayName>Eve Ericson</t:DisplayName><t:GivenName>Eve</t:GivenName>"
        "<t:EmailAddresses><t:Entry Key=\"EmailAddress1\">eve@example.net</t:Entry>"
        "</t:EmailAddresses><t:PhysicalAddresses><t:Entry Key=\"Home\"><t:City>Ulm</t:City>"
        "</t:Entry></t:PhysicalAddresses><t:PhoneNumbers><t:Entry Key=\"MobilePhone\">123</t:Entry>"
        "</t:PhoneNumbers><t:ImAddresses><t:Entry Key=\"ImAddress2\">im2</t:Entry></t:ImAddresses>"
        "<t:Birthday>1980-05-06T00:00:00Z</t:Birthday></t:Contact>");
    const char *answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "<t:Contact><t:ItemId");
    assert_has(answer, "<t:FileAs>Eve Ericson</t:FileAs>");
    assert_has(answer, "Key=\"EmailAddress1\" Name=\"eve@example.net\" RoutingType=\"SMTP\"");
    assert_has(answer, "<t:Entry Key=\"Home\"><t:City>Ulm</t:City></t:Entry>");
    assert_has(answer, "<t:Entry Key=\"MobilePhone\">123</t:Entry>");
    assert_has(answer, "<t:Entry Key=\"ImAddress2\">im2</t:Entry>");
    assert_has(answer, "<t:Birthday>1980-05-06T00:00:00Z</t:Birthday>");
    id = ews_make(f, f->alice,
                  "<t:Task><t:Subject>Do</t:Subject><t:DueDate>2026-12-01T00:00:00</t:DueDate>"
                  "<t:PercentComplete>25</t:PercentComplete></t:Task>");
    answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "<t:DueDate>2026-12-01T00:00:00Z</t:DueDate>");
    assert_has(answer, "<t:PercentComplete>25</t:PercentComplete>");
    assert_has(answer, "<t:Status>InProgress</t:Status>");
    answer = update(f, id, "ConflictResolution=\"AutoResolve\"",
                    "<t:SetItemField><t:FieldURI FieldURI=\"task:Status\"/><t:Task>"
                    "<t:Status>Completed</t:Status></t:Task></t:SetItemField>");
    answer = ews_get(f, f->alice, ews_item_of(f, answer), "AllProperties", NULL);
    assert_has(answer, "<t:IsComplete>true</t:IsComplete>");
    assert_has(answer, "<t:PercentComplete>100</t:PercentComplete>");
    id = ews_make(f, f->alice,
                  "<t:DistributionList><t:DisplayName>Team</t:DisplayName><t:Members><t:Member>"
                  "<t:Mailbox><t:Name>Bob</t:Name><t:EmailAddress>bob@example.test"
                  "</t:EmailAddress></t:Mailbox></t:Member></t:Members></t:DistributionList>");
    answer = ews_get(f, f->alice, id, "AllProperties", NULL);
    assert_has(answer, "<t:DistributionList><t:ItemId");
    assert_has(answer, "<t:Members><t:Member Key=");
    assert_has(answer, "<t:EmailAddress>bob@example.test</t:EmailAddress>");
}

static void test_attachments(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    const char *parent =
        arena_printf(f->arena, "<m:ParentItemId %s", ews_cut(f, id, "<t:ItemId ", ">"));
    g_autofree char *create = g_strdup_printf(
        "<m:CreateAttachment>%s><m:Attachments><t:FileAttachment><t:Name>a.txt</t:Name>"
        "<t:ContentType>text/plain</t:ContentType><t:Content>aGVsbG8=</t:Content>"
        "</t:FileAttachment><t:ItemAttachment><t:Name>inner</t:Name><t:Message>"
        "<t:Subject>Inside</t:Subject></t:Message></t:ItemAttachment></m:Attachments>"
        "</m:CreateAttachment>",
        parent);
    const char *answer = ews_ask(f, f->alice, create);
    const char *file = ews_cut(f, answer, "<t:FileAttachment><t:AttachmentId Id=\"", "\"");
    const char *item = ews_cut(f, answer, "<t:ItemAttachment><t:AttachmentId Id=\"", "\"");
    assert_has(answer, "RootItemChangeKey="); // MS-OXWSATT_R43, MS-OXWSATT_R45
    g_autofree char *get = g_strdup_printf(
        "<m:GetAttachment><m:AttachmentIds><t:AttachmentId Id=\"%s\"/><t:AttachmentId Id=\"%s\"/>"
        "</m:AttachmentIds></m:GetAttachment>",
        file, item);
    answer = ews_ask(f, f->alice, get);
    assert_has(answer, "<t:Name>a.txt</t:Name><t:ContentType>text/plain</t:ContentType>");
    assert_has(answer, "<t:Content>aGVsbG8=</t:Content>"); // MS-OXWSATT_R76
    assert_has(answer, "<t:Subject>Inside</t:Subject>");
    answer = ews_get(f, f->alice, id, "Default", NULL);
    assert_has(answer, "<t:HasAttachments>true</t:HasAttachments>");
    assert_has(answer, "<t:Attachments><t:FileAttachment>");
    g_autofree char *delete = g_strdup_printf(
        "<m:DeleteAttachment><m:AttachmentIds><t:AttachmentId Id=\"%s\"/></m:AttachmentIds>"
        "</m:DeleteAttachment>",
        file);
    assert_has(ews_ask(f, f->alice, delete), "<m:RootItemId RootItemId=");
    answer = ews_ask(f, f->alice, get);
    assert_has(answer, "ErrorInvalidAttachmentId");
    assert_has(answer, "<t:Subject>Inside</t:Subject>"); // though its place has changed
}

static void test_rights(struct ews_fixture *f, gconstpointer data) {
    const char *id = ews_make(f, f->alice, MESSAGE);
    const char *answer = ews_get(f, f->bob, id, "IdOnly", NULL);
    assert_has(answer, "ResponseClass=\"Error\"");
    assert_has(answer, "ErrorAccessDenied");
    assert_has_not(answer, "Hello");
    // Impersonation needs full access.
    f->header = "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>"
                "alice@example.test</t:PrimarySmtpAddress></t:ConnectingSID>"
                "</t:ExchangeImpersonation>";
    assert_has(ews_get(f, f->bob, id, "IdOnly", NULL), "ErrorImpersonateUserDenied");
    assert_ok(directory_grant(f->directory, &f->alice->guid, &f->bob->guid, DIRECTORY_FULL_ACCESS));
    assert_has(ews_get(f, f->bob, id, "Default", NULL), "<t:Subject>Hello</t:Subject>");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    EWS_TEST("/ews/items/create-get", test_create_get);
    EWS_TEST("/ews/items/versions", test_versions);
    EWS_TEST("/ews/items/update", test_update);
    EWS_TEST("/ews/items/extended", test_extended);
    EWS_TEST("/ews/items/delete-move", test_delete_move);
    EWS_TEST("/ews/items/send", test_send);
    EWS_TEST("/ews/items/reply", test_reply);
    EWS_TEST("/ews/items/contact-task", test_contact_task);
    EWS_TEST("/ews/items/attachments", test_attachments);
    EWS_TEST("/ews/items/rights", test_rights);
    request_tests();
    return g_test_run();
}
