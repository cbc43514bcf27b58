/* The subcommand `overlap list [strategies|workloads] [--json]`. */
#ifndef OVERLAP_LIST_H
#define OVERLAP_LIST_H

int list_main(int argc, char **argv);

#endif
