// The message that tells an owner, once a day, that the mailbox is nearly full or full.
#include <string.h>

#include "base/log.h"
#include "convert/convert.h"
#include "directory/directory.h"
#include "formats/mime.h"
#include "mailbox/archive.h"
#include "mailbox/retention_internal.h"

#define WARN_EVERY (UINT64_C(20) * 3600 * FILETIME_SECOND) // nights are not exactly a day apart

// Texts by language; %s are sizes. The first is for everybody else.
struct words {
    const char *language, *sender, *subject, *archive_subject, *size, *cannot_send, *cannot_receive,
        *advice;
};
static const struct words words[] = {
    {"en", "Mailbox Service", "Your mailbox is almost full", "Your archive is almost full",
     "It holds %s; you are told from %s on.",
     "You cannot send messages until it holds less than %s.",
     "Messages to you are refused when it would hold more than %s.",
     "Delete what you no longer need, also from Deleted Items, or ask your administrator for more "
     "room."},
    {"de", "Postfachdienst", "Ihr Postfach ist fast voll", "Ihr Archiv ist fast voll",
     "Es enthält %s; ab %s wird gewarnt.",
     "Sie können erst wieder senden, wenn es weniger als %s enthält.",
     "Nachrichten an Sie werden abgewiesen, wenn es mehr als %s enthielte.",
     "Löschen Sie, was Sie nicht mehr brauchen, auch aus den gelöschten Elementen, oder bitten Sie "
     "um mehr Platz."},
    {"fr", "Service de messagerie", "Votre boîte aux lettres est presque pleine",
     "Votre archive est presque pleine", "Elle contient %s ; vous êtes averti à partir de %s.",
     "Vous ne pourrez envoyer de messages que lorsqu'elle contiendra moins de %s.",
     "Les messages qui vous sont adressés sont refusés au-delà de %s.",
     "Supprimez ce dont vous n'avez plus besoin, y compris des éléments supprimés, ou demandez "
     "plus de place à votre administrateur."},
    {"es", "Servicio de correo", "Su buzón está casi lleno", "Su archivo está casi lleno",
     "Contiene %s; se le avisa a partir de %s.",
     "No podrá enviar mensajes hasta que contenga menos de %s.",
     "Los mensajes para usted se rechazan si contuviera más de %s.",
     "Elimine lo que ya no necesite, también de los elementos eliminados, o pida más espacio a su "
     "administrador."},
    {"it", "Servizio di posta", "La casella di posta è quasi piena", "L'archivio è quasi pieno",
     "Contiene %s; si viene avvisati a partire da %s.",
     "Non è possibile inviare messaggi finché non contiene meno di %s.",
     "I messaggi in arrivo vengono rifiutati oltre %s.",
     "Eliminare ciò che non serve più, anche dalla posta eliminata, o chiedere più spazio "
     "all'amministratore."},
    {"nl", "Postbusdienst", "Uw postvak is bijna vol", "Uw archief is bijna vol",
     "Het bevat %s; vanaf %s wordt u gewaarschuwd.",
     "U kunt pas weer verzenden als het minder dan %s bevat.",
     "Berichten aan u worden geweigerd als het meer dan %s zou bevatten.",
     "Verwijder wat u niet meer nodig hebt, ook uit Verwijderde items, of vraag uw beheerder om "
     "meer ruimte."},
};

static const struct words *words_of(const char *locale) {
    for (unsigned i = 0; locale && i < G_N_ELEMENTS(words); i++) {
        size_t n = strlen(words[i].language);
        if (g_ascii_strncasecmp(locale, words[i].language, n) == 0 && !g_ascii_isalnum(locale[n]))
            return &words[i];
    }
    return &words[0];
}

