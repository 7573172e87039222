// Limits of the address book's operations.
#pragma once

#define NSPI_MAX_ROWS 5000            // of one answer; a client asks again
#define NSPI_MAX_TABLE 100000         // ids of an explicit table ([MS-OXNSPI] 3.1.4.1.8)
#define NSPI_MAX_COLUMNS 1000         // EC_TABLE_TOO_BIG beyond
#define NSPI_MAX_VALUES (1000 * 1000) // rows times columns of one answer
#define NSPI_MAX_NAMES 1000           // of one request
#define NSPI_MAX_LINKS 1000           // entry ids of one request
#define NSPI_MAX_CERTIFICATES 32      // of one property
#define NSPI_MAX_CERTIFICATE 16384    // bytes of one
#define NSPI_MAX_LOCALES 8            // orders of a book; further ones get the first one's
#define NSPI_SMALL_BOOK 2000          // entries; made anew at once after any change
#define NSPI_BUILD_SHARE 10           // a larger one takes at most 1/10 of the time
