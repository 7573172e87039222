// The limits of the directory.
#pragma once

#define ADDRESS_LOCAL_MAX 64   // octets, RFC 5321 4.5.3.1.1
#define ADDRESS_DOMAIN_MAX 253 // octets in A-labels; 255 with the dot and the length octet
#define ADDRESS_LABEL_MAX 63

#define DIRECTORY_TEXT_MAX 1024     // octets of a name, a phone number...
#define DIRECTORY_NOTES_MAX 32768   // octets
#define DIRECTORY_LIST_NAME_MAX 256 // octets of an address list's name

#define DIRECTORY_EXPAND_MAX 100000 // members of a group, nested ones opened

#define DIRECTORY_CACHE_ENTRIES 20000 // addresses and memberships remembered, each

#define FILTER_TEXT_MAX 8192 // octets
#define FILTER_DEPTH_MAX 16  // parentheses in parentheses
#define FILTER_NODES_MAX 256

#define ANR_WORDS_MAX 8        // of the text to resolve; more are ignored
#define ANR_CANDIDATES_MAX 100 // given back when a name is ambiguous
#define ANR_SCANNED_MAX 20000  // entries looked at for one name
#define ANR_INDEX_WORD_MAX 80  // octets of a word in the index; longer ones are cut
#define ANR_INDEX_WORDS_MAX 64 // words of one entry

#define DIRECTORY_WAL_BYTES (8 << 20) // changes collected before they are moved into the file
