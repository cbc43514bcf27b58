/* One line on stderr that says how far a long work is; only on a terminal. */
#ifndef OVERLAP_PROGRESS_H
#define OVERLAP_PROGRESS_H

/* Shows the line, in place of the last one. `left_ns` is an estimate of what remains. */
void progress_show(double share, double left_ns, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes it away. */
void progress_end(void);

#endif
