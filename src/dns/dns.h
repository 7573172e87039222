// Questions to the DNS, answered by libunbound: validated with DNSSEC, cached, from any thread.
//
//     struct dns_answer answer;
//     dns_lookup(dns, arena, "example.test", DNS_MX, &answer);
//     for (unsigned i = 0; i < answer.n; i++)
//         use(answer.records[i].host, answer.records[i].number);
//
// Answers are bytes of strangers: every name and text in them was checked and cut to the limits
// below before a caller sees it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"

#define DNS_NAME_MAX 253    // characters of a name, without the last dot
#define DNS_RECORDS_MAX 256 // of one answer; the rest is dropped
#define DNS_TEXT_MAX 65535  // bytes of a TXT record, its strings joined

struct dns;

// 0 or NULL takes the default.
struct dns_options {
    const char *servers;      // "192.0.2.53 127.0.0.1:5353": forwarders; NULL, "": the system's
                              // (/etc/resolv.conf); "root": recursion from the root servers;
                              // "off": every question fails at once
    const char *trust_anchor; // file with DS or DNSKEY records; NULL, "": the system's root key, if
                              // any; "none": nothing is validated
    unsigned timeout_ms;      // of one question in all; 10,000
};
// EC_INVALID_PARAMETER, logged: a server or the anchor cannot be read.
enum ec dns_new(const struct dns_options *options, struct dns **out);
void dns_free(struct dns *dns); // nobody may be asking; accepts NULL

enum dns_type {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_TLSA = 52,
};

enum dns_status {
    DNS_OK,      // there are records
    DNS_NO_DATA, // the name exists, without such records
    DNS_NO_NAME, // it does not (NXDOMAIN)
    DNS_BOGUS,   // DNSSEC says that somebody tampers: as a failure for the time being
    DNS_FAILED,  // no answer in time, or SERVFAIL
};

struct dns_record {
    uint32_t number;       // MX: preference; SRV: priority
    uint32_t weight, port; // SRV
    const char *host;      // MX, SRV, CNAME, PTR: a name without the last dot ("" for a null MX)
    const char *address;   // A, AAAA: as text
    const char *text;      // TXT: its strings joined; NUL-terminated, NULs within become '?'
    uint8_t usage, selector, matching; // TLSA
    const uint8_t *data;               // TLSA: the association data
    size_t len;
};

struct dns_answer {
    enum dns_status status;
    bool is_secure; // validated with DNSSEC (for DNS_NO_DATA and DNS_NO_NAME: the denial was)
    uint32_t ttl;   // seconds
    struct dns_record *records;
    unsigned n;
};

// Asks and waits (blocking; not for event loops). CNAMEs are followed. Names may be UTF-8 and are
// turned into A-labels. While no question at all gets an answer, each waits a tenth of the time
// only, so that mail does not pile up behind dead name servers. Everything in *out is in the arena.
// MX and SRV are sorted by number. A name that cannot be one is DNS_NO_NAME.
void dns_lookup(struct dns *dns, struct arena *arena, const char *name, enum dns_type type,
                struct dns_answer *out);

// The name to ask PTR for: "1.2.0.192.in-addr.arpa" for "192.0.2.1". NULL: not an address.
const char *dns_reverse_name(struct arena *arena, const char *address);

struct dns_stats {
    uint64_t questions, failures, bogus;
};
void dns_stats(struct dns *dns, struct dns_stats *out);
