// The table of properties: FieldURI, element, kinds of items, shapes, MAPI property
// ([MS-OXWSCORE] 2.2.4.24, [MS-OXWSMSG] 2.2.4.1, [MS-OXWSCONT] 2.2.4.2, [MS-OXWSTASK] 2.2.4.6,
// [MS-OXWSPOST], [MS-OXWSDLIST], [MS-OXWSMTGS] 2.2.4).
//
// The rows are in the order of the schema; the rows of one kind of item, taken in this order, are
// its element. A FieldURI may have several rows, where kinds of items have it in different places.
#include "protocol/ews/ews_properties.h"

#include <string.h>

#include "mapi/props.h"

// --- Names of values ---

static const struct ews_enum_name sensitivity[] = {
    {0, "Normal"}, {1, "Personal"}, {2, "Private"}, {3, "Confidential"}, {0, NULL}};
static const struct ews_enum_name importance[] = {
    {0, "Low"}, {1, "Normal"}, {2, "High"}, {0, NULL}};
static const struct ews_enum_name busy[] = {{0, "Free"}, {1, "Tentative"},        {2, "Busy"},
                                            {3, "OOF"},  {4, "WorkingElsewhere"}, {0, NULL}};
static const struct ews_enum_name task_status[] = {{0, "NotStarted"}, {1, "InProgress"},
                                                   {2, "Completed"},  {3, "WaitingOnOthers"},
                                                   {4, "Deferred"},   {0, NULL}};
static const struct ews_enum_name task_state[] = {{0, "NoMatch"},  {1, "OwnNew"},   {2, "Owned"},
                                                  {3, "Accepted"}, {4, "Declined"}, {0, NULL}};
static const struct ews_enum_name response[] = {
    {0, "Unknown"}, {1, "Organizer"},          {2, "Tentative"}, {3, "Accept"},
    {4, "Decline"}, {5, "NoResponseReceived"}, {0, NULL}};
static const struct ews_enum_name address_index[] = {
    {0, "None"}, {1, "Home"}, {2, "Business"}, {3, "Other"}, {0, NULL}};
static const struct ews_enum_name file_as[] = {{0, "None"},
                                               {0x8001, "LastCommaFirst"},
                                               {0x8002, "LastCommaFirst"},
                                               {0x8017, "LastCommaFirst"},
                                               {0x8018, "LastCommaFirst"},
                                               {0x800E, "FirstSpaceLast"},
                                               {0x8037, "FirstSpaceLast"},
                                               {0x3A16, "Company"},
                                               {0x8019, "LastCommaFirstCompany"},
                                               {0x801A, "CompanyLastCommaFirst"},
                                               {0x8030, "LastFirst"},
                                               {0x8031, "LastFirst"},
                                               {0x8032, "LastFirstCompany"},
                                               {0x8033, "CompanyLastFirst"},
                                               {0x8034, "LastFirstCompany"},
                                               {0x8035, "CompanyLastFirst"},
                                               {0x8036, "LastFirstSuffix"},
                                               {0x3001, "DisplayName"},
                                               {0x3A06, "FirstName"},
                                               {0x3A11, "LastName"},
                                               {0x8038, "LastFirstMiddleSuffix"},
                                               {0xFFFFFFF, "Empty"},
                                               {0, NULL}};
static const struct ews_enum_name meeting_type[] = {{0, "None"},
                                                    {1, "NewMeetingRequest"},
                                                    {0x10000, "FullUpdate"},
                                                    {0x20000, "InformationalUpdate"},
                                                    {0x40000, "SilentUpdate"},
                                                    {0x80000, "Outdated"},
                                                    {0x100000, "PrincipalWantsCopy"},
                                                    {0, NULL}};

// --- The rows ---

#define ROW(u, e, kinds, def, version, kind, mapi, ...)                                            \
    {                                                                                              \
        .uri = u, .element = e, .classes = kinds, .defaults = def, .since = version, .type = kind, \
        .tag = mapi, __VA_ARGS__                                                                   \
    }
#define READ_ONLY .is_read_only = true
#define ONLY_GET .is_only_get = true
#define ONLY_ASKED .is_only_asked = true
#define ANY EWS_ANY_ITEM
#define MSG EWS_ANY_MESSAGE
#define CAL EWS_CALENDAR
#define REQ EWS_REQUEST
#define TIMED (EWS_MESSAGE | EWS_ANY_MEETING | EWS_POST | EWS_ITEM)

