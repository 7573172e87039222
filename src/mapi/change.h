// Ids and change numbers of synchronization: counters, GIDs, XIDs, predecessor change lists
// ([MS-OXCDATA] 2.2, [MS-OXCFXICS] 2.2.2.1-2.2.2.3). Sets of them are in idset.h.
#pragma once

#include "base/wire.h"
#include "mapi/prop.h"

// A global counter: 48 bits, on the wire 6 bytes, highest first.
#define COUNTER_MAX ((UINT64_C(1) << 48) - 1)
#define COUNTER_SIZE 6

uint64_t counter_read(struct wire_reader *r);
void counter_put(struct wire_writer *w, uint64_t counter);

// Folder and message ids as ROPs carry them: replica id, counter ([MS-OXCDATA] 2.2.1.1, 2.2.1.2).
#define REPLID_OWN 1 // the mailbox's own replica
struct short_id {
    uint16_t replid;
    uint64_t counter;
};
struct short_id short_id_read(struct wire_reader *r);
void short_id_put(struct wire_writer *w, struct short_id id);
// The same eight bytes as a number: PidTagFolderId and PidTagMid as PT_I8.
int64_t short_id_value(struct short_id id);
struct short_id short_id_of_value(int64_t value);

// A counter of a replica: GID, and with two bytes of padding LongTermID ([MS-OXCDATA] 2.2.1.3).
#define GID_SIZE 22
#define LONG_TERM_ID_SIZE 24
struct gid {
    struct guid replica;
    uint64_t counter;
};
struct gid gid_read(struct wire_reader *r);
void gid_put(struct wire_writer *w, const struct gid *gid);
struct gid long_term_id_read(struct wire_reader *r);
void long_term_id_put(struct wire_writer *w, const struct gid *gid);

// An external id: a change number of whoever made the change (PidTagChangeKey), 17 to 24 bytes.
#define XID_LOCAL_MAX 8
#define XID_MAX_SIZE (16 + XID_LOCAL_MAX)
struct xid {
    struct guid space;
    uint8_t local_len; // 1 to XID_LOCAL_MAX
    uint8_t local[XID_LOCAL_MAX];
};
struct xid xid_of(const struct gid *gid); // 22 bytes
// False when the bytes are no XID.
bool xid_parse(struct prop_bin bytes, struct xid *out);
struct prop_bin xid_bytes(struct arena *arena, const struct xid *xid);

// A predecessor change list: of each namespace the newest change that went into the object
// (PidTagPredecessorChangeList). Sorted by namespace; immutable; items in an arena.
#define PCL_MAX 4096
struct pcl {
    unsigned n;
    const struct xid *items;
};
// EC_CORRUPT_DATA. The order and doubles of the input do not matter.
enum ec pcl_parse(struct arena *arena, struct prop_bin bytes, struct pcl *out);
struct prop_bin pcl_bytes(struct arena *arena, const struct pcl *pcl);

// A list with the change added (and the older one of its namespace gone), or with all of another's.
// EC_TOO_COMPLEX past PCL_MAX namespaces.
enum ec pcl_add(struct arena *arena, const struct pcl *pcl, const struct xid *change,
                struct pcl *out);
enum ec pcl_merge(struct arena *arena, const struct pcl *a, const struct pcl *b, struct pcl *out);

// Whether the change, or a newer one of its namespace, is in the list.
bool pcl_includes(const struct pcl *pcl, const struct xid *change);

// How two versions of an object stand to each other ([MS-OXCFXICS] 3.1.5.6.2.1).
enum pcl_order {
    PCL_EQUAL,
    PCL_NEWER,    // a has all of b's changes and more
    PCL_OLDER,    // b has all of a's
    PCL_CONFLICT, // both have changes that the other lacks
};
enum pcl_order pcl_compare(const struct pcl *a, const struct pcl *b);
