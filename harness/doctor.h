/* `overlap doctor`: what on this machine would disturb or limit a run, before it is started. */
#ifndef OVERLAP_DOCTOR_H
#define OVERLAP_DOCTOR_H

/* Prints one line for each finding, what it does to a run, and the command that helps. Takes about
 * 1.5 s. Returns 0, or EXIT_FAILED when a run now would be noisy (environment_noisy()). */
int doctor_main(int argc, char **argv);

#endif
