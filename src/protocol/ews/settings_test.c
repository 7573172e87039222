// Operations about people and settings, as conversations; every answer is checked by the schema.
#include "mailbox/item.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "protocol/ews/schema_internal.h"
#include "protocol/ews/settings_fixture.h"
#include "transport/track.h"

static struct guid add_object(struct ews_world *e, enum directory_kind kind, const char *address,
                              const char *name) {
    struct directory_object o = {.kind = kind,
                                 .address = address,
                                 .display_name = name,
                                 .given_name = "Given",
                                 .department = "Sales",
                                 .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(e->world.d, &o));
    return o.guid;
}

// The text of the attribute Id of the first such element. g_free.
static char *id_in(const char *answer, const char *element) {
    g_autofree char *begin = g_strdup_printf("<%s Id=\"", element);
    const char *at = strstr(answer, begin);
    g_assert_nonnull(at);
    at += strlen(begin);
    return g_strndup(at, strcspn(at, "\""));
}

// --- Names ---

#define RESOLVE(scope, full, text)                                                                 \
    "<m:ResolveNames ReturnFullContactData=\"" full "\" SearchScope=\"" scope "\">"                \
    "<m:UnresolvedEntry>" text "</m:UnresolvedEntry></m:ResolveNames>"

static void test_resolve(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_object(e, DIRECTORY_USER, "carol@example.test", "Carol Example");
    add_object(e, DIRECTORY_GROUP, "carols@example.test", "Carols");
    const char *answer = ews_ask(e, RESOLVE("ActiveDirectory", "true", "alice"));
    assert_says(answer, "<m:ResponseCode>NoError</m:ResponseCode>");
    assert_says(answer, "TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\"");
    assert_says(answer, "<t:EmailAddress>alice@example.test</t:EmailAddress>");
    assert_says(answer, "<t:ContactSource>ActiveDirectory</t:ContactSource>");
    answer = ews_ask(e, RESOLVE("ActiveDirectoryContacts", "false", "carol"));
    assert_says(answer, "ResponseClass=\"Warning\"");
    assert_says(answer, "ErrorNameResolutionMultipleResults");
    assert_says(answer, "<t:MailboxType>PublicDL</t:MailboxType>");
    assert_silent(answer, "<t:Contact>");
    assert_says(ews_ask(e, RESOLVE("ActiveDirectory", "false", "nobody")),
                "ErrorNameResolutionNoResults");
    // What older clients do not know is not sent to them.
    answer = ews_ask_as(e, &e->world.alice, "alice@example.test", "Exchange2007_SP1",
                        RESOLVE("ActiveDirectory", "true", "alice"));
    assert_silent(answer, "<t:Alias>");
    assert_says(ews_ask(e, RESOLVE("ActiveDirectory", "true", "alice")), "<t:Alias>");
}

static void test_groups_and_rooms(struct ews_world *e, gconstpointer data) {
    (void)data;
    struct guid list = add_object(e, DIRECTORY_GROUP, "rooms@example.test", "Rooms");
    struct guid staff = add_object(e, DIRECTORY_GROUP, "staff@example.test", "Staff");
    struct guid room = add_object(e, DIRECTORY_ROOM, "room1@example.test", "Room 1");
    assert_ok(directory_member_add(e->world.d, &list, &room));
    assert_ok(directory_member_add(e->world.d, &staff, &e->world.bob));
    const char *answer = ews_ask(e, "<m:GetRoomLists/>");
    assert_says(answer, "rooms@example.test");
    assert_silent(answer, "staff@example.test");
    answer = ews_ask(e, "<m:GetRooms><m:RoomList><t:EmailAddress>rooms@example.test"
                        "</t:EmailAddress></m:RoomList></m:GetRooms>");
    assert_says(answer, "<t:Name>Room 1</t:Name>");
    assert_says(ews_ask(e, "<m:GetRooms><m:RoomList><t:EmailAddress>alice@example.test"
                           "</t:EmailAddress></m:RoomList></m:GetRooms>"),
                "ErrorNameResolutionNoResults");
    answer = ews_ask(e, "<m:ExpandDL><m:Mailbox><t:EmailAddress>staff@example.test"
                        "</t:EmailAddress></m:Mailbox></m:ExpandDL>");
    assert_says(answer, "TotalItemsInView=\"1\"");
    assert_says(answer, "bob@example.test");
    assert_says(ews_ask(e, "<m:ExpandDL><m:Mailbox><t:EmailAddress>bob@example.test"
                           "</t:EmailAddress></m:Mailbox></m:ExpandDL>"),
                "ErrorNameResolutionNoResults");
}

static void test_people(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *answer =
        ews_ask(e, "<m:FindPeople><m:IndexedPageItemView BasePoint=\"Beginning\" Offset=\"0\""
                   " MaxEntriesReturned=\"10\"/><m:ParentFolderId><t:DistinguishedFolderId"
                   " Id=\"directory\"/></m:ParentFolderId><m:QueryString>bob</m:QueryString>"
                   "</m:FindPeople>");
    assert_says(answer, "<m:TotalNumberOfPeopleInView>1</m:TotalNumberOfPeopleInView>");
    const char *id = strstr(answer, "PersonaId Id=\"");
    g_assert_nonnull(id);
    id += strlen("PersonaId Id=\"");
    g_autofree char *request = g_strdup_printf(
        "<m:GetPersona><m:PersonaId Id=\"%.*s\"/></m:GetPersona>", (int)strcspn(id, "\""), id);
    assert_says(ews_ask(e, request), "bob@example.test");
    assert_says(ews_ask(e, "<m:GetPersona><m:EmailAddress><t:EmailAddress>alice@example.test"
                           "</t:EmailAddress></m:EmailAddress></m:GetPersona>"),
                "<t:PersonaType>Person</t:PersonaType>");
}

