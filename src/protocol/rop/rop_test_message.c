// Messages, recipients, attachments, properties and streams.
#include "protocol/rop/rop_fixture.h"
#include "protocol/rop/rop_tests.h"

void add_message_tests(void) {
}
