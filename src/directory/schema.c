// All of the directory's SQL: the schema's steps, and every statement.
//
// `address_key`, `name_key` and words are folded texts; domains are A-labels. A user's address is
// in `object` (as the primary) and, with the aliases, in `address`, whose key makes it unique.
#include "directory/directory_internal.h"

static const char *const steps[] = {
    "CREATE TABLE state (id BIGINT NOT NULL PRIMARY KEY, generation BIGINT NOT NULL);"
    "INSERT INTO state (id, generation) VALUES (1, 1);"

    "CREATE TABLE domain ("
    "  name TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL, catchall TEXT) $CLUSTERED;"

    "CREATE TABLE object ("
    "  guid $BLOB NOT NULL PRIMARY KEY, kind BIGINT NOT NULL, protocols BIGINT NOT NULL,"
    "  is_disabled BIGINT NOT NULL, is_hidden BIGINT NOT NULL, capacity BIGINT NOT NULL,"
    "  created BIGINT NOT NULL, changed BIGINT NOT NULL, quota BIGINT NOT NULL,"
    "  address TEXT NOT NULL, name_key TEXT NOT NULL, display_name TEXT NOT NULL,"
    "  given_name TEXT, surname TEXT, initials TEXT, title TEXT, department TEXT, company TEXT,"
    "  office TEXT, phone TEXT, mobile TEXT, notes TEXT, target TEXT, filter TEXT,"
    "  locale TEXT NOT NULL, password_hash TEXT, nt_hash $BLOB) $CLUSTERED;"
    "CREATE INDEX object_name ON object (name_key, address);"

    "CREATE TABLE address ("
    "  address_key TEXT NOT NULL PRIMARY KEY, guid $BLOB NOT NULL, domain TEXT NOT NULL,"
    "  address TEXT NOT NULL, is_primary BIGINT NOT NULL) $CLUSTERED;"
    "CREATE INDEX address_object ON address (guid, is_primary);"
    "CREATE INDEX address_domain ON address (domain);"

    "CREATE TABLE member ("
    "  group_guid $BLOB NOT NULL, member_guid $BLOB NOT NULL,"
    "  PRIMARY KEY (group_guid, member_guid)) $CLUSTERED;"
    "CREATE INDEX member_of ON member (member_guid);"

    "CREATE TABLE word ("
    "  word TEXT NOT NULL, guid $BLOB NOT NULL, PRIMARY KEY (word, guid)) $CLUSTERED;"
    "CREATE INDEX word_object ON word (guid, word);"

    "CREATE TABLE address_list ("
    "  name_key TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, filter TEXT NOT NULL) $CLUSTERED;",
    directory_schema_settings,
    directory_schema_access,
    directory_schema_credentials,
    NULL,
};

const struct db_schema directory_schema = {"directory", steps};

// --- Generation ---
const char sql_generation[] = "SELECT generation FROM state WHERE id = 1";
const char sql_generation_grow[] =
    "UPDATE state SET generation = generation + 1 WHERE id = 1 RETURNING generation";

// --- Domains ---
const char sql_domains[] = "SELECT name, catchall FROM domain ORDER BY position, name";
const char sql_domain_add[] = "INSERT INTO domain (name, position) "
                              "SELECT $1, coalesce(max(position), 0) + 1 FROM domain";
const char sql_domain_remove[] = "DELETE FROM domain WHERE name = $1";
const char sql_domain_catchall[] = "UPDATE domain SET catchall = $2 WHERE name = $1";
const char sql_domain_in_use[] = "SELECT 1 FROM address WHERE domain = $1 LIMIT 1";
const char sql_domain_catchall_clear[] = "UPDATE domain SET catchall = NULL WHERE catchall = $1";
const char sql_domain_catchall_clear_object[] =
    "UPDATE domain SET catchall = NULL "
    "WHERE catchall IN (SELECT address_key FROM address WHERE guid = $1)";