// A contact or list in the Contacts folder.
static uint64_t add_contact(struct ews_world *e, const char *class, const char *name,
                            const char *address, const struct prop_value *more) {
    struct message_value *value = message_value_new();
    uint64_t mid;
    bag_set_str(value->bag, PidTagMessageClass, class);
    bag_set_str(value->bag, PidTagDisplayName, name);
    bag_set_str(value->bag, PidTagSurname, "Holzmann");
    bag_set_str(value->bag, PidLidEmail1EmailAddress, address);
    bag_set_str(value->bag, PidLidEmail1AddressType, "SMTP");
    if (more)
        assert_ok(bag_set(value->bag, more));
    struct item_new spec = {.value = value};
    assert_ok(item_create(e->world.m, FID_CONTACTS, &spec, &mid));
    message_value_free(value);
    return mid;
}

static void test_contacts(struct ews_world *e, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    add_contact(e, "IPM.Contact", "Gustav Holzmann", "gustav@elsewhere.test", NULL);
    add_contact(e, "IPM.Contact", "Gustav Other", "other@elsewhere.test", NULL);
    const char *answer = ews_ask(e, RESOLVE("Contacts", "true", "gustav holz"));
    assert_says(answer, "TotalItemsInView=\"2\"");
    answer = ews_ask(e, RESOLVE("ActiveDirectoryContacts", "true", "gustav@else"));
    assert_says(answer, "TotalItemsInView=\"1\"");
    assert_says(answer, "<t:MailboxType>Contact</t:MailboxType><t:ItemId Id=");
    assert_says(answer, "<t:ContactSource>Store</t:ContactSource>");
    assert_says(ews_ask(e, RESOLVE("ActiveDirectory", "true", "gustav")),
                "ErrorNameResolutionNoResults");
    // The members of a personal list, by what they were when they were added.
    struct prop_bin member =
        entry_id_of_address(arena, "Somebody", "SMTP", "somebody@elsewhere.test");
    struct prop_value members = {.tag = PidLidDistributionListMembers};
    members.mv.n = 1;
    members.mv.bin = &member;
    add_contact(e, "IPM.DistList", "My list", NULL, &members);
    answer = ews_ask(e, RESOLVE("Contacts", "false", "my list"));
    assert_says(answer, "<t:RoutingType>MAPIPDL</t:RoutingType>");
    const char *id = strstr(answer, "<t:ItemId Id=\"");
    g_assert_nonnull(id);
    id += strlen("<t:ItemId Id=\"");
    g_autofree char *expand =
        g_strdup_printf("<m:ExpandDL><m:Mailbox><t:ItemId Id=\"%.*s\"/></m:Mailbox></m:ExpandDL>",
                        (int)strcspn(id, "\""), id);
    answer = ews_ask(e, expand);
    assert_says(answer, "<t:EmailAddress>somebody@elsewhere.test</t:EmailAddress>");
    answer = ews_ask(e, "<m:FindPeople><m:IndexedPageItemView BasePoint=\"Beginning\" Offset=\"0\""
                        " MaxEntriesReturned=\"1\"/><m:ParentFolderId><t:DistinguishedFolderId"
                        " Id=\"contacts\"/></m:ParentFolderId></m:FindPeople>");
    assert_says(answer, "<m:TotalNumberOfPeopleInView>3</m:TotalNumberOfPeopleInView>");
    assert_silent(answer, "My list");
}

// --- Delegates ---

#define DELEGATE_MAILBOX                                                                           \
    "<m:Mailbox><t:EmailAddress>alice@example.test</t:EmailAddress></m:Mailbox>"
#define BOB_ID "<t:UserId><t:PrimarySmtpAddress>bob@example.test</t:PrimarySmtpAddress></t:UserId>"

static void test_delegates(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *add = "<m:AddDelegate>" DELEGATE_MAILBOX "<m:DelegateUsers><t:DelegateUser>" BOB_ID
                      "<t:DelegatePermissions><t:CalendarFolderPermissionLevel>Editor"
                      "</t:CalendarFolderPermissionLevel></t:DelegatePermissions>"
                      "<t:ViewPrivateItems>true</t:ViewPrivateItems></t:DelegateUser>"
                      "</m:DelegateUsers><m:DeliverMeetingRequests>DelegatesOnly"
                      "</m:DeliverMeetingRequests></m:AddDelegate>";
    const char *get =
        "<m:GetDelegate IncludePermissions=\"true\">" DELEGATE_MAILBOX "</m:GetDelegate>";
    assert_says(ews_ask(e, get), "DelegatesAndMe");
    assert_silent(ews_ask(e, add), "ResponseClass=\"Error\"");
    assert_says(ews_ask(e, add), "ErrorDelegateAlreadyExists");
    const char *answer = ews_ask(e, get);
    assert_says(answer, "<t:PrimarySmtpAddress>bob@example.test</t:PrimarySmtpAddress>");
    assert_says(answer, "<t:CalendarFolderPermissionLevel>Editor<");
    assert_says(answer, "<t:InboxFolderPermissionLevel>None<");
    assert_says(answer, "<t:ViewPrivateItems>true<");
    assert_says(answer, "<m:DeliverMeetingRequests>DelegatesOnly<");
    answer =
        ews_ask(e, "<m:UpdateDelegate>" DELEGATE_MAILBOX "<m:DelegateUsers><t:DelegateUser>" BOB_ID
                   "<t:DelegatePermissions><t:InboxFolderPermissionLevel>Reviewer"
                   "</t:InboxFolderPermissionLevel></t:DelegatePermissions></t:DelegateUser>"
                   "</m:DelegateUsers></m:UpdateDelegate>");
    assert_says(answer, "<t:CalendarFolderPermissionLevel>Editor<");
    assert_says(answer, "<t:InboxFolderPermissionLevel>Reviewer<");
    // Nobody else sees them.
    assert_says(ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2010", get),
                "ResponseClass=\"Error\"");
    const char *remove = "<m:RemoveDelegate>" DELEGATE_MAILBOX "<m:UserIds>" BOB_ID
                         "</m:UserIds></m:RemoveDelegate>";
    assert_silent(ews_ask(e, remove), "ResponseClass=\"Error\"");
    assert_says(ews_ask(e, remove), "ErrorNotDelegate");
}

