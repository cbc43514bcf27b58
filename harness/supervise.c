/* See supervise.h. */
#include "supervise.h"
#include "clock.h"
#include "environment.h"
#include "format.h"
#include "memory.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: poll() must wake up */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) /* nohup(1) */
        sigaction(SIGHUP, &action, NULL);
}

void interrupt_end(void)
{
    signal(interrupted, SIG_DFL);
    raise(interrupted);
    _exit(128 + interrupted);
}

/* ---- Text that comes through a pipe ---- */

enum { TEXT_MAX = 1 << 16 };

struct text {
    int fd; /* -1: ended */
    size_t length;
    char bytes[TEXT_MAX + 1];
};

/* Takes what is there; the pipe's end closes it. What is too much is read and forgotten. */
static void text_read(struct text *text)
{
    char rest[4096];
    bool full = text->length == TEXT_MAX;
    ssize_t got = read(text->fd, full ? rest : text->bytes + text->length,
                       full ? sizeof rest : TEXT_MAX - text->length);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        close(text->fd);
        text->fd = -1;
        return;
    }
    if (!full)
        text->length += (size_t)got;
    text->bytes[text->length] = '\0';
}

/* A stranger's words, fit for a terminal and, with another `newline`, for one line of a table. */
static void make_printable(char *text, char newline)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            *text = *text == '\n' ? newline : '?';
}

/* The last line that says something, without the program's name in front. */
static char *last_line(char *text)
{
    char *end = text + strlen(text), *line = text;
    while (end > text && (end[-1] == '\n' || end[-1] == ' '))
        *--end = '\0';
    char *newline = strrchr(text, '\n');
    line = newline ? newline + 1 : text;
    return strncmp(line, "overlap: ", 9) == 0 ? line + 9 : line;
}

/* ---- Who is left ---- */

struct children {
    pid_t pids[64]; /* more are found when these are gone */
    size_t count;
};

/* Of this process, which has one thread. False where the kernel does not tell (it was built without
 * CONFIG_PROC_CHILDREN). */
static bool list_children(struct children *children)
{
    children->count = 0;
    FILE *file = fopen("/proc/thread-self/children", "re");
    if (!file)
        return false;
    while (children->count < sizeof children->pids / sizeof *children->pids &&
           fscanf(file, "%d", &children->pids[children->count]) == 1)
        children->count++;
    fclose(file);
    return true;
}

static bool is_among(pid_t pid, const struct children *children)
{
    for (size_t i = 0; i < children->count; i++)
        if (children->pids[i] == pid)
            return true;
    return false;
}

/* Ends what came to this process since `before`, and what then comes in its turn. Returns whether
 * any of it was alive. */
static bool end_orphans(const struct children *before)
{
    bool alive = false, found;
    struct children now;
    do {
        found = false;
        list_children(&now);
        for (size_t i = 0; i < now.count; i++) {
            if (is_among(now.pids[i], before))
                continue;
            found = true;
            if (waitpid(now.pids[i], NULL, WNOHANG) == now.pids[i])
                continue;
            alive = true;
            kill(now.pids[i], SIGKILL);
            waitpid(now.pids[i], NULL, 0);
        }
    } while (found);
    return alive;
}

/* ---- One trial ---- */

struct supervised {
    pid_t pid;
    enum pass pass;
    struct record *record;
    struct text output, complaint;
    bool answered; /* the last record came, or the memory was read */
    bool ended;    /* the process is gone, and `status` says how */
    int status;
    uint64_t deadline_ns;
    bool deadline_given;
    struct memory_cgroup *cgroup;
    struct children before; /* children of ours that are not of the trial: an origin server */
};

/* After fork(): exit() would write what the parent has not written yet. */
_Noreturn static void give_up(int status, const char *what, const char *name)
{
    warn("cannot %s%s", what, name);
    _exit(status);
}

/* Orphans of the trial come to the trial itself, where the memory of its tree is read, and once it
 * is gone to this process, which ends them. */
