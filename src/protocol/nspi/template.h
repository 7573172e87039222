// Dialog templates ([MS-OXOABKT]).
#pragma once

#include "base/arena.h"
#include "mapi/prop.h"

// The name of the template that makes Internet addresses.
const char *template_creation_dn(struct arena *arena, const char *organization);
bool template_has_locale(uint32_t lcid);
