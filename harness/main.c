/* overlap: one command, a table of subcommands. */
#include "bench.h"
#include "claims.h"
#include "doctor.h"
#include "environment.h"
#include "hyperfine.h"
#include "list.h"
#include "options.h"
#include "origin.h"
#include "run.h"
#include "summary.h"
#include "trial.h"
#include "verify.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct command {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary; /* NULL: for the other commands and for scripts */
} commands[] = {
    {"list", list_main, "show the strategies and workloads"},
    {"run", run_main, "run one workload under one strategy"},
    {"bench", bench_main, "run a suite of cells in shuffled rounds"},
    {"summary", summary_main, "sum up the trials of a bench again"},
    {"claims", claims_main, "test what talks claim against a bench"},
    {"verify", verify_main, "check that all strategies do the same work"},
    {"doctor", doctor_main, "tell what on this machine would disturb or limit a run"},
    {"origin", origin_main, "serve HTTP for the workload fetch"},
    {"trial", trial_main, NULL},
    {"import", import_main, NULL},
};

static void print_help(void)
{
    printf("usage: overlap COMMAND [OPTIONS]\n\n"
           "The same tasks under every kind of concurrency: what each costs.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].summary)
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\noverlap COMMAND --help tells the options of each.\n");
}

/* What could not be written was not done. */
static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        err(EXIT_FAILED, "cannot write the output");
    return status;
}

/* A file must never get the number of a standard stream that was closed: what is printed would go
 * into it. */
static void open_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Tasks may take all that there are; what supervises them, serves them and records them is content
 * with a few. */
static void raise_open_files(void)
{
    enum { OF_THE_PROGRAM = 16 };
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_max < OF_THE_PROGRAM)
        errx(
            EXIT_UNABLE,
            "the limit of open files (RLIMIT_NOFILE) is %llu, fewer than overlap needs without any "
            "task; raise it with: ulimit -n 65536 (its ceiling: /etc/security/limits.conf)",
            (unsigned long long)files.rlim_max);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
    open_streams();
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return finish(argc > 1 ? 0 : EXIT_USAGE);
    }
    if (strcmp(name, "--version") == 0) {
        printf("overlap %s\n", environment_version());
        return finish(0);
    }
    signal(SIGXFSZ, SIG_IGN); /* write() says it, and so who could not write what */
    raise_open_files();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return finish(commands[i].main(argc - 1, argv + 1));
    errx(EXIT_USAGE, "unknown command '%s'; overlap --help shows them", name);
}