_Noreturn static void child_main(const char *program, char *const arguments[], int output,
                                 int complaint, struct memory_cgroup *cgroup)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1UL); /* kept over exec */
    if (cgroup && memory_cgroup_enter(cgroup) != 0)
        give_up(EXIT_FAILED, "enter the memory cgroup", "");
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(complaint, STDERR_FILENO);
    execv(program, arguments);
    give_up(EXIT_USAGE, "run the strategy ", program);
}

/* argv for the trial: the program itself, or an external one that is asked to `run`. */
static char **argv_of(const char *strategy, char *const arguments[])
{
    size_t count = 0;
    while (arguments[count])
        count++;
    char **argv = calloc(count + 4, sizeof *argv);
    if (!argv)
        err(EXIT_UNABLE, "cannot start a trial");
    bool external = strategy_is_external(strategy);
    argv[0] = external ? (char *)strategy : (char *)"overlap";
    argv[1] = external ? (char *)"run" : (char *)"trial";
    memcpy(argv + 2, arguments, count * sizeof *argv);
    if (external)
        argv[2 + count] = (char *)"--json";
    return argv;
}

static void start(struct supervised *trial, const char *strategy, char *const arguments[])
{
    int output[2], complaint[2];
    if (pipe2(output, O_CLOEXEC) < 0 || pipe2(complaint, O_CLOEXEC) < 0)
        err(EXIT_UNABLE, "cannot make the pipes of a trial");
    const char *program = strategy_is_external(strategy) ? strategy : "/proc/self/exe";
    if (list_children(&trial->before))
        prctl(PR_SET_CHILD_SUBREAPER, 1UL);
    char **argv = argv_of(strategy, arguments);
    trial->pid = fork();
    if (trial->pid == 0)
        child_main(program, argv, output[1], complaint[1], trial->cgroup);
    if (trial->pid < 0)
        err(EXIT_UNABLE, "cannot start a trial");
    setpgid(trial->pid, trial->pid); /* whoever comes first; a signal must find the group */
    free(argv);
    close(output[1]);
    close(complaint[1]);
    trial->output = (struct text){.fd = output[0]};
    trial->complaint = (struct text){.fd = complaint[0]};
}

/* All tasks are under way and held: nobody moves while the memory is read. */
static void on_held(struct supervised *trial)
{
    struct record *record = trial->record;
    struct memory memory;
    char why[512];
    if (memory_read(trial->pid, &memory, why, sizeof why) != 0) {
        record_set(&record->reason, why);
        record->exit_status = EXIT_FAILED;
    } else {
        record->processes = memory.processes;
        record->threads = memory.threads;
        record->pss_bytes = memory.pss_bytes;
        record->pss_code_bytes = memory.pss_code_bytes;
        record->pss_heap_bytes = memory.pss_heap_bytes;
        record->pss_stack_bytes = memory.pss_stack_bytes;
        record->pss_other_bytes = memory.pss_other_bytes;
        record->page_table_bytes = memory.page_table_bytes;
        record->kernel_stack_bytes = memory.kernel_stack_bytes;
        if (trial->cgroup)
            record->cgroup_bytes = memory_cgroup_bytes(trial->cgroup);
        record->ok = true;
        record->exit_status = 0;
    }
    trial->answered = true;
    kill(-trial->pid, SIGKILL);
}

/* A trial is given five times the least time it can need, and some for making its tasks. */
static void set_deadline(struct supervised *trial)
{
    const struct record *record = trial->record;
    uint64_t least_ns = record->bound_ns == NO_NUMBER ? 0 : record->bound_ns;
    uint64_t tasks = record->tasks == NO_NUMBER ? 0 : record->tasks;
    trial->deadline_ns = clock_now_ns() + 30000000000u + 5 * least_ns + tasks * 5000000;
}

