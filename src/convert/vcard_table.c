// The tables of [MS-OXVCARD] 2.1.3, and names that other programs have for the same.
#include "convert/vcard_table.h"

const struct vcard_row vcard_texts[] = {
    {"NICKNAME", NULL, PidTagNickname},
    {"TITLE", NULL, PidTagTitle},
    {"ROLE", NULL, PidTagProfession},
    {"NOTE", NULL, PidTagBody},
    {"URL", "HOME", PidTagPersonalHomePage},
    {"URL", "WORK", PidTagBusinessHomePage},
    {"URL", NULL, PidTagBusinessHomePage},
    {"URL", NULL, PidTagPersonalHomePage},
    {"FBURL", NULL, PidLidFreeBusyLocation},
    {"EMAIL", "TLX", PidTagTelexNumber},
    {"X-MS-IMADDRESS", NULL, PidLidInstantMessagingAddress},
    {"X-MS-RM-IMACCOUNT", NULL, PidLidInstantMessagingAddress},
    {"X-MS-SPOUSE", NULL, PidTagSpouseName},
    {"X-SPOUSE", NULL, PidTagSpouseName},
    {"X-MS-MANAGER", NULL, PidTagManagerName},
    {"X-MANAGER", NULL, PidTagManagerName},
    {"X-MS-ASSISTANT", NULL, PidTagAssistant},
    {"X-ASSISTANT", NULL, PidTagAssistant},
    {"X-PHONETIC-FIRST-NAME", NULL, PidLidYomiFirstName},
    {"X-PHONETIC-LAST-NAME", NULL, PidLidYomiLastName},
    {"X-PHONETIC-ORG", NULL, PidLidYomiCompanyName},
};
const unsigned vcard_n_texts = G_N_ELEMENTS(vcard_texts);

const struct vcard_phone vcard_phones[] = {
    {"TEL", "home,fax", "FAX", "HOME", PidTagHomeFaxNumber},
    {"TEL", "work,fax", "FAX", "WORK", PidTagBusinessFaxNumber},
    {"TEL", "fax", "FAX", NULL, PidTagPrimaryFaxNumber},
    {"TEL", "pager", "PAGER", NULL, PidTagPagerTelephoneNumber},
    {"TEL", "cell", "CELL", NULL, PidTagMobileTelephoneNumber},
    {"TEL", "car", "CAR", NULL, PidTagCarTelephoneNumber},
    {"TEL", "isdn", "ISDN", NULL, PidTagIsdnNumber},
    {"TEL", "home", "HOME", NULL, PidTagHomeTelephoneNumber},
    {"TEL", "home", "HOME", NULL, PidTagHome2TelephoneNumber},
    {"TEL", "work", "WORK", NULL, PidTagBusinessTelephoneNumber},
    {"TEL", "work", "WORK", NULL, PidTagBusiness2TelephoneNumber},
    {"TEL", "pref", "PREF", NULL, PidTagPrimaryTelephoneNumber},
    {"TEL", "voice", NULL, NULL, PidTagOtherTelephoneNumber},
    {"X-MS-TEL", "ASSISTANT", "ASSISTANT", NULL, PidTagAssistantTelephoneNumber},
    {"X-MS-TEL", "CALLBACK", "CALLBACK", NULL, PidTagCallbackTelephoneNumber},
    {"X-MS-TEL", "COMPANY", "COMPANY", NULL, PidTagCompanyMainTelephoneNumber},
    {"X-MS-TEL", "RADIO", "RADIO", NULL, PidTagRadioTelephoneNumber},
    {"X-MS-TEL", "TTYTDD", "TTYTDD", NULL, PidTagTelecommunicationsDeviceForDeafTelephoneNumber},
};
const unsigned vcard_n_phones = G_N_ELEMENTS(vcard_phones);

const struct vcard_address vcard_addresses[3] = {
    {"home",
     {PidTagHomeAddressPostOfficeBox, PidTagHomeAddressStreet, PidTagHomeAddressCity,
      PidTagHomeAddressStateOrProvince, PidTagHomeAddressPostalCode, PidTagHomeAddressCountry},
     PidLidHomeAddress,
     1},
    {"work",
     {PidLidWorkAddressPostOfficeBox, PidLidWorkAddressStreet, PidLidWorkAddressCity,
      PidLidWorkAddressState, PidLidWorkAddressPostalCode, PidLidWorkAddressCountry},
     PidLidWorkAddress,
     2},
    {"postal",
     {PidTagOtherAddressPostOfficeBox, PidTagOtherAddressStreet, PidTagOtherAddressCity,
      PidTagOtherAddressStateOrProvince, PidTagOtherAddressPostalCode, PidTagOtherAddressCountry},
     PidLidOtherAddress,
     3},
};

const proptag_t vcard_mailing_address[ADDRESS_PARTS] = {PidTagPostOfficeBox, PidTagStreetAddress,
                                                        PidTagLocality,      PidTagStateOrProvince,
                                                        PidTagPostalCode,    PidTagCountry};

const proptag_t vcard_name_parts[5] = {PidTagSurname, PidTagGivenName, PidTagMiddleName,
                                       PidTagDisplayNamePrefix, PidTagGeneration};

const proptag_t vcard_user_fields[4] = {PidLidContactUserField1, PidLidContactUserField2,
                                        PidLidContactUserField3, PidLidContactUserField4};

const struct vcard_email vcard_emails[3] = {
    {PidLidEmail1EmailAddress, PidLidEmail1AddressType, PidLidEmail1DisplayName,
     PidLidEmail1OriginalDisplayName, PidLidEmail1OriginalEntryId},
    {PidLidEmail2EmailAddress, PidLidEmail2AddressType, PidLidEmail2DisplayName,
     PidLidEmail2OriginalDisplayName, PidLidEmail2OriginalEntryId},
    {PidLidEmail3EmailAddress, PidLidEmail3AddressType, PidLidEmail3DisplayName,
     PidLidEmail3OriginalDisplayName, PidLidEmail3OriginalEntryId},
};

const struct vcard_date vcard_dates[] = {
    {"BDAY", PidTagBirthday, PidLidBirthdayLocal},
    {"X-MS-ANNIVERSARY", PidTagWeddingAnniversary, PidLidWeddingAnniversaryLocal},
    {"ANNIVERSARY", PidTagWeddingAnniversary, PidLidWeddingAnniversaryLocal},
    {"X-ANNIVERSARY", PidTagWeddingAnniversary, PidLidWeddingAnniversaryLocal},
};
const unsigned vcard_n_dates = G_N_ELEMENTS(vcard_dates);

const struct prop_name vcard_other_lines = {
    .kind = PROP_NAME_STRING,
    .set = GUID_INIT(0x00020329, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46), // PS_PUBLIC_STRINGS
    .string = "vCardOtherLines"};
