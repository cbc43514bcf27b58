/*
 * Numbers for people: three significant digits, and the unit that suits. Files that programs read
 * never hold these. An unknown number (NaN) gives an empty text. All return `text`.
 */
#ifndef OVERLAP_FORMAT_H
#define OVERLAP_FORMAT_H

#include <stddef.h>

/* Room enough for any of them. */
enum { FORMAT_BYTES = 32 };

/* "301 ms", "1.23 s", "45.6 µs" */
char *format_ns(char *text, size_t bytes, double ns);
/* "48 B", "1.4 KiB", "26 MiB" */
char *format_bytes(char *text, size_t bytes, double value);
/* "12", "12.3k", "1M", as the options take them */
char *format_count(char *text, size_t bytes, double value);
/* "0.987", "1.012", "35.1": below 10 three decimals, for most ratios that matter are near 1 */
char *format_ratio(char *text, size_t bytes, double ratio);
/* "2.1 %" of 0.021 */
char *format_percent(char *text, size_t bytes, double fraction);

typedef char *format_function(char *text, size_t bytes, double number);
/* "1.23 s – 1.25 s", by one of the above; it takes twice the room. */
char *format_interval(char *text, size_t bytes, double low, double high, format_function *format);

#endif