// --- Out of office ---

#define OOF_MAILBOX "<t:Mailbox><t:Address>alice@example.test</t:Address></t:Mailbox>"

static void test_oof(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *get = "<m:GetUserOofSettingsRequest>" OOF_MAILBOX "</m:GetUserOofSettingsRequest>";
    assert_says(ews_ask(e, get), "<t:OofState>Disabled</t:OofState>");
    const char *answer = ews_ask(
        e, "<m:SetUserOofSettingsRequest>" OOF_MAILBOX "<t:UserOofSettings>"
           "<t:OofState>Enabled</t:OofState><t:ExternalAudience>Known</t:ExternalAudience>"
           "<t:InternalReply xml:lang=\"en-US\"><t:Message>&lt;b&gt;away&lt;/b&gt;</t:Message>"
           "</t:InternalReply><t:ExternalReply><t:Message>gone</t:Message></t:ExternalReply>"
           "</t:UserOofSettings></m:SetUserOofSettingsRequest>");
    assert_says(answer, "NoError");
    answer = ews_ask(e, get);
    assert_says(answer, "<t:OofState>Enabled</t:OofState>");
    assert_says(answer, "<t:ExternalAudience>Known</t:ExternalAudience>");
    assert_says(answer, "xml:lang=\"en-US\"><t:Message>&lt;b&gt;away&lt;/b&gt;</t:Message>");
    // The tip for senders says it too.
    const char *tips = "<m:GetMailTips><m:SendingAs><t:EmailAddress>bob@example.test"
                       "</t:EmailAddress></m:SendingAs><m:Recipients><t:Mailbox><t:EmailAddress>"
                       "alice@example.test</t:EmailAddress></t:Mailbox><t:Mailbox>"
                       "<t:EmailAddress>x@elsewhere.test</t:EmailAddress></t:Mailbox>"
                       "</m:Recipients><m:MailTipsRequested>All</m:MailTipsRequested>"
                       "</m:GetMailTips>";
    answer = ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2013", tips);
    assert_says(answer, "<t:Message>&lt;b&gt;away&lt;/b&gt;</t:Message>");
    assert_says(answer, "<t:ExternalMemberCount>1</t:ExternalMemberCount>");
    // Others may neither read nor set them.
    assert_says(ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2013", get),
                "ResponseClass=\"Error\"");
    answer =
        ews_ask(e, "<m:SetUserOofSettingsRequest>" OOF_MAILBOX "<t:UserOofSettings>"
                   "<t:OofState>Scheduled</t:OofState><t:ExternalAudience>All</t:ExternalAudience>"
                   "<t:Duration><t:StartTime>2030-01-02T00:00:00Z</t:StartTime>"
                   "<t:EndTime>2030-01-01T00:00:00Z</t:EndTime></t:Duration>"
                   "</t:UserOofSettings></m:SetUserOofSettingsRequest>");
    assert_says(answer, "ErrorInvalidScheduledOofDuration");
    world_assert_clean(&e->world, &e->world.alice);
}

// --- Configuration ---

#define CONFIGURATION_OF(name)                                                                     \
    "<t:UserConfigurationName Name=\"" name "\"><t:DistinguishedFolderId Id=\"inbox\"/>"           \
    "</t:UserConfigurationName>"
#define STRING_ENTRY(key, value)                                                                   \
    "<t:DictionaryEntry><t:DictionaryKey><t:Type>String</t:Type><t:Value>" key "</t:Value>"        \
    "</t:DictionaryKey>" value "</t:DictionaryEntry>"

static void test_configuration(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *create = "<m:CreateUserConfiguration><m:UserConfiguration>" CONFIGURATION_OF(
        "Test.1") "<t:Dictionary>" STRING_ENTRY("a&amp;b", "<t:DictionaryValue><t:Type>Integer32</"
                                                           "t:Type><t:Value>-5</t:Value>"
                                                           "</t:DictionaryValue>")
        STRING_ENTRY("list", "<t:DictionaryValue><t:Type>StringArray</t:Type><t:Value>x:1"
                             "</t:Value><t:Value>y</t:Value></t:DictionaryValue>")
            STRING_ENTRY("none",
                         "<t:DictionaryValue"
                         " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                         " xsi:nil=\"true\"/>") "</t:Dictionary>"
                                                "<t:XmlData>PGEvPg==</t:XmlData></"
                                                "m:UserConfiguration></m:CreateUserConfiguration>";
    const char *get = "<m:GetUserConfiguration><m:UserConfigurationName Name=\"test.1\">"
                      "<t:DistinguishedFolderId Id=\"inbox\"/></m:UserConfigurationName>"
                      "<m:UserConfigurationProperties>All</m:UserConfigurationProperties>"
                      "</m:GetUserConfiguration>";
    assert_says(ews_ask(e, get), "ErrorItemNotFound");
    assert_says(ews_ask(e, create), "NoError");
    assert_says(ews_ask(e, create), "ErrorItemSave");
    const char *answer = ews_ask(e, get);
    assert_says(answer, "<t:Value>a&amp;b</t:Value>");
    assert_says(answer, "<t:Type>Integer32</t:Type><t:Value>-5</t:Value>");
    assert_says(answer, "<t:Value>x:1</t:Value><t:Value>y</t:Value>");
    assert_says(answer, "xsi:nil=\"true\"");
    assert_says(answer, "<t:XmlData>PGEvPg==</t:XmlData>");
    assert_says(answer, "<t:ItemId Id=");
    assert_silent(answer, "<t:BinaryData>");
    assert_says(ews_ask(e, "<m:UpdateUserConfiguration><m:UserConfiguration>" CONFIGURATION_OF(
                               "Test.1") "<t:BinaryData>AQI=</t:BinaryData></m:UserConfiguration>"
                                         "</m:UpdateUserConfiguration>"),
                "NoError");
    answer = ews_ask(e, get);
    assert_says(answer, "<t:BinaryData>AQI=</t:BinaryData>");
    assert_says(answer, "<t:XmlData>");
    const char *remove = "<m:DeleteUserConfiguration><m:UserConfigurationName Name=\"Test.1\">"
                         "<t:DistinguishedFolderId Id=\"inbox\"/></m:UserConfigurationName>"
                         "</m:DeleteUserConfiguration>";
    assert_says(ews_ask(e, remove), "NoError");
    assert_says(ews_ask(e, remove), "ErrorItemNotFound");
    world_assert_clean(&e->world, &e->world.alice);
}

