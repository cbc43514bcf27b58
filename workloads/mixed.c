/*
 * mixed: the bars of the talk: work, wait, work, wait, work. Short bursts of computing between long
 * gaps of waiting for a disk or a network, here as sleeps, so that each gap is known exactly and
 * the ideal schedule can be computed. The pieces are hundredths of a unit: 12 of work, 30 of
 * waiting, 8, 20, 6. Another share of waiting (--waiting) divides the same 76 hundredths anew.
 */
#include "workload.h"

static double waiting;

static const struct setting settings[] = {
    {"waiting", 0, SETTING_NUMBER, "0.65789", "SHARE",
     "share of a task's time that it waits, the rest it computes", &waiting, 0, 0.99},
    {0},
};

/* What share of a task's work and of its waiting each piece has. */
static const struct {
    double work, wait;
} pieces[] = {{12 / 26., 30 / 50.}, {8 / 26., 20 / 50.}, {6 / 26., 0}};
enum { PIECES = sizeof pieces / sizeof *pieces };

struct mixed_task {
    struct task task;
    unsigned piece;
    uint32_t set[16];
};

static struct step step_of(unsigned piece)
{
    double alone_ns = 0.76 * (double)params.unit_ns;
    return (struct step){
        .iterations = work_iterations((uint64_t)(alone_ns * (1 - waiting) * pieces[piece].work)),
        .wait_ns = (uint64_t)(alone_ns * waiting * pieces[piece].wait),
    };
}

static const struct op *mixed_body(struct task *task, int64_t result)
{
    struct mixed_task *mixed = (struct mixed_task *)task;
    TASK_BEGIN(task);
    task->result->digest = task->id;
    for (mixed->piece = 0; mixed->piece < PIECES; mixed->piece++) {
        task->result->digest = work(task, task->result->digest, step_of(mixed->piece).iterations,
                                    mixed->set, sizeof mixed->set / sizeof *mixed->set);
        if (step_of(mixed->piece).wait_ns > 0) {
            AWAIT(task, op_sleep(step_of(mixed->piece).wait_ns));
            if (result < 0) {
                task->result->error = (int32_t)-result;
                break;
            }
        }
    }
    TASK_END(task);
}

static unsigned mixed_plan(uint32_t id, struct step *steps)
{
    (void)id;
    for (unsigned piece = 0; piece < PIECES; piece++)
        steps[piece] = step_of(piece);
    return PIECES;
}

WORKLOAD(mixed) = {
    .name = "mixed",
    .summary = "works, waits, works, waits, works: the bars of the talk",
    .task_bytes = sizeof(struct mixed_task),
    .settings = settings,
    .body = mixed_body,
    .plan = mixed_plan,
};
