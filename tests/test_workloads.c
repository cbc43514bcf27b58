/*
 * Workloads by themselves, driven by a strategy that writes down what they ask for: plans match
 * bodies, a payload arrives whole, files are read where they should be, players play.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "op.h"
#include "setup.h"

enum { TASKS = 4 };

static const struct workload *workload;

/* ---- A workload, its options, its tasks ---- */

static void release(struct task *task)
{
    if (workload->release)
        workload->release(task);
}

/* The workload of that name, its settings being their defaults, without a hook but its release. */
static void take(const char *name)
{
    workload = workload_find(name);
    assert_non_null(workload);
    settings_reset(workload->settings);
    params = (struct params){.seed = 1, .unit_ns = 100000000, .work_rate = 0.2, .tasks = TASKS};
    task_hooks = (struct task_hooks){.release = release};
}

static void set(const char *name, const char *value)
{
    char why[256];
    const struct setting *setting = workload->settings;
    while (strcmp(setting->name, name) != 0)
        setting++;
    assert_int_equal(setting_parse(setting, value, why, sizeof why), 0);
}

static void prepare(void)
{
    char why[512];
    if (workload->prepare)
        assert_int_equal(workload->prepare(why, sizeof why), 0);
    for (uint32_t id = 0; workload->provide && id < params.tasks; id++)
        assert_int_equal(workload->provide(id), 0);
}

static void refuses(const char *text)
{
    char why[512] = "";
    assert_int_equal(workload->prepare(why, sizeof why), -1);
    assert_non_null(strstr(why, text));
}

static struct task *create(struct trial *trial, unsigned id)
{
    struct task *task = calloc(1, workload->task_bytes);
    task->id = id;
    task->result = &trial->results[id];
    task->body = workload->body;
    if (workload->init)
        assert_int_equal(workload->init(task), 0);
    return task;
}

/* ---- Plans ---- */

/* What a body asked for. */
static struct {
    uint64_t slept_ns;
    uint64_t yields;
    uint64_t checkpoints;
} seen;

static void on_checkpoint(struct task *task)
{
    (void)task;
    seen.checkpoints++;
}

/* Goes through a task in no time, and sums up what it would have waited for. */
static void record_task(uint32_t id, struct result *result)
{
    struct trial trial = {.tasks = 1, .results = result - id};
    struct task *task = create(&trial, id);
    memset(&seen, 0, sizeof seen);
    task_hooks.checkpoint = on_checkpoint;
    for (const struct op *op; (op = task_resume(task, 0));) {
        assert_true(op->kind == OP_SLEEP || op->kind == OP_YIELD);
        if (op->kind == OP_SLEEP)
            seen.slept_ns += op->time_ns;
        else
            seen.yields++;
    }
    task_free(task);
}

/* Iterations between two checkpoints of work(). */
static uint64_t checkpoint_iterations(void)
{
    enum { ITERATIONS = 1 << 22 };
    uint32_t set[1] = {0};
    struct task task = {0};
    seen.checkpoints = 0;
    task_hooks.checkpoint = on_checkpoint;
    work(&task, 0, ITERATIONS, set, 1);
    assert_true(seen.checkpoints > 0);
    return ITERATIONS / seen.checkpoints;
}

/* Of all but those that need a server, a file or each other. */
static void plans_match_bodies(void **state)
{
    (void)state;
    uint64_t per_checkpoint = checkpoint_iterations();
    REGISTRY_FOR_EACH (workload, entry) {
        const char *name = (*entry)->name;
        if (strcmp(name, "fetch") == 0 || strcmp(name, "file") == 0 ||
            strcmp(name, "pingpong") == 0)
            continue;
        take(name);
        prepare();
        for (uint32_t id = 0; id < TASKS; id++) {
            struct result results[TASKS] = {0};
            struct step steps[PLAN_STEPS_MAX];
            uint64_t waits_ns = 0, checkpoints = 0;
            unsigned count = workload->plan(id, steps);
            assert_true(count <= PLAN_STEPS_MAX);
            for (unsigned i = 0; i < count; i++) {
                waits_ns += steps[i].wait_ns;
                checkpoints += (steps[i].iterations + per_checkpoint - 1) / per_checkpoint;
            }
            record_task(id, &results[id]);
            assert_int_equal(results[id].error, 0);
            assert_int_equal(seen.slept_ns, waits_ns);
            assert_int_equal(seen.checkpoints, checkpoints);
            free(results[id].payload);
        }
    }
}

