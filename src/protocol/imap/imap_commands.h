// The functions of the command table.
#pragma once

struct imap_cmd;

void cmd_append(struct imap_cmd *c);
void cmd_authenticate(struct imap_cmd *c);
void cmd_capability(struct imap_cmd *c);
void cmd_check(struct imap_cmd *c);
void cmd_close(struct imap_cmd *c);
void cmd_compress(struct imap_cmd *c);
void cmd_copy(struct imap_cmd *c);
void cmd_create(struct imap_cmd *c);
void cmd_delete(struct imap_cmd *c);
void cmd_deleteacl(struct imap_cmd *c);
void cmd_enable(struct imap_cmd *c);
void cmd_examine(struct imap_cmd *c);
void cmd_expunge(struct imap_cmd *c);
void cmd_fetch(struct imap_cmd *c);
void cmd_getacl(struct imap_cmd *c);
void cmd_getquota(struct imap_cmd *c);
void cmd_getquotaroot(struct imap_cmd *c);
void cmd_id(struct imap_cmd *c);
void cmd_idle(struct imap_cmd *c);
void cmd_list(struct imap_cmd *c);
void cmd_listrights(struct imap_cmd *c);
void cmd_login(struct imap_cmd *c);
void cmd_logout(struct imap_cmd *c);
void cmd_lsub(struct imap_cmd *c);
void cmd_move(struct imap_cmd *c);
void cmd_myrights(struct imap_cmd *c);
void cmd_namespace(struct imap_cmd *c);
void cmd_noop(struct imap_cmd *c);
void cmd_rename(struct imap_cmd *c);
void cmd_replace(struct imap_cmd *c);
void cmd_search(struct imap_cmd *c);
void cmd_select(struct imap_cmd *c);
void cmd_setacl(struct imap_cmd *c);
void cmd_setquota(struct imap_cmd *c);
void cmd_starttls(struct imap_cmd *c);
void cmd_status(struct imap_cmd *c);
void cmd_store(struct imap_cmd *c);
void cmd_subscribe(struct imap_cmd *c);
void cmd_unselect(struct imap_cmd *c);
void cmd_unsubscribe(struct imap_cmd *c);
