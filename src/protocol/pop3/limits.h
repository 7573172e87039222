// Every limit of the POP3 server.
#pragma once

#define POP3_LINE_MAX 512              // bytes of a command with its end (RFC 2449 asks for 255)
#define POP3_SASL_LINE_MAX (16 * 1024) // of a SASL response, and of AUTH with the first one
#define POP3_UNIT_MAX (16 * 1024)      // bytes the net hands over at once
#define POP3_MAX_ERRORS 20             // commands refused before the connection closes
#define POP3_MAX_LOGIN_FAILURES 5      // on one connection
#define POP3_LOGIN_SECONDS 60          // without input before login
#define POP3_IDLE_SECONDS 600          // after it (RFC 1939 3: at least ten minutes)
#define POP3_STEP_BYTES (64 * 1024)    // of a message, made in one step
#define POP3_AHEAD_MESSAGES 32         // read ahead of who fetches in order
#define POP3_AHEAD_BYTES (256 * 1024)  // of them together
#define POP3_LOGINS_NOTED 100000       // users whose last login is known, before old ones go
