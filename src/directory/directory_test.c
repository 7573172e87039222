// Entries: adding, finding, logins, routes, domains, aliases, credentials; many of them, and
// threads.
#include "directory/directory.h"

#include <string.h>

#include "directory/test_directory.h"

static void test_add_and_find(struct fixture *f, gconstpointer data) {
    struct directory_object o = {
        .kind = DIRECTORY_USER,
        .address = "Alice@Example.test",
        .display_name = "Alice Adams",
        .given_name = "Alice",
        .surname = "Adams",
        .initials = "A",
        .title = "Dr.",
        .department = "Sales",
        .company = "Example",
        .office = "B 12",
        .phone = "+43 1",
        .mobile = "+43 2",
        .notes = "two\nlines",
        .protocols = DIRECTORY_IMAP | DIRECTORY_SMTP,
        .is_hidden = true,
        .locale = "de-AT",
        .quota = UINT64_C(1) << 40,
    };
    uint64_t generation = directory_generation(f->d);
    assert_ok(directory_add(f->d, &o));
    g_assert_cmpuint(directory_generation(f->d), >, generation);
    g_assert_true(o.has_mailbox);
    g_assert_cmpuint(o.created, !=, 0);

    struct directory_object *found;
    for (int round = 0; round < 2; round++) { // read, then remembered
        assert_ok(directory_find_address(f->d, f->arena, "ALICE@example.TEST", &found));
        g_assert_true(guid_equal(&found->guid, &o.guid));
        g_assert_cmpstr(found->address, ==, "Alice@example.test");
        g_assert_cmpstr(found->display_name, ==, "Alice Adams");
        g_assert_cmpstr(found->notes, ==, "two\nlines");
        g_assert_cmpstr(found->mobile, ==, "+43 2");
        g_assert_cmpstr(found->locale, ==, "de-AT");
        g_assert_null(found->target);
        g_assert_cmpuint(found->quota, ==, UINT64_C(1) << 40);
        g_assert_cmpuint(found->protocols, ==, DIRECTORY_IMAP | DIRECTORY_SMTP);
        g_assert_true(found->is_hidden && !found->is_disabled && found->has_mailbox);
        g_assert_cmpuint(found->created, ==, o.created);
    }
    assert_ec(directory_find_address(f->d, f->arena, "alice+x@example.test", &found), EC_NOT_FOUND);
    assert_ec(directory_find_address(f->d, f->arena, "nonsense", &found), EC_NOT_FOUND);
    struct guid nobody = guid_new();
    assert_ec(directory_find_guid(f->d, f->arena, &nobody, &found), EC_NOT_FOUND);

    // It is all there after a restart.
    generation = directory_generation(f->d);
    directory_close(f->d);
    assert_ok(directory_open(f->path, &f->d));
    g_assert_cmpuint(directory_generation(f->d), ==, generation);
    assert_ok(directory_find_guid(f->d, f->arena, &o.guid, &found));
    g_assert_cmpstr(found->title, ==, "Dr.");
    g_assert_true(directory_is_local_domain(f->d, "EXAMPLE.test"));
    assert_sound(f);
}

static void test_add_errors(struct fixture *f, gconstpointer data) {
    add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    static const struct {
        struct directory_object object;
        enum ec ec;
    } cases[] = {
        {{.kind = DIRECTORY_USER, .address = "ALICE@example.test"}, EC_COLLISION},
        {{.kind = DIRECTORY_USER, .address = "\"alice\"@example.test"}, EC_COLLISION},
        {{.kind = DIRECTORY_GROUP, .address = "alice@example.test"}, EC_COLLISION},
        {{.kind = DIRECTORY_USER, .address = "not an address"}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = NULL}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = ""}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = "bob@elsewhere.test"}, EC_NOT_FOUND},
        {{.kind = (enum directory_kind)99, .address = "b@example.test"}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = "b@example.test", .display_name = "a\r\nBcc: b"},
         EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = "b@example.test", .title = "\xff"},
         EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_DYNAMIC, .address = "b@example.test"}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_DYNAMIC, .address = "b@example.test", .filter = "(oops=1)"},
         EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_USER, .address = "b@example.test", .filter = "(kind=user)"},
         EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_CONTACT, .address = "b@example.test"}, EC_INVALID_PARAMETER},
        {{.kind = DIRECTORY_CONTACT, .address = "b@example.test", .target = "nowhere"},
         EC_INVALID_PARAMETER},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_object object = cases[i].object;
        assert_ec(directory_add(f->d, &object), cases[i].ec);
        g_assert_true(guid_is_zero(&object.guid));
    }
    g_autofree char *huge = g_strnfill(5000, 'x');
    struct directory_object object = {
        .kind = DIRECTORY_USER, .address = "b@example.test", .display_name = huge};
    assert_ec(directory_add(f->d, &object), EC_STRING_TOO_LONG);
    // The same guid twice.
    object.display_name = "";
    object.guid = add(f, DIRECTORY_USER, "c@example.test", NULL);
    assert_ec(directory_add(f->d, &object), EC_COLLISION);
    // What failed left nothing.
    struct directory_object *found;
    assert_ec(directory_find_address(f->d, f->arena, "b@example.test", &found), EC_NOT_FOUND);
    assert_sound(f);
}

