/*
 * Memory of process trees whose size is known. Children tell through a pipe that they are in place
 * and then stand still. Differences between two trees are compared, for what the test program
 * itself holds depends on libraries and sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "record.h"

enum { KIB = 1024, MIB = 1024 * KIB };

/* ---- Trees ---- */

/* What a tree consists of; it begins when `build` is called in a fresh child. */
struct tree {
    void (*build)(const struct tree *tree);
    unsigned members; /* who each call in_place() */
    size_t bytes;
    struct memory_cgroup *group; /* NULL: that of the test */

    pid_t pid;
    int ready[2];
};

static void in_place(const struct tree *tree)
{
    if (write(tree->ready[1], "", 1) != 1)
        _exit(1);
}

_Noreturn static void stand_still(const struct tree *tree)
{
    in_place(tree);
    for (;;)
        pause();
}

/* A child of whoever calls: true in the child, which dies with its parent. */
static bool forked(void)
{
    pid_t pid = fork();
    if (pid < 0)
        _exit(1);
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid == 0;
}

static void tree_start(struct tree *tree)
{
    assert_int_equal(pipe(tree->ready), 0);
    tree->pid = fork();
    assert_true(tree->pid >= 0);
    if (tree->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (tree->group && memory_cgroup_enter(tree->group) != 0)
            _exit(1);
        tree->build(tree);
        stand_still(tree);
    }
    close(tree->ready[1]);
    for (unsigned i = 0; i < tree->members; i++) {
        char byte;
        assert_int_equal(read(tree->ready[0], &byte, 1), 1);
    }
}

static void tree_end(struct tree *tree)
{
    char byte;
    kill(tree->pid, SIGKILL);
    waitpid(tree->pid, NULL, 0);
    while (read(tree->ready[0], &byte, 1) > 0) /* until the last member has died */
        ;
    close(tree->ready[0]);
}

static struct memory tree_read(const struct tree *tree)
{
    struct memory memory;
    char why[256] = "";
    if (memory_read(tree->pid, &memory, why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(memory.pss_code_bytes + memory.pss_heap_bytes + memory.pss_stack_bytes +
                         memory.pss_other_bytes,
                     memory.pss_bytes);
    assert_true(memory.page_table_bytes >= 4 * KIB * memory.processes);
    assert_in_range(memory.kernel_stack_bytes / memory.threads, 8 * KIB, 64 * KIB);
    return memory;
}

static struct memory tree_measure(struct tree tree)
{
    tree_start(&tree);
    struct memory memory = tree_read(&tree);
    tree_end(&tree);
    return memory;
}

/* ---- What they hold ---- */

static void *touched(size_t bytes, int flags)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    memset(memory, 1, bytes);
    return memory;
}

static void build_nothing(const struct tree *tree)
{
    (void)tree;
}

static void build_heap(const struct tree *tree)
{
    touched(tree->bytes, MAP_PRIVATE);
}

static void build_shared(const struct tree *tree)
{
    touched(tree->bytes, MAP_SHARED);
}

/* Children that inherit the memory and write nothing of it. */
static void build_sharing_children(const struct tree *tree)
{
    touched(tree->bytes, MAP_PRIVATE);
    for (unsigned i = 1; i < tree->members; i++)
        if (forked())
            stand_still(tree);
}

/* Each the child of the one before. */
static void build_chain(const struct tree *tree)
{
    for (unsigned i = 1; i < tree->members; i++)
        if (!forked())
            stand_still(tree);
}

static void build_dead_child(const struct tree *tree)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    (void)tree;
}

static void touch_stack(const struct tree *tree)
{
    volatile char array[512 * KIB];
    for (size_t i = 0; i < tree->bytes && i < sizeof array; i += KIB)
        array[i] = 1;
    stand_still(tree);
}

static void *thread_main(void *argument)
{
    touch_stack(argument);
    return NULL;
}

