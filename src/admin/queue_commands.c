// `bourse queue`: messages that wait for delivery.
#include "admin/command_functions.h"
#include "queue/queue.h"

int queue_list_command(struct command_call *call) {
    struct queue_entry *entries;
    unsigned n;
    enum ec ec = queue_list(call->services->queue, call->arena, &entries, &n);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the queue: %s", ec_text(ec));
    output_list_begin(call->out,
                      "id:20 arrived:20 size:9 attempts:8 sender:28 recipients:28 reason");
    for (unsigned i = 0; i < n; i++) {
        const struct queue_entry *e = &entries[i];
        output_object_begin(call->out, NULL);
        output_string(call->out, "id", e->id);
        output_time(call->out, "arrived", e->arrived);
        output_time(call->out, "next", e->next);
        output_number(call->out, "size", e->size);
        output_number(call->out, "attempts", e->attempts);
        output_string(call->out, "sender", *e->sender ? e->sender : "<>");
        output_array_begin(call->out, "recipients");
        for (unsigned k = 0; k < e->n_pending; k++)
            output_string(call->out, NULL, e->pending[k]);
        output_array_end(call->out);
        output_string(call->out, "reason", e->reason);
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