/* One line of JSON: who it is, that its tasks are held, or what was measured. */
static void on_line(struct supervised *trial, const char *line)
{
    struct record *record = trial->record;
    char why[256];
    bool known = record->strategy != NULL;
    if (record_from_json(record, line, why, sizeof why) != 0) {
        snprintf(trial->complaint.bytes, TEXT_MAX, "its output is not a record: %s", why);
        trial->complaint.length = strlen(trial->complaint.bytes);
        return;
    }
    if (record->wall_ns != NO_NUMBER || record->exit_status != NO_NUMBER)
        trial->answered = true;
    if (trial->answered && trial->pass == PASS_MEMORY)
        kill(-trial->pid, SIGKILL); /* a task failed; the others are held and would never end */
    else if (trial->answered)
        return;
    else if (trial->pass == PASS_MEMORY && record->tasks_held != NO_NUMBER)
        on_held(trial);
    else if (!known && !trial->deadline_given)
        set_deadline(trial);
}

static void take_lines(struct supervised *trial)
{
    struct text *output = &trial->output;
    char *line = output->bytes;
    for (char *end; (end = memchr(line, '\n', output->length - (size_t)(line - output->bytes)));) {
        *end = '\0';
        on_line(trial, line);
        line = end + 1;
    }
    output->length -= (size_t)(line - output->bytes);
    memmove(output->bytes, line, output->length + 1);
    if (output->fd < 0 && output->length > 0) /* the last line lacks its end */
        on_line(trial, output->bytes);
}

static bool has_ended(struct supervised *trial, int flags)
{
    if (!trial->ended)
        trial->ended = waitpid(trial->pid, &trial->status, flags) == trial->pid;
    return trial->ended;
}

/* After both pipes were closed: most processes end at once. */
static bool wait_for_end(struct supervised *trial)
{
    for (int pause_us = 50; !has_ended(trial, WNOHANG); pause_us *= 2) {
        if (interrupted || clock_now_ns() >= trial->deadline_ns)
            return false;
        usleep((useconds_t)(pause_us < 20000 ? pause_us : 20000));
    }
    return true;
}

/* Until both pipes are closed; or nothing comes any more though the process has ended (somebody it
 * left behind holds them); or the time is over, or the user has had enough: false. */
static bool listen_to(struct supervised *trial)
{
    while (trial->output.fd >= 0 || trial->complaint.fd >= 0) {
        uint64_t now_ns = clock_now_ns();
        if (interrupted || now_ns >= trial->deadline_ns)
            return false;
        struct pollfd pipes[] = {{.fd = trial->output.fd, .events = POLLIN},
                                 {.fd = trial->complaint.fd, .events = POLLIN}};
        uint64_t left_ms = (trial->deadline_ns - now_ns) / 1000000 + 1;
        int ready = poll(pipes, 2, left_ms > 100 ? 100 : (int)left_ms);
        if (ready == 0 && has_ended(trial, WNOHANG))
            return true;
        if (ready <= 0)
            continue;
        if (pipes[0].revents) {
            text_read(&trial->output);
            take_lines(trial);
        }
        if (pipes[1].revents)
            text_read(&trial->complaint);
    }
    return true;
}

/* Why there is no result, from how the process ended and what it said. */
static void judge_end(struct supervised *trial)
{
    int status = trial->status;
    struct record *record = trial->record;
    char why[1024];
    const char *said = last_line(trial->complaint.bytes);
    record->ok = false;
    record->exit_status = EXIT_FAILED;
    if (WIFSIGNALED(status)) {
        snprintf(why, sizeof why, "killed by signal %d (%s)%s%s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)), *said ? ": " : "", said);
    } else if (WEXITSTATUS(status) != 0) {
        int code = WEXITSTATUS(status);
        record->exit_status = code == EXIT_USAGE || code == EXIT_UNABLE ? (uint64_t)code : 1;
        if (*said)
            snprintf(why, sizeof why, "%s", said);
        else
            snprintf(why, sizeof why, "ended with exit status %d and said nothing", code);
    } else {
        snprintf(why, sizeof why, "ended without a result%s%s", *said ? ": " : "", said);
    }
    record_set(&record->reason, why);
}

static void note_circumstances(struct record *record)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    record_set(&record->started_at, now);
    record->load_1min = environment_load_1min();
}