static void yields_as_often_as_asked(void **state)
{
    (void)state;
    struct result first = {0}, second = {0};
    take("yield");
    set("yields", "3");
    record_task(0, &first);
    assert_int_equal(seen.yields, 3);
    set("yields", "4");
    record_task(0, &second);
    assert_int_equal(seen.yields, 4);
    assert_int_not_equal(first.digest, second.digest);
}

/* The counter multiplies what it holds and adds what it is sent, which is what it said before. */
static void nested_calls_return_through_the_counter(void **state)
{
    (void)state;
    take("nested");
    for (uint32_t id = 0; id < TASKS; id++) {
        struct result results[TASKS] = {0};
        record_task(id, &results[id]);
        const uint32_t factor = 1664525, value = workload_random(params.seed, id, 0);
        uint32_t middle = value, outer = middle * factor + middle;
        assert_int_equal(results[id].digest, outer * factor + outer);
    }
}

static void one_task_is_rude(void **state)
{
    (void)state;
    struct step steps[PLAN_STEPS_MAX];
    take("rude");
    set("rude-task", "2");
    set("rudeness", "0.5");
    for (uint32_t id = 0; id < TASKS; id++) {
        uint64_t longest = 0;
        for (unsigned count = workload->plan(id, steps); count-- > 0;)
            longest = steps[count].iterations > longest ? steps[count].iterations : longest;
        assert_int_equal(longest == work_iterations(params.unit_ns / 2), id == 2);
    }
    set("rude-task", "4");
    refuses("--rude-task must be one of the 4 tasks");
}

/* ---- Payloads ---- */

/* Runs all tasks under that strategy, checks what arrived and gives it back. */
static void run_payload(const struct strategy *strategy, struct result results[TASKS])
{
    struct trial trial = {.tasks = TASKS, .workers = 2, .results = results, .create = create};
    prepare();
    memset(results, 0, TASKS * sizeof *results);
    assert_int_equal(strategy->run(&trial), 0);
}

static void payloads_arrive_whole(void **state)
{
    (void)state;
    enum { BYTES = 100003 }; /* more than a pipe holds, and no multiple of anything */
    take("payload");
    set("size", "100003");
    char *expected = malloc(BYTES);
    REGISTRY_FOR_EACH (strategy, entry) {
        struct result results[TASKS];
        if ((*entry)->unavailable && (*entry)->unavailable())
            continue;
        settings_reset((*entry)->settings);
        run_payload(*entry, results);
        for (uint32_t id = 0; id < TASKS; id++) {
            assert_int_equal(results[id].error, 0);
            assert_int_equal(results[id].bytes_moved, BYTES);
            assert_int_equal(results[id].payload_bytes, BYTES);
            content_fill(expected, BYTES, workload_random(params.seed, id, 0));
            assert_memory_equal(results[id].payload, expected, BYTES);
            workload->check(&results[id]);
            assert_int_equal(results[id].error, 0);
            assert_int_equal(results[id].digest, adler32(1, expected, BYTES));
            free(results[id].payload);
        }
    }
    free(expected);
}

static void damaged_payloads_are_noticed(void **state)
{
    (void)state;
    struct result results[TASKS];
    take("payload");
    set("size", "4KiB");
    run_payload(strategy_find("sequential"), results);
    workload->check(&results[0]);
    uint32_t digest = results[0].digest;
    ((char *)results[0].payload)[4095] ^= 1;
    workload->check(&results[0]);
    assert_int_not_equal(results[0].digest, digest);
    results[1].payload_bytes--;
    workload->check(&results[1]);
    assert_int_equal(results[1].error, EBADMSG);
    free(results[2].payload);
    results[2].payload = NULL;
    workload->check(&results[2]);
    assert_int_equal(results[2].error, EBADMSG);
    free(results[0].payload);
    free(results[1].payload);
    free(results[3].payload);

    set("size", "1GiB");
    assert_int_equal(workload->provide(10000000), -ENOMEM);
}