// --- Rules ---

#define RULE(inside)                                                                               \
    "<t:DisplayName>r</t:DisplayName><t:Priority>1</t:Priority><t:IsEnabled>true</"                \
    "t:IsEnabled>" inside
#define UPDATE_RULES(operations)                                                                   \
    "<m:UpdateInboxRules><m:Operations>" operations "</m:Operations></m:UpdateInboxRules>"
#define STRINGS(a, b) "<t:String>" a "</t:String><t:String>" b "</t:String>"
#define ADDRESS(a) "<t:Address><t:EmailAddress>" a "</t:EmailAddress></t:Address>"

static void test_rules(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char conditions[] = "<t:Conditions><t:ContainsSubjectStrings>" STRINGS(
        "one",
        "two") "</t:ContainsSubjectStrings>"
               "<t:FromAddresses>" ADDRESS(
                   "x@elsewhere.test") "</t:FromAddresses>"
                                       "<t:HasAttachments>true</"
                                       "t:HasAttachments><t:Importance>High</t:Importance>"
                                       "<t:SentToMe>true</t:SentToMe>"
                                       "<t:WithinSizeRange><t:MinimumSize>1</"
                                       "t:MinimumSize><t:MaximumSize>9</t:MaximumSize>"
                                       "</t:WithinSizeRange></t:Conditions>"
                                       "<t:Exceptions><t:ContainsSubjectOrBodyStrings>" STRINGS(
                                           "three", "four") "</t:ContainsSubjectOrBodyStrings></"
                                                            "t:Exceptions>";
    g_autofree char *create = g_strdup_printf(
        "<m:UpdateInboxRules><m:Operations><t:CreateRuleOperation><t:Rule>%s%s"
        "<t:Actions><t:AssignCategories><t:String>Red</t:String></t:AssignCategories>"
        "<t:ForwardToRecipients>" ADDRESS(
            "bob@example.test") "</t:ForwardToRecipients>"
                                "<t:MarkAsRead>true</"
                                "t:MarkAsRead><t:MoveToFolder><t:DistinguishedFolderId "
                                "Id=\"drafts\"/>"
                                "</t:MoveToFolder><t:StopProcessingRules>true</"
                                "t:StopProcessingRules></t:Actions>"
                                "</t:Rule></t:CreateRuleOperation></m:Operations></"
                                "m:UpdateInboxRules>",
        RULE(""), conditions);
    assert_says(ews_ask(e, create), "NoError");
    const char *answer = ews_ask(e, "<m:GetInboxRules/>");
    assert_says(answer, "<m:OutlookRuleBlobExists>false</m:OutlookRuleBlobExists>");
    assert_silent(answer, "IsNotSupported");
    assert_says(answer, "<t:String>one</t:String><t:String>two</t:String>");
    assert_says(answer, "<t:EmailAddress>x@elsewhere.test</t:EmailAddress>");
    assert_says(answer, "<t:MinimumSize>1</t:MinimumSize><t:MaximumSize>9</t:MaximumSize>");
    assert_says(answer, "<t:Exceptions><t:ContainsSubjectOrBodyStrings><t:String>three</t:String>");
    assert_says(answer, "<t:MoveToFolder><t:FolderId");
    assert_says(answer, "<t:StopProcessingRules>true</t:StopProcessingRules>");
    const char *id = strstr(answer, "<t:RuleId>");
    g_assert_nonnull(id);
    g_autofree char *remove = g_strdup_printf(
        UPDATE_RULES("<t:DeleteRuleOperation><t:RuleId>%.*s</t:RuleId></t:DeleteRuleOperation>"),
        (int)strcspn(id + 10, "<"), id + 10);
    // What is wrong is told with the number of the operation; nothing is done then.
    answer = ews_ask(
        e, UPDATE_RULES(
               "<t:CreateRuleOperation><t:Rule>" RULE("<t:Conditions><t:FromAddresses>" ADDRESS(
                   "nobody") "</t:FromAddresses></t:Conditions>") "</t:Rule></"
                                                                  "t:CreateRuleOperation>"));
    assert_says(answer, "ErrorInboxRulesValidationError");
    assert_says(answer, "<t:FieldURI>Condition:FromAddresses</t:FieldURI>"
                        "<t:ErrorCode>InvalidAddress</t:ErrorCode>");
    assert_says(answer, "<t:ErrorCode>MissingAction</t:ErrorCode>");
    assert_says(ews_ask(e, remove), "NoError");
    assert_silent(ews_ask(e, "<m:GetInboxRules/>"), "<t:Rule>");
    assert_says(ews_ask(e, remove), "RuleNotFound");
    world_assert_clean(&e->world, &e->world.alice);
}

