// What the parts of auth/ share.
#pragma once

#include "auth/auth.h"
#include "auth/password.h"
#include "auth/throttle.h"

struct auth {
    struct directory *directory; // borrowed
    struct auth_options options;
    struct password_checker *passwords;
    struct throttle *throttle;
};

// --- principal.c ---
struct principal *principal_new(const struct directory_object *object);
