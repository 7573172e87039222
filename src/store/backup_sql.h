// Internal to store/: the statements of sql_backup.c.
#pragma once

extern const char sql_refit_mailbox[], sql_refit_folders[], sql_refit_validity[];