// A rule made here is carried out when mail comes.
static void test_rule_works(struct ews_world *e, gconstpointer data) {
    (void)data;
    assert_says(
        ews_ask(e, UPDATE_RULES("<t:CreateRuleOperation><t:Rule>" RULE(
                       "<t:Conditions><t:ContainsSubjectStrings><t:String>Secret</t:String>"
                       "</t:ContainsSubjectStrings></t:Conditions><t:Actions><t:MoveToFolder>"
                       "<t:DistinguishedFolderId "
                       "Id=\"junkemail\"/></t:MoveToFolder></t:Actions>") "</t:Rule></"
                                                                          "t:"
                                                                          "CreateRuleOperation"
                                                                          ">")),
        "NoError");
    assert_ok(world_deliver(&e->world, &e->world.alice, "a secret word", 10));
    assert_ok(world_deliver(&e->world, &e->world.alice, "a word", 10));
    g_assert_cmpuint(world_folder(&e->world, &e->world.alice, FID_JUNK).n_messages, ==, 1);
    g_assert_cmpuint(world_folder(&e->world, &e->world.alice, FID_INBOX).n_messages, ==, 1);
}

// --- The rest ---

static void test_photo(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *get = "<m:GetUserPhoto><m:Email>alice@example.test</m:Email>"
                      "<m:SizeRequested>HR48x48</m:SizeRequested></m:GetUserPhoto>";
    const char *answer = ews_ask(e, get);
    assert_says(answer, "ErrorItemNotFound");
    assert_says(answer, "<m:HasChanged>false</m:HasChanged>"); // MS-OXWSCONT_R30205602
    // MS-OXWSCONT_R302081, R302097, R302125: the answer is the one message itself
    assert_says(ews_ask(e, "<m:SetUserPhoto><m:Email>alice@example.test</m:Email>"
                           "<m:Content>/9j/4AAQ</m:Content></m:SetUserPhoto>"),
                "NoError");
    answer = ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2013", get);
    assert_says(answer, "<m:PictureData>/9j/4AAQ</m:PictureData>"); // MS-OXWSCONT_R302058
    assert_says(answer, "<m:HasChanged>true</m:HasChanged>");       // MS-OXWSCONT_R30205601
    assert_says(answer, "<m:GetUserPhotoResponse ResponseClass=");  // MS-OXWSCONT_R302020, R302052
    assert_says(ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2016",
                           "<m:SetUserPhoto><m:Email>alice@example.test</m:Email>"
                           "<m:Content>/9j/4AAQ</m:Content></m:SetUserPhoto>"),
                "ResponseClass=\"Error\"");
    assert_says(ews_ask(e, "<m:SetUserPhoto><m:Email>alice@example.test</m:Email>"
                           "<m:Content>AAAA</m:Content></m:SetUserPhoto>"),
                "ErrorInvalidPhotoSize");
}

static void test_time_zones(struct ews_world *e, gconstpointer data) {
    (void)data;
    clock_set(filetime_from_unix(1780000000)); // 2026
    const char *answer = ews_ask(
        e, "<m:GetServerTimeZones ReturnFullTimeZoneData=\"true\"><m:Ids>"
           "<t:Id>W. Europe Standard Time</t:Id><t:Id>Pacific Standard Time</t:Id>"
           "<t:Id>Tokyo Standard Time</t:Id><t:Id>Nowhere</t:Id></m:Ids></m:GetServerTimeZones>");
    assert_says(answer, "Id=\"W. Europe Standard Time\" Name=\"(UTC+01:00)");
    assert_says(answer, "<t:Period Bias=\"-PT1H\" Name=\"Standard\"");
    assert_says(answer, "<t:Period Bias=\"-PT2H\" Name=\"Daylight\"");
    assert_says(answer, "<t:TimeOffset>PT2H</t:TimeOffset><t:Month>3</t:Month>"
                        "<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence>");
    assert_says(answer, "<t:TimeOffset>PT3H</t:TimeOffset><t:Month>10</t:Month>");
    assert_says(answer, "<t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
                        "<t:Occurrence>2</t:Occurrence>");
    assert_says(answer, "<t:Period Bias=\"-PT9H\"");
    assert_silent(answer, "Nowhere");
    answer = ews_ask(e, "<m:GetServerTimeZones ReturnFullTimeZoneData=\"false\"/>");
    assert_says(answer, "Id=\"UTC\"");
    unsigned n = 0;
    for (const char *at = answer; (at = strstr(at, "<t:TimeZoneDefinition ")); at++)
        n++;
    g_assert_cmpuint(n, >, 100);
}

static void test_availability(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *request =
        "<m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>-60</t:Bias><t:StandardTime>"
        "<t:Bias>0</t:Bias><t:Time>03:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>10</t:Month>"
        "<t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime><t:Bias>-60</t:Bias>"
        "<t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>3</t:Month>"
        "<t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone><m:MailboxDataArray>"
        "<t:MailboxData><t:Email><t:Address>alice@example.test</t:Address></t:Email>"
        "<t:AttendeeType>Required</t:AttendeeType></t:MailboxData><t:MailboxData><t:Email>"
        "<t:Address>nobody@example.test</t:Address></t:Email><t:AttendeeType>Required"
        "</t:AttendeeType></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions>"
        "<t:TimeWindow><t:StartTime>2026-07-01T00:00:00</t:StartTime>"
        "<t:EndTime>2026-07-02T00:00:00</t:EndTime></t:TimeWindow>"
        "<t:MergedFreeBusyIntervalInMinutes>60</t:MergedFreeBusyIntervalInMinutes>"
        "<t:RequestedView>DetailedMerged</t:RequestedView></t:FreeBusyViewOptions>"
        "<t:SuggestionsViewOptions><t:MaximumResultsByDay>2</t:MaximumResultsByDay>"
        "<t:DetailedSuggestionsWindow><t:StartTime>2026-07-01T00:00:00</t:StartTime>"
        "<t:EndTime>2026-07-02T00:00:00</t:EndTime></t:DetailedSuggestionsWindow>"
        "</t:SuggestionsViewOptions></m:GetUserAvailabilityRequest>";
    // 10:00 to 11:30 in summer at UTC+2.
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Appointment");
    bag_set_str(value->bag, PidTagSubject, "Lunch");
    bag_set_time(value->bag, PidLidAppointmentStartWhole, filetime_from_unix(1782892800));
    bag_set_time(value->bag, PidLidAppointmentEndWhole, filetime_from_unix(1782892800 + 5400));
    bag_set_long(value->bag, PidLidBusyStatus, 2);
    struct item_new spec = {.value = value};
    uint64_t mid;
    assert_ok(item_create(e->world.m, FID_CALENDAR, &spec, &mid));
    message_value_free(value);
    const char *answer = ews_ask(e, request);
    assert_says(answer, "<t:MergedFreeBusy>000000000022000000000000</t:MergedFreeBusy>");
    assert_says(answer, "<t:StartTime>2026-07-01T10:00:00</t:StartTime>"
                        "<t:EndTime>2026-07-01T11:30:00</t:EndTime><t:BusyType>Busy</t:BusyType>");
    assert_says(answer, "<t:Subject>Lunch</t:Subject>");
    assert_says(answer, "ErrorMailRecipientNotFound");
    assert_says(answer, "<t:MeetingTime>2026-07-01T08:00:00</t:MeetingTime>");
    // Others see when, and no more.
    answer = ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2010", request);
    assert_says(answer, "<t:BusyType>Busy</t:BusyType>");
    assert_silent(answer, "Lunch");
}

