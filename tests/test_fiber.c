/* Fibers: what a switch keeps, what a full stack says, what is left over afterwards; by each way of
 * switching that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <alloca.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registers.h"
#include "setup.h"
#include "stacks.h"
#include "strategy.h"

/* ---- Tasks: each yields so many times, and at first takes so much of its stack ---- */

enum { TASKS_MAX = 1000, ORDER_MAX = 64 };

struct yielder {
    struct task task;
    unsigned turn;
};

static unsigned turns;
static size_t depth_bytes; /* of task 2 */
static uint32_t order[ORDER_MAX];
static size_t order_count;

static void use_stack(size_t bytes)
{
    volatile char *stack = alloca(bytes + 1);
    for (size_t i = bytes + 1; i > 0; i -= i < 512 ? i : 512)
        stack[i - 1] = 0;
}

static const struct op *yielder_body(struct task *task, int64_t result)
{
    struct yielder *yielder = (struct yielder *)task;
    TASK_BEGIN(task);
    if (task->id == 2)
        use_stack(depth_bytes);
    for (; yielder->turn < turns; yielder->turn++) {
        if (order_count < ORDER_MAX)
            order[order_count++] = task->id;
        AWAIT(task, op_yield());
    }
    task->result->digest = task->id + 1;
    TASK_END(task);
}

static unsigned refused_task; /* the task that there is no memory for */

static struct task *create(struct trial *trial, unsigned id)
{
    struct yielder *yielder = id == refused_task ? NULL : calloc(1, sizeof *yielder);
    if (!yielder) {
        errno = ENOMEM;
        return NULL;
    }
    yielder->task = (struct task){.body = yielder_body, .result = &trial->results[id], .id = id};
    return &yielder->task;
}

/* ---- Running them ---- */

static const char *const names[] = {"fiber", "fiber-ucontext", "fiber-setjmp"};
static const struct context_backend *const backends[] = {&context_assembly, &context_ucontext,
                                                         &context_setjmp};
static struct result results[TASKS_MAX];
static struct trial trial;

static const struct strategy *get_strategy(const char *name)
{
    const struct strategy *strategy = strategy_find(name);
    assert_non_null(strategy);
    return strategy->unavailable && strategy->unavailable() ? NULL : strategy;
}

static void set(const struct strategy *strategy, const char *name, const char *value)
{
    char why[256];
    for (const struct setting *setting = strategy->settings; setting->name; setting++)
        if (strcmp(setting->name, name) == 0)
            assert_int_equal(setting_parse(setting, value, why, sizeof why), 0);
}

static int run(const struct strategy *strategy, unsigned tasks)
{
    char why[256];
    memset(results, 0, sizeof results);
    trial = (struct trial){.tasks = tasks, .workers = 1, .results = results, .create = create};
    order_count = 0;
    assert_int_equal(strategy->prepare(tasks, why, sizeof why), 0);
    return strategy->run(&trial);
}

static int set_up(void **state)
{
    (void)state;
    turns = 3;
    depth_bytes = 0;
    refused_task = UINT32_MAX;
    settings_reset(strategy_find("fiber")->settings);
    return 0;
}

#define FOR_EACH_STRATEGY(strategy)                                                                \
    for (size_t way = 0; way < sizeof names / sizeof *names; way++)                                \
        for (const struct strategy *strategy = get_strategy(names[way]); strategy; strategy = NULL)

/* ---- Tests ---- */

static void a_switch_keeps_what_a_function_must(void **state)
{
    (void)state;
    FOR_EACH_STRATEGY(strategy)
    {
        const char *wrong = registers_check(backends[way], backends[way] != &context_setjmp);
        if (wrong)
            fail_msg("%s does not keep %s", strategy->name, wrong);
    }
}

static void first_ready_is_first_served(void **state)
{
    (void)state;
    FOR_EACH_STRATEGY(strategy)
    {
        assert_int_equal(run(strategy, 3), 0);
        assert_int_equal(order_count, 9);
        for (uint32_t i = 0; i < 9; i++)
            assert_int_equal(order[i], i % 3);
        assert_int_equal(trial.task_switches, 3 * 4);
        for (unsigned id = 0; id < 3; id++)
            assert_int_equal(results[id].digest, id + 1);
    }
}

static size_t mapped_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Ten thousand fibers come and go. Who loses anything in each trial loses a page each time, at
 * least; a sanitizer has stacks of its own for them, and keeps for a while what was freed. */
