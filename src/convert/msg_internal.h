// Names and numbers of .msg files ([MS-OXMSG] 2).
#pragma once

#define MSG_PROPERTIES "__properties_version1.0"
#define MSG_NAMES "__nameid_version1.0"
#define MSG_STREAM "__substg1.0_"
#define MSG_RECIPIENT "__recip_version1.0_#"
#define MSG_ATTACHMENT "__attach_version1.0_#"
#define MSG_GUIDS MSG_STREAM "00020102"
#define MSG_ENTRIES MSG_STREAM "00030102"
#define MSG_STRINGS MSG_STREAM "00040102"

// Bytes before the entries of a property stream ([MS-OXMSG] 2.4.1).
enum { MSG_HEADER_TOP = 32, MSG_HEADER_EMBEDDED = 24, MSG_HEADER_PART = 8 };

// In the entry stream of names: which property set ([MS-OXMSG] 2.2.3.1.2).
enum { MSG_SET_MAPI = 1, MSG_SET_PUBLIC_STRINGS = 2, MSG_SET_FIRST = 3 };

#define MSG_FIRST_NAMED 0x8000u
#define MSG_UNICODE_OK 0x00040000 // in PidTagStoreSupportMask
