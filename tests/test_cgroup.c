/*
 * Cgroups of version 2 as the kernel has them. Its rules are the same for all controllers that have
 * no threaded mode, so where memory is on version 1, another one is taken that is free. Members are
 * processes in a cgroup made for this, who open and close when they are told; needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup.h"

static char root[PATH_MAX];  /* of the hierarchy */
static char place[PATH_MAX]; /* the cgroup that the members start in; "": none can be made */
static const char *controller;
static bool enabled_at_root;

/* ---- Files ---- */

static void read_file(const char *folder, const char *name, char text[512])
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? 0 : read(fd, text, 511);
    if (fd >= 0)
        close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
}

static int write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return bytes < 0 ? -1 : 0;
}

static bool counts_in(const char *folder)
{
    char text[512];
    read_file(folder, "cgroup.controllers", text);
    return strstr(text, controller) != NULL;
}

static bool is_enabled(void)
{
    char text[512];
    read_file(place, "cgroup.subtree_control", text);
    return strstr(text, controller) != NULL;
}

/* A cgroup has a link for each child, and two. */
static unsigned children(void)
{
    struct stat status;
    assert_int_equal(stat(place, &status), 0);
    return (unsigned)status.st_nlink - 2;
}

/* ---- Members ---- */

struct member {
    pid_t pid;
    int commands, answers;
};

_Noreturn static void member_main(int commands, int answers)
{
    struct cgroup group = {0};
    char command;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (write_file(place, "cgroup.procs", "0") != 0 || write(answers, "", 1) != 1)
        _exit(1);
    while (read(commands, &command, 1) == 1) {
        char error = 0;
        if (command == 'o' && cgroup_open(&group, controller) != 0)
            error = (char)errno;
        if (command == 'c')
            cgroup_close(&group);
        if (write(answers, &error, 1) != 1)
            break;
    }
    _exit(0);
}

static struct member member_start(void)
{
    int commands[2], answers[2];
    char in_place;
    assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(commands[1]);
        member_main(commands[0], answers[1]);
    }
    close(commands[0]);
    close(answers[1]);
    assert_int_equal(read(answers[0], &in_place, 1), 1);
    return (struct member){pid, commands[1], answers[0]};
}

/* 'o' or 'c'; returns 0 or an errno. */
static int tell(const struct member *member, char command)
{
    char error;
    assert_int_equal(write(member->commands, &command, 1), 1);
    assert_int_equal(read(member->answers, &error, 1), 1);
    return error;
}

static void member_end(const struct member *member)
{
    kill(member->pid, SIGKILL);
    waitpid(member->pid, NULL, 0);
    close(member->commands);
    close(member->answers);
}

static bool lives_in_place(const struct member *member)
{
    char text[512], pid[16];
    read_file(place, "cgroup.procs", text);
    snprintf(pid, sizeof pid, "%d\n", member->pid);
    return strstr(text, pid) != NULL;
}

/* ---- The place ---- */

static bool set_up_hierarchy(void)
{
    /* Domain controllers; the threaded ones have other rules. */
    static const char *const candidates[] = {"memory", "hugetlb", "misc", "rdma"};
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent *mount = NULL;
    while (mounts && (mount = getmntent(mounts)) && strcmp(mount->mnt_type, "cgroup2") != 0)
        ;
    if (mount)
        snprintf(root, sizeof root, "%s", mount->mnt_dir);
    if (mounts)
        endmntent(mounts);
    char there[512], enabled[512], change[64];
    read_file(root, "cgroup.controllers", there);
    read_file(root, "cgroup.subtree_control", enabled);
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !controller; i++)
        controller = strstr(there, candidates[i]) ? candidates[i] : NULL;
    if (!mount || !controller)
        return false;
    if (strstr(enabled, controller))
        return true;
    snprintf(change, sizeof change, "+%s", controller);
    enabled_at_root = write_file(root, "cgroup.subtree_control", change) == 0;
    return enabled_at_root;
}

