// Conversations and ConvertId over EWS ([MS-OXWSCONV], [MS-OXWSCVTID]).
#include "protocol/ews/folders_fixture.h"

#define INBOX "<m:ParentFolderId><t:DistinguishedFolderId Id='inbox'/></m:ParentFolderId>"

static void add_thread(struct ews_world *e) {
    assert_ok(world_append(&e->w, FID_INBOX, "Lunch", 10, NULL));
    assert_ok(world_append(&e->w, FID_INBOX, "Re: Lunch", 10, NULL));
    assert_ok(world_append(&e->w, FID_INBOX, "Other", 10, NULL));
    assert_ok(world_append(&e->w, FID_SENT_ITEMS, "Re: Lunch", 10, NULL));
}

static char *lunch_id(struct ews_world *e) {
    const char *a = ews_ask(e, "<m:FindConversation>" INBOX "</m:FindConversation>");
    assert_ok_answer(a);
    const char *topic = strstr(a, "<t:ConversationTopic>Lunch<");
    g_assert_nonnull(topic);
    while (topic > a && strncmp(topic, "<t:ConversationId Id=\"", 22) != 0)
        topic--;
    return value_after(topic, "<t:ConversationId Id=\"", 0);
}

static void test_find(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_thread(e);
    const char *a = ews_ask(e, "<m:FindConversation>" INBOX "</m:FindConversation>");
    assert_count(a, "<t:Conversation>", 2);
    assert_has(a, "<t:MessageCount>2</t:MessageCount>");
    assert_has(a, "<t:GlobalMessageCount>3</t:GlobalMessageCount>");
    assert_has(a, "<t:UnreadCount>2</t:UnreadCount>");
    assert_has(a, "<m:TotalConversationsInView>2<");
    a = ews_ask(e, "<m:FindConversation><m:IndexedPageItemView MaxEntriesReturned='1' Offset='1' "
                   "BasePoint='Beginning'/>" INBOX "</m:FindConversation>");
    assert_count(a, "<t:Conversation>", 1);
    a = ews_ask(e, "<m:FindConversation>" INBOX "<m:QueryString>subject:lunch</m:QueryString>"
                   "</m:FindConversation>");
    assert_count(a, "<t:Conversation>", 1);
}

static void test_items(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_thread(e);
    g_autofree char *id = lunch_id(e);
    static const char get[] =
        "<m:GetConversationItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
        "<t:AdditionalProperties><t:FieldURI FieldURI='item:Subject'/></t:AdditionalProperties>"
        "</m:ItemShape>%s<m:SortOrder>DateOrderAscending</m:SortOrder><m:Conversations>"
        "<t:Conversation><t:ConversationId Id='%s'/>%s</t:Conversation></m:Conversations>"
        "</m:GetConversationItems>";
    const char *a = ews_ask(e, get, "", id, "");
    assert_ok_answer(a);
    assert_count(a, "<t:ItemId ", 3);
    assert_has(a, "<t:ConversationNode>");
    g_autofree char *state = value_after(a, "<t:SyncState>", 0);
    g_autofree char *known = g_strdup_printf("<t:SyncState>%s</t:SyncState>", state);
    assert_count(ews_ask(e, get, "", id, known), "<t:ItemId ", 0); // nothing new
    a = ews_ask(e, get,
                "<m:FoldersToIgnore><t:DistinguishedFolderId Id='sentitems'/></m:FoldersToIgnore>",
                id, "");
    assert_count(a, "<t:ItemId ", 2);
    assert_has(ews_ask(e, get, "", "AAAA", ""), "ErrorInvalidId");
}

