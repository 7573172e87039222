// `bourse queue`: messages that wait for delivery.
#include <string.h>

#include "admin/command_functions.h"
#include "queue/queue.h"
#include "relay/relay.h"

// The first line of a reason that has one for each recipient.
static const char *first_line(struct arena *arena, const char *reason) {
    const char *end = reason ? strchr(reason, '\n') : NULL;
    return end ? arena_strndup(arena, reason, (size_t)(end - reason)) : reason;
}

// The last reply about one recipient: its line of the reason.
static const char *reason_of(struct arena *arena, const char *reason, const char *address) {
    size_t len = strlen(address);
    for (const char *line = reason; line && *line;) {
        const char *end = strchrnul(line, '\n');
        if (strncmp(line, address, len) == 0 && line[len] == ':')
            return arena_strndup(arena, line + len + 2,
                                 MAX((size_t)(end - line), len + 2) - len - 2);
        line = *end ? end + 1 : end;
    }
    return NULL;
}

static const char *state_of(const struct queue_entry *e) {
    return e->is_held ? "held" : e->is_active ? "active" : "waiting";
}

static void put_entry(struct command_call *call, const struct queue_entry *e) {
    output_string(call->out, "id", e->id);
    output_time(call->out, "arrived", e->arrived);
    if (!e->is_held)
        output_time(call->out, "next", e->next);
    output_number(call->out, "size", e->size);
    output_number(call->out, "attempts", e->attempts);
    output_string(call->out, "sender", *e->sender ? e->sender : "<>");
}

int queue_list_command(struct command_call *call) {
    struct queue_entry *entries;
    unsigned n;
    enum ec ec = queue_list(call->services->queue, call->arena, &entries, &n);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the queue: %s", ec_text(ec));
    output_list_begin(call->out, "id:20 arrived:20 size:9 attempts:8 state:8 sender:28 "
                                 "recipients:28 reason");
    for (unsigned i = 0; i < n; i++) {
        const struct queue_entry *e = &entries[i];
        output_object_begin(call->out, NULL);
        put_entry(call, e);
        output_string(call->out, "state", state_of(e));
        output_bool(call->out, "held", e->is_held);
        output_array_begin(call->out, "recipients");
        for (unsigned k = 0; k < e->n_pending; k++)
            output_string(call->out, NULL, e->pending[k]);
        output_array_end(call->out);
        output_string(call->out, "reason", first_line(call->arena, e->reason));
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

static bool is_pending(const struct queue_entry *e, const char *address) {
    for (unsigned i = 0; i < e->n_pending; i++)
        if (strcmp(e->pending[i], address) == 0)
            return true;
    return false;
}

static int failed(struct command_call *call, enum ec ec, const char *id);

int queue_show_command(struct command_call *call) {
    struct queue_entry e;
    struct queue_envelope envelope;
    const char *id = call_argument(call, 1);
    enum ec ec = queue_get(call->services->queue, call->arena, id, &e, &envelope);
    if (ec != EC_OK)
        return failed(call, ec, id);
    output_object_begin(call->out, NULL);
    put_entry(call, &e);
    output_string(call->out, "state", state_of(&e));
    output_string(call->out, "from_host", envelope.helo);
    output_string(call->out, "from_address", envelope.peer);
    output_string(call->out, "user", envelope.auth);
    output_array_begin(call->out, "recipients");
    for (unsigned i = 0; i < envelope.n_recipients; i++) {
        const char *address = envelope.recipients[i].address;
        bool waits = is_pending(&e, address);
        output_object_begin(call->out, NULL);
        output_string(call->out, "address", address);
        output_string(call->out, "state", waits ? "waiting" : "done");
        if (waits && call->services->relay)
            output_string(call->out, "destination",
                          relay_destination(call->services->relay, call->arena, address));
        output_string(call->out, "reply", waits ? reason_of(call->arena, e.reason, address) : NULL);
        output_object_end(call->out);
    }
    output_array_end(call->out);
    output_object_end(call->out);
    return EXIT_DONE;
}

int queue_destinations_command(struct command_call *call) {
    struct relay_state *states = NULL;
    unsigned n = 0;
    if (call->services->relay)
        relay_states(call->services->relay, call->arena, &states, &n);
    output_list_begin(call->out,
                      "destination:34 messages:8 connections:11 limit:5 failures:8 wait:6 reason");
    for (unsigned i = 0; i < n; i++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "destination", states[i].destination);
        output_number(call->out, "messages", states[i].n_jobs);
        output_number(call->out, "connections", states[i].n_connections);
        output_number(call->out, "limit", states[i].limit);
        output_number(call->out, "failures", states[i].failures);
        output_number(call->out, "wait", (states[i].down_ms + 999) / 1000);
        output_string(call->out, "reason", states[i].reason);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}

static int done(struct command_call *call, const char *sentence, const char *id) {
    output_say(call->out, "%s %s.", sentence, id ? id : "all messages");
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "id", id ? id : "all");
        output_object_end(call->out);
    }
    return EXIT_DONE;
}

static int failed(struct command_call *call, enum ec ec, const char *id) {
    if (ec == EC_NOT_FOUND)
        return call_fail(call, ec,
                         "there is no message %s in the queue; it may be delivered by now",
                         id ? id : "at all");
    if (ec == EC_BUSY)
        return call_fail(call, ec, "%s is being delivered right now; try again in a moment", id);
    return call_fail(call, ec, "%s: %s", id ? id : "queue", ec_text(ec));
}

int queue_retry_command(struct command_call *call) {
    const char *id = call_argument(call, 1);
    if (call->services->relay)
        relay_forget_failures(call->services->relay, NULL);
    enum ec ec = queue_retry(call->services->queue, id);
    if (ec != EC_OK && (id || ec != EC_NOT_FOUND))
        return failed(call, ec, id);
    return done(call, "Trying again:", id);
}

int queue_drop_command(struct command_call *call) {
    const char *id = call_argument(call, 1);
    enum ec ec = queue_drop(call->services->queue, id);
    if (ec != EC_OK)
        return failed(call, ec, id);
    return done(call, "Dropped", id);
}

int queue_hold_command(struct command_call *call) {
    const char *id = call_argument(call, 1);
    enum ec ec = queue_hold(call->services->queue, id);
    return ec == EC_OK ? done(call, "Held:", id) : failed(call, ec, id);
}

int queue_release_command(struct command_call *call) {
    const char *id = call_argument(call, 1);
    enum ec ec = queue_unhold(call->services->queue, id);
    return ec == EC_OK ? done(call, "Released", id) : failed(call, ec, id);
}

int queue_flush_command(struct command_call *call) {
    const char *domain = call_argument(call, 1);
    struct relay *relay = call->services->relay;
    unsigned n = 0;
    if (relay) {
        const char *address = arena_printf(call->arena, "x@%s", domain);
        const char *destination = relay_destination(relay, call->arena, address);
        if (destination)
            relay_forget_failures(relay, destination);
    }
    enum ec ec = queue_flush(call->services->queue, domain, &n);
    if (ec != EC_OK)
        return failed(call, ec, domain);
    output_say(call->out, "Trying %u message%s for %s again.", n, n == 1 ? "" : "s", domain);
    if (output_is_json(call->out)) {
        output_object_begin(call->out, NULL);
        output_number(call->out, "messages", n);
        output_object_end(call->out);
    }
    return EXIT_DONE;
}
