/* See progress.h. */
#include "progress.h"
#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool shown;

void progress_show(double share, double left_ns, const char *format, ...)
{
    char text[256], left[64];
    if (!isatty(STDERR_FILENO))
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    double seconds = left_ns / 1e9;
    if (seconds < 90)
        snprintf(left, sizeof left, "about %.0f s left", seconds);
    else
        snprintf(left, sizeof left, "about %.0f min left", seconds / 60);
    char line[512];
    snprintf(line, sizeof line, "%3.0f %%  %s  %s", share * 100, left, text);
    int columns = terminal_columns(stderr);
    fprintf(stderr, "\r%.*s\033[K", columns > 1 ? columns - 1 : 1, line);
    fflush(stderr);
    shown = true;
}

void progress_end(void)
{
    if (shown)
        fprintf(stderr, "\r\033[K");
    shown = false;
}
