// Subscriptions without a connection: pull, and what is refused ([MS-OXWSNTIF]). Push and streaming
// are tested over the real server.
#include "protocol/ews/folders_fixture.h"

static char *subscribe(struct ews_world *e, const char *folders, const char *types) {
    const char *a = ews_ask(e,
                            "<m:Subscribe><m:PullSubscriptionRequest>%s<t:EventTypes>%s"
                            "</t:EventTypes><t:Timeout>10</t:Timeout></m:PullSubscriptionRequest>"
                            "</m:Subscribe>",
                            folders, types);
    assert_ok_answer(a);
    return value_after(a, "<m:SubscriptionId>", 0);
}

static const char *get_events(struct ews_world *e, const char *id, const char *watermark) {
    return ews_ask(e,
                   "<m:GetEvents><m:SubscriptionId>%s</m:SubscriptionId><m:Watermark>%s"
                   "</m:Watermark></m:GetEvents>",
                   id, watermark);
}

#define INBOX "<t:FolderIds><t:DistinguishedFolderId Id='inbox'/></t:FolderIds>"
#define ALL                                                                                        \
    "<t:EventType>NewMailEvent</t:EventType><t:EventType>CreatedEvent</t:EventType>"               \
    "<t:EventType>DeletedEvent</t:EventType><t:EventType>ModifiedEvent</t:EventType>"              \
    "<t:EventType>MovedEvent</t:EventType><t:EventType>CopiedEvent</t:EventType>"

static void test_pull(struct ews_world *e, gconstpointer data) {
    (void)data;
    g_autofree char *id = subscribe(e, INBOX, ALL);
    g_autofree char *start = value_after(e->answer, "<m:Watermark>", 0);
    const char *a = get_events(e, id, start);
    assert_count(a, "<t:StatusEvent>", 1);
    assert_has(a, "<t:MoreEvents>false</t:MoreEvents>");
    assert_ok(world_deliver(&e->w, &e->w.alice, "news", 10));
    a = get_events(e, id, start);
    assert_count(a, "<t:NewMailEvent>", 1);
    assert_count(a, "<t:CreatedEvent>", 1);
    assert_has(a, "<t:PreviousWatermark>");
    g_autofree char *last = value_after(a, "<t:Watermark>", 1);
    // Not acknowledged: they come again, and not after.
    assert_count(get_events(e, id, start), "<t:NewMailEvent>", 1);
    assert_count(get_events(e, id, last), "<t:NewMailEvent>", 0);
    // The item's id is the one that FindItem gives.
    a = get_events(e, id, last);
    assert_ok(world_append(&e->w, FID_INBOX, "mine", 10, NULL));
    a = get_events(e, id, last);
    g_autofree char *item = value_after(a, "<t:ItemId Id=\"", 0);
    a = ews_ask(e, "<m:FindItem Traversal='Shallow'><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
                   "</m:ItemShape><m:ParentFolderIds><t:DistinguishedFolderId Id='inbox'/>"
                   "</m:ParentFolderIds></m:FindItem>");
    assert_has(a, item);
    assert_ok_answer(
        ews_ask(e, "<m:Unsubscribe><m:SubscriptionId>%s</m:SubscriptionId></m:Unsubscribe>", id));
    assert_has(get_events(e, id, last), "ErrorSubscriptionNotFound");
}

static void test_kinds(struct ews_world *e, gconstpointer data) {
    (void)data;
    uint64_t mid;
    g_autofree char *id = subscribe(e, INBOX, "<t:EventType>MovedEvent</t:EventType>");
    g_autofree char *start = value_after(e->answer, "<m:Watermark>", 0);
    assert_ok(world_append(&e->w, FID_INBOX, "x", 10, &mid));
    assert_ok(mailbox_move(e->w.m, FID_INBOX, &mid, 1, FID_DRAFTS, NULL));
    const char *a = get_events(e, id, start);
    assert_count(a, "<t:CreatedEvent>", 0);
    assert_count(a, "<t:MovedEvent>", 1);
    assert_has(a, "<t:OldItemId Id=\"");
    assert_has(a, "<t:OldParentFolderId Id=\"");
}

