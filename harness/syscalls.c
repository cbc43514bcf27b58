/* See syscalls.h. */
#include "syscalls.h"
#include "record.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The number of the tracepoint; 0 when it can't be known. */
static unsigned long long tracepoint(void)
{
    static const char *const paths[] = {
        "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id"};
    unsigned long long id = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && !id; i++) {
        FILE *file = fopen(paths[i], "re");
        if (file && fscanf(file, "%llu", &id) != 1)
            id = 0;
        if (file)
            fclose(file);
    }
    return id;
}

int syscalls_open(char *why, size_t why_bytes)
{
    struct perf_event_attr event = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof event,
        .config = tracepoint(),
        .disabled = 1,
        .inherit = 1,
    };
    if (!event.config) {
        snprintf(why, why_bytes,
                 "cannot count system calls: the tracepoint raw_syscalls/sys_enter "
                 "cannot be read; as root: mount -t tracefs none /sys/kernel/tracing");
        return -1;
    }
    int counter = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (counter < 0)
        snprintf(why, why_bytes,
                 "cannot count system calls: %s; as root: sysctl -w kernel.perf_event_paranoid=-1",
                 strerror(errno));
    return counter;
}

void syscalls_start(int counter)
{
    ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
}

uint64_t syscalls_stop(int counter)
{
    uint64_t count;
    ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
    bool whole = read(counter, &count, sizeof count) == sizeof count;
    close(counter);
    return whole ? count : NO_NUMBER;
}
