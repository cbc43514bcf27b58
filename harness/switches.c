/* Context switches of the calling thread: the kernel's records of them, or the traces they leave.
 */
#include "switches.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "clock.h"

/* ---- The kernel's records ---- */

/* One page of records: 128 switches. They are taken out at every checkpoint and op that finds it
 * half full, and locked memory is scarce: kernel.perf_event_mlock_kb is for all threads together.
 */
enum { RECORD_PAGES = 1 };

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t ring_bytes(void)
{
    return (1 + RECORD_PAGES) * page_bytes();
}

static const char *why_not_opened(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "perf_event_open is refused: sysctl kernel.perf_event_paranoid=2, and a seccomp "
               "profile that allows it";
    case EMFILE:
        return "too few descriptors for perf events: ulimit -n 65536";
    case ENOSYS:
        return "this kernel has no perf_event_open";
    default:
        return "perf_event_open fails here";
    }
}

/* Opens and maps the event; NULL, or why not. */
static const char *open_ring(struct switches *switches)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attr,
        .config = PERF_COUNT_SW_DUMMY,
        .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
        .exclude_kernel = 1, /* what lets paranoid 2 pass */
        .exclude_hv = 1,
        .sample_id_all = 1,
        .context_switch = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return why_not_opened(errno);
    void *ring = mmap(NULL, ring_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd); /* the mapping keeps the event */
    if (ring == MAP_FAILED)
        return "no more memory for perf rings: sysctl kernel.perf_event_mlock_kb=65536";
    switches->ring = ring;
    return NULL;
}

void switches_close(struct switches *switches)
{
    if (switches->ring)
        munmap(switches->ring, ring_bytes());
    switches->ring = NULL;
}

/* How many bytes of records wait in the ring. Pairs with the kernel's barrier after it has written
 * them. */
static uint64_t ring_filled(struct perf_event_mmap_page *ring)
{
    return __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE) - ring->data_tail;
}

bool switches_half_full(const struct switches *switches)
{
    return switches->ring && ring_filled(switches->ring) > RECORD_PAGES * page_bytes() / 2;
}

/* The 64-bit word at a place in the endless stream of records. */
static uint64_t ring_word(struct perf_event_mmap_page *ring, uint64_t place)
{
    const char *records = (const char *)ring + page_bytes();
    return *(const uint64_t *)(records + place % (RECORD_PAGES * page_bytes()));
}

/* Words of a record, by sample_id_all and our sample_type: a switch is header, {pid, tid}, time,
 * {cpu, reserved}; a loss is header, id, how many, and the same three. */
enum { SWITCH_TIME = 2, SWITCH_CPU = 3, LOST_COUNT = 2 };

static struct trace_event switch_event(uint16_t misc, uint64_t ns, uint16_t cpu)
{
    struct trace_event event = {.ns = ns, .kind = TRACE_IN, .cpu = cpu};
    if (misc & PERF_RECORD_MISC_SWITCH_OUT)
        event.kind = misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT ? TRACE_OUT_PREEMPTED : TRACE_OUT;
    return event;
}

bool switches_take(struct switches *switches, struct trace_event *event, uint64_t *lost)
{
    struct perf_event_mmap_page *ring = switches->ring;
    bool found = false;
    while (ring && !found && ring_filled(ring) > 0) {
        union {
            uint64_t word;
            struct perf_event_header header;
        } first = {.word = ring_word(ring, ring->data_tail)};
        if (first.header.type == PERF_RECORD_SWITCH) {
            *event =
                switch_event(first.header.misc, ring_word(ring, ring->data_tail + 8 * SWITCH_TIME),
                             (uint16_t)ring_word(ring, ring->data_tail + 8 * SWITCH_CPU));
            found = true;
        } else if (first.header.type == PERF_RECORD_LOST) {
            *lost += ring_word(ring, ring->data_tail + 8 * LOST_COUNT);
        }
        __atomic_store_n(&ring->data_tail, ring->data_tail + first.header.size, __ATOMIC_RELEASE);
    }
    return found;
}

/* ---- Inferred ---- */

/* The wall clock comes last: should one of the calls cost the thread its core, the absence is part
 * of what led here. */