static void test_actions(struct ews_world *e, gconstpointer data) {
    (void)data;
    add_thread(e);
    g_autofree char *id = lunch_id(e);
    static const char apply[] =
        "<m:ApplyConversationAction><m:ConversationActions><t:ConversationAction><t:Action>%s"
        "</t:Action><t:ConversationId Id='%s'/><t:ContextFolderId><t:DistinguishedFolderId "
        "Id='inbox'/></t:ContextFolderId>%s</t:ConversationAction></m:ConversationActions>"
        "</m:ApplyConversationAction>";
    assert_ok_answer(ews_ask(e, apply, "SetReadState", id, "<t:IsRead>true</t:IsRead>"));
    g_assert_cmpuint(world_folder(&e->w, &e->w.alice, FID_INBOX).n_unread, ==, 1);
    assert_ok_answer(ews_ask(e, apply, "Copy", id,
                             "<t:DestinationFolderId><t:DistinguishedFolderId Id='drafts'/>"
                             "</t:DestinationFolderId>"));
    g_assert_cmpuint(world_folder(&e->w, &e->w.alice, FID_DRAFTS).n_messages, ==, 2);
    assert_ok_answer(ews_ask(e, apply, "Move", id,
                             "<t:DestinationFolderId><t:DistinguishedFolderId Id='junkemail'/>"
                             "</t:DestinationFolderId>"));
    g_assert_cmpuint(world_folder(&e->w, &e->w.alice, FID_INBOX).n_messages, ==, 1);
    g_assert_cmpuint(world_folder(&e->w, &e->w.alice, FID_JUNK).n_messages, ==, 2);
    g_assert_cmpuint(world_folder(&e->w, &e->w.alice, FID_SENT_ITEMS).n_messages, ==, 1);
    assert_has(ews_ask(e, apply, "Nonsense", id, ""), "ErrorInvalidRequest");
}

// Round through all forms, before anything else was called.
static void test_convert(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const char *const formats[] = {"EwsLegacyId", "EntryId", "HexEntryId",
                                          "StoreId",     "OwaId",   "EwsId"};
    assert_ok(world_append(&e->w, FID_INBOX, "x", 10, NULL));
    const char *a =
        ews_ask(e, "<m:FindItem Traversal='Shallow'><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
                   "</m:ItemShape><m:ParentFolderIds><t:DistinguishedFolderId Id='inbox'/>"
                   "</m:ParentFolderIds></m:FindItem>");
    g_autofree char *item = value_after(a, "<t:ItemId Id=\"", 0);
    g_autofree char *at = g_strdup(item);
    const char *from = "EwsId";
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        a = ews_ask(e,
                    "<m:ConvertId DestinationFormat='%s'><m:SourceIds><t:AlternateId "
                    "Format='%s' Id='%s' Mailbox='alice@example.test'/></m:SourceIds>"
                    "</m:ConvertId>",
                    formats[i], from, at);
        assert_ok_answer(a);
        assert_has(a, "xsi:type=\"t:AlternateIdType\"");
        g_free(at);
        at = value_after(a, " Id=\"", 0);
        from = formats[i];
    }
    g_assert_cmpstr(at, ==, item);
    a = ews_ask(e,
                "<m:ConvertId DestinationFormat='EwsId'><m:SourceIds>"
                "<t:AlternateId Format='HexEntryId' Id='00ZZ' Mailbox='alice@example.test'/>"
                "<t:AlternateId Format='StoreId' Id='' Mailbox='alice@example.test'/>"
                "<t:AlternateId Format='EwsId' Id='%s' Mailbox='nobody@example.test'/>"
                "<t:AlternateId Format='EwsId' Id='%s' Mailbox=''/>"
                "<t:AlternateId Format='EwsId' Id='%s' Mailbox='alice@example.test'/>"
                "</m:SourceIds></m:ConvertId>",
                item, item, item);
    assert_count(a, "<m:ConvertIdResponseMessage ", 5);
    assert_has(a, "ErrorInvalidIdMalformed");
    assert_has(a, "ErrorInvalidIdEmpty");
    assert_has(a, "ErrorNonExistentMailbox");
    assert_has(a, "ErrorMissingEmailAddress");
    assert_count(a, "ResponseClass=\"Success\"", 1);
}

void add_conversation_tests(void) {
    EWS_TEST("/conversations/find", test_find);
    EWS_TEST("/conversations/items", test_items);
    EWS_TEST("/conversations/actions", test_actions);
    EWS_TEST("/convert-id/forms", test_convert);
}
