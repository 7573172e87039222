// The parts of ews_items_test.
#pragma once

void request_tests(void);