static void build_threads(const struct tree *tree)
{
    for (unsigned i = 1; i < tree->members; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, thread_main, (void *)tree) != 0)
            _exit(1);
    }
}

/* Threads that allocate have arenas: mappings with an inaccessible rest, next to each other. */
static void *allocating_thread_main(void *argument)
{
    const struct tree *tree = argument;
    for (size_t bytes = 0; bytes < tree->bytes; bytes += 8 * KIB)
        memset(malloc(8 * KIB), 1, 8 * KIB);
    stand_still(tree);
    return NULL;
}

static void build_allocating_threads(const struct tree *tree)
{
    for (unsigned i = 1; i < tree->members; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, allocating_thread_main, (void *)tree) != 0)
            _exit(1);
    }
}

/* A stack as a fiber has it, with a guard below and no MAP_STACK. */
static void build_guarded_stack(const struct tree *tree)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *stack = touched(page + tree->bytes, MAP_PRIVATE);
    mprotect(stack, page, PROT_NONE);
}

/* ---- Tests ---- */

/* A sanitizer keeps notes on all memory, which are counted as well. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static void assert_about(uint64_t bytes, uint64_t expected, uint64_t tolerance)
{
    if (!SANITIZED && (bytes + tolerance < expected || bytes > expected + tolerance))
        fail_msg("%.2f MiB instead of about %.2f", (double)bytes / MIB, (double)expected / MIB);
}

static void touched_memory_is_heap(void **state)
{
    (void)state;
    struct memory none = tree_measure((struct tree){.build = build_nothing, .members = 1});
    struct memory some =
        tree_measure((struct tree){.build = build_heap, .members = 1, .bytes = 64 * MIB});
    assert_int_equal(none.processes, 1);
    assert_about(some.pss_heap_bytes - none.pss_heap_bytes, 64 * MIB, MIB / 2);
    assert_about(some.pss_bytes - none.pss_bytes, 64 * MIB, MIB);
    /* 64 MiB of 4 KiB pages fill 32 page tables; 64 KiB pages or huge ones fewer. */
    assert_about(some.page_table_bytes - none.page_table_bytes, 80 * KIB, 80 * KIB);
}

static void shared_memory_is_other(void **state)
{
    (void)state;
    struct memory none = tree_measure((struct tree){.build = build_nothing, .members = 1});
    struct memory some =
        tree_measure((struct tree){.build = build_shared, .members = 1, .bytes = 8 * MIB});
    assert_about(some.pss_other_bytes - none.pss_other_bytes, 8 * MIB, MIB / 2);
}

static void sharing_children_count_once(void **state)
{
    (void)state;
    struct memory none = tree_measure((struct tree){.build = build_nothing, .members = 1});
    struct memory many = tree_measure(
        (struct tree){.build = build_sharing_children, .members = 51, .bytes = 64 * MIB});
    assert_int_equal(many.processes, 51);
    /* Each child has some pages of its own; the sum of RSS would be 3.2 GiB. */
    assert_about(many.pss_heap_bytes - none.pss_heap_bytes, 64 * MIB, 16 * MIB);
}

static void descendants_are_found(void **state)
{
    (void)state;
    struct memory chain = tree_measure((struct tree){.build = build_chain, .members = 4});
    assert_int_equal(chain.processes, 4);
}

static void dead_children_do_not_count(void **state)
{
    (void)state;
    struct memory memory = tree_measure((struct tree){.build = build_dead_child, .members = 1});
    assert_int_equal(memory.processes, 1);
}

static void stacks_of_threads_are_stack(void **state)
{
    (void)state;
    struct memory idle = tree_measure((struct tree){.build = build_threads, .members = 9});
    struct memory deep = tree_measure(
        (struct tree){.build = build_threads, .members = 9, .bytes = 512 * (size_t)KIB});
    assert_int_equal(idle.processes, 1);
    assert_true(idle.threads >= 9); /* a sanitizer may have one of its own */
    assert_int_equal(deep.threads, idle.threads);
    assert_about(deep.pss_stack_bytes - idle.pss_stack_bytes, 8 * 512 * (uint64_t)KIB, MIB / 4);
}

