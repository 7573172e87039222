// COMPRESS DEFLATE ([RFC 4978]). After login only: somebody unknown gets no memory for it.
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

void cmd_compress(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    const char *name = imap_atom(&c->args);
    if (!imap_arg_end(c))
        return;
    if (g_ascii_strcasecmp(name, "DEFLATE") != 0) {
        imap_reply(c, "NO", "[CANNOT] Unknown compression mechanism");
        return;
    }
    if (!s->conn || net_conn_is_deflate(s->conn)) {
        imap_reply(c, "NO",
                   s->conn ? "[COMPRESSIONACTIVE] DEFLATE is active already"
                           : "[CANNOT] Nothing to compress");
        return;
    }
    // The answer is the last that goes out as it is.
    imap_printf(s, "%s OK DEFLATE active\r\n", c->tag);
    imap_flush(s);
    s->scanned = 0;
    net_conn_start_deflate(s->conn);
    c->has_answered = true;
}
