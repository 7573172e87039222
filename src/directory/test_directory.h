// What the directory's tests share: a fresh directory with two domains, and short ways to fill it.
#pragma once

#include "base/test.h"
#include "directory/directory.h"

struct fixture {
    char *folder, *path;
    struct directory *d;
    struct arena *arena;
};

static inline void fixture_setup(struct fixture *f, gconstpointer data) {
    (void)data;
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "directory.db", NULL);
    f->arena = arena_new();
    assert_ok(directory_open(f->path, &f->d));
    assert_ok(directory_domain_add(f->d, "example.test"));
    assert_ok(directory_domain_add(f->d, "other.test"));
}

static inline void fixture_teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    directory_close(f->d);
    arena_free(f->arena);
    g_free(f->path);
    test_folder_remove(f->folder);
}

static inline struct guid add(struct fixture *f, enum directory_kind kind, const char *address,
                              const char *name) {
    struct directory_object object = {.kind = kind,
                                      .address = address,
                                      .display_name = name,
                                      .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(f->d, &object));
    g_assert_false(guid_is_zero(&object.guid));
    return object.guid;
}

static inline struct guid add_dynamic(struct fixture *f, const char *address, const char *filter) {
    struct directory_object object = {
        .kind = DIRECTORY_DYNAMIC, .address = address, .filter = filter};
    assert_ok(directory_add(f->d, &object));
    return object.guid;
}

static inline struct directory_object *get(struct fixture *f, const struct guid *guid) {
    struct directory_object *object;
    assert_ok(directory_find_guid(f->d, f->arena, guid, &object));
    return object;
}

// The addresses of a list in order, joined by spaces.
static inline const char *addresses_of(struct fixture *f, const struct directory_list *list) {
    const char *text = "";
    for (unsigned i = 0; i < list->n; i++)
        text = arena_printf(f->arena, "%s%s%s", text, i > 0 ? " " : "", list->items[i]->address);
    return text;
}

static inline void assert_sound(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(directory_check(f->d, false, faults));
    for (guint i = 0; i < faults->len; i++)
        g_error("directory_check: %s", (char *)faults->pdata[i]);
}

#define ADD_TEST(path, test)                                                                       \
    g_test_add(path, struct fixture, NULL, fixture_setup, test, fixture_teardown)