struct switches_sample switches_sample(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    struct switches_sample sample = {
        .cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID),
        .voluntary = (uint64_t)usage.ru_nvcsw,
        .involuntary = (uint64_t)usage.ru_nivcsw,
    };
    sample.wall_ns = clock_now_ns();
    return sample;
}

/* What is shorter may as well be an interrupt, or the time between reading the two clocks. */
enum { OFF_CORE_MIN_NS = 20000 };

bool switches_infer(const struct switches_sample *before, const struct switches_sample *after,
                    uint64_t looked_ns, struct trace_event *out, struct trace_event *in)
{
    uint64_t wall_ns = after->wall_ns - before->wall_ns, cpu_ns = after->cpu_ns - before->cpu_ns;
    if (wall_ns < cpu_ns + OFF_CORE_MIN_NS)
        return false;
    uint64_t off_ns = wall_ns - cpu_ns, window_ns = after->wall_ns - looked_ns;
    if (off_ns > window_ns)
        off_ns = window_ns;
    bool by_itself =
        after->voluntary > before->voluntary && after->involuntary == before->involuntary;
    *out = (struct trace_event){.ns = looked_ns + (window_ns - off_ns) / 2,
                                .kind = by_itself ? TRACE_OUT : TRACE_OUT_PREEMPTED};
    *in = (struct trace_event){.ns = out->ns + off_ns, .kind = TRACE_IN};
    return true;
}

/* A running median: a step up or down for each value. */
static void learn_usual(struct switches *switches, uint64_t distance_ns)
{
    if (switches->usual_ns == 0)
        switches->usual_ns = distance_ns;
    else if (distance_ns > switches->usual_ns)
        switches->usual_ns += switches->usual_ns / 16;
    else
        switches->usual_ns -= switches->usual_ns / 16;
}

/* To another core, in less time than can be noticed. */
static bool was_moved(uint64_t ns, uint16_t cpu, struct trace_event *out, struct trace_event *in)
{
    *out = (struct trace_event){.ns = ns, .kind = TRACE_OUT_PREEMPTED};
    *in = (struct trace_event){.ns = ns, .kind = TRACE_IN, .cpu = cpu};
    return true;
}

/* A switch before the ring is mapped is not logged. Opening takes locks of the address space, for
 * which the threads of a trial queue, as does making a thread's first heap: a fresh thread may be
 * away for milliseconds. */
const char *switches_open(struct switches *switches, const struct switches_sample *since,
                          bool *absent, struct trace_event *out, struct trace_event *in)
{
    const char *reason = open_ring(switches);
    if (reason)
        return reason;
    struct switches_sample now = switches_sample();
    struct perf_event_mmap_page *ring = switches->ring; /* what it holds by now was before */
    __atomic_store_n(&ring->data_tail, ring->data_tail + ring_filled(ring), __ATOMIC_RELEASE);
    uint16_t cpu = (uint16_t)sched_getcpu();
    *absent = switches_infer(since, &now, since->wall_ns, out, in);
    in->cpu = cpu;
    if (!*absent && cpu != switches->cpu)
        *absent = was_moved(now.wall_ns, cpu, out, in);
    return NULL;
}

bool switches_look(struct switches *switches, uint64_t now_ns, bool at_checkpoint,
                   struct trace_event *out, struct trace_event *in)
{
    uint16_t cpu = (uint16_t)sched_getcpu();
    bool moved = cpu != switches->cpu;
    switches->cpu = cpu;
    if (!switches->computing) {
        switches->computing = true;
        switches->sample = switches_sample();
        switches->looked_ns = now_ns;
        return moved && was_moved(now_ns, cpu, out, in);
    }
    bool found = false;
    uint64_t distance_ns = now_ns - switches->looked_ns;
    if (distance_ns > switches->usual_ns + switches->usual_ns / 2 + OFF_CORE_MIN_NS) {
        struct switches_sample sample = switches_sample();
        found = switches_infer(&switches->sample, &sample, switches->looked_ns, out, in);
        in->cpu = cpu;
        switches->sample = sample;
        now_ns = sample.wall_ns;
        distance_ns = now_ns - switches->looked_ns;
    }
    if (at_checkpoint)
        learn_usual(switches, found ? distance_ns - (in->ns - out->ns) : distance_ns);
    if (moved && !found)
        found = was_moved(switches->looked_ns + distance_ns / 2, cpu, out, in);
    switches->looked_ns = now_ns;
    return found;
}
