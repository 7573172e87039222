// SMTP's limits ([RFC 5321] 4.5.3).
#pragma once

#define SMTP_LINE_MAX 2048 // a command with its CRLF; RFC 5321 wants 512 and more for extensions
#define SMTP_AUTH_LINE_MAX 12290   // RFC 4954 section 4
#define SMTP_CHUNK_MAX (64 * 1024) // of a message, handled at once
#define SMTP_LOCAL_MAX 64
#define SMTP_DOMAIN_MAX 255
#define SMTP_HEADER_MAX (64 * 1024) // submission looks for missing fields in so much of the header

#define SMTP_FIELD_MAX (64 * 1024)    // of one header field; a longer one is passed on unread
#define SMTP_RECEIVED_MAX 100         // Received fields ([RFC 5321] 6.3)
#define SMTP_OWN_RECEIVED_MAX 10      // of them, that we wrote
#define SMTP_ENVID_MAX 100            // [RFC 3461] 4.4
#define SMTP_ORCPT_MAX 500            // [RFC 3461] 4.2
#define SMTP_HOLD_MAX (7 * 24 * 3600) // seconds
#define SMTP_CHECKS_MAX 16            // messages that the policy is asked about at a time
#define SMTP_RATES_MAX 50000          // addresses and users that are counted at a time

#define SMTP_DEFAULT_SIZE (150ull * 1024 * 1024)
#define SMTP_DEFAULT_RECIPIENTS 1000
#define SMTP_DEFAULT_ERRORS 20
#define SMTP_DEFAULT_UNKNOWN 100
#define SMTP_DEFAULT_TARPIT_AFTER 5
#define SMTP_DEFAULT_TIMEOUT 300