/* ---- Files ---- */

static void numbers_have_their_bytes(void **state)
{
    (void)state;
    char whole[16], part[7];
    content_fill(whole, sizeof whole, 42);
    content_fill(part, sizeof part, 42);
    assert_memory_equal(whole, part, sizeof part);
    content_fill(part, 4, 43);
    assert_memory_equal(whole + 4, part, 4);
    assert_int_equal(adler32(1, "Wikipedia", 9), 0x11e60398);
    assert_int_equal(adler32(adler32(1, "Wiki", 4), "pedia", 5), 0x11e60398);
}

/* Reads all that task `id` reads, as a blocking strategy would; `content` is what is expected of
 * the file, or NULL. */
static struct result read_task(uint32_t id, const char *content)
{
    struct result results[TASKS] = {0};
    struct trial trial = {.tasks = TASKS, .results = results};
    struct task *task = create(&trial, id);
    int64_t result = 0;
    for (const struct op *op; (op = task_resume(task, result));) {
        assert_int_equal(op->kind, OP_READ);
        result = id % 2 ? op_try(op) : op_block(op); /* two ways to the same */
        if (content && result > 0)
            assert_memory_equal(op->buffer, content + op->offset, (size_t)result);
    }
    task_free(task);
    return results[id];
}

enum { FILE_BYTES = 300000, PART_BYTES = FILE_BYTES / TASKS };

/* A file of that content, by name; the caller unlinks it. */
static void write_file(char *path, const char *content)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, FILE_BYTES), FILE_BYTES);
    close(fd);
}

static void files_are_read_where_they_should_be(void **state)
{
    (void)state;
    char path[] = "/tmp/overlap-test.XXXXXX";
    static char content[FILE_BYTES];
    content_fill(content, sizeof content, 7);
    write_file(path, content);
    static const char *const caches[] = {"cold", "warm"}, *const chunks[] = {"64KiB", "999"};
    for (int i = 0; i < 4; i++) {
        take("file");
        set("file", path);
        set("bytes", "75000");
        set("chunk", chunks[i / 2]);
        set("cache", caches[i % 2]);
        prepare();
        assert_non_null(strstr(workload->note(), i % 2 ? "100%" : "%"));
        for (uint32_t id = 0; id < TASKS; id++) {
            struct result result = read_task(id, content);
            assert_int_equal(result.error, 0);
            assert_int_equal(result.bytes_moved, PART_BYTES);
            assert_int_equal(result.digest, adler32(1, content + id * PART_BYTES, PART_BYTES));
        }
    }

    assert_int_equal(truncate(path, FILE_BYTES - 1), 0);
    assert_int_equal(read_task(0, content).error, 0);
    assert_int_equal(read_task(TASKS - 1, NULL).error, EIO);
    refuses("has 299999 bytes, but 4 tasks of --bytes 75000 need 300000");
    unlink(path);
    refuses("cannot read --file");
    set("file", "/tmp");
    refuses("regular file");
    set("cache", "tepid");
    refuses("cold or warm");
}

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += *entry->d_name != '.';
    closedir(entries);
    return count;
}

static void made_files_have_no_name_and_follow_the_seed(void **state)
{
    (void)state;
    char folder[] = "/tmp/overlap-test.XXXXXX";
    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    uint32_t digests[3][TASKS];
    for (uint32_t i = 0; i < 3; i++) {
        take("file");
        set("chunk", i == 1 ? "1000" : "64KiB");
        params.seed = i == 2 ? 2 : 1;
        prepare();
        assert_int_equal(count_entries(folder), 0);
        for (uint32_t id = 0; id < TASKS; id++) {
            struct result result = read_task(id, NULL);
            assert_int_equal(result.error, 0);
            digests[i][id] = result.digest;
            assert_true(id == 0 || digests[i][id - 1] != digests[i][id]);
        }
    }
    assert_memory_equal(digests[0], digests[1], sizeof digests[0]);
    assert_memory_not_equal(digests[0], digests[2], sizeof digests[0]);
    assert_int_equal(rmdir(folder), 0);
    refuses("TMPDIR names another folder");
    unsetenv("TMPDIR");
}