// clang-format off
static const struct ews_property table[] = {
    // Items
    ROW("item:MimeContent", "t:MimeContent", ANY, 0, EWS_2007, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_mime_content, .set = ews_set_mime_content, ONLY_GET),
    ROW("item:ItemId", "t:ItemId", ANY, ANY, EWS_2007, EWS_OWN, 0, .write = ews_put_item_id, READ_ONLY),
    ROW("item:ParentFolderId", "t:ParentFolderId", ANY, 0, EWS_2007, EWS_OWN, 0,
        .write = ews_put_parent_folder_id, READ_ONLY),
    ROW("item:ItemClass", "t:ItemClass", ANY, 0, EWS_2007, EWS_STRING, PidTagMessageClass,
        .write = ews_put_item_class, .set = ews_set_item_class),
    ROW("item:Subject", "t:Subject", ANY, ANY, EWS_2007, EWS_STRING, PidTagSubject, .set = ews_set_subject),
    ROW("item:Sensitivity", "t:Sensitivity", ANY, TIMED, EWS_2007, EWS_ENUM, PidTagSensitivity,
        .names = sensitivity),
    ROW("item:Body", "t:Body", ANY, ANY & ~EWS_LIST, EWS_2007, EWS_OWN, PidTagBody, .write = ews_put_body,
        .set = ews_set_body, .remove = ews_remove_body, ONLY_GET),
    ROW("item:Attachments", "t:Attachments", ANY, ANY, EWS_2007, EWS_OWN, 0, .write = ews_put_attachments,
        .set = ews_set_attachments, ONLY_GET),
    ROW("item:DateTimeReceived", "t:DateTimeReceived", ANY, 0, EWS_2007, EWS_TIME,
        PidTagMessageDeliveryTime, READ_ONLY),
    ROW("item:Size", "t:Size", ANY, TIMED, EWS_2007, EWS_INT, PidTagMessageSize, READ_ONLY),
    ROW("item:Categories", "t:Categories", ANY, 0, EWS_2007, EWS_STRINGS, PidNameKeywords),
    ROW("item:Importance", "t:Importance", ANY, 0, EWS_2007, EWS_ENUM, PidTagImportance,
        .names = importance),
    ROW("item:InReplyTo", "t:InReplyTo", ANY, 0, EWS_2007, EWS_STRING, PidTagInReplyToId),
    ROW("item:IsSubmitted", "t:IsSubmitted", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:IsDraft", "t:IsDraft", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:IsFromMe", "t:IsFromMe", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:IsResend", "t:IsResend", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:IsUnmodified", "t:IsUnmodified", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:InternetMessageHeaders", "t:InternetMessageHeaders", ANY, 0, EWS_2007, EWS_OWN,
        PidTagTransportMessageHeaders, .write = ews_put_headers, ONLY_GET, READ_ONLY),
    ROW("item:DateTimeSent", "t:DateTimeSent", ANY, TIMED, EWS_2007, EWS_TIME, PidTagClientSubmitTime,
        READ_ONLY),
    ROW("item:DateTimeCreated", "t:DateTimeCreated", ANY, TIMED, EWS_2007, EWS_TIME, PidTagCreationTime,
        .write = ews_put_created_time, .needs = {PidTagMessageDeliveryTime}, READ_ONLY),
    ROW("item:ResponseObjects", "t:ResponseObjects", ANY, ANY, EWS_2007, EWS_OWN, 0,
        .write = ews_put_response_objects, ONLY_GET, READ_ONLY),
    ROW("item:ReminderDueBy", "t:ReminderDueBy", ANY, 0, EWS_2007, EWS_TIME, PidLidReminderTime,
        .set = ews_set_reminder),
    ROW("item:ReminderIsSet", "t:ReminderIsSet", ANY, 0, EWS_2007, EWS_BOOL, PidLidReminderSet,
        .set = ews_set_reminder, .remove = ews_remove_reminder),
    ROW("item:ReminderNextTime", "t:ReminderNextTime", ANY, 0, EWS_2010, EWS_TIME,
        PidLidReminderSignalTime, READ_ONLY),
    ROW("item:ReminderMinutesBeforeStart", "t:ReminderMinutesBeforeStart", ANY, 0, EWS_2007, EWS_INT,
        PidLidReminderDelta, .set = ews_set_reminder),
    ROW("item:DisplayCc", "t:DisplayCc", ANY, 0, EWS_2007, EWS_STRING, PidTagDisplayCc, READ_ONLY),
    ROW("item:DisplayTo", "t:DisplayTo", ANY, 0, EWS_2007, EWS_STRING, PidTagDisplayTo, READ_ONLY),
    ROW("item:DisplayBcc", "t:DisplayBcc", ANY, 0, EWS_2016, EWS_STRING, PidTagDisplayBcc, READ_ONLY),
    ROW("item:HasAttachments", "t:HasAttachments", ANY, ANY, EWS_2007, EWS_BOOL, PidTagHasAttachments,
        READ_ONLY),
    ROW("", "t:ExtendedProperty", ANY, 0, EWS_2007, EWS_OWN, 0, .write = ews_put_extended),
    ROW("item:Culture", "t:Culture", ANY, 0, EWS_2007, EWS_OWN, PidTagMessageLocaleId,
        .write = ews_put_culture, .set = ews_set_culture),
    ROW("item:EffectiveRights", "t:EffectiveRights", ANY, 0, EWS_2007_SP1, EWS_OWN, 0,
        .write = ews_put_effective_rights, READ_ONLY),
    ROW("item:LastModifiedName", "t:LastModifiedName", ANY, 0, EWS_2007_SP1, EWS_STRING,
        PidTagLastModifierName, READ_ONLY),
    ROW("item:LastModifiedTime", "t:LastModifiedTime", ANY, 0, EWS_2007_SP1, EWS_TIME,
        PidTagLastModificationTime, .write = ews_put_modified_time,
        .needs = {PidTagMessageDeliveryTime}, READ_ONLY),
    ROW("item:IsAssociated", "t:IsAssociated", ANY, 0, EWS_2010, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, READ_ONLY),
    ROW("item:ConversationId", "t:ConversationId", ANY, 0, EWS_2010, EWS_OWN, PidTagConversationId,
        .write = ews_put_conversation_id, .needs = {PidTagConversationIndex, PidTagConversationTopic},
        READ_ONLY),
    ROW("item:UniqueBody", "t:UniqueBody", ANY, 0, EWS_2010, EWS_OWN, 0, ONLY_ASKED, .write = ews_put_body,
        ONLY_GET, READ_ONLY),
    ROW("item:Flag", "t:Flag", ANY, 0, EWS_2013, EWS_OWN, PidTagFlagStatus, .write = ews_put_flag,
        .needs = {PidLidTaskStartDate, PidLidTaskDueDate, PidTagFlagCompleteTime},
        .set = ews_set_flag, .remove = ews_remove_flag),
    ROW("item:StoreEntryId", "t:StoreEntryId", ANY, 0, EWS_2010_SP2, EWS_OWN, 0,
        .write = ews_put_store_entry_id, READ_ONLY),
    ROW("item:InstanceKey", "t:InstanceKey", ANY, 0, EWS_2013, EWS_OWN, 0, .write = ews_put_instance_key,
        READ_ONLY),
    ROW("item:NormalizedBody", "t:NormalizedBody", ANY, 0, EWS_2013, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_body, ONLY_GET, READ_ONLY),
    ROW("item:PolicyTag", "t:PolicyTag", ANY, 0, EWS_2013, EWS_OWN, PidTagPolicyTag,
        .write = ews_put_retention_tag, .set = ews_set_retention_tag),
    ROW("item:ArchiveTag", "t:ArchiveTag", ANY, 0, EWS_2013, EWS_OWN, PidTagArchiveTag,
        .write = ews_put_retention_tag, .set = ews_set_retention_tag),
    ROW("item:RetentionDate", "t:RetentionDate", ANY, 0, EWS_2013, EWS_TIME, PidTagRetentionDate,
        READ_ONLY),
    ROW("item:Preview", "t:Preview", ANY, 0, EWS_2013, EWS_OWN, 0, .write = ews_put_preview, READ_ONLY),
    ROW("item:IsClutter", "t:IsClutter", ANY, 0, EWS_2016, EWS_OWN, 0, .write = ews_put_constant_false,
        READ_ONLY),
    ROW("item:BlockStatus", "t:BlockStatus", ANY, 0, EWS_2013, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_constant_false, READ_ONLY),
    ROW("item:HasBlockedImages", "t:HasBlockedImages", ANY, 0, EWS_2013, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_constant_false, READ_ONLY),
    ROW("item:TextBody", "t:TextBody", ANY, 0, EWS_2013, EWS_OWN, 0, ONLY_ASKED, .write = ews_put_text_body,
        ONLY_GET, READ_ONLY),
    ROW("item:IconIndex", "t:IconIndex", ANY, 0, EWS_2013, EWS_OWN, PidTagIconIndex,
        .write = ews_put_icon_index, READ_ONLY),

    // Messages
    ROW("message:Sender", "t:Sender", MSG, 0, EWS_2007, EWS_OWN, PidTagSenderName, .write = ews_put_sender,
        .needs = {PidTagSenderEmailAddress, PidTagSenderSmtpAddress, PidTagSenderAddressType},
        .set = ews_set_sender, .remove = ews_remove_sender),
    ROW("message:ToRecipients", "t:ToRecipients", MSG, MSG, EWS_2007, EWS_OWN, PidTagDisplayTo,
        .write = ews_put_recipients, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("message:CcRecipients", "t:CcRecipients", MSG, MSG, EWS_2007, EWS_OWN, PidTagDisplayCc,
        .write = ews_put_recipients, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("message:BccRecipients", "t:BccRecipients", MSG, MSG, EWS_2007, EWS_OWN, PidTagDisplayBcc,
        .write = ews_put_recipients, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("message:IsReadReceiptRequested", "t:IsReadReceiptRequested", MSG, MSG, EWS_2007, EWS_BOOL,
        PidTagReadReceiptRequested, .set = ews_set_read_receipt),
    ROW("message:IsDeliveryReceiptRequested", "t:IsDeliveryReceiptRequested", MSG, MSG, EWS_2007,
        EWS_BOOL, PidTagOriginatorDeliveryReportRequested),
    ROW("message:ConversationIndex", "t:ConversationIndex", MSG, 0, EWS_2007, EWS_BASE64,
        PidTagConversationIndex),
    ROW("message:ConversationTopic", "t:ConversationTopic", MSG, 0, EWS_2007, EWS_STRING,
        PidTagConversationTopic),
    ROW("message:From", "t:From", MSG, MSG, EWS_2007, EWS_OWN, PidTagSentRepresentingName,
        .write = ews_put_sender, .needs = {PidTagSentRepresentingEmailAddress,
        PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingAddressType},
        .set = ews_set_sender, .remove = ews_remove_sender),
    ROW("message:InternetMessageId", "t:InternetMessageId", MSG, 0, EWS_2007, EWS_STRING,
        PidTagInternetMessageId),
    ROW("message:IsRead", "t:IsRead", MSG, MSG, EWS_2007, EWS_OWN, 0, .write = ews_put_message_flag,
        .needs = {PidTagMessageFlags}, .set = ews_set_is_read),
    ROW("message:IsResponseRequested", "t:IsResponseRequested", MSG, 0, EWS_2007, EWS_BOOL,
        PidTagReplyRequested),
    ROW("message:References", "t:References", MSG, 0, EWS_2007, EWS_STRING, PidTagInternetReferences),
    ROW("message:ReplyTo", "t:ReplyTo", MSG, 0, EWS_2007, EWS_OWN, PidTagReplyRecipientNames,
        .write = ews_put_reply_to, .set = ews_set_reply_to, .remove = ews_remove_reply_to, ONLY_GET),
    ROW("message:ReceivedBy", "t:ReceivedBy", MSG, 0, EWS_2007_SP1, EWS_OWN, PidTagReceivedByName,
        .write = ews_put_sender, .needs = {PidTagReceivedByEmailAddress, PidTagReceivedBySmtpAddress,
        PidTagReceivedByAddressType}, .set = ews_set_sender),
    ROW("message:ReceivedRepresenting", "t:ReceivedRepresenting", MSG, 0, EWS_2007_SP1, EWS_OWN,
        PidTagReceivedRepresentingName, .write = ews_put_sender,
        .needs = {PidTagReceivedRepresentingEmailAddress, PidTagReceivedRepresentingSmtpAddress,
        PidTagReceivedRepresentingAddressType}, .set = ews_set_sender),

    // Meeting messages
    ROW("meeting:IsDelegated", "t:IsDelegated", EWS_ANY_MEETING, EWS_ANY_MEETING, EWS_2007, EWS_OWN, 0,
        .write = ews_put_constant_false, READ_ONLY),
    ROW("meeting:IsOutOfDate", "t:IsOutOfDate", EWS_ANY_MEETING, EWS_ANY_MEETING, EWS_2007, EWS_OWN, 0,
        .write = ews_put_constant_false, READ_ONLY),
    ROW("meeting:HasBeenProcessed", "t:HasBeenProcessed", EWS_ANY_MEETING, EWS_ANY_MEETING, EWS_2007,
        EWS_BOOL, PidTagProcessed, READ_ONLY),
    ROW("meeting:ResponseType", "t:ResponseType", EWS_ANY_MEETING, EWS_ANY_MEETING, EWS_2007, EWS_OWN, 0,
        .write = ews_put_calendar_state, .needs = {PidTagMessageClass}, READ_ONLY),
    ROW("calendar:UID", "t:UID", EWS_ANY_MEETING, 0, EWS_2007_SP1, EWS_OWN, PidLidGlobalObjectId,
        .write = ews_put_uid, READ_ONLY),
    ROW("calendar:DateTimeStamp", "t:DateTimeStamp", EWS_ANY_MEETING, 0, EWS_2007_SP1, EWS_TIME,
        PidLidOwnerCriticalChange, READ_ONLY),
    ROW("meetingRequest:MeetingRequestType", "t:MeetingRequestType", REQ, REQ, EWS_2007, EWS_ENUM,
        PidLidMeetingType, .names = meeting_type, READ_ONLY),
    ROW("meetingRequest:IntendedFreeBusyStatus", "t:IntendedFreeBusyStatus", REQ, REQ, EWS_2007,
        EWS_ENUM, PidLidIntendedBusyStatus, .names = busy, READ_ONLY),

    // Calendar items, and requests with the same properties
    ROW("calendar:UID", "t:UID", CAL, 0, EWS_2007_SP1, EWS_OWN, PidLidGlobalObjectId,
        .write = ews_put_uid, READ_ONLY),
    ROW("calendar:DateTimeStamp", "t:DateTimeStamp", CAL, 0, EWS_2007_SP1, EWS_TIME,
        PidLidOwnerCriticalChange, READ_ONLY),
    ROW("calendar:Start", "t:Start", CAL | REQ, CAL | REQ, EWS_2007, EWS_TIME,
        PidLidAppointmentStartWhole, .set = ews_set_calendar_time),
    ROW("calendar:End", "t:End", CAL | REQ, CAL | REQ, EWS_2007, EWS_TIME, PidLidAppointmentEndWhole,
        .set = ews_set_calendar_time),
    ROW("calendar:IsAllDayEvent", "t:IsAllDayEvent", CAL | REQ, 0, EWS_2007, EWS_BOOL,
        PidLidAppointmentSubType),
    ROW("calendar:LegacyFreeBusyStatus", "t:LegacyFreeBusyStatus", CAL | REQ, CAL | REQ, EWS_2007,
        EWS_ENUM, PidLidBusyStatus, .names = busy),
    ROW("calendar:Location", "t:Location", CAL | REQ, CAL | REQ, EWS_2007, EWS_STRING, PidLidLocation),
    ROW("calendar:When", "t:When", CAL | REQ, 0, EWS_2007, EWS_STRING, PidLidWhere, ONLY_ASKED),
    ROW("calendar:IsMeeting", "t:IsMeeting", CAL | REQ, 0, EWS_2007, EWS_OWN, PidLidAppointmentStateFlags,
        .write = ews_put_calendar_state, READ_ONLY),
    ROW("calendar:IsCancelled", "t:IsCancelled", CAL | REQ, 0, EWS_2007, EWS_OWN,
        PidLidAppointmentStateFlags, .write = ews_put_calendar_state, READ_ONLY),
    ROW("calendar:IsRecurring", "t:IsRecurring", CAL | REQ, 0, EWS_2007, EWS_BOOL, PidLidRecurring,
        READ_ONLY),
    ROW("calendar:MeetingRequestWasSent", "t:MeetingRequestWasSent", CAL | REQ, 0, EWS_2007, EWS_BOOL,
        PidLidFInvited, READ_ONLY),
    ROW("calendar:IsResponseRequested", "t:IsResponseRequested", CAL, 0, EWS_2007, EWS_BOOL,
        PidTagResponseRequested),
    ROW("calendar:CalendarItemType", "t:CalendarItemType", CAL | REQ, CAL | REQ, EWS_2007, EWS_OWN,
        0, .write = ews_put_calendar_type, .needs = {PidLidRecurring, PidLidIsException}, READ_ONLY),
    ROW("calendar:MyResponseType", "t:MyResponseType", CAL | REQ, 0, EWS_2007, EWS_ENUM,
        PidLidResponseStatus, .names = response, READ_ONLY),
    ROW("calendar:Organizer", "t:Organizer", CAL | REQ, CAL | REQ, EWS_2007, EWS_OWN,
        PidTagSentRepresentingName, .write = ews_put_sender,
        .needs = {PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
        PidTagSentRepresentingAddressType}, READ_ONLY),
    ROW("calendar:RequiredAttendees", "t:RequiredAttendees", CAL | REQ, CAL | REQ, EWS_2007, EWS_OWN, 0,
        .write = ews_put_attendees, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("calendar:OptionalAttendees", "t:OptionalAttendees", CAL | REQ, CAL | REQ, EWS_2007, EWS_OWN, 0,
        .write = ews_put_attendees, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("calendar:Resources", "t:Resources", CAL | REQ, CAL | REQ, EWS_2007, EWS_OWN, 0,
        .write = ews_put_attendees, .set = ews_set_recipients, .remove = ews_remove_recipients, ONLY_GET),
    ROW("calendar:Duration", "t:Duration", CAL | REQ, 0, EWS_2007, EWS_OWN, PidLidAppointmentDuration,
        .write = ews_put_duration,
        .needs = {PidLidAppointmentStartWhole, PidLidAppointmentEndWhole}, READ_ONLY),
    ROW("calendar:TimeZone", "t:TimeZone", CAL | REQ, 0, EWS_2007, EWS_STRING, PidLidTimeZoneDescription,
        READ_ONLY),
    ROW("calendar:AppointmentReplyTime", "t:AppointmentReplyTime", CAL | REQ, 0, EWS_2007, EWS_TIME,
        PidLidAppointmentReplyTime, READ_ONLY),
    ROW("calendar:AppointmentSequenceNumber", "t:AppointmentSequenceNumber", CAL | REQ, 0, EWS_2007,
        EWS_INT, PidLidAppointmentSequence, READ_ONLY),
    ROW("calendar:AppointmentState", "t:AppointmentState", CAL | REQ, 0, EWS_2007, EWS_INT,
        PidLidAppointmentStateFlags, READ_ONLY),
    ROW("calendar:ConferenceType", "t:ConferenceType", CAL | REQ, 0, EWS_2007, EWS_INT,
        PidLidConferencingType),
    ROW("calendar:AllowNewTimeProposal", "t:AllowNewTimeProposal", CAL | REQ, 0, EWS_2007, EWS_OWN,
        PidLidAppointmentNotAllowPropose, .write = ews_put_calendar_state, READ_ONLY),
    ROW("calendar:IsOnlineMeeting", "t:IsOnlineMeeting", CAL | REQ, 0, EWS_2007, EWS_BOOL,
        PidLidConferencingCheck),
    ROW("calendar:MeetingWorkspaceUrl", "t:MeetingWorkspaceUrl", CAL | REQ, 0, EWS_2007, EWS_STRING,
        PidLidMeetingWorkspaceUrl),
    ROW("calendar:NetShowUrl", "t:NetShowUrl", CAL | REQ, 0, EWS_2007, EWS_STRING, PidLidNetShowUrl),
    ROW("calendar:IsOrganizer", "t:IsOrganizer", CAL, 0, EWS_2013, EWS_OWN, PidLidResponseStatus,
        .write = ews_put_calendar_state, .needs = {PidLidAppointmentStateFlags}, READ_ONLY),

    // Responses and cancellations
    ROW("calendar:Start", "t:Start", EWS_RESPONSE | EWS_CANCELLATION, 0, EWS_2013, EWS_TIME,
        PidLidAppointmentStartWhole, READ_ONLY),
    ROW("calendar:End", "t:End", EWS_RESPONSE | EWS_CANCELLATION, 0, EWS_2013, EWS_TIME,
        PidLidAppointmentEndWhole, READ_ONLY),
    ROW("calendar:Location", "t:Location", EWS_RESPONSE | EWS_CANCELLATION, 0, EWS_2013, EWS_STRING,
        PidLidLocation, READ_ONLY),
    ROW("meeting:ProposedStart", "t:ProposedStart", EWS_RESPONSE, 0, EWS_2013, EWS_TIME,
        PidLidAppointmentProposedStartWhole, READ_ONLY),
    ROW("meeting:ProposedEnd", "t:ProposedEnd", EWS_RESPONSE, 0, EWS_2013, EWS_TIME,
        PidLidAppointmentProposedEndWhole, READ_ONLY),

    // Posts
    ROW("message:ConversationIndex", "t:ConversationIndex", EWS_POST, 0, EWS_2007, EWS_BASE64,
        PidTagConversationIndex),
    ROW("message:ConversationTopic", "t:ConversationTopic", EWS_POST, 0, EWS_2007, EWS_STRING,
        PidTagConversationTopic),
    ROW("message:From", "t:From", EWS_POST, EWS_POST, EWS_2007, EWS_OWN, PidTagSentRepresentingName,
        .write = ews_put_sender, .needs = {PidTagSentRepresentingEmailAddress,
        PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingAddressType},
        .set = ews_set_sender, .remove = ews_remove_sender),
    ROW("message:InternetMessageId", "t:InternetMessageId", EWS_POST, 0, EWS_2007, EWS_STRING,
        PidTagInternetMessageId),
    ROW("message:IsRead", "t:IsRead", EWS_POST, EWS_POST, EWS_2007, EWS_OWN, 0,
        .write = ews_put_message_flag, .needs = {PidTagMessageFlags}, .set = ews_set_is_read),
    ROW("postitem:PostedTime", "t:PostedTime", EWS_POST, EWS_POST, EWS_2007_SP1, EWS_TIME,
        PidTagClientSubmitTime, READ_ONLY),
    ROW("message:References", "t:References", EWS_POST, 0, EWS_2007, EWS_STRING,
        PidTagInternetReferences),
    ROW("message:Sender", "t:Sender", EWS_POST, 0, EWS_2007, EWS_OWN, PidTagSenderName,
        .write = ews_put_sender, .needs = {PidTagSenderEmailAddress, PidTagSenderSmtpAddress,
        PidTagSenderAddressType}, .set = ews_set_sender, .remove = ews_remove_sender),

    // Contacts
#define CON EWS_CONTACT
    ROW("contacts:FileAs", "t:FileAs", CON, CON, EWS_2007, EWS_STRING, PidLidFileUnder),
    ROW("contacts:FileAsMapping", "t:FileAsMapping", CON, 0, EWS_2007, EWS_ENUM, PidLidFileUnderId,
        .names = file_as),
    ROW("contacts:DisplayName", "t:DisplayName", CON, CON, EWS_2007, EWS_STRING, PidTagDisplayName,
        .set = ews_set_display_name),
    ROW("contacts:GivenName", "t:GivenName", CON, CON, EWS_2007, EWS_STRING, PidTagGivenName),
    ROW("contacts:Initials", "t:Initials", CON, 0, EWS_2007, EWS_STRING, PidTagInitials),
    ROW("contacts:MiddleName", "t:MiddleName", CON, 0, EWS_2007, EWS_STRING, PidTagMiddleName),
    ROW("contacts:Nickname", "t:Nickname", CON, 0, EWS_2007, EWS_STRING, PidTagNickname),
    ROW("contacts:CompleteName", "t:CompleteName", CON, CON, EWS_2007, EWS_OWN, 0,
        .write = ews_put_complete_name, ONLY_GET, READ_ONLY),
    ROW("contacts:CompanyName", "t:CompanyName", CON, CON, EWS_2007, EWS_STRING, PidTagCompanyName),
    ROW("contacts:EmailAddresses", "t:EmailAddresses", CON, CON, EWS_2007, EWS_OWN, 0,
        .write = ews_put_email_addresses, .set = ews_set_email_addresses),
    ROW("contacts:PhysicalAddresses", "t:PhysicalAddresses", CON, CON, EWS_2007, EWS_OWN, 0,
        .write = ews_put_physical_addresses, .set = ews_set_physical_addresses,
        .remove = ews_remove_physical_addresses),
    ROW("contacts:PhoneNumbers", "t:PhoneNumbers", CON, CON, EWS_2007, EWS_OWN, 0,
        .write = ews_put_dictionary, .set = ews_set_dictionary),
    ROW("contacts:AssistantName", "t:AssistantName", CON, 0, EWS_2007, EWS_STRING, PidTagAssistant),
    ROW("contacts:Birthday", "t:Birthday", CON, 0, EWS_2007, EWS_TIME, PidTagBirthday),
    ROW("contacts:BusinessHomePage", "t:BusinessHomePage", CON, 0, EWS_2007, EWS_STRING,
        PidTagBusinessHomePage),
    ROW("contacts:Children", "t:Children", CON, 0, EWS_2007, EWS_STRINGS, PidTagChildrensNames),
    ROW("contacts:Companies", "t:Companies", CON, 0, EWS_2007, EWS_STRINGS, PidLidCompanies),
    ROW("contacts:ContactSource", "t:ContactSource", CON, 0, EWS_2007, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_contact_source, READ_ONLY),
    ROW("contacts:Department", "t:Department", CON, 0, EWS_2007, EWS_STRING, PidTagDepartmentName),
    ROW("contacts:Generation", "t:Generation", CON, 0, EWS_2007, EWS_STRING, PidTagGeneration),
    ROW("contacts:ImAddresses", "t:ImAddresses", CON, CON, EWS_2007, EWS_OWN, 0,
        .write = ews_put_dictionary, .set = ews_set_dictionary),
    ROW("contacts:JobTitle", "t:JobTitle", CON, CON, EWS_2007, EWS_STRING, PidTagTitle),
    ROW("contacts:Manager", "t:Manager", CON, 0, EWS_2007, EWS_STRING, PidTagManagerName),
    ROW("contacts:Mileage", "t:Mileage", CON, 0, EWS_2007, EWS_STRING, PidLidMileage),
    ROW("contacts:OfficeLocation", "t:OfficeLocation", CON, 0, EWS_2007, EWS_STRING,
        PidTagOfficeLocation),
    ROW("contacts:PostalAddressIndex", "t:PostalAddressIndex", CON, 0, EWS_2007, EWS_ENUM,
        PidLidPostalAddressId, .names = address_index),
    ROW("contacts:Profession", "t:Profession", CON, 0, EWS_2007, EWS_STRING, PidTagProfession),
    ROW("contacts:SpouseName", "t:SpouseName", CON, 0, EWS_2007, EWS_STRING, PidTagSpouseName),
    ROW("contacts:Surname", "t:Surname", CON, CON, EWS_2007, EWS_STRING, PidTagSurname),
    ROW("contacts:WeddingAnniversary", "t:WeddingAnniversary", CON, 0, EWS_2007, EWS_TIME,
        PidTagWeddingAnniversary),
    ROW("contacts:HasPicture", "t:HasPicture", CON, 0, EWS_2010, EWS_BOOL, PidLidHasPicture, READ_ONLY),
    ROW("contacts:PhoneticFullName", "t:PhoneticFullName", CON, 0, EWS_2010_SP2, EWS_STRING, 0,
        ONLY_ASKED, READ_ONLY),
    ROW("contacts:PhoneticFirstName", "t:PhoneticFirstName", CON, 0, EWS_2010_SP2, EWS_STRING,
        PidLidYomiFirstName),
    ROW("contacts:PhoneticLastName", "t:PhoneticLastName", CON, 0, EWS_2010_SP2, EWS_STRING,
        PidLidYomiLastName),
    ROW("contacts:Alias", "t:Alias", CON, 0, EWS_2010_SP2, EWS_STRING, PidTagAccount),
    ROW("contacts:Notes", "t:Notes", CON, 0, EWS_2010_SP2, EWS_OWN, 0, ONLY_ASKED, READ_ONLY),

    // Distribution lists
#define LST EWS_LIST
    ROW("contacts:DisplayName", "t:DisplayName", LST, LST, EWS_2007, EWS_STRING,
        PidLidDistributionListName, .set = ews_set_display_name),
    ROW("contacts:FileAs", "t:FileAs", LST, LST, EWS_2007, EWS_STRING, PidLidFileUnder),
    ROW("contacts:ContactSource", "t:ContactSource", LST, 0, EWS_2007, EWS_OWN, 0, ONLY_ASKED,
        .write = ews_put_contact_source, READ_ONLY),
    ROW("distributionlist:Members", "t:Members", LST, 0, EWS_2010, EWS_OWN, 0, .write = ews_put_members,
        .set = ews_set_members, .remove = ews_remove_members, ONLY_GET),

    // Tasks
#define TSK EWS_TASK
    ROW("task:ActualWork", "t:ActualWork", TSK, 0, EWS_2007, EWS_INT, PidLidTaskActualEffort),
    ROW("task:AssignedTime", "t:AssignedTime", TSK, 0, EWS_2007, EWS_TIME, 0, ONLY_ASKED, READ_ONLY),
    ROW("task:BillingInformation", "t:BillingInformation", TSK, 0, EWS_2007, EWS_STRING, PidLidBilling),
    ROW("task:ChangeCount", "t:ChangeCount", TSK, 0, EWS_2007, EWS_INT, PidLidTaskVersion, READ_ONLY),
    ROW("task:Companies", "t:Companies", TSK, 0, EWS_2007, EWS_STRINGS, PidLidCompanies),
    ROW("task:CompleteDate", "t:CompleteDate", TSK, 0, EWS_2007, EWS_TIME, PidLidTaskDateCompleted,
        .set = ews_set_complete_date),
    ROW("task:Contacts", "t:Contacts", TSK, 0, EWS_2007, EWS_STRINGS, PidLidContacts),
    ROW("task:DelegationState", "t:DelegationState", TSK, 0, EWS_2007, EWS_ENUM,
        PidLidTaskAcceptanceState, .names = task_state, READ_ONLY),
    ROW("task:Delegator", "t:Delegator", TSK, 0, EWS_2007, EWS_STRING, PidLidTaskAssigner, READ_ONLY),
    ROW("task:DueDate", "t:DueDate", TSK, TSK, EWS_2007, EWS_TIME, PidLidTaskDueDate,
        .set = ews_set_task_date),
    ROW("task:IsAssignmentEditable", "t:IsAssignmentEditable", TSK, 0, EWS_2007, EWS_INT,
        PidLidTaskOwnership, ONLY_ASKED, READ_ONLY),
    ROW("task:IsComplete", "t:IsComplete", TSK, 0, EWS_2007, EWS_BOOL, PidLidTaskComplete, READ_ONLY),
    ROW("task:IsRecurring", "t:IsRecurring", TSK, 0, EWS_2007, EWS_BOOL, PidLidTaskFRecurring,
        READ_ONLY),
    ROW("task:IsTeamTask", "t:IsTeamTask", TSK, 0, EWS_2007, EWS_BOOL, PidLidTeamTask, READ_ONLY),
    ROW("task:Mileage", "t:Mileage", TSK, 0, EWS_2007, EWS_STRING, PidLidMileage),
    ROW("task:Owner", "t:Owner", TSK, 0, EWS_2007, EWS_STRING, PidLidTaskOwner, READ_ONLY),
    ROW("task:PercentComplete", "t:PercentComplete", TSK, TSK, EWS_2007, EWS_OWN, PidLidPercentComplete,
        .write = ews_put_percent, .set = ews_set_percent),
    ROW("task:StartDate", "t:StartDate", TSK, TSK, EWS_2007, EWS_TIME, PidLidTaskStartDate,
        .set = ews_set_task_date),
    ROW("task:Status", "t:Status", TSK, TSK, EWS_2007, EWS_ENUM, PidLidTaskStatus, .names = task_status,
        .set = ews_set_task_status),
    ROW("task:StatusDescription", "t:StatusDescription", TSK, 0, EWS_2007, EWS_OWN, PidLidTaskStatus,
        .write = ews_put_task_status, READ_ONLY),
    ROW("task:TotalWork", "t:TotalWork", TSK, 0, EWS_2007, EWS_INT, PidLidTaskEstimatedEffort),
};

// Names of the schema that mean something this server has not, beside "conversation:" and the like.
static const char *const others[] = {
    "calendar:AdjacentMeetingCount", "calendar:AdjacentMeetings", "calendar:CalendarActivityData",
    "calendar:ConflictingMeetingCount", "calendar:ConflictingMeetings",
    "calendar:DeletedOccurrences", "calendar:DoNotForwardMeeting", "calendar:EndTimeZone",
    "calendar:EndTimeZoneId", "calendar:EndWallClock", "calendar:EnhancedLocation",
    "calendar:FirstOccurrence", "calendar:InboxReminders", "calendar:JoinOnlineMeetingUrl",
    "calendar:LastOccurrence", "calendar:MeetingTimeZone", "calendar:ModifiedOccurrences",
    "calendar:OnlineMeetingSettings", "calendar:OriginalStart", "calendar:Recurrence",
    "calendar:RecurrenceId", "calendar:StartTimeZone", "calendar:StartTimeZoneId",
    "calendar:StartWallClock", "contacts:AbchContactId", "contacts:AbchEmailAddresses",
    "contacts:AccountName", "contacts:Cid", "contacts:Comment", "contacts:ContactShortId",
    "contacts:ContactType", "contacts:ConversationGuid", "contacts:CreatedBy", "contacts:Culture",
    "contacts:DirectReports", "contacts:DirectoryId", "contacts:Gender",
    "contacts:HidePresenceAndProfile", "contacts:ImMri", "contacts:InviteFree",
    "contacts:IsAutoUpdateDisabled", "contacts:IsHidden", "contacts:IsMessengerEnabled",
    "contacts:IsPendingOutbound", "contacts:IsPrivate", "contacts:MSExchangeCertificate",
    "contacts:ManagerMailbox", "contacts:MobileIMEnabled", "contacts:Mris",
    "contacts:NotInBirthdayCalendar", "contacts:ObjectId", "contacts:OtherMri",
    "contacts:PartnerNetworkProfilePhotoUrl", "contacts:PartnerNetworkThumbnailPhotoUrl",
    "contacts:PassportId", "contacts:PersonId", "contacts:Photo", "contacts:PresenceTrustLevel",
    "contacts:ProfileLastChanged", "contacts:ShellContactType", "contacts:SkypeAuthCertificate",
    "contacts:SkypeContext", "contacts:SkypeId", "contacts:SkypeRelationship", "contacts:SourceId",
    "contacts:SupportGroupFeeds", "contacts:TrustLevel", "contacts:UnifiedInbox", "contacts:Urls",
    "contacts:UserSMIMECertificate", "contacts:UserTileHash", "contacts:Wlid",
    "contacts:XboxLiveTag", "contacts:YomiNickname", "item:AppliedHashtags",
    "item:AppliedHashtagsPreview", "item:AtAllMention", "item:CanDelete",
    "item:EntityExtractionResult", "item:FirstBody", "item:Hashtags",
    "item:InferenceClassification", "item:Likes", "item:LikesPreview", "item:MentionedMe",
    "item:Mentions", "item:MentionsEx", "item:MentionsPreview", "item:MimeContentUTF8",
    "item:PendingSocialActivityTagIds", "item:PredictedActionReasons",
    "item:RightsManagementLicenseData", "item:WebClientEditFormQueryString",
    "item:WebClientReadFormQueryString", "meeting:AssociatedCalendarItemId",
    "meeting:DoNotForwardMeeting", "meetingRequest:ChangeHighlights", "message:ApprovalRequestData",
    "message:MessageSafety", "message:PublishedCalendarItemIcs",
    "message:PublishedCalendarItemName", "message:ReminderMessageData",
    "message:VotingInformation", "sharingMessage:SharingMessageAction", "task:Recurrence",
};
static const char *const other_prefixes[] = {"folder:",  "conversation:", "persona:", "person:",
                                             "network:", "rolemember:", "abchperson:", "booking:",
                                             "insight:"};

#define PHONES "contacts:PhoneNumbers"
#define ADDRESSES "contacts:PhysicalAddresses"
static const struct ews_indexed indexed[] = {
    {"contacts:EmailAddress", "EmailAddress1", "contacts:EmailAddresses", PidLidEmail1EmailAddress},
    {"contacts:EmailAddress", "EmailAddress2", "contacts:EmailAddresses", PidLidEmail2EmailAddress},
    {"contacts:EmailAddress", "EmailAddress3", "contacts:EmailAddresses", PidLidEmail3EmailAddress},
    {"contacts:ImAddress", "ImAddress1", "contacts:ImAddresses", PidLidInstantMessagingAddress},
    {"contacts:ImAddress", "ImAddress2", "contacts:ImAddresses", PROP_TAG(0, PT_UNICODE)},
    {"contacts:ImAddress", "ImAddress3", "contacts:ImAddresses", PROP_TAG(0, PT_UNICODE)},
    {"contacts:PhoneNumber", "AssistantPhone", PHONES, PidTagAssistantTelephoneNumber},
    {"contacts:PhoneNumber", "BusinessFax", PHONES, PidTagBusinessFaxNumber},
    {"contacts:PhoneNumber", "BusinessPhone", PHONES, PidTagBusinessTelephoneNumber},
    {"contacts:PhoneNumber", "BusinessPhone2", PHONES, PidTagBusiness2TelephoneNumber},
    {"contacts:PhoneNumber", "Callback", PHONES, PidTagCallbackTelephoneNumber},
    {"contacts:PhoneNumber", "CarPhone", PHONES, PidTagCarTelephoneNumber},
    {"contacts:PhoneNumber", "CompanyMainPhone", PHONES, PidTagCompanyMainTelephoneNumber},
    {"contacts:PhoneNumber", "HomeFax", PHONES, PidTagHomeFaxNumber},
    {"contacts:PhoneNumber", "HomePhone", PHONES, PidTagHomeTelephoneNumber},
    {"contacts:PhoneNumber", "HomePhone2", PHONES, PidTagHome2TelephoneNumber},
    {"contacts:PhoneNumber", "Isdn", PHONES, PidTagIsdnNumber},
    {"contacts:PhoneNumber", "MobilePhone", PHONES, PidTagMobileTelephoneNumber},
    {"contacts:PhoneNumber", "OtherFax", PHONES, PidTagPrimaryFaxNumber},
    {"contacts:PhoneNumber", "OtherTelephone", PHONES, PidTagOtherTelephoneNumber},
    {"contacts:PhoneNumber", "Pager", PHONES, PidTagPagerTelephoneNumber},
    {"contacts:PhoneNumber", "PrimaryPhone", PHONES, PidTagPrimaryTelephoneNumber},
    {"contacts:PhoneNumber", "RadioPhone", PHONES, PidTagRadioTelephoneNumber},
    {"contacts:PhoneNumber", "Telex", PHONES, PidTagTelexNumber},
    {"contacts:PhoneNumber", "TtyTddPhone", PHONES, PidTagTelecommunicationsDeviceForDeafTelephoneNumber},
    {"contacts:PhysicalAddress:Street", "Business", ADDRESSES, PidLidWorkAddressStreet},
    {"contacts:PhysicalAddress:City", "Business", ADDRESSES, PidLidWorkAddressCity},
    {"contacts:PhysicalAddress:State", "Business", ADDRESSES, PidLidWorkAddressState},
    {"contacts:PhysicalAddress:CountryOrRegion", "Business", ADDRESSES, PidLidWorkAddressCountry},
    {"contacts:PhysicalAddress:PostalCode", "Business", ADDRESSES, PidLidWorkAddressPostalCode},
    {"contacts:PhysicalAddress:Street", "Home", ADDRESSES, PidTagHomeAddressStreet},
    {"contacts:PhysicalAddress:City", "Home", ADDRESSES, PidTagHomeAddressCity},
    {"contacts:PhysicalAddress:State", "Home", ADDRESSES, PidTagHomeAddressStateOrProvince},
    {"contacts:PhysicalAddress:CountryOrRegion", "Home", ADDRESSES, PidTagHomeAddressCountry},
    {"contacts:PhysicalAddress:PostalCode", "Home", ADDRESSES, PidTagHomeAddressPostalCode},
    {"contacts:PhysicalAddress:Street", "Other", ADDRESSES, PidTagOtherAddressStreet},
    {"contacts:PhysicalAddress:City", "Other", ADDRESSES, PidTagOtherAddressCity},
    {"contacts:PhysicalAddress:State", "Other", ADDRESSES, PidTagOtherAddressStateOrProvince},
    {"contacts:PhysicalAddress:CountryOrRegion", "Other", ADDRESSES, PidTagOtherAddressCountry},
    {"contacts:PhysicalAddress:PostalCode", "Other", ADDRESSES, PidTagOtherAddressPostalCode},
};
// clang-format on

// --- Looking up ---

const struct ews_property *ews_properties(unsigned *n_out) {
    *n_out = G_N_ELEMENTS(table);
    return table;
}

const struct ews_property *ews_property_find(const char *uri, uint32_t classes) {
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if ((table[i].classes & classes) && strcmp(table[i].uri, uri) == 0)
            return &table[i];
    return NULL;
}

const struct ews_property *ews_property_by_element(const char *element, uint32_t classes) {
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if ((table[i].classes & classes) && strcmp(table[i].element + 2, element) == 0)
            return &table[i];
    return NULL;
}

bool ews_uri_is_known(const char *uri) {
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(others[i], uri) == 0)
            return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(other_prefixes); i++)
        if (g_str_has_prefix(uri, other_prefixes[i]))
            return true;
    return false;
}

bool ews_element_is_known(const char *element) {
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(strchr(others[i], ':') + 1, element) == 0)
            return true;
    return false;
}

const struct ews_indexed *ews_indexed_all(unsigned *n_out) {
    *n_out = G_N_ELEMENTS(indexed);
    return indexed;
}

const struct ews_indexed *ews_indexed_find(const char *uri, const char *index) {
    for (unsigned i = 0; i < G_N_ELEMENTS(indexed); i++)
        if (strcmp(indexed[i].uri, uri) == 0 && strcmp(indexed[i].index, index) == 0)
            return &indexed[i];
    return NULL;
}

// Two addresses for instant messages have no property of their own in the catalogue.
static proptag_t tag_of(struct ews_mailbox *m, const struct ews_indexed *entry, bool create) {
    uint16_t id;
    if (PROP_ID(entry->tag) != 0)
        return entry->tag;
    g_autofree char *string = g_strdup_printf("AirSync:%s", entry->index);
    struct prop_name name = prop_name_string(&PSETID_AirSync, string);
    return mailbox_name_to_id(m->m, &name, create, &id) == EC_OK ? PROP_TAG(id, PT_UNICODE) : 0;
}

proptag_t ews_indexed_tag(struct ews_mailbox *m, const struct ews_indexed *entry) {
    return tag_of(m, entry, false);
}

proptag_t ews_indexed_tag_new(struct ews_mailbox *m, const struct ews_indexed *entry) {
    return tag_of(m, entry, true);
}
