/* See cpus.h. */
#include "cpus.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t first_of(const cpu_set_t *cpus)
{
    size_t cpu = 0;
    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, cpus))
        cpu++;
    return cpu;
}

/* Reads "4" or "4-7" at *text and moves behind it; -1 when there is no such thing. */
static int read_range(const char **text, cpu_set_t *cpus)
{
    size_t range[2];
    for (int i = 0; i < 2; i++) {
        if (!isdigit((unsigned char)**text))
            return -1;
        char *end;
        range[i] = strtoul(*text, &end, 10);
        *text = end;
        if (i == 0 && **text != '-')
            range[++i] = range[0];
        else if (i == 0)
            ++*text;
    }
    if (range[0] > range[1] || range[1] >= CPU_SETSIZE)
        return -1;
    for (size_t cpu = range[0]; cpu <= range[1]; cpu++)
        CPU_SET(cpu, cpus);
    return 0;
}

int cpus_parse(const char *text, cpu_set_t *cpus, char *why, size_t why_bytes)
{
    cpu_set_t allowed;
    CPU_ZERO(cpus);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        snprintf(why, why_bytes, "cannot read which cores there are: %s", strerror(errno));
        return -1;
    }
    if (strcmp(text, "all") == 0) {
        *cpus = allowed;
        return 0;
    }
    if (strcmp(text, "one") == 0) {
        CPU_SET(first_of(&allowed), cpus);
        return 0;
    }

    const char *at = text;
    int status = read_range(&at, cpus);
    while (status == 0 && (*at == ',' || *at == '+')) {
        at++;
        status = read_range(&at, cpus);
    }
    if (status != 0 || *at) {
        snprintf(why, why_bytes, "--cpus takes one, all or a list such as 0-1 or 0,2, not '%s'",
                 text);
        return -1;
    }
    cpu_set_t usable;
    CPU_AND(&usable, cpus, &allowed);
    if (!CPU_EQUAL(&usable, cpus)) {
        char list[256];
        snprintf(why, why_bytes, "--cpus %s names cores that are not to be had here: it has %s",
                 text, cpus_print(&allowed, list, sizeof list));
        return -1;
    }
    return 0;
}

char *cpus_print(const cpu_set_t *cpus, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t cpu = 0; cpu < CPU_SETSIZE && used < bytes; cpu++) {
        if (!CPU_ISSET(cpu, cpus))
            continue;
        size_t last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
            last++;
        const char *plus = used ? "+" : "";
        int length = last > cpu ? snprintf(text + used, bytes - used, "%s%zu-%zu", plus, cpu, last)
                                : snprintf(text + used, bytes - used, "%s%zu", plus, cpu);
        used += (size_t)length;
        cpu = last;
    }
    return text;
}