// --- Objects ---
const char sql_object_by_guid[] = "SELECT " OBJECT_COLUMNS " FROM object o WHERE o.guid = $1";
const char sql_object_oldest_user[] =
    "SELECT " OBJECT_COLUMNS " FROM object o WHERE o.kind = $1 AND o.is_disabled = 0"
    " AND o.target IS NULL ORDER BY o.created, o.address LIMIT 1";
const char sql_object_by_key[] = "SELECT " OBJECT_COLUMNS " FROM address a "
                                 "JOIN object o ON o.guid = a.guid WHERE a.address_key = $1";
const char sql_object_insert[] =
    "INSERT INTO object (guid, kind, protocols, is_disabled, is_hidden, capacity, created, changed,"
    " quota, address, display_name, given_name, surname, initials, title, department, company,"
    " office, phone, mobile, notes, target, filter, locale, name_key) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
    " $20, $21, $22, $23, $24, $25)";
const char sql_object_update[] =
    "UPDATE object SET kind = $2, protocols = $3, is_disabled = $4, is_hidden = $5, capacity = $6,"
    " created = $7, changed = $8, quota = $9, address = $10, display_name = $11, given_name = $12,"
    " surname = $13, initials = $14, title = $15, department = $16, company = $17, office = $18,"
    " phone = $19, mobile = $20, notes = $21, target = $22, filter = $23, locale = $24,"
    " name_key = $25 WHERE guid = $1";
const char sql_object_delete[] = "DELETE FROM object WHERE guid = $1";
const char sql_objects[] = "SELECT " OBJECT_COLUMNS " FROM object o ORDER BY o.name_key, o.address";
const char sql_objects_visible[] =
    "SELECT " OBJECT_COLUMNS " FROM object o WHERE o.is_hidden = 0 ORDER BY o.name_key, o.address";
// Kinds that are people and things, not groups: the members dynamic groups can have.
const char sql_objects_recipients[] =
    "SELECT " OBJECT_COLUMNS " FROM object o WHERE o.kind NOT IN (4, 5) "
    "ORDER BY o.name_key, o.address";
// $1 bits of kinds, $2 limit, $3 offset.
const char sql_object_list[] =
    "SELECT " OBJECT_COLUMNS " FROM object o WHERE ((1 << CAST(o.kind AS INTEGER)) & $1) <> 0 "
    "ORDER BY o.name_key, o.address LIMIT $2 OFFSET $3";
const char sql_object_list_visible[] =
    "SELECT " OBJECT_COLUMNS
    " FROM object o WHERE ((1 << CAST(o.kind AS INTEGER)) & $1) <> 0 AND o.is_hidden = 0 "
    "ORDER BY o.name_key, o.address LIMIT $2 OFFSET $3";
// $4 and $5: the first text with the prefix, and the first one after all of them.
const char sql_object_list_prefix[] =
    "SELECT " OBJECT_COLUMNS " FROM object o WHERE ((1 << CAST(o.kind AS INTEGER)) & $1) <> 0 "
    "AND ((o.name_key >= $4 AND o.name_key < $5) OR o.guid IN "
    "(SELECT a.guid FROM address a WHERE a.address_key >= $4 AND a.address_key < $5)) "
    "ORDER BY o.name_key, o.address LIMIT $2 OFFSET $3";

// --- Addresses ---
const char sql_address_owner[] = "SELECT guid, is_primary FROM address WHERE address_key = $1";
const char sql_address_insert[] = "INSERT INTO address (address_key, guid, domain, address,"
                                  " is_primary) VALUES ($1, $2, $3, $4, $5)";
const char sql_address_delete[] = "DELETE FROM address WHERE address_key = $1";
const char sql_address_delete_all[] = "DELETE FROM address WHERE guid = $1";
const char sql_address_demote[] = "UPDATE address SET is_primary = 0 WHERE guid = $1";
const char sql_address_promote[] =
    "UPDATE address SET is_primary = 1, address = $2 WHERE address_key = $1";
const char sql_addresses[] =
    "SELECT address FROM address WHERE guid = $1 ORDER BY is_primary DESC, address_key";