/* ---- Players ---- */

/* Asks both in turn until neither waits, without ever waiting itself. */
static void play(struct task *tasks[2])
{
    const struct op *ops[2] = {task_resume(tasks[0], 0), task_resume(tasks[1], 0)};
    unsigned idle = 0;
    for (unsigned i = 0; (ops[0] || ops[1]) && idle < 2; i ^= 1) {
        int64_t result = ops[i] ? op_try(ops[i]) : -EAGAIN;
        idle = result == -EAGAIN ? idle + 1 : 0;
        if (result != -EAGAIN)
            ops[i] = task_resume(tasks[i], result);
    }
    assert_true(idle < 2); /* or both wait for each other, on sockets that block */
}

static void players_take_turns(void **state)
{
    (void)state;
    enum { TURNS = 10 };
    struct result results[TASKS] = {0};
    struct trial trial = {.tasks = TASKS, .results = results};
    uint32_t digests[2] = {2, 3};
    take("pingpong");
    set("rounds", "10");
    prepare();
    struct task *tasks[2] = {create(&trial, 2), create(&trial, 3)};
    play(tasks);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(results[2 + i].error, 0);
        assert_int_equal(results[2 + i].bytes_moved, 2 * TURNS * 4);
        task_free(tasks[i]);
    }
    for (int message = 0; message < 2 * TURNS; message++) /* each hears what the other knows */
        digests[(message + 1) % 2] = digests[(message + 1) % 2] * 1664525u + digests[message % 2];
    assert_int_equal(results[2].digest, digests[0]);
    assert_int_equal(results[3].digest, digests[1]);
    params.tasks = 3;
    refuses("--tasks must be even, not 3");
}

static void a_lost_player_does_not_keep_the_other(void **state)
{
    (void)state;
    struct result results[TASKS] = {0};
    struct trial trial = {.tasks = TASKS, .results = results};
    take("pingpong");
    prepare();
    struct task *tasks[2] = {create(&trial, 0), create(&trial, 1)};
    assert_non_null(task_resume(tasks[0], 0));
    assert_null(task_resume(tasks[0], -EIO)); /* what it sent is lost */
    const struct op *op = task_resume(tasks[1], 0);
    assert_non_null(op);
    assert_null(task_resume(tasks[1], op_block(op)));
    assert_int_equal(results[0].error, EIO);
    assert_int_equal(results[1].error, EPIPE);
    task_free(tasks[0]);
    task_free(tasks[1]);
}

static void a_silent_player_is_not_waited_for(void **state)
{
    (void)state;
    struct result results[TASKS] = {0};
    struct trial trial = {.tasks = TASKS, .results = results};
    take("pingpong");
    params.timeout_ns = 1000000;
    prepare();
    struct task *task = create(&trial, 1);
    const struct op *op = task_resume(task, 0);
    assert_non_null(op);
    int64_t result = op_block(op);
    assert_int_equal(result, -ETIMEDOUT);
    assert_null(task_resume(task, result));
    assert_int_equal(results[1].error, ETIMEDOUT);
    task_free(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_match_bodies),
        cmocka_unit_test(yields_as_often_as_asked),
        cmocka_unit_test(nested_calls_return_through_the_counter),
        cmocka_unit_test(one_task_is_rude),
        cmocka_unit_test(payloads_arrive_whole),
        cmocka_unit_test(damaged_payloads_are_noticed),
        cmocka_unit_test(numbers_have_their_bytes),
        cmocka_unit_test(files_are_read_where_they_should_be),
        cmocka_unit_test(made_files_have_no_name_and_follow_the_seed),
        cmocka_unit_test(players_take_turns),
        cmocka_unit_test(a_lost_player_does_not_keep_the_other),
        cmocka_unit_test(a_silent_player_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
