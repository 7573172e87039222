// Bump allocation in blocks that double up to 64 KiB; larger requests get a block of their own.
#include "base/arena.h"

#include <stdarg.h>
#include <string.h>

#define ARENA_FIRST_BLOCK 256 // an idle IMAP session holds one
#define ARENA_MAX_BLOCK 65536
#define ARENA_ALIGN 8

struct block {
    struct block *next;
    size_t size; // of data
    size_t used;
    _Alignas(16) unsigned char data[];
};

struct arena {
    struct block *current; // newest first; the oldest is the first block
    size_t used;
};

static struct block *block_new(size_t size, struct block *next) {
    struct block *b = g_malloc(sizeof *b + size);
    b->next = next;
    b->size = size;
    b->used = 0;
    return b;
}

struct arena *arena_new(void) {
    struct arena *arena = g_new0(struct arena, 1);
    arena->current = block_new(ARENA_FIRST_BLOCK, NULL);
    return arena;
}

void arena_reset(struct arena *arena) {
    while (arena->current->next) {
        struct block *next = arena->current->next;
        g_free(arena->current);
        arena->current = next;
    }
    arena->current->used = 0;
    arena->used = 0;
}

void arena_free(struct arena *arena) {
    if (!arena)
        return;
    arena_reset(arena);
    g_free(arena->current);
    g_free(arena);
}

void *arena_alloc(struct arena *arena, size_t size) {
    g_assert(size < SIZE_MAX / 2);
    size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (need == 0)
        need = ARENA_ALIGN;
    struct block *b = arena->current;
    if (b->size - b->used < need) {
        size_t block = MIN(b->size * 2, (size_t)ARENA_MAX_BLOCK);
        b = arena->current = block_new(MAX(block, need), b);
    }
    void *p = b->data + b->used;
    b->used += need;
    arena->used += need;
    return p;
}

void *arena_alloc0(struct arena *arena, size_t size) {
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size) {
    void *p = arena_alloc(arena, size);
    if (size)
        memcpy(p, data, size);
    return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len) {
    char *p = arena_alloc(arena, len + 1);
    if (len)
        memcpy(p, s, len);
    p[len] = 0;
    return p;
}

char *arena_strdup(struct arena *arena, const char *s) {
    return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *s = g_strdup_vprintf(format, args);
    va_end(args);
    return arena_strdup(arena, s);
}

size_t arena_used(const struct arena *arena) {
    return arena->used;
}