static void put_line(GString *text, const char *line, uint64_t a, uint64_t b) {
    g_autofree char *first = g_format_size_full(a, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *second = g_format_size_full(b, G_FORMAT_SIZE_IEC_UNITS);
    const char *values[] = {first, second};
    unsigned n = 0;
    for (const char *p = line; *p; p++)
        if (p[0] == '%' && p[1] == 's' && n < 2) {
            g_string_append(text, values[n++]);
            p++;
        } else
            g_string_append_c(text, *p);
    g_string_append(text, "\r\n");
}

// The whole message; g_bytes_unref.
static GBytes *make_warning(const struct words *w, const char *address,
                            const struct mailbox_limits *l, uint64_t size) {
    GString *out = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    struct guid id = guid_new();
    char id_text[GUID_STRING_SIZE];
    const char *at = strrchr(address, '@'), *domain = at ? at + 1 : "localhost";
    const char *subject = l->is_archive ? w->archive_subject : w->subject;
    guid_format(&id, id_text);
    mime_put_date(out, "Date", filetime_to_unix(clock_now()), 0);
    g_string_append_printf(out, "From: \"%s\" <postmaster@%s>\r\nTo: <%s>\r\n", w->sender, domain,
                           address);
    mime_put_header(out, "Subject", subject);
    g_string_append_printf(out,
                           "Message-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\n"
                           "Importance: high\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                           id_text, domain);
    put_line(text, w->size, size, l->warn);
    if (l->send && size >= l->send)
        put_line(text, w->cannot_send, l->send, 0);
    if (l->receive)
        put_line(text, w->cannot_receive, l->receive, 0);
    g_string_append_printf(text, "\r\n%s\r\n", w->advice);
    mime_put_quoted_printable(out, text->str, text->len);
    return g_string_free_to_bytes(out);
}

// --- Putting it into the Inbox ---

struct warning {
    struct mailbox_pass *p;
    struct message_new spec;
    bool is_elsewhere; // an archive's warning goes to the owner's own mailbox
};

static enum ec note_warned(struct mbox_tx *tx, void *ctx) {
    struct warning *w = ctx;
    w->p->state.warned = clock_now();
    return pass_save(w->p, tx);
}

// No quota is asked: this message is about it.
static enum ec put_warning(struct mbox_tx *tx, void *ctx) {
    struct warning *w = ctx;
    uint64_t mid;
    EC_TRY(message_create(tx, FID_INBOX, &w->spec, &mid, NULL));
    return w->is_elsewhere ? EC_OK : note_warned(tx, w);
}

static enum ec store_warning(struct mailbox_pass *p, struct mbox *inbox, GBytes *mime) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    struct mime_message *scanned = mime_scan(arena, data, len);
    g_autoptr(GString) envelope = g_string_new(NULL), structure = g_string_new(NULL);
    struct message_value *value;
    EC_TRY(convert_mime_to_message(scanned, &value));
    mime_imap_envelope(scanned, scanned->root, envelope);
    mime_imap_bodystructure(scanned, true, structure);
    struct warning w = {.p = p, .is_elsewhere = inbox != p->mbox};
    w.spec = (struct message_new){
        .value = value,
        .mime = mime,
        .envelope = envelope->str,
        .structure = structure->str,
        .received = clock_now(),
        .is_new_mail = true,
    };
    enum ec ec = mbox_write(inbox, put_warning, &w);
    if (ec == EC_OK && w.is_elsewhere)
        ec = mbox_write(p->mbox, note_warned, &w);
    message_value_free(value);
    return ec;
}

static enum ec find_owner(struct mailbox_pass *p, struct arena *arena,
                          struct directory_object **out) {
    struct guid guid = *mbox_guid(p->mbox);
    if (!p->service->directory)
        return EC_NOT_FOUND;
    mailbox_archive_owner(p->service, mbox_guid(p->mbox), &guid);
    return directory_find_guid(p->service->directory, arena, &guid, out);
}

static enum ec warn(struct mailbox_pass *p, const struct mailbox_limits *limits, uint64_t size) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *owner;
    MBOX_AUTO inbox = NULL;
    enum ec ec = find_owner(p, arena, &owner);
    if (ec == EC_NOT_FOUND)
        return EC_OK; // nobody to tell
    EC_TRY(ec);
    EC_TRY(store_open_mailbox(p->service->store, &owner->guid, &inbox));
    g_autoptr(GBytes) mime = make_warning(words_of(owner->locale), owner->address, limits, size);
    EC_TRY(store_warning(p, inbox, mime));
    log_event(LOG_LEVEL_INFO, "mailbox.quota_warning", "user", owner->address, NULL);
    return EC_OK;
}

enum ec pass_warn(struct mailbox_pass *p) {
    struct mailbox_limits limits;
    struct mbox_usage usage;
    struct mbox_tx *tx;
    EC_TRY(mailbox_limits(p->service, mbox_guid(p->mbox), &limits));
    EC_TRY(mbox_read(p->mbox, &tx));
    mbox_get_usage(tx, &usage);
    mbox_read_end(tx);
    if (limits.warn == 0 || usage.size < limits.warn || p->state.warned + WARN_EVERY > clock_now())
        return EC_OK;
    return warn(p, &limits, usage.size);
}
