/* See content.h. */
#include "content.h"

#include <string.h>

void content_fill(void *buffer, size_t bytes, uint32_t key)
{
    char *at = buffer;
    for (uint32_t word; bytes > 0; key++) {
        size_t now = bytes < sizeof word ? bytes : sizeof word;
        word = key * 2654435761u; /* Knuth's multiplicative hash (TAOCP vol. 3, 6.4) */
        memcpy(at, &word, now);
        at += now;
        bytes -= now;
    }
}

uint32_t adler32(uint32_t digest, const void *buffer, size_t bytes)
{
    enum { MODULUS = 65521, BYTES_PER_MODULO = 5552 /* or the sums might overflow */ };
    const unsigned char *at = buffer;
    uint32_t a = digest & 0xffff, b = digest >> 16;
    while (bytes > 0) {
        size_t now = bytes < BYTES_PER_MODULO ? bytes : BYTES_PER_MODULO;
        for (size_t i = 0; i < now; i++) {
            a += at[i];
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
        at += now;
        bytes -= now;
    }
    return b << 16 | a;
}
