/*
 * The subcommand `overlap verify`: runs every workload under every strategy and compares what they
 * did: the digest must be that of `sequential`.
 */
#ifndef OVERLAP_VERIFY_H
#define OVERLAP_VERIFY_H

int verify_main(int argc, char **argv);

#endif