static void arenas_of_threads_are_heap(void **state)
{
    (void)state;
    struct memory idle = tree_measure((struct tree){.build = build_threads, .members = 5});
    struct memory full = tree_measure(
        (struct tree){.build = build_allocating_threads, .members = 5, .bytes = 4 * (size_t)MIB});
    assert_about(full.pss_heap_bytes - idle.pss_heap_bytes, 16 * MIB, MIB);
    assert_about(full.pss_stack_bytes, idle.pss_stack_bytes, MIB / 2);
}

static void what_follows_a_guard_is_stack(void **state)
{
    (void)state;
    struct memory none = tree_measure((struct tree){.build = build_nothing, .members = 1});
    struct memory some =
        tree_measure((struct tree){.build = build_guarded_stack, .members = 1, .bytes = MIB});
    assert_about(some.pss_stack_bytes - none.pss_stack_bytes, MIB, MIB / 8);
}

static void processes_that_are_gone(void **state)
{
    (void)state;
    struct memory memory;
    char why[256] = "";
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    assert_int_equal(memory_read(pid, &memory, why, sizeof why), -1);
    assert_non_null(strstr(why, "has ended"));
    waitpid(pid, NULL, 0);
    assert_int_equal(memory_read(pid, &memory, why, sizeof why), -1);
    assert_int_equal(memory_read(-1, &memory, why, sizeof why), -1);
}

static void fields_of_files(void **state)
{
    (void)state;
    static const char text[] = "Pss_Anon:   1 kB\nPss:       12 kB\nanon 4096\n";
    char path[64];
    int file = memfd_create("fields", 0);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    uint64_t number = 0;
    assert_true(memory_field(path, "Pss", &number));
    assert_int_equal(number, 12 * KIB);
    assert_true(memory_field(path, "anon", &number));
    assert_int_equal(number, 4096);
    assert_false(memory_field(path, "Rss", &number));
    close(file);
    assert_false(memory_field(path, "Pss", &number));
}

/* The cgroup sees the same memory from the kernel's side, and what the kernel adds. */
static void cgroup_agrees(void **state)
{
    (void)state;
    uint64_t bytes[2];
    struct memory memory[2];
    for (int i = 0; i < 2; i++) {
        char why[512] = "";
        struct memory_cgroup *group = memory_cgroup_open(why, sizeof why);
        if (!group) {
            assert_true(why[0] != '\0');
            print_message("%s\n", why);
            skip();
        }
        struct tree tree = {.build = i ? build_heap : build_nothing,
                            .members = 1,
                            .bytes = 64 * MIB,
                            .group = group};
        tree_start(&tree);
        memory[i] = tree_read(&tree);
        bytes[i] = memory_cgroup_bytes(group);
        tree_end(&tree);
        memory_cgroup_close(group);
        assert_true(bytes[i] != NO_NUMBER);
    }
    assert_about(bytes[1] - bytes[0], 64 * MIB, 2 * MIB);
    assert_about(bytes[1] - bytes[0], memory[1].pss_heap_bytes - memory[0].pss_heap_bytes, 2 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_memory_is_heap),
        cmocka_unit_test(shared_memory_is_other),
        cmocka_unit_test(sharing_children_count_once),
        cmocka_unit_test(descendants_are_found),
        cmocka_unit_test(dead_children_do_not_count),
        cmocka_unit_test(stacks_of_threads_are_stack),
        cmocka_unit_test(arenas_of_threads_are_heap),
        cmocka_unit_test(what_follows_a_guard_is_stack),
        cmocka_unit_test(processes_that_are_gone),
        cmocka_unit_test(fields_of_files),
        cmocka_unit_test(cgroup_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
