// What the parts of the address book share: the book (a snapshot of the directory), its tables, and
// the properties of its objects.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "protocol/nspi/nspi.h"

// --- Minimal entry ids ([MS-OXNSPI] 2.2.9.1) ---

#define MID_FIRST 0x10u // below are positions and results

// Each object that anybody was ever told of has one number until the server ends.
struct mid_map {
    pthread_mutex_t lock;
    GHashTable *by_guid; // struct guid (in `guids`' arena) -> mid
    GPtrArray *guids;    // index mid - MID_FIRST
    struct arena *arena;
};
void mid_map_init(struct mid_map *m);
void mid_map_clear(struct mid_map *m);
uint32_t mid_of(struct mid_map *m, const struct guid *guid); // gives one when it has none
bool mid_guid(struct mid_map *m, uint32_t mid, struct guid *out);

// --- The book (book.c) ---

struct book_table {     // one container in one order
    unsigned container; // index
    unsigned locale;    // index of book.locales
    unsigned n;
    uint32_t *order; // indexes of book.objects
    uint32_t *place; // by index of book.objects: its row; UINT32_MAX: not in it
};

struct book_locale {
    char *name; // ICU's; "": the default
    void *collator;
    uint8_t **keys; // sort keys by index of book.objects, 0-terminated
    struct arena *arena;
};

#define CONTAINER_GAL 0u  // index, and minimal entry id
#define CONTAINER_ROOT 1u // "All Address Lists", which has the other lists below and no entries

struct book_container {
    uint32_t mid;
    struct guid guid; // made from the name
    const char *name; // as the directory knows it; NULL: no entries
    const char *display_name;
    unsigned depth;
};

// All entries that are not hidden, as they were at a generation of the directory. Immutable but for
// tables and locales, which are made when they are first asked for.
struct book {
    atomic_int refs;
    struct directory *directory;
    uint64_t generation;
    struct arena *arena;
    struct directory_object **objects;
    unsigned n;
    uint32_t *mids;    // by index
    uint32_t *by_mid;  // mid - MID_FIRST -> index; UINT32_MAX: none
    unsigned n_by_mid; // entries of by_mid
    struct book_container *containers;
    unsigned n_containers;
    pthread_mutex_t lock; // of what follows; held while a table is made
    GPtrArray *tables;    // struct book_table
    struct book_locale locales[8];
    unsigned n_locales;
};

struct nspi_service {
    struct directory *directory;
    char *organization, *hostname;
    struct guid guid;
    struct mid_map mids;
    pthread_mutex_t lock; // of book, and its times
    pthread_mutex_t build_lock;
    struct book *book;          // the newest
    int64_t built_us, build_us; // when it was made, how long that took
};

struct nspi_session {
    struct nspi_service *service;
    struct principal *who;
    uint32_t code_page;
    struct book *book; // what the last call saw
};

// Brings the session's book up to date; at the start of every call that looks at entries.
enum ec session_book(struct nspi_session *s);
struct book *book_ref(struct book *book);
void book_unref(struct book *book); // accepts NULL

// The container with this minimal entry id; NULL: none.
const struct book_container *book_container(const struct book *book, uint32_t mid);
// The container's table in the order of an LCID. It lives as long as the book.
enum ec book_table(struct book *book, const struct book_container *container, uint32_t sort_locale,
                   const struct book_table **out);
// The first row whose display name is not before `name`; table->n: none.
unsigned book_table_seek(struct book *book, const struct book_table *table, const char *name);
uint32_t book_index(const struct book *book, uint32_t mid); // of objects; UINT32_MAX: not in it

// --- Objects (object.c) ---

// Something with properties: an entry, or a container.
struct nspi_object {
    uint32_t mid;
    const struct directory_object *entry; // NULL: a container
    const struct book_container *container;
};
// EC_NOT_FOUND. Hidden entries are found too.
enum ec object_find(struct nspi_session *s, struct arena *arena, uint32_t mid,
                    struct nspi_object *out);
uint32_t object_display_type(const struct directory_object *entry);

// One property as a column asks for it: the value, or PT_ERROR.
struct prop_value object_value(struct nspi_session *s, struct arena *arena, uint32_t flags,
                               const struct nspi_object *object, proptag_t column);
// All tags that there are (has_value_on NULL), or that have a value on the object.
struct columns object_columns(struct nspi_session *s, struct arena *arena, uint32_t flags,
                              const struct nspi_object *has_value_on, bool is_unicode);
struct prop_bin object_entry_id(struct nspi_session *s, struct arena *arena, uint32_t flags,
                                const struct nspi_object *object);
// The guid an entry id names, of either form. False: none of ours.
bool object_of_entry_id(struct nspi_session *s, struct arena *arena, struct prop_bin id,
                        struct guid *out);
const char *container_dn(struct arena *arena, const struct book_container *container);

// --- Links (link.c): properties whose values are other entries ---

// EC_NOT_SUPPORTED: not a property of that kind.
enum ec link_targets(struct nspi_session *s, struct arena *arena, const struct nspi_object *object,
                     uint16_t id, struct directory_list *out);
bool link_is_property(uint16_t id);
// Whether the session's user may change it.
bool link_may_change(struct nspi_session *s, struct arena *arena, const struct nspi_object *object,
                     uint16_t id);

// --- Certificates (certificate.c), kept as settings of their entries ---

enum ec certificates(struct nspi_session *s, struct arena *arena, const struct guid *guid,
                     uint16_t id, struct prop_value *out);

// --- Rows (rows.c) ---

// Checks columns (NULL: the default ones) and gives those to use.
enum ec rows_columns(struct arena *arena, const struct columns *asked, struct columns *out);
enum ec rows_make(struct nspi_session *s, struct arena *arena, uint32_t flags,
                  const struct columns *columns, const uint32_t *mids, unsigned n,
                  struct nspi_rows *out);
