// The parts of rop_test, each in a file of its own.
#pragma once

void add_folder_tests(void);
void add_message_tests(void);
void add_property_tests(void);
void add_random_tests(void);