// --- Groups ---
const char sql_member_add[] = "INSERT INTO member (group_guid, member_guid) VALUES ($1, $2)";
const char sql_member_remove[] = "DELETE FROM member WHERE group_guid = $1 AND member_guid = $2";
const char sql_member_remove_all[] = "DELETE FROM member WHERE group_guid = $1 OR member_guid = $1";
const char sql_members[] = "SELECT " OBJECT_COLUMNS " FROM member m "
                           "JOIN object o ON o.guid = m.member_guid WHERE m.group_guid = $1 "
                           "ORDER BY o.name_key, o.address";
const char sql_groups_of[] = "SELECT group_guid FROM member WHERE member_guid = $1";
const char sql_dynamic_groups[] = "SELECT guid, filter FROM object WHERE kind = 5";

// --- Ambiguous names ---
const char sql_word_insert[] =
    "INSERT INTO word (word, guid) VALUES ($1, $2) ON CONFLICT (word, guid) DO NOTHING";
const char sql_word_delete_all[] = "DELETE FROM word WHERE guid = $1";
const char sql_word_candidates[] =
    "SELECT DISTINCT guid FROM word WHERE word >= $1 AND word < $2 LIMIT $3";
const char sql_word_has[] =
    "SELECT 1 FROM word WHERE guid = $1 AND word >= $2 AND word < $3 LIMIT 1";
const char sql_anr_exact[] = "SELECT " OBJECT_COLUMNS " FROM object o WHERE o.name_key = $1 "
                             "AND o.is_hidden = 0 ORDER BY o.address LIMIT $2";
const char sql_words[] = "SELECT word FROM word WHERE guid = $1 ORDER BY word";

// --- Address lists ---
const char sql_lists[] = "SELECT name, filter FROM address_list ORDER BY name_key";
const char sql_list_insert[] =
    "INSERT INTO address_list (name_key, name, filter) VALUES ($1, $2, $3)";
const char sql_list_filter[] = "SELECT filter FROM address_list WHERE name_key = $1";

// --- Check ---
const char sql_check_address_orphans[] =
    "SELECT address FROM address WHERE guid NOT IN (SELECT guid FROM object)";
const char sql_check_address_orphans_repair[] =
    "DELETE FROM address WHERE guid NOT IN (SELECT guid FROM object)";
const char sql_check_primaries[] =
    "SELECT o.guid, o.address,"
    " (SELECT count(*) FROM address a WHERE a.guid = o.guid AND a.is_primary = 1),"
    " (SELECT max(a.address) FROM address a WHERE a.guid = o.guid AND a.is_primary = 1) "
    "FROM object o";
const char sql_check_primary_insert[] =
    "INSERT INTO address (address_key, guid, domain, address, is_primary) "
    "VALUES ($1, $2, $3, $4, 1) ON CONFLICT (address_key) DO UPDATE SET is_primary = 1";
const char sql_check_addresses[] = "SELECT a.address_key, a.address, a.domain, o.kind, a.guid "
                                   "FROM address a JOIN object o ON o.guid = a.guid";
const char sql_check_members[] =
    "SELECT group_guid, member_guid FROM member WHERE member_guid NOT IN (SELECT guid FROM object)"
    " OR group_guid NOT IN (SELECT guid FROM object WHERE kind = 4)";
const char sql_check_members_repair[] =
    "DELETE FROM member WHERE member_guid NOT IN (SELECT guid FROM object)"
    " OR group_guid NOT IN (SELECT guid FROM object WHERE kind = 4)";
const char sql_check_edges[] = "SELECT m.group_guid, m.member_guid FROM member m "
                               "JOIN object o ON o.guid = m.member_guid WHERE o.kind = 4";
const char sql_check_word_orphans[] =
    "SELECT DISTINCT guid FROM word WHERE guid NOT IN (SELECT guid FROM object)";
const char sql_check_word_orphans_repair[] =
    "DELETE FROM word WHERE guid NOT IN (SELECT guid FROM object)";
