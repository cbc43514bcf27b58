/*
 * What a result depends on besides the program: machine, kernel, limits, compiler; and what
 * disturbs it: load and time stolen by the hypervisor.
 */
#ifndef OVERLAP_ENVIRONMENT_H
#define OVERLAP_ENVIRONMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object with everything; what this system does not tell is null. Its key "fingerprint" is one
 * short line for figures. Neither host nor user are named. The caller owns it. */
json_t *environment_read(void);

/* What DIR/environment.json of a run says of `key`: a number, NaN when it says nothing. */
double environment_recorded(const char *dir, const char *key);

/* The same of a text, or NULL; the caller frees it. */
char *environment_recorded_text(const char *dir, const char *key);
/* Adds `key` to it, or puts another value there, the file being whole at any time; takes `value`. A
 * folder without such a file is left so. Returns 0, or -1 with one line in `why`. */
int environment_note(const char *dir, const char *key, json_t *value, char *why, size_t why_bytes);

/* What git called this build; "unknown" without. */
const char *environment_version(void);

/* The load average of the last minute; NaN when unknown. */
double environment_load_1min(void);

/* Since boot, all cores together, in steps of the kernel's tick (10 ms on most). */
struct cpu_times {
    uint64_t busy_ns;   /* someone ran */
    uint64_t stolen_ns; /* the hypervisor gave the core to others */
    uint64_t all_ns;    /* these two and idle */
};
struct cpu_times environment_cpu_times(void);
uint64_t environment_stolen_ns(void);

/* The only place that says when a run is noisy: what others take of all cores' time. `busy` is
 * their share before a run (0 when not looked at), `stolen` the hypervisor's. Returns true and
 * writes one line to `why` when it is too much. */
bool environment_noisy(double busy, double stolen, char *why, size_t why_bytes);

/* The first line of a file, without its line end; false when it cannot be read or is empty. */
bool environment_line(const char *path, char *line, size_t line_bytes);

/* The frequency governors of the cores, each once, with '+' between them; false when the system
 * names none (virtual machines). */
bool environment_governor(char *text, size_t text_bytes);

/* 1 on, 0 off, -1 unknown: frequencies beyond the nominal one; several threads per core. */
int environment_turbo(void);
int environment_smt(void);

#endif