static void test_settings(struct ews_world *e, gconstpointer data) {
    (void)data;
    assert_says(ews_ask(e, "<m:GetPasswordExpirationDate/>"), "9999-12-31T23:59:59");
    assert_says(ews_ask(e, "<m:GetUserRetentionPolicyTags/>"), "<m:RetentionPolicyTags/>");
    const char *answer =
        ews_ask(e, "<m:GetServiceConfiguration><m:RequestedConfiguration>"
                   "<m:ConfigurationName>MailTips</m:ConfigurationName>"
                   "<m:ConfigurationName>UnifiedMessagingConfiguration</m:ConfigurationName>"
                   "<m:ConfigurationName>ProtectionRules</m:ConfigurationName>"
                   "<m:ConfigurationName>PolicyNudges</m:ConfigurationName>"
                   "</m:RequestedConfiguration></m:GetServiceConfiguration>");
    assert_says(answer, "<t:MailTipsEnabled>true</t:MailTipsEnabled>");
    assert_says(answer, "<t:Domain Name=\"example.test\"");
    assert_says(answer, "<t:UmEnabled>false</t:UmEnabled>");
    assert_says(ews_ask(e, "<m:PlayOnPhone><m:ItemId Id=\"\"/><m:DialString>1</m:DialString>"
                           "</m:PlayOnPhone>"),
                "ResponseClass=\"Error\"");
    assert_says(ews_ask(e, "<m:GetPhoneCallInformation><m:PhoneCallId Id=\"x\"/>"
                           "</m:GetPhoneCallInformation>"),
                "ErrorUserNotUnifiedMessagingEnabled");
    assert_says(ews_ask(e, "<m:GetReminders/>"), "<m:Reminders/>");
}

static void test_reminders(struct ews_world *e, gconstpointer data) {
    (void)data;
    struct message_value *value = message_value_new();
    uint64_t mid;
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Appointment");
    bag_set_str(value->bag, PidTagSubject, "Dentist");
    bag_set_bool(value->bag, PidLidReminderSet, true);
    bag_set_time(value->bag, PidLidReminderSignalTime, filetime_from_unix(1782892800));
    bag_set_time(value->bag, PidLidAppointmentStartWhole, filetime_from_unix(1782893700));
    bag_set_time(value->bag, PidLidAppointmentEndWhole, filetime_from_unix(1782897300));
    struct item_new spec = {.value = value};
    assert_ok(item_create(e->world.m, FID_CALENDAR, &spec, &mid));
    message_value_free(value);
    const char *answer = ews_ask(e, "<m:GetReminders/>");
    assert_says(answer, "<t:Subject>Dentist</t:Subject>");
    assert_says(answer, "<t:ReminderTime>2026-07-01T08:00:00Z</t:ReminderTime>");
    g_autofree char *id = id_in(answer, "t:ItemId");
    assert_says(ews_ask(e, "<m:GetReminders><m:EndTime>2026-06-30T00:00:00Z</m:EndTime>"
                           "</m:GetReminders>"),
                "<m:Reminders/>");
    g_autofree char *dismiss = g_strdup_printf(
        "<m:PerformReminderAction><m:ReminderItemActions><t:ReminderItemAction>"
        "<t:ActionType>Dismiss</t:ActionType><t:ItemId Id=\"%s\"/></t:ReminderItemAction>"
        "</m:ReminderItemActions></m:PerformReminderAction>",
        id);
    assert_says(ews_ask(e, dismiss), "<m:UpdatedItemIds><t:ItemId");
    assert_says(ews_ask(e, "<m:GetReminders/>"), "<m:Reminders/>");
}