/* ok and exit_status say the same, whatever a program of somebody else's has left out. */
static void settle(struct record *record)
{
    if (record->exit_status == NO_NUMBER)
        record->exit_status = record->ok ? 0 : EXIT_FAILED;
    if (record->exit_status > EXIT_UNABLE || (!record->ok && record->exit_status == 0))
        record->exit_status = EXIT_FAILED;
    record->ok = record->exit_status == 0;
    if (!record->ok && !record->reason)
        record_set(&record->reason, "it says that it failed, and not why");
    char *const texts[] = {record->reason, record->note, record->digest, record->options};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i])
            make_printable(texts[i], ' ');
}

/* What --limit among the arguments says; 0: nothing. The trial itself checks that it is right. */
static uint64_t limit_of(char *const arguments[])
{
    uint64_t limit_ns = 0;
    char why[256];
    int count = 0;
    while (arguments[count])
        count++;
    const struct setting limit = {
        .name = "limit", .kind = SETTING_DURATION, .where = &limit_ns, .max = 1e18};
    const char *text = options_peek(count, (char **)arguments, "limit", 0);
    return text && setting_parse(&limit, text, why, sizeof why) == 0 ? limit_ns : 0;
}

int supervise(const char *strategy, char *const arguments[], enum pass pass, struct record *record,
              char **complaint)
{
    uint64_t limit_ns = limit_of(arguments);
    /* Large, and there is only ever one at a time. */
    static struct supervised trial;
    trial = (struct supervised){.pass = pass, .record = record, .deadline_given = limit_ns > 0};
    char why[256];
    if (pass == PASS_MEMORY)
        trial.cgroup = memory_cgroup_open(why, sizeof why);
    if (pass == PASS_MEMORY && !trial.cgroup)
        record_set(&record->note, why);
    note_circumstances(record);
    uint64_t stolen_ns = environment_stolen_ns(), start_ns = clock_now_ns();
    trial.deadline_ns = start_ns + (limit_ns ? limit_ns : UINT64_C(600) * 1000000000);
    start(&trial, strategy, arguments);

    bool in_time = listen_to(&trial) && wait_for_end(&trial);
    if (!in_time)
        kill(-trial.pid, SIGKILL);
    has_ended(&trial, 0);
    bool left_behind = end_orphans(&trial.before);
    left_behind = kill(-trial.pid, SIGKILL) == 0 || left_behind; /* where none can be listed */
    record->stolen_ns = environment_stolen_ns() - stolen_ns;
    if (trial.cgroup)
        memory_cgroup_close(trial.cgroup);
    for (int i = 0; i < 2; i++) {
        struct text *text = i ? &trial.complaint : &trial.output;
        if (text->fd >= 0)
            close(text->fd);
    }

    make_printable(trial.complaint.bytes, '\n');
    if (complaint)
        *complaint = strdup(trial.complaint.bytes);
    if (!in_time && !interrupted) {
        record->ok = false;
        record->exit_status = EXIT_FAILED;
        char given[32];
        format_ns(given, sizeof given, (double)(trial.deadline_ns - start_ns));
        snprintf(why, sizeof why, "gave no result within %s and was ended", given);
        record_set(&record->reason, why);
    } else if (!trial.answered) {
        judge_end(&trial);
    } else if (pass != PASS_MEMORY && record->ok && (trial.status != 0 || left_behind)) {
        judge_end(&trial);
        if (left_behind)
            record_set(&record->reason, "left processes behind");
    }
    settle(record);
    return interrupted ? -1 : (int)record->exit_status;
}
