/* Bytes that tasks make, read and receive: what they are, and what they sum up to. */
#ifndef OVERLAP_CONTENT_H
#define OVERLAP_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/* Fills the buffer with the 32-bit words of number 0, 1, 2, ... of `key`, the last one cut where
 * the buffer ends. No two keys give the same, and a word costs a multiplication. */
void content_fill(void *buffer, size_t bytes, uint32_t key);

/* Goes on with an Adler-32 (RFC 1950), which begins at 1: every language has it, and it costs less
 * than receiving the bytes does. */
uint32_t adler32(uint32_t digest, const void *buffer, size_t bytes);

#endif