static int set_up(void **state)
{
    (void)state;
    if (!set_up_hierarchy())
        return 0;
    snprintf(place, sizeof place, "%.4000s/overlap-test-%d", root, getpid());
    if (mkdir(place, 0755) != 0)
        place[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char change[64];
    if (place[0])
        rmdir(place);
    snprintf(change, sizeof change, "-%s", controller);
    if (enabled_at_root)
        write_file(root, "cgroup.subtree_control", change);
    return 0;
}

static void need_place(bool delegated)
{
    if (!place[0]) {
        print_message("no cgroup of version 2 can be made here\n");
        skip();
    }
    assert_int_equal(setxattr(place, "trusted.delegate", delegated ? "1" : "0", 1, 0), 0);
}

static void assert_as_before(void)
{
    assert_false(is_enabled());
    assert_int_equal(children(), 0);
}

/* ---- Tests ---- */

static void one_alone_steps_aside_and_comes_back(void **state)
{
    (void)state;
    need_place(false);
    struct member member = member_start();
    assert_int_equal(tell(&member, 'o'), 0);
    char folder[PATH_MAX + 32];
    snprintf(folder, sizeof folder, "%s/overlap-%d-trial", place, member.pid);
    assert_true(counts_in(folder));
    assert_false(lives_in_place(&member));
    assert_int_equal(tell(&member, 'c'), 0);
    assert_as_before();
    assert_true(lives_in_place(&member));
    member_end(&member);
}

static void others_who_live_there_are_left_alone(void **state)
{
    (void)state;
    need_place(false);
    struct member member = member_start(), other = member_start();
    assert_int_equal(tell(&member, 'o'), EBUSY);
    assert_as_before();
    assert_true(lives_in_place(&member));
    assert_true(lives_in_place(&other));
    member_end(&member);
    member_end(&other);
}

static void two_at_once_do_not_disturb_each_other(void **state)
{
    (void)state;
    need_place(true);
    for (int first = 0; first < 2; first++) {
        struct member members[] = {member_start(), member_start()};
        char folders[2][PATH_MAX + 32];
        for (int i = 0; i < 2; i++) {
            assert_int_equal(tell(&members[i], 'o'), 0);
            snprintf(folders[i], sizeof folders[i], "%s/overlap-%d-trial", place, members[i].pid);
        }
        assert_true(counts_in(folders[0]) && counts_in(folders[1]));
        assert_int_equal(tell(&members[first], 'c'), 0);
        assert_true(counts_in(folders[!first]));
        assert_int_equal(tell(&members[first], 'o'), 0); /* from where it stepped aside */
        assert_true(counts_in(folders[first]));
        assert_int_equal(tell(&members[first], 'c'), 0);
        assert_int_equal(tell(&members[!first], 'c'), 0);
        assert_as_before();
        for (int i = 0; i < 2; i++) {
            assert_true(lives_in_place(&members[i]));
            member_end(&members[i]);
        }
    }
}

static void a_killed_one_is_cleaned_up_after(void **state)
{
    (void)state;
    need_place(true);
    struct member bystander = member_start(), killed = member_start();
    assert_int_equal(tell(&killed, 'o'), 0);
    member_end(&killed);
    assert_int_equal(children(), 2);
    assert_int_equal(tell(&bystander, 'o'), 0);
    assert_int_equal(tell(&bystander, 'c'), 0);
    assert_as_before();
    assert_true(lives_in_place(&bystander));
    member_end(&bystander);
}

static void a_controller_that_others_use_stays_on(void **state)
{
    (void)state;
    need_place(false);
    char folder[PATH_MAX + 32];
    struct member member = member_start();
    assert_int_equal(tell(&member, 'o'), 0);
    snprintf(folder, sizeof folder, "%s/of-somebody", place);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(tell(&member, 'c'), 0);
    assert_true(counts_in(folder));
    rmdir(folder);
    assert_int_equal(tell(&member, 'o'), 0);
    assert_int_equal(tell(&member, 'c'), 0);
    assert_as_before();
    member_end(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone_steps_aside_and_comes_back),
        cmocka_unit_test(others_who_live_there_are_left_alone),
        cmocka_unit_test(two_at_once_do_not_disturb_each_other),
        cmocka_unit_test(a_killed_one_is_cleaned_up_after),
        cmocka_unit_test(a_controller_that_others_use_stays_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
