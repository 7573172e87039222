// The special folders' table and their names in other languages.
#include "mapi/special_folder.h"

#include <glib.h>
#include <string.h>

static const struct special_folder_info table[] = {
#define X(name, id, parent, display, container_class, special_use)                                 \
    {id, parent, display, container_class, special_use},
    SPECIAL_FOLDERS(X)
#undef X
};

static const char *const languages[] = {"de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da"};

// A row a folder, a column a language in the order above. Folders without a row keep their English
// name.
static const struct {
    uint64_t fid;
    const char *names[G_N_ELEMENTS(languages)];
} translations[] = {
    {FID_INBOX,
     {"Posteingang", "Boîte de réception", "Bandeja de entrada", "Posta in arrivo", "Postvak IN",
      "Caixa de Entrada", "Skrzynka odbiorcza", "Inkorgen", "Indbakke"}},
    {FID_OUTBOX,
     {"Postausgang", "Boîte d'envoi", "Bandeja de salida", "Posta in uscita", "Postvak UIT",
      "Caixa de Saída", "Skrzynka nadawcza", "Utkorgen", "Udbakke"}},
    {FID_SENT_ITEMS,
     {"Gesendete Elemente", "Éléments envoyés", "Elementos enviados", "Posta inviata",
      "Verzonden items", "Itens Enviados", "Elementy wysłane", "Skickat", "Sendt post"}},
    {FID_DELETED_ITEMS,
     {"Gelöschte Elemente", "Éléments supprimés", "Elementos eliminados", "Posta eliminata",
      "Verwijderde items", "Itens Excluídos", "Elementy usunięte", "Borttaget", "Slettet post"}},
    {FID_DRAFTS,
     {"Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten", "Rascunhos", "Wersje robocze",
      "Utkast", "Kladder"}},
    {FID_JUNK,
     {"Junk-E-Mail", "Courrier indésirable", "Correo no deseado", "Posta indesiderata",
      "Ongewenste e-mail", "Lixo Eletrônico", "Wiadomości-śmieci", "Skräppost", "Uønsket mail"}},
    {FID_CALENDAR,
     {"Kalender", "Calendrier", "Calendario", "Calendario", "Agenda", "Calendário", "Kalendarz",
      "Kalender", "Kalender"}},
    {FID_CONTACTS,
     {"Kontakte", "Contacts", "Contactos", "Contatti", "Contactpersonen", "Contatos", "Kontakty",
      "Kontakter", "Kontakter"}},
    {FID_TASKS,
     {"Aufgaben", "Tâches", "Tareas", "Attività", "Taken", "Tarefas", "Zadania", "Uppgifter",
      "Opgaver"}},
    {FID_NOTES,
     {"Notizen", "Notes", "Notas", "Note", "Notities", "Anotações", "Notatki", "Anteckningar",
      "Noter"}},
    {FID_JOURNAL,
     {"Journal", "Journal", "Diario", "Diario", "Logboek", "Diário", "Dziennik", "Journal",
      "Journal"}},
    {FID_ARCHIVE,
     {"Archiv", "Archive", "Archivo", "Archivio", "Archief", "Arquivo", "Archiwum", "Arkiv",
      "Arkiv"}},
    {FID_SYNC_ISSUES,
     {"Synchronisierungsprobleme", "Problèmes de synchronisation", "Problemas de sincronización",
      "Problemi di sincronizzazione", "Synchronisatieproblemen", "Problemas de Sincronização",
      "Problemy z synchronizacją", "Synkroniseringsproblem", "Synkroniseringsproblemer"}},
    {FID_RSS_FEEDS,
     {"RSS-Feeds", "Flux RSS", "Fuentes RSS", "Feed RSS", "RSS-feeds", "RSS Feeds",
      "Źródła danych RSS", "RSS-feeds", "RSS-feeds"}},
};

const struct special_folder_info *special_folders(unsigned *n_out) {
    *n_out = G_N_ELEMENTS(table);
    return table;
}

const struct special_folder_info *special_folder(uint64_t fid) {
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].fid == fid)
            return &table[i];
    return NULL;
}

// "de-AT" and "de_AT" speak "de".
static int language_of(const char *locale) {
    for (unsigned i = 0; locale && i < G_N_ELEMENTS(languages); i++) {
        size_t n = strlen(languages[i]);
        if (g_ascii_strncasecmp(locale, languages[i], n) == 0 && !g_ascii_isalnum(locale[n]))
            return (int)i;
    }
    return -1;
}

const char *special_folder_name(uint64_t fid, const char *locale) {
    int language = language_of(locale);
    for (unsigned i = 0; language >= 0 && i < G_N_ELEMENTS(translations); i++)
        if (translations[i].fid == fid)
            return translations[i].names[language];
    const struct special_folder_info *info = special_folder(fid);
    return info ? info->name : "";
}