static void test_refused(struct ews_world *e, gconstpointer data) {
    (void)data;
    static const struct {
        const char *body, *code;
    } cases[] = {
        {"<m:Subscribe><m:PullSubscriptionRequest>" INBOX "<t:EventTypes/><t:Timeout>10</t:Timeout>"
         "</m:PullSubscriptionRequest></m:Subscribe>",
         "ErrorInvalidSubscriptionRequest"},
        {"<m:Subscribe><m:PullSubscriptionRequest>" INBOX "<t:EventTypes>" ALL "</t:EventTypes>"
         "<t:Timeout>0</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>",
         "ErrorInvalidSubscriptionRequest"},
        {"<m:Subscribe><m:PushSubscriptionRequest>" INBOX "<t:EventTypes>" ALL "</t:EventTypes>"
         "<t:StatusFrequency>1</t:StatusFrequency><t:URL>file:///etc/passwd</t:URL>"
         "</m:PushSubscriptionRequest></m:Subscribe>",
         "ErrorInvalidPushSubscriptionUrl"},
        {"<m:Subscribe><m:PushSubscriptionRequest>" INBOX "<t:EventTypes>" ALL "</t:EventTypes>"
         "<t:StatusFrequency>1</t:StatusFrequency><t:URL>http://u:p@h/</t:URL>"
         "</m:PushSubscriptionRequest></m:Subscribe>",
         "ErrorInvalidPushSubscriptionUrl"},
        {"<m:Subscribe/>", "ErrorInvalidSubscriptionRequest"},
        {"<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id='inbox'>"
         "<t:Mailbox><t:EmailAddress>bob@example.test</t:EmailAddress></t:Mailbox>"
         "</t:DistinguishedFolderId></t:FolderIds><t:EventTypes>" ALL "</t:EventTypes>"
         "<t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>",
         "ResponseClass=\"Error\""},
        {"<m:GetEvents><m:SubscriptionId>nobody</m:SubscriptionId><m:Watermark>AAAA</m:Watermark>"
         "</m:GetEvents>",
         "ErrorSubscriptionNotFound"},
        {"<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>x</t:SubscriptionId>"
         "</m:SubscriptionIds><m:ConnectionTimeout>5</m:ConnectionTimeout></m:GetStreamingEvents>",
         "<t:SubscriptionId>x</t:SubscriptionId></m:ErrorSubscriptionIds>"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(ews_ask(e, "%s", cases[i].body), cases[i].code);
    g_autofree char *id = subscribe(e, INBOX, ALL);
    assert_has(get_events(e, id, "AAAA"), "ErrorInvalidWatermark");
    g_autofree char *other = subscribe(e, INBOX, ALL);
    g_autofree char *watermark = value_after(e->answer, "<m:Watermark>", 0);
    assert_has(get_events(e, id, watermark), "ErrorInvalidWatermark"); // another's
    struct principal *bob = world_principal(&e->w.bob, "bob@example.test");
    g_autofree char *body = g_strdup_printf(
        "<m:Unsubscribe><m:SubscriptionId>%s</m:SubscriptionId></m:Unsubscribe>", id);
    assert_has(ews_ask_as(e, bob, "Exchange2013_SP1", body), "ErrorSubscriptionAccessDenied");
    principal_unref(bob);
}

static void test_everything(struct ews_world *e, gconstpointer data) {
    (void)data;
    const char *a = ews_ask(
        e, "<m:Subscribe><m:PullSubscriptionRequest SubscribeToAllFolders='true'><t:EventTypes>" ALL
           "</t:EventTypes><t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>");
    g_autofree char *id = value_after(a, "<m:SubscriptionId>", 0);
    g_autofree char *start = value_after(a, "<m:Watermark>", 0);
    uint64_t fid;
    assert_ok(mailbox_create_folder(e->w.m, "Fresh", &fid));
    assert_ok(world_append(&e->w, fid, "x", 10, NULL));
    a = get_events(e, id, start);
    assert_has(a, "<t:FolderId Id=\"");
    assert_has(a, "<t:ItemId Id=\"");
    assert_count(a, "<t:CreatedEvent>", 2);
}

void add_notify_tests(void) {
    EWS_TEST("/notify/pull", test_pull);
    EWS_TEST("/notify/kinds", test_kinds);
    EWS_TEST("/notify/refused", test_refused);
    EWS_TEST("/notify/all-folders", test_everything);
}