static void test_tracking(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *find = "<m:FindMessageTrackingReport><m:Scope>Forest</m:Scope>"
                       "<m:Domain>example.test</m:Domain></m:FindMessageTrackingReport>";
    assert_says(ews_ask(e, find), "ErrorMessageTrackingPermanentError");
    g_autofree char *dir = g_build_filename(e->world.dir, "track", NULL);
    struct track_options options = {.dir = dir, .keep_seconds = 86400, .with_subjects = true};
    assert_ok(track_open(&options));
    struct track_event event = {.kind = TRACK_RECEIVE,
                                .message_id = "<1@example.test>",
                                .sender = "alice@example.test",
                                .recipient = "x@elsewhere.test",
                                .subject = "Offer"};
    track_event(&event);
    event.kind = TRACK_RELAY;
    event.detail = "mx.elsewhere.test";
    track_event(&event);
    event = (struct track_event){.kind = TRACK_RECEIVE,
                                 .message_id = "<2@example.test>",
                                 .sender = "bob@example.test",
                                 .recipient = "x@elsewhere.test"};
    track_event(&event);
    struct ews_service *without = e->service;
    struct ews_options ews = {.mailboxes = e->world.service, .hostname = "h", .track_dir = dir};
    assert_ok(ews_service_new(&ews, &e->service));
    const char *answer = ews_ask(e, find);
    assert_says(answer, "<t:Subject>Offer</t:Subject>");
    assert_silent(answer, "2@example.test"); // another's
    const char *at = strstr(answer, "<t:MessageTrackingReportId>");
    g_assert_nonnull(at);
    at += strlen("<t:MessageTrackingReportId>");
    g_autofree char *get = g_strdup_printf(
        "<m:GetMessageTrackingReport><m:Scope>Forest</m:Scope><m:ReportTemplate>Summary"
        "</m:ReportTemplate><m:MessageTrackingReportId>%.*s</m:MessageTrackingReportId>"
        "</m:GetMessageTrackingReport>",
        (int)strcspn(at, "<"), at);
    answer = ews_ask(e, get);
    assert_says(answer, "<t:DeliveryStatus>Transferred</t:DeliveryStatus>");
    assert_says(answer, "<t:EventData><t:String>mx.elsewhere.test</t:String></t:EventData>");
    assert_says(ews_ask_as(e, &e->world.bob, "bob@example.test", "Exchange2010", get),
                "ErrorMessageTrackingPermanentError");
    ews_service_free(without);
    track_close();
}

static void test_apps(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char manifest[] =
        "<OfficeApp xmlns=\"http://schemas.microsoft.com/office/appforoffice/1.0\">"
        "<Id>6EF7C51E-F7AA-4C53-9A7B-000000000001</Id></OfficeApp>";
    g_autofree char *base64 = g_base64_encode((const guchar *)manifest, strlen(manifest));
    g_autofree char *install =
        g_strdup_printf("<m:InstallApp><m:Manifest>%s</m:Manifest></m:InstallApp>", base64);
    assert_says(ews_ask(e, install), "<m:WasFirstInstall>true</m:WasFirstInstall>");
    assert_says(ews_ask(e, install), "<m:WasFirstInstall>false</m:WasFirstInstall>");
    assert_says(ews_ask(e, "<m:GetAppManifests/>"), base64);
    assert_says(ews_ask(e, "<m:GetAppManifests><m:ApiVersionSupported>1.1</m:ApiVersionSupported>"
                           "<m:SchemaVersionSupported>1.1</m:SchemaVersionSupported>"
                           "</m:GetAppManifests>"),
                base64);
    const char *disable = "<m:DisableApp><m:ID>6ef7c51e-f7aa-4c53-9a7b-000000000001</m:ID>"
                          "<m:DisableReason>NoReason</m:DisableReason></m:DisableApp>";
    assert_says(ews_ask(e, disable), "NoError");
    assert_silent(ews_ask(e, "<m:GetAppManifests/>"), base64);
    assert_says(ews_ask(e, "<m:UninstallApp><m:ID>6ef7c51e-f7aa-4c53-9a7b-000000000001</m:ID>"
                           "</m:UninstallApp>"),
                "NoError");
    assert_says(ews_ask(e, disable), "ErrorExtensionNotFound");
    assert_says(ews_ask(e, "<m:GetClientAccessToken><m:TokenRequests><t:TokenRequest><t:Id>x</t:Id>"
                           "<t:TokenType>CallerIdentity</t:TokenType></t:TokenRequest>"
                           "</m:TokenRequests></m:GetClientAccessToken>"),
                "ErrorNoOAuthServerAvailableForRequest");
}

static void test_discovery(struct ews_world *e, gconstpointer data) {
    (void)data;
    uint64_t mid;
    assert_ok(world_append(&e->world, FID_INBOX, "needle here", 10, &mid));
    assert_ok(world_append(&e->world, FID_INBOX, "hay", 10, &mid));
    const char *answer = ews_ask(e, "<m:GetSearchableMailboxes/>");
    assert_silent(answer, "bob@example.test");
    const char *search = "<m:SearchMailboxes><m:SearchQueries><t:MailboxQuery><t:Query>needle"
                         "</t:Query><t:MailboxSearchScopes><t:MailboxSearchScope><t:Mailbox>"
                         "alice@example.test</t:Mailbox><t:SearchScope>All</t:SearchScope>"
                         "</t:MailboxSearchScope><t:MailboxSearchScope><t:Mailbox>"
                         "bob@example.test</t:Mailbox><t:SearchScope>All</t:SearchScope>"
                         "</t:MailboxSearchScope></t:MailboxSearchScopes></t:MailboxQuery>"
                         "</m:SearchQueries><m:ResultType>PreviewOnly</m:ResultType>"
                         "</m:SearchMailboxes>";
    answer = ews_ask(e, search);
    assert_says(answer, "<t:ItemCount>1</t:ItemCount>");
    assert_says(answer, "<t:Subject>needle here</t:Subject>");
    assert_says(answer, "<t:FailedMailbox><t:Mailbox>bob@example.test</t:Mailbox>");
    assert_ok(directory_grant(e->world.d, &e->world.bob, &e->world.alice, DIRECTORY_FULL_ACCESS));
    assert_silent(ews_ask(e, search), "FailedMailbox");
    assert_says(ews_ask(e, "<m:GetHoldOnMailboxes><m:HoldId>x</m:HoldId></m:GetHoldOnMailboxes>"),
                "ErrorMailboxHoldNotFound");
    assert_says(ews_ask(e, "<m:GetNonIndexableItemStatistics><m:Mailboxes><t:LegacyDN>"
                           "alice@example.test</t:LegacyDN></m:Mailboxes>"
                           "</m:GetNonIndexableItemStatistics>"),
                "<t:ItemCount>0</t:ItemCount>");
    assert_says(ews_ask(e, "<m:GetNonIndexableItemDetails><m:Mailboxes><t:LegacyDN>"
                           "nobody</t:LegacyDN></m:Mailboxes></m:GetNonIndexableItemDetails>"),
                "<t:FailedMailbox>");
}

