/* See deadlines.h. */
#include "deadlines.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

int deadlines_open(struct deadlines *deadlines, uint32_t count)
{
    *deadlines = (struct deadlines){.armed_ns = UINT64_MAX};
    deadlines->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (deadlines->timer < 0)
        return -errno;
    int error = heap_reserve(&deadlines->heap, count);
    if (error)
        close(deadlines->timer);
    return error;
}

void deadlines_close(struct deadlines *deadlines)
{
    close(deadlines->timer);
    heap_drop(&deadlines->heap);
}

/* 0: never. */
static void set(const struct deadlines *deadlines, uint64_t ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)}};
    timerfd_settime(deadlines->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void deadlines_arm(struct deadlines *deadlines)
{
    const struct heap_node *top = heap_top(&deadlines->heap);
    if (!top || top->key >= deadlines->armed_ns)
        return;
    deadlines->armed_ns = top->key;
    set(deadlines, top->key);
}

/* What is armed anew before the next wait need not be disarmed. */
void deadlines_went_off(struct deadlines *deadlines)
{
    deadlines->armed_ns = UINT64_MAX;
    if (!heap_top(&deadlines->heap))
        set(deadlines, 0);
}
