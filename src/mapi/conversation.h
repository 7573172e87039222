// Conversations: subject prefixes, the conversation index and the conversation id
// ([MS-OXCMSG] 2.2.1.9, 2.2.1.10, [MS-OXCMAIL] 2.2.3.2.6.1, [MS-OXOMSG] 2.2.1.2-2.2.1.5).
//
// PidTagConversationTopic of a message that brings none is its normalized subject.
#pragma once

#include "mapi/prop.h"

// The two parts of a subject; PidTagSubject is the one after the other. In the arena.
struct subject_parts {
    const char *prefix;     // "RE: "; "" none
    const char *normalized; // the rest
};

// Splits a subject. `prefix` is a PidTagSubjectPrefix that was set already and holds where the
// subject begins with it; otherwise (or when it is NULL) one to three characters that are neither
// digit, blank nor colon, followed by a colon and blanks, are the prefix, written with one blank.
struct subject_parts subject_split(struct arena *arena, const char *subject, const char *prefix);

#define CONVERSATION_INDEX_HEADER 22
#define CONVERSATION_INDEX_LEVEL 5
#define CONVERSATION_INDEX_MAX (CONVERSATION_INDEX_HEADER + 400 * CONVERSATION_INDEX_LEVEL)

// The index of a message that starts a conversation. `guid` NULL: a new one.
void conversation_index_start(filetime_t now, const struct guid *guid,
                              uint8_t out[CONVERSATION_INDEX_HEADER]);

// The index of an answer to (or forward of) a message with the index `parent`: a response level is
// added, unless the index is as long as it may get. A parent that is no index starts a
// conversation.
struct prop_bin conversation_index_reply(struct arena *arena, struct prop_bin parent,
                                         filetime_t now);

struct conversation_index {
    struct guid guid;   // the 16 bytes as they stand in the index
    filetime_t started; // when the first message was sent, to about a second
    filetime_t last;    // when this one was, to a few hundredths of a second after `started`
    unsigned n_levels;  // answers above it
};
// False when the bytes are no conversation index.
bool conversation_index_parse(struct prop_bin index, struct conversation_index *out);

// PidTagConversationId: the index's GUID when it is tracked, otherwise a hash of the topic. False
// when there is neither (topic NULL or empty).
bool conversation_id(bool is_tracked, struct prop_bin index, const char *topic, uint8_t out[16]);
