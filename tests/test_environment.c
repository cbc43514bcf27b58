/* The description of the machine is complete, and the measure of noise says what it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "environment.h"

static void everything_is_told(void **state)
{
    (void)state;
    /* null where the system does not say */
    static const char *const keys[] = {"flags",          "glibc",
                                       "cpu_model",      "governor",
                                       "turbo",          "smt",
                                       "container",      "virtualisation",
                                       "swap_bytes",     "swap_used_bytes",
                                       "load_1min",      "clock_source",
                                       "timer_slack_ns", "transparent_hugepage",
                                       "cgroup_version", "perf_event_paranoid"};
    static const char *const numbers[] = {"cores_online", "memory_bytes",  "pid_max",
                                          "threads_max",  "max_map_count", "stolen_ns"};
    static const char *const texts[] = {"fingerprint",  "date",          "version",
                                        "compiler",     "libev",         "architecture",
                                        "kernel_build", "cores_allowed", "kernel"};
    json_t *environment = environment_read();
    assert_true(json_is_object(environment));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(environment, keys[i]));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(json_is_integer(json_object_get(environment, numbers[i])));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(json_string_length(json_object_get(environment, texts[i])) > 0);
    json_t *files = json_object_get(json_object_get(environment, "limits"), "nofile");
    assert_non_null(json_object_get(files, "soft"));
    assert_non_null(json_object_get(files, "hard"));
    json_decref(environment);
}

static void fingerprint_is_one_short_line(void **state)
{
    (void)state;
    json_t *environment = environment_read();
    const char *line = json_string_value(json_object_get(environment, "fingerprint"));
    assert_non_null(strstr(line, " core"));
    assert_non_null(strstr(line, "Linux "));
    assert_null(strchr(line, '\n'));
    assert_in_range(strlen(line), 20, 120);
    json_decref(environment);
}

static void the_host_is_not_named(void **state)
{
    (void)state;
    char host[256];
    const char *key;
    json_t *value, *environment = environment_read();
    assert_int_equal(gethostname(host, sizeof host), 0);
    json_object_foreach(environment, key, value) if (json_is_string(value))
        assert_string_not_equal(json_string_value(value), host);
    json_decref(environment);
}

static void times_go_on(void **state)
{
    (void)state;
    struct cpu_times before = environment_cpu_times();
    const struct timespec nap = {.tv_nsec = 200000000};
    uint64_t start_ns = clock_now_ns();
    nanosleep(&nap, NULL);
    uint64_t slept_ns = clock_now_ns() - start_ns;
    struct cpu_times after = environment_cpu_times();
    assert_true(after.all_ns > before.all_ns);
    uint64_t cores = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
    assert_true(after.all_ns - before.all_ns <= cores * (slept_ns + 100000000));
    assert_true(after.all_ns >= after.busy_ns + after.stolen_ns);
    assert_true(environment_stolen_ns() >= after.stolen_ns);
    assert_true(environment_load_1min() >= 0);
    assert_true(environment_version()[0] != '\0');
}

static void noise_has_a_reason(void **state)
{
    (void)state;
    char why[256] = "";
    assert_false(environment_noisy(0, 0, why, sizeof why));
    assert_false(environment_noisy(0.01, 0.01, why, sizeof why));
    assert_string_equal(why, "");
    assert_true(environment_noisy(0, 0.05, why, sizeof why));
    assert_non_null(strstr(why, "hypervisor took 5.0 %"));
    assert_true(environment_noisy(0.5, 0, why, sizeof why));
    assert_non_null(strstr(why, "others took 50 %"));
}

static void lines_of_files(void **state)
{
    (void)state;
    char line[64];
    assert_true(environment_line("/proc/self/comm", line, sizeof line));
    assert_null(strchr(line, '\n'));
    assert_false(environment_line("/dev/null", line, sizeof line));
    assert_false(environment_line("/nonexistent", line, sizeof line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_told),    cmocka_unit_test(fingerprint_is_one_short_line),
        cmocka_unit_test(the_host_is_not_named), cmocka_unit_test(times_go_on),
        cmocka_unit_test(noise_has_a_reason),    cmocka_unit_test(lines_of_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
