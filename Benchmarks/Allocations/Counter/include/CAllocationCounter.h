// Counts what the calling thread allocates. The program that links this has malloc and its siblings wrapped; memory is
// the C library's own.
#pragma once
#include <stdint.h>

uint64_t allocations_of_this_thread(void);

/// What malloc has given out and not got back, in bytes, by all threads.
uint64_t live_bytes(void);