static void nothing_is_left(void **state)
{
    (void)state;
    struct sigaction handler;
    stack_t stack;
    sigaction(SIGSEGV, NULL, &handler);
    void (*before)(int) = handler.sa_handler;
    FOR_EACH_STRATEGY(strategy)
    {
        assert_int_equal(run(strategy, 1000), 0);
        enum { TRIALS = 10, PAGES = SANITIZER_STACK_FACTOR == 1 ? TRIALS : 100 * TRIALS };
        size_t bytes = mapped_bytes();
        for (int i = 0; i < TRIALS; i++)
            assert_int_equal(run(strategy, 1000), 0);
        assert_true(mapped_bytes() < bytes + PAGES * (size_t)sysconf(_SC_PAGESIZE));
    }
    sigaction(SIGSEGV, NULL, &handler);
    assert_ptr_equal(handler.sa_handler, before);
    sigaltstack(NULL, &stack);
    if (SANITIZER_STACK_FACTOR == 1)
        assert_true(stack.ss_flags & SS_DISABLE);
}

static unsigned released;

static void release(struct task *task)
{
    (void)task;
    released++;
}

static void a_task_that_cannot_be_made_ends_it(void **state)
{
    (void)state;
    refused_task = 5;
    task_hooks.release = release;
    FOR_EACH_STRATEGY(strategy)
    {
        released = 0;
        assert_int_equal(run(strategy, 10), STRATEGY_LIMIT);
        assert_non_null(strstr(trial.reason, "cannot make task 6 for 10"));
        assert_int_equal(released, 5);
    }
    task_hooks.release = NULL;
}

/* Runs it in a child, and returns what that says on stderr. */
static char *run_and_die(const struct strategy *strategy, int *status)
{
    static char said[65536];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        for (int number = 1; number < NSIG; number++)
            signal(number, SIG_DFL); /* cmocka catches SIGSEGV */
        run(strategy, 4);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], said + length, sizeof said - 1 - length)) > 0;)
        length += (size_t)got;
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, status, 0), pid);
    return said;
}

static void assert_overflow_is_told(const char *guard)
{
    FOR_EACH_STRATEGY(strategy)
    {
        int status;
        set(strategy, "guard", guard);
        set(strategy, "stack", "64KiB");
        depth_bytes = 40 << 10;
        assert_string_equal(run_and_die(strategy, &status), "");
        assert_int_equal(status, 0);

        depth_bytes = (64 << 10) * SANITIZER_STACK_FACTOR;
        const char *said = run_and_die(strategy, &status);
        assert_string_equal(said, "overlap: fiber stack overflow: task 2, --stack 64KiB; a larger "
                                  "one: --stack 128KiB\n");
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
}

static void overflow_is_told_by_madvise(void **state)
{
    (void)state;
    if (stacks_cheapest_guard(1) != GUARD_MADVISE)
        skip();
    assert_overflow_is_told("madvise");
}

static void overflow_is_told_by_mprotect(void **state)
{
    (void)state;
    assert_overflow_is_told("mprotect");
}

static void a_guard_that_is_none_is_refused(void **state)
{
    (void)state;
    char why[256];
    const struct strategy *strategy = strategy_find("fiber");
    set(strategy, "guard", "moat");
    assert_int_equal(strategy->prepare(1, why, sizeof why), -1);
    assert_string_equal(why, "--guard takes auto, madvise, mprotect or none, not 'moat'");
}

static void stack_sizes_are_rounded_up_to_pages(void **state)
{
    (void)state;
    char why[256], text[32];
    const struct strategy *strategy = strategy_find("fiber");
    set(strategy, "stack", "100001");
    assert_int_equal(strategy->prepare(1, why, sizeof why), 0);
    setting_print(&strategy->settings[0], text, sizeof text);
    if (sysconf(_SC_PAGESIZE) == 4096)
        assert_string_equal(text, "100KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_switch_keeps_what_a_function_must, set_up),
        cmocka_unit_test_setup(first_ready_is_first_served, set_up),
        cmocka_unit_test_setup(nothing_is_left, set_up),
        cmocka_unit_test_setup(a_task_that_cannot_be_made_ends_it, set_up),
        cmocka_unit_test_setup(overflow_is_told_by_madvise, set_up),
        cmocka_unit_test_setup(overflow_is_told_by_mprotect, set_up),
        cmocka_unit_test_setup(a_guard_that_is_none_is_refused, set_up),
        cmocka_unit_test_setup(stack_sizes_are_rounded_up_to_pages, set_up),
    };
    return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
