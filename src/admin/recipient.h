// Directory objects as the commands see them: finding, printing, filling in from options.
#pragma once

#include "admin/command.h"
#include "directory/directory.h"

#define KIND(k) (1u << (k))
#define KINDS_USER (KIND(DIRECTORY_USER) | KIND(DIRECTORY_SHARED))
#define KINDS_ROOM (KIND(DIRECTORY_ROOM) | KIND(DIRECTORY_EQUIPMENT))
#define KINDS_GROUP (KIND(DIRECTORY_GROUP) | KIND(DIRECTORY_DYNAMIC))
#define KINDS_CONTACT KIND(DIRECTORY_CONTACT)
#define KINDS_ALL 0xFFFFFFFFu

// "user", "shared", "room", ...; static.
const char *kind_name(enum directory_kind kind);

// The object that `address` names and that is one of `kinds`. False: that has been reported.
bool recipient_find(struct command_call *call, const char *address, uint32_t kinds,
                    struct directory_object **out);

// Everything about an object, as one object of the output.
void recipient_print(struct command_call *call, const struct directory_object *object);

// All of `kinds`, page by page, as a table with `columns`.
int recipient_list(struct command_call *call, uint32_t kinds, const char *columns);

// Fills in what the options say (--name, --given-name, ..., --quota, --hidden). False: reported.
bool recipient_take_options(struct command_call *call, struct directory_object *object);

// Adds the object, with its mailbox when it has one; reports both ways. The exit status.
int recipient_add(struct command_call *call, struct directory_object *object);

// Stores what was changed; with --address under a new primary address, whose old one becomes an
// alias. The exit status.
int recipient_update(struct command_call *call, struct directory_object *object);

// Removes the object and (unless `keep_mailbox`) its mailbox. The exit status.
int recipient_delete(struct command_call *call, struct directory_object *object, bool keep_mailbox);

// "smtp,imap" of the bits, "all" or "none"; in the arena.
char *protocols_text(struct arena *arena, uint32_t protocols);
// False: an unknown word.
bool protocols_parse(const char *text, uint32_t *out);
