// Authenticated users, shared by whoever acts for them.
#include "auth/auth_internal.h"

struct principal *principal_new(const struct directory_object *object) {
    struct principal *p = g_new0(struct principal, 1);
    p->refs = 1;
    p->guid = object->guid;
    p->address = g_strdup(object->address);
    p->display_name = g_strdup(object->display_name);
    return p;
}

struct principal *principal_ref(struct principal *p) {
    g_atomic_int_inc(&p->refs);
    return p;
}

void principal_unref(struct principal *p) {
    if (p == NULL || !g_atomic_int_dec_and_test(&p->refs))
        return;
    g_free(p->address);
    g_free(p->display_name);
    g_free(p->mailbox);
    g_free(p);
}

struct principal *principal_admin(void) {
    // Its own reference is never given back, so that it is never freed.
    static char address[] = "admin", name[] = "Administrator";
    static struct principal admin = {
        .refs = 1, .address = address, .display_name = name, .is_admin = true};
    return principal_ref(&admin);
}

struct principal *principal_anonymous(void) {
    static char address[] = "", name[] = "Anonymous";
    static struct principal anonymous = {
        .refs = 1, .address = address, .display_name = name, .is_anonymous = true};
    return principal_ref(&anonymous);
}
