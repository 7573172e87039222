// Limits of import and export.
#pragma once

#define IMPORT_MESSAGE_MAX (512u * 1024 * 1024) // bytes of one message, which is held in memory
