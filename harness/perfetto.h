/*
 * A timeline as Chrome trace events (JSON), which ui.perfetto.dev and chrome://tracing open: a
 * track per task, a track per core, and the ideal schedule apart.
 */
#ifndef OVERLAP_PERFETTO_H
#define OVERLAP_PERFETTO_H

#include <stddef.h>

/* Converts the timeline CSV at csv_path into json_path. `title` is shown with the tracks. Returns
 * 0, or -1 with one line in `why` (which file, which line). */
int perfetto_write(const char *csv_path, const char *json_path, const char *title, char *why,
                   size_t why_bytes);

#endif
