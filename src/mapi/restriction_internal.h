// Between restriction.c (the tree) and restriction_eval.c (its evaluation).
#pragma once

#include "mapi/restriction.h"

// Computes what a RES_CONTENT node compares with, once for all rows.
void restriction_prepare(struct arena *arena, struct restriction *res);