static void test_im_list(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_object(e, DIRECTORY_GROUP, "staff@example.test", "Staff");
    const char *add = "<m:AddImGroup><m:DisplayName>Friends</m:DisplayName></m:AddImGroup>";
    g_autofree char *group = id_in(ews_ask(e, add), "t:ExchangeStoreId");
    assert_says(ews_ask(e, add), "ErrorImGroupDisplayNameAlreadyExists");
    g_autofree char *new = g_strdup_printf(
        "<m:AddNewImContactToGroup><m:ImAddress>sip:x@elsewhere.test</m:ImAddress>"
        "<m:DisplayName>Xaver</m:DisplayName><m:GroupId Id=\"%s\"/></m:AddNewImContactToGroup>",
        group);
    const char *answer = ews_ask(e, new);
    assert_says(answer, "<t:DisplayName>Xaver</t:DisplayName>");
    g_autofree char *contact = id_in(answer, "t:PersonaId");
    assert_says(ews_ask(e, "<m:AddDistributionGroupToImList><m:SmtpAddress>staff@example.test"
                           "</m:SmtpAddress><m:DisplayName>Staff</m:DisplayName>"
                           "</m:AddDistributionGroupToImList>"),
                "<t:SmtpAddress>staff@example.test</t:SmtpAddress>");
    answer = ews_ask(e, "<m:GetImItemList/>");
    assert_says(answer, "<t:MemberCorrelationKey><t:ItemId");
    assert_says(answer, "IPM.DistList.MOC.DG");
    assert_says(answer, "x@elsewhere.test");
    g_autofree char *rename = g_strdup_printf(
        "<m:SetImGroup><m:GroupId Id=\"%s\"/><m:NewDisplayName>Staff</m:NewDisplayName>"
        "</m:SetImGroup>",
        group);
    assert_says(ews_ask(e, rename), "ErrorImGroupDisplayNameAlreadyExists");
    g_autofree char *leave =
        g_strdup_printf("<m:RemoveImContactFromGroup><m:ContactId Id=\"%s\"/><m:GroupId Id=\"%s\"/>"
                        "</m:RemoveImContactFromGroup>",
                        contact, group);
    assert_says(ews_ask(e, leave), "NoError");
    assert_silent(ews_ask(e, "<m:GetImItemList/>"), "MemberCorrelationKey");
    g_autofree char *gone = g_strdup_printf(
        "<m:RemoveContactFromImList><m:ContactId Id=\"%s\"/></m:RemoveContactFromImList>", contact);
    assert_says(ews_ask(e, gone), "NoError");
    assert_silent(ews_ask(e, "<m:GetImItemList/>"), "x@elsewhere.test");
    g_autofree char *remove =
        g_strdup_printf("<m:RemoveImGroup><m:GroupId Id=\"%s\"/></m:RemoveImGroup>", group);
    assert_says(ews_ask(e, remove), "NoError");
    assert_says(ews_ask(e, remove), "ErrorInvalidImGroupId");
    world_assert_clean(&e->world, &e->world.alice);
}

// Whose messages must have, by the schema, what an error cannot give.
static const char *const never_valid[] = {"DeleteSearchSuggestion",
                                          "ExecuteSearch",
                                          "FindAvailableMeetingTimes",
                                          "FindMeetingTimeCandidates",
                                          "GetPersona",
                                          "GetSearchSuggestions",
                                          "PerformReminderAction",
                                          NULL};

// Each operation answers an empty request in its own form, validly.
static void test_empty_requests(struct ews_world *e, gconstpointer data) {
    (void)data;
    unsigned n;
    g_autoptr(GString) bad = g_string_new(NULL);
    const struct ews_operation *all = ews_operations(&n);
    e->any = true;
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *request = g_strdup_printf("<m:%s/>", all[i].name);
        g_autofree char *key = g_strconcat("m:<", all[i].response + 2, NULL);
        const char *answer = ews_ask(e, request);
        // Some are not in the schema any more.
        if (ews_schema_find(key) && !g_strv_contains(never_valid, all[i].name) &&
            !schema_is_valid(e->schema, answer))
            g_string_append_printf(bad, " %s", all[i].name);
    }
    g_assert_cmpstr(bad->str, ==, "");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    EWS_TEST("/ews/settings/resolve", test_resolve);
    EWS_TEST("/ews/settings/groups and rooms", test_groups_and_rooms);
    EWS_TEST("/ews/settings/people", test_people);
    EWS_TEST("/ews/settings/delegates", test_delegates);
    EWS_TEST("/ews/settings/oof", test_oof);
    EWS_TEST("/ews/settings/configuration", test_configuration);
    EWS_TEST("/ews/settings/rules", test_rules);
    EWS_TEST("/ews/settings/a rule works", test_rule_works);
    EWS_TEST("/ews/settings/photo", test_photo);
    EWS_TEST("/ews/settings/time zones", test_time_zones);
    EWS_TEST("/ews/settings/availability", test_availability);
    EWS_TEST("/ews/settings/the rest", test_settings);
    EWS_TEST("/ews/settings/apps", test_apps);
    EWS_TEST("/ews/settings/discovery", test_discovery);
    EWS_TEST("/ews/settings/im list", test_im_list);
    EWS_TEST("/ews/settings/contacts", test_contacts);
    EWS_TEST("/ews/settings/reminders", test_reminders);
    EWS_TEST("/ews/settings/tracking", test_tracking);
    EWS_TEST("/ews/settings/empty requests", test_empty_requests);
    int result = g_test_run();
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
    return result;
}
