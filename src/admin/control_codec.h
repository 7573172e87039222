// Frames of the control socket: what stands in them, as pure functions over bytes.
//
// A frame is its payload's length (32 bits, network order), a type byte and the payload. One
// connection carries one command: the client sends FRAME_REQUEST, the server answers with output
// and ends with FRAME_DONE. `import` sends messages in between, `export` gets them:
//
//     client: REQUEST                 client: REQUEST (import)          client: REQUEST (export)
//     server: OUT OUT PROGRESS        client: MESSAGE DATA DATA END     server: FOLDER MESSAGE DATA
//     END server: DONE                    server: RESULT (one a message)    server: DONE
//                                     client: FINISH   server: DONE
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/arguments.h"
#include "base/arena.h"
#include "base/filetime.h"
#include "base/result.h"
#include "base/wire.h"

#define FRAME_HEADER_SIZE 5
#define FRAME_MAX (1024 * 1024)  // bytes of a payload
#define FRAME_CHUNK (256 * 1024) // bytes in one FRAME_DATA that we send
#define CONTROL_VERSION 1

enum frame_type {
    FRAME_REQUEST = 'R',
    FRAME_OUT = 'O',
    FRAME_ERROR = 'X',
    FRAME_PROGRESS = 'P',
    FRAME_DONE = 'D', // one byte: the exit status
    // A folder's path; the next messages belong to it. After a NUL may follow the class of a folder
    // that is made ("IPF.Contact").
    FRAME_FOLDER = 'F',
    FRAME_MESSAGE = 'M', // struct control_message
    FRAME_DATA = 'B',    // bytes of the message
    FRAME_END = 'E',     // the message is complete
    FRAME_RESULT = 'K',  // struct control_result
    FRAME_FINISH = 'Z',  // no more messages
};

struct frame {
    enum frame_type type;
    const uint8_t *data; // borrowed
    size_t len;
};

// Takes the first frame of `len` bytes. EC_OK: *used_out bytes made a frame. EC_BUSY: it is not
// complete yet. EC_FORMAT_ERROR: no such type, or longer than FRAME_MAX.
enum ec frame_parse(const uint8_t *data, size_t len, struct frame *out, size_t *used_out);

struct control_request {
    const char *command; // "user add"
    const char *password;
    bool is_terminal; // progress is welcome
    struct arguments arguments;
};
// The payload of FRAME_REQUEST. EC_NOT_ENOUGH_RESOURCES when it would exceed FRAME_MAX.
enum ec control_encode_request(const struct control_request *request, struct wire_writer *w);
// EC_VERSION when the other side speaks another version, EC_FORMAT_ERROR. Strings are in the arena.
enum ec control_decode_request(const uint8_t *data, size_t len, struct arena *arena,
                               struct control_request *out);

// In the flags of a message: its data is no mail but a whole message as TNEF (convert/tnef.h).
#define CONTROL_ITEM (UINT32_C(1) << 31)

struct control_message {
    uint32_t uid;   // export
    uint32_t flags; // enum message_flag, CONTROL_ITEM
    filetime_t received;
    uint64_t size;
    const char *keywords; // as in message_row; "" none
};
void control_encode_message(const struct control_message *message, struct wire_writer *w);
enum ec control_decode_message(const uint8_t *data, size_t len, struct arena *arena,
                               struct control_message *out);

enum control_outcome { OUTCOME_ADDED, OUTCOME_KNOWN, OUTCOME_FAILED };
struct control_result {
    enum control_outcome outcome;
    enum ec ec;
};
void control_encode_result(const struct control_result *result, struct wire_writer *w);
enum ec control_decode_result(const uint8_t *data, size_t len, struct control_result *out);