static void test_login(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid bob = add(f, DIRECTORY_USER, "bob@other.test", "Bob");
    assert_ok(directory_domain_add(f->d, "other.example.test"));
    struct guid carol = add(f, DIRECTORY_USER, "carol@other.example.test", "Carol");
    assert_ok(directory_domain_add(f->d, "averyverylongname.test"));
    struct guid dan = add(f, DIRECTORY_USER, "dan@averyverylongname.test", "Dan");
    assert_ok(directory_alias_add(f->d, &alice, "al@other.test"));
    add(f, DIRECTORY_SHARED, "info@example.test", "Info");
    add(f, DIRECTORY_ROOM, "room@example.test", "Room");
    add(f, DIRECTORY_GROUP, "staff@example.test", "Staff");
    const struct {
        const char *login;
        const struct guid *who;
    } cases[] = {
        {"alice@example.test", &alice},
        {"ALICE@EXAMPLE.TEST", &alice},
        {"alice", &alice},
        {"Alice", &alice},
        {"EXAMPLE\\alice", &alice},
        {"example\\Alice", &alice},
        {"example.test\\alice", &alice},
        {"EXAMPLE.TEST\\ALICE", &alice},
        {"al@other.test", &alice},
        {"bob@other.test", &bob},
        {"OTHER\\bob", &bob},
        {"other.test\\bob", &bob},
        {"bob", NULL}, // not in the default domain
        {"OTHER\\carol", &carol},
        {"other.example.test\\carol", &carol},
        {"AVERYVERYLONGNA\\dan", &dan}, // 15 characters
        {"AVERYVERYLONGNAME\\dan", &dan},
        {"AVERYVERYLONG\\dan", NULL},
        {"EXAMPL\\alice", NULL},
        {"WRONG\\alice", NULL},
        {"\\alice", NULL},
        {"EXAMPLE\\", NULL},
        {"EXAMPLE\\alice@example.test", NULL},
        {"alice+x@example.test", NULL},
        {"alice+x", NULL},
        {"info@example.test", NULL},
        {"room", NULL},
        {"staff", NULL},
        {"", NULL},
        {"@", NULL},
        {"\\", NULL},
        {"alice@", NULL},
        {"nobody", NULL},
        {"a\xff", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_object *found = NULL;
        enum ec ec = directory_find_login(f->d, f->arena, cases[i].login, &found);
        if (ec != (cases[i].who != NULL ? EC_OK : EC_NOT_FOUND))
            g_error("login %s: %s", cases[i].login, ec_name(ec));
        g_assert_true(cases[i].who == NULL || guid_equal(&found->guid, cases[i].who));
    }
    // A disabled user is found: only who knows the password is told.
    struct directory_object *object = get(f, &alice);
    object->is_disabled = true;
    assert_ok(directory_update(f->d, object));
    assert_ok(directory_find_login(f->d, f->arena, "alice", &object));
    g_assert_true(object->is_disabled);
}

static void assert_route(struct fixture *f, const char *address, enum directory_route want,
                         const struct guid *who, const char *want_detail) {
    enum directory_route route;
    struct directory_object *object;
    const char *detail;
    for (int round = 0; round < 2; round++) { // read, then remembered
        assert_ok(directory_route(f->d, f->arena, address, &route, &object, &detail));
        if (route != want)
            g_error("%s goes %d, not %d", address, route, want);
        g_assert_true(who == NULL ? object == NULL : guid_equal(&object->guid, who));
        g_assert_cmpstr(detail, ==, want_detail);
    }
}

static void test_route(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid plus = add(f, DIRECTORY_SHARED, "a+b@example.test", "Plus");
    struct guid group = add(f, DIRECTORY_GROUP, "staff@example.test", "Staff");
    struct guid dynamic = add_dynamic(f, "all@example.test", "(kind=user)");
    struct directory_object contact = {
        .kind = DIRECTORY_CONTACT, .address = "carl@example.test", .target = "carl@far.test"};
    assert_ok(directory_add(f->d, &contact));
    add(f, DIRECTORY_CONTACT, "dora@far.test", "Dora");
    struct directory_object forwarded = {
        .kind = DIRECTORY_USER, .address = "eve@example.test", .target = "eve@far.test"};
    assert_ok(directory_add(f->d, &forwarded));
    g_assert_false(forwarded.has_mailbox);
    assert_ok(directory_alias_add(f->d, &alice, "al@other.test"));

    enum directory_route first;
    struct directory_object *object;
    assert_route(f, "Alice@example.test", DIRECTORY_ROUTE_MAILBOX, &alice, NULL);
    assert_route(f, "al@OTHER.test", DIRECTORY_ROUTE_MAILBOX, &alice, NULL);
    assert_route(f, "al+x@OTHER.test", DIRECTORY_ROUTE_MAILBOX, &alice, "x");
    assert_route(f, "alice+Lists+a@example.test", DIRECTORY_ROUTE_MAILBOX, &alice, "Lists+a");
    assert_route(f, "alice+@example.test", DIRECTORY_ROUTE_MAILBOX, &alice, "");
    assert_route(f, "+alice@example.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    assert_route(f, "a+b@example.test", DIRECTORY_ROUTE_MAILBOX, &plus, NULL);
    assert_route(f, "staff@example.test", DIRECTORY_ROUTE_GROUP, &group, NULL);
    assert_route(f, "all@example.test", DIRECTORY_ROUTE_GROUP, &dynamic, NULL);
    assert_route(f, "carl@example.test", DIRECTORY_ROUTE_FORWARD, &contact.guid, NULL);
    assert_route(f, "eve@example.test", DIRECTORY_ROUTE_FORWARD, &forwarded.guid, NULL);
    // Known, but elsewhere: relaying to it is not for everybody.
    assert_route(f, "dora@far.test", DIRECTORY_ROUTE_REMOTE, NULL, NULL);
    assert_route(f, "x@[192.0.2.1]", DIRECTORY_ROUTE_REMOTE, NULL, NULL);
    assert_route(f, "nobody@example.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    assert_route(f, "nobody@sub.example.test", DIRECTORY_ROUTE_REMOTE, NULL, NULL);
    // Somebody reads the postmaster's mail, whoever that is as long as nobody was named.
    assert_ok(directory_route(f->d, f->arena, "postmaster@other.test", &first, &object, NULL));
    g_assert_cmpint(first, ==, DIRECTORY_ROUTE_MAILBOX);
    assert_ok(directory_alias_add(f->d, &alice, "postmaster@example.test"));
    assert_route(f, "PostMaster", DIRECTORY_ROUTE_MAILBOX, &alice, NULL);

    enum directory_route route;
    assert_ec(directory_route(f->d, f->arena, "not an address", &route, &object, NULL),
              EC_INVALID_PARAMETER);
}

static void test_catchall(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    assert_ok(directory_alias_add(f->d, &alice, "Catch@example.test"));
    assert_ec(directory_domain_set_catchall(f->d, "example.test", "who@example.test"),
              EC_NOT_FOUND);
    assert_ec(directory_domain_set_catchall(f->d, "far.test", "alice@example.test"), EC_NOT_FOUND);
    g_assert_null(directory_domain_catchall(f->d, "example.test"));
    assert_ok(directory_domain_set_catchall(f->d, "Example.TEST", "catch@example.test"));
    g_autofree char *shown = directory_domain_catchall(f->d, "EXAMPLE.test");
    g_assert_cmpstr(shown, ==, "catch@example.test");
    assert_route(f, "anything@example.test", DIRECTORY_ROUTE_MAILBOX, &alice, NULL);
    assert_route(f, "anything+x@example.test", DIRECTORY_ROUTE_MAILBOX, &alice, NULL);
    assert_route(f, "bob+x@example.test", DIRECTORY_ROUTE_MAILBOX, &bob, "x");
    assert_route(f, "anything@other.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    // It goes with the address it names.
    assert_ok(directory_alias_remove(f->d, "CATCH@example.test"));
    assert_route(f, "anything@example.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    assert_ok(directory_domain_set_catchall(f->d, "example.test", "bob@example.test"));
    assert_route(f, "anything@example.test", DIRECTORY_ROUTE_MAILBOX, &bob, NULL);
    assert_ok(directory_remove(f->d, &bob));
    assert_route(f, "anything@example.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    assert_ok(directory_domain_set_catchall(f->d, "example.test", "alice@example.test"));
    assert_ok(directory_domain_set_catchall(f->d, "example.test", NULL));
    assert_route(f, "anything@example.test", DIRECTORY_ROUTE_UNKNOWN, NULL, NULL);
    assert_sound(f);
}

static void test_domains(struct fixture *f, gconstpointer data) {
    g_autofree char *def = directory_default_domain(f->d);
    g_assert_cmpstr(def, ==, "example.test");
    assert_ok(directory_domain_add(f->d, "Bücher.test"));
    g_assert_true(directory_is_local_domain(f->d, "XN--bcher-kva.test"));
    g_assert_true(directory_is_local_domain(f->d, "BÜCHER.test"));
    g_assert_false(directory_is_local_domain(f->d, "bucher.test"));
    g_assert_false(directory_is_local_domain(f->d, "not a domain"));
    assert_ec(directory_domain_add(f->d, "xn--bcher-kva.test"), EC_COLLISION);
    assert_ec(directory_domain_add(f->d, "-x.test"), EC_INVALID_PARAMETER);
    assert_ec(directory_domain_add(f->d, ""), EC_INVALID_PARAMETER);

    struct guid u = add(f, DIRECTORY_USER, "jürgen@bücher.test", NULL);
    g_assert_cmpstr(get(f, &u)->address, ==, "jürgen@xn--bcher-kva.test");
    assert_ec(directory_domain_remove(f->d, "bücher.test"), EC_BUSY);
    assert_ok(directory_remove(f->d, &u));
    assert_ok(directory_domain_remove(f->d, "bücher.test"));
    assert_ec(directory_domain_remove(f->d, "bücher.test"), EC_NOT_FOUND);
    g_auto(GStrv) domains = directory_domains(f->d);
    g_autofree char *joined = g_strjoinv(" ", domains);
    g_assert_cmpstr(joined, ==, "example.test other.test");
    assert_ok(directory_domain_remove(f->d, "example.test"));
    g_autofree char *next = directory_default_domain(f->d);
    g_assert_cmpstr(next, ==, "other.test");
}

static const char *aliases(struct fixture *f, const struct guid *guid) {
    g_auto(GStrv) strv = NULL;
    assert_ok(directory_aliases(f->d, guid, &strv));
    g_autofree char *joined = g_strjoinv(" ", strv);
    return arena_strdup(f->arena, joined);
}

static void test_aliases(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    assert_ok(directory_alias_add(f->d, &alice, "al@example.test"));
    assert_ok(directory_alias_add(f->d, &alice, "ad@other.test"));
    assert_ec(directory_alias_add(f->d, &bob, "AL@example.test"), EC_COLLISION);
    assert_ec(directory_alias_add(f->d, &bob, "alice@example.test"), EC_COLLISION);
    assert_ec(directory_alias_add(f->d, &bob, "b@far.test"), EC_NOT_FOUND);
    assert_ec(directory_alias_add(f->d, &bob, "b"), EC_INVALID_PARAMETER);
    struct guid nobody = guid_new();
    assert_ec(directory_alias_add(f->d, &nobody, "n@example.test"), EC_NOT_FOUND);
    g_assert_cmpstr(aliases(f, &alice), ==, "ad@other.test al@example.test");
    g_assert_cmpstr(aliases(f, &bob), ==, "");
    assert_ec(directory_alias_remove(f->d, "alice@example.test"), EC_INVALID_PARAMETER);
    assert_ec(directory_alias_remove(f->d, "x@example.test"), EC_NOT_FOUND);

    // A new primary address; the old one keeps receiving.
    struct directory_object *object = get(f, &alice);
    object->address = "Alice.Adams@example.test";
    assert_ok(directory_update(f->d, object));
    g_assert_cmpstr(get(f, &alice)->address, ==, "Alice.Adams@example.test");
    g_assert_cmpstr(aliases(f, &alice), ==, "ad@other.test al@example.test alice@example.test");
    // An alias becomes the primary.
    object->address = "AL@example.test";
    assert_ok(directory_update(f->d, object));
    g_assert_cmpstr(aliases(f, &alice), ==,
                    "ad@other.test Alice.Adams@example.test alice@example.test");
    object->address = "bob@example.test";
    assert_ec(directory_update(f->d, object), EC_COLLISION);
    g_assert_cmpstr(get(f, &alice)->address, ==, "AL@example.test");
    assert_sound(f);

    assert_ok(directory_remove(f->d, &alice));
    assert_ok(directory_alias_add(f->d, &bob, "al@example.test"));
    assert_ec(directory_remove(f->d, &alice), EC_NOT_FOUND);
    assert_sound(f);
}

static void test_update(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct directory_object *object = get(f, &alice), *found;
    filetime_t created = object->created;
    assert_ok(directory_find_address(f->d, f->arena, "alice@example.test", &found));
    object->display_name = "Alicia";
    object->protocols = DIRECTORY_IMAP;
    object->created = 1;
    assert_ok(directory_update(f->d, object));
    assert_ok(directory_find_address(f->d, f->arena, "alice@example.test", &found));
    g_assert_cmpstr(found->display_name, ==, "Alicia"); // not what was remembered
    g_assert_cmpuint(found->protocols, ==, DIRECTORY_IMAP);
    g_assert_cmpuint(found->created, ==, created);
    object->kind = DIRECTORY_SHARED;
    assert_ok(directory_update(f->d, object));
    object->kind = DIRECTORY_GROUP;
    assert_ec(directory_update(f->d, object), EC_INVALID_PARAMETER);
    object->guid = guid_new();
    object->kind = DIRECTORY_USER;
    assert_ec(directory_update(f->d, object), EC_NOT_FOUND);
    // Whom nobody has is forgotten when somebody gets it.
    assert_ec(directory_find_address(f->d, f->arena, "new@example.test", &found), EC_NOT_FOUND);
    add(f, DIRECTORY_USER, "new@example.test", NULL);
    assert_ok(directory_find_address(f->d, f->arena, "new@example.test", &found));
    g_assert_cmpstr(found->display_name, ==, "new");
}

static void test_credentials(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid nobody = guid_new();
    static char hash[] = "$argon2id$x", other[] = "$argon2id$y";
    struct directory_credentials got,
        set = {.password_hash = hash, .has_nt_hash = true, .nt_hash = {1, 2, 3, 0, 5}};
    assert_ok(directory_credentials(f->d, &nobody, &got));
    g_assert_null(got.password_hash);
    assert_ok(directory_credentials(f->d, &alice, &got));
    g_assert_true(!got.password_hash && !got.has_nt_hash && !got.has_scram_keys);
    assert_ec(directory_set_credentials(f->d, &nobody, &set), EC_NOT_FOUND);
    assert_ok(directory_set_credentials(f->d, &alice, &set));
    // An update of the entry does not touch them.
    assert_ok(directory_update(f->d, get(f, &alice)));
    assert_ok(directory_credentials(f->d, &alice, &got));
    g_assert_cmpstr(got.password_hash, ==, hash);
    g_assert_true(got.has_nt_hash && !got.has_scram_keys);
    g_assert_cmpmem(got.nt_hash, 16, set.nt_hash, 16);
    directory_credentials_clear(&got);
    // Renewed only while the password is the same.
    set = (struct directory_credentials){
        .password_hash = other, .has_scram_keys = true, .scram_keys = {7, [83] = 9}};
    assert_ec(directory_renew_credentials(f->d, &alice, &set), EC_NOT_FOUND);
    set.password_hash = hash;
    assert_ok(directory_renew_credentials(f->d, &alice, &set));
    assert_ok(directory_credentials(f->d, &alice, &got));
    g_assert_true(got.has_scram_keys && !got.has_nt_hash);
    g_assert_cmpmem(got.scram_keys, DIRECTORY_SCRAM_KEYS, set.scram_keys, DIRECTORY_SCRAM_KEYS);
    directory_credentials_clear(&got);
}

static void test_secret(struct fixture *f, gconstpointer data) {
    uint8_t one[32], again[32], two[32];
    assert_ok(directory_secret(f->d, "one", one));
    assert_ok(directory_secret(f->d, "one", again));
    assert_ok(directory_secret(f->d, "two", two));
    g_assert_cmpmem(one, 32, again, 32);
    g_assert_cmpint(memcmp(one, two, 32), !=, 0);
}

// --- Many ---

#define MANY 10000

static void test_many(struct fixture *f, gconstpointer data) {
    g_test_timer_start();
    for (int i = 0; i < MANY; i++) {
        g_autofree char *address = g_strdup_printf("user%05d@example.test", i);
        g_autofree char *name = g_strdup_printf("User %05d", i);
        add(f, DIRECTORY_USER, address, name);
        arena_reset(f->arena);
    }
    g_test_message("added %d users in %.1f s", MANY, g_test_timer_elapsed());

    struct directory_list list;
    g_test_timer_start();
    assert_ok(directory_list(f->d, f->arena, 0, NULL, 9990, 100, &list));
    g_assert_cmpuint(list.n, ==, 10);
    g_assert_cmpstr(list.items[9]->address, ==, "user09999@example.test");
    assert_ok(directory_list(f->d, f->arena, 0, "user 0012", 0, 100, &list));
    g_assert_cmpuint(list.n, ==, 10);
    assert_ok(directory_resolve(f->d, f->arena, "07777", &list));
    g_assert_cmpuint(list.n, ==, 1);
    g_test_message("list, prefix and ANR in %.1f ms", g_test_timer_elapsed() * 1000);

    enum directory_route route;
    struct directory_object *object;
    for (int round = 0; round < 2; round++) {
        g_test_timer_start();
        for (int i = 0; i < MANY; i++) {
            char address[64];
            g_snprintf(address, sizeof address, "user%05d@example.test", i);
            assert_ok(directory_route(f->d, f->arena, address, &route, &object, NULL));
            g_assert_cmpint(route, ==, DIRECTORY_ROUTE_MAILBOX);
            arena_reset(f->arena);
        }
        g_test_message("routed in %.2f us (%s)", g_test_timer_elapsed() * 1e6 / MANY,
                       round == 0 ? "cold" : "warm");
    }
}

// --- Threads ---

struct race {
    struct directory *d;
    int stop; // atomic
};

static gpointer race_reader(gpointer data) {
    struct race *race = data;
    unsigned long rounds = 0;
    ARENA_AUTO arena = arena_new();
    while (!g_atomic_int_get(&race->stop)) {
        enum directory_route route;
        struct directory_object *object;
        assert_ok(directory_route(race->d, arena, "alice+x@example.test", &route, &object, NULL));
        g_assert_cmpint(route, ==, DIRECTORY_ROUTE_MAILBOX);
        g_assert_true(g_str_has_prefix(object->display_name, "Alice "));
        struct directory_list list;
        enum ec ec = directory_resolve(race->d, arena, "ali", &list);
        g_assert_true(ec == EC_OK);
        ec = directory_find_login(race->d, arena, "temp", &object);
        g_assert_true(ec == EC_OK || ec == EC_NOT_FOUND);
        directory_is_member(race->d, &object->guid, &list.items[0]->guid);
        g_assert_true(directory_is_local_domain(race->d, "example.test"));
        arena_reset(arena);
        rounds++;
    }
    g_assert_cmpuint(rounds, >, 0);
    return NULL;
}

static void test_threads(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice 0");
    struct race race = {.d = f->d};
    GThread *threads[4];
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", race_reader, &race);
    for (int i = 1; i <= 60; i++) {
        struct directory_object *object = get(f, &alice), *found;
        object->display_name = arena_printf(f->arena, "Alice %d", i);
        assert_ok(directory_update(f->d, object));
        // A writer sees its own change at once, whatever readers put into the cache.
        assert_ok(directory_find_address(f->d, f->arena, "alice@example.test", &found));
        g_assert_cmpstr(found->display_name, ==, object->display_name);
        struct guid temp = add(f, DIRECTORY_USER, "temp@example.test", NULL);
        if (i % 10 == 0) {
            assert_ok(directory_domain_add(f->d, "temp.test"));
            assert_ok(directory_domain_remove(f->d, "temp.test"));
        }
        assert_ok(directory_remove(f->d, &temp));
    }
    g_atomic_int_set(&race.stop, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    assert_sound(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/directory/add-and-find", test_add_and_find);
    ADD_TEST("/directory/add-errors", test_add_errors);
    ADD_TEST("/directory/login", test_login);
    ADD_TEST("/directory/route", test_route);
    ADD_TEST("/directory/catchall", test_catchall);
    ADD_TEST("/directory/domains", test_domains);
    ADD_TEST("/directory/aliases", test_aliases);
    ADD_TEST("/directory/update", test_update);
    ADD_TEST("/directory/credentials", test_credentials);
    ADD_TEST("/directory/secret", test_secret);
    ADD_TEST("/directory/threads", test_threads);
    ADD_TEST("/directory/many", test_many);
    return g_test_run();
}
