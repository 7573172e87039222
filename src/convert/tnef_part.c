// A message for another server or client of our kind: winmail.dat beside a plain text, or the
// message as TNEF alone ([MS-OXCMAIL] 2.1.3.2.2, 2.1.3.2.3).
#include "convert/body.h"
#include "convert/convert_internal.h"
#include "convert/loaded.h"
#include "convert/tnef.h"

// The TNEF with the key that ties it to this header ([MS-OXCMAIL] 2.1.3.1.5).
static enum ec make_tnef(struct writing *w, GBytes **out) {
    struct message_value *loaded;
    EC_TRY(convert_load(w->message, w->source, &loaded));
    bag_set_bytes(loaded->bag, PidTagTnefCorrelationKey, w->message_id, strlen(w->message_id) + 1);
    enum ec ec = convert_message_to_tnef(loaded, NULL, TNEF_FOR_MAIL, out);
    message_value_free(loaded);
    return ec;
}

static void put_type(struct writing *w, const char *encoding) {
    g_string_append(w->out, "Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\n");
    g_string_append_printf(w->out, "Content-Transfer-Encoding: %s\r\n", encoding);
}

static enum ec write_summary(struct writing *w, GBytes *tnef) {
    gsize len;
    const char *data = g_bytes_get_data(tnef, &len);
    put_type(w, "binary");
    g_string_append(w->out, "\r\n");
    g_string_append_len(w->out, data, (gssize)len);
    return EC_OK;
}

static enum ec write_winmail(struct writing *w, GBytes *tnef) {
    struct prop_value body = {.str = ""};
    enum ec ec = body_get(w->message->bag, w->source, w->arena, PidTagBody, &body);
    if (ec != EC_OK)
        body.str = "";
    const char *boundary = mime_new_boundary(w->arena);
    g_string_append(w->out, "Content-Type: multipart/mixed");
    mime_put_param(w->out, "boundary", boundary);
    g_string_append_printf(w->out, "\r\n\r\n--%s\r\n", boundary);
    write_text_part(w, "plain", "utf-8", body.str, strlen(body.str));
    g_string_append_printf(w->out, "\r\n--%s\r\n", boundary);
    put_type(w, "base64");
    g_string_append(w->out, "Content-Disposition: attachment; filename=\"winmail.dat\"\r\n\r\n");
    gsize len;
    const void *data = g_bytes_get_data(tnef, &len);
    mime_put_base64(w->out, data, len);
    g_string_append_printf(w->out, "\r\n--%s--", boundary);
    return EC_OK;
}

enum ec write_tnef_content(struct writing *w) {
    g_autoptr(GBytes) tnef = NULL;
    EC_TRY(make_tnef(w, &tnef));
    return w->form == CONVERT_SUMMARY_TNEF ? write_summary(w, tnef) : write_winmail(w, tnef);
}
