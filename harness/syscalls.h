/*
 * How many system calls a trial makes: the kernel counts them at its tracepoint sys_enter, for this
 * process and all threads and processes that it makes. Needs to read the tracepoint's number, so
 * mostly root; it costs each system call about a hundred nanoseconds, hence a pass of its own.
 */
#ifndef OVERLAP_SYSCALLS_H
#define OVERLAP_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* Prepares the counter, stopped. Returns its descriptor; or -1 with one line in `why`: what does
 * not allow it, and the command that would. */
int syscalls_open(char *why, size_t why_bytes);

void syscalls_start(int counter);
/* Returns the count, the call that stops it included; NO_NUMBER (record.h) when it can't be read.
 */
uint64_t syscalls_stop(int counter);

#endif
