/*
 * The built-in HTTP server that `fetch` gets its resources from, a process of its own. It speaks
 * some of httpbin's paths (GET / lists them), so that a real httpbin can stand in for it.
 */
#ifndef OVERLAP_ORIGIN_H
#define OVERLAP_ORIGIN_H

#include <stddef.h>
#include <sys/types.h>

/* The subcommand `origin`: serves until SIGTERM or SIGINT, then returns the exit status. Says
 * "listening on http://ADDRESS:PORT" on stdout once it does. */
int origin_main(int argc, char **argv);

/* Starts this program's origin on a free port of 127.0.0.1, on the cores of the caller, and waits
 * until it listens. It ends with the calling thread at the latest. Returns its process id with its
 * address in `url`; or -1 with one line in `why`. */
pid_t origin_start(char *url, size_t url_bytes, char *why, size_t why_bytes);

/* Before each trial: gives it the cores that a trial on the list `cpus` (see cpus.h) leaves free,
 * so that serving takes no time from the tasks; where the trial uses all, it shares them. */
void origin_keep_off(pid_t pid, const char *cpus);

/* Ends it and waits until it is gone. */
void origin_stop(pid_t pid);

#endif
