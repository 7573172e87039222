// Memory that lives as long as a request: allocate freely, free all at once.
//
// Not thread-safe; one arena belongs to one thread at a time. Allocation failure aborts (as GLib's
// does), so nothing may be allocated by a length that was not checked before.
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); // accepts NULL

// `ARENA_AUTO arena = arena_new();` frees the arena when the function is left.
#define ARENA_AUTO __attribute__((cleanup(arena_cleanup_))) struct arena *
static inline void arena_cleanup_(struct arena **arena) {
    arena_free(*arena);
}

// Frees everything allocated but keeps the first block for reuse.
void arena_reset(struct arena *arena);

// `size` bytes, aligned to 8; not cleared / cleared. Never NULL (size 0 gives a unique address).
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc0(struct arena *arena, size_t size);

// Copies. arena_strdup(NULL) is NULL; arena_strndup ends the copy with a NUL.
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);

// Bytes handed out since the start or the last reset.
size_t arena_used(const struct arena *arena);
