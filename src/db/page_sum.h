// The checksum of a page of a database file.
//
// 64 bits of what XXH64 is defined to be, with the page's number as the seed, so that a page that
// was written to another one's place is noticed too. It finds accidents, not forgers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SUM_SIZE 8 // bytes at the end of each page

uint64_t page_sum(const uint8_t *data, size_t len, uint64_t seed);

// Writes the sum of the page (`len` bytes with the sum's own) into its last bytes.
void page_sum_seal(uint8_t *page, size_t len, uint64_t number);
// A page that is zero from end to end counts as sound: a hole of the file, that nothing was ever
// written to.
bool page_sum_is_right(const uint8_t *page, size_t len, uint64_t number);
