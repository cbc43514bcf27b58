/* What an op brings is the same, whoever performs it: blocking calls, the event loop, the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "setup.h"
#include "strategy.h"

/* ---- Servers that never answer ---- */

enum { TASKS_MAX = 2500, FILLERS = 4 };

static struct sockaddr_in silent, full, closed;
static int sockets[2 + FILLERS];

/* Listens on a free port, which goes to *address. */
static int listen_on(struct sockaddr_in *address, int backlog)
{
    socklen_t length = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, length), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
    return fd;
}

/* silent takes connections and says nothing; full has no room for another; closed is nobody. */
static int set_up(void **state)
{
    (void)state;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    sockets[0] = listen_on(&silent, 1024);
    sockets[1] = listen_on(&full, 0);
    for (int i = 0; i < FILLERS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        if (connect(fd, (struct sockaddr *)&full, sizeof full) != 0)
            assert_int_equal(errno, EINPROGRESS);
        sockets[2 + i] = fd;
    }
    close(listen_on(&closed, 1));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
        close(sockets[i]);
    return 0;
}

/* ---- A task: performs one op, after a connection if the op needs one ---- */

enum probe { NAP, YIELD, REFUSED, NO_ROOM, SEND, NO_ANSWER, PROBES };
static const int64_t expected[PROBES] = {
    [REFUSED] = -ECONNREFUSED, [NO_ROOM] = -ETIMEDOUT, [SEND] = 5, [NO_ANSWER] = -ETIMEDOUT};
static const uint64_t timeout_ns = 20000000;

struct prober {
    struct task task;
    enum probe probe;
    int fd;
    char buffer[8];
};

static int64_t brought[TASKS_MAX]; /* by the op of each task */

static struct op connect_to(const struct sockaddr_in *address)
{
    return op_connect((const struct sockaddr *)address, sizeof *address, timeout_ns);
}

static const struct op *prober_body(struct task *task, int64_t result)
{
    struct prober *prober = (struct prober *)task;
    TASK_BEGIN(task);
    if (prober->probe == SEND || prober->probe == NO_ANSWER) {
        AWAIT(task, connect_to(&silent));
        prober->fd = (int)result;
    }
    if (prober->probe == NAP)
        AWAIT(task, op_sleep(1000000));
    else if (prober->probe == YIELD)
        AWAIT(task, op_yield());
    else if (prober->probe == REFUSED)
        AWAIT(task, connect_to(&closed));
    else if (prober->probe == NO_ROOM)
        AWAIT(task, connect_to(&full));
    else if (prober->probe == SEND)
        AWAIT(task, op_send(prober->fd, "hello", 5, timeout_ns));
    else
        AWAIT(task, op_recv(prober->fd, prober->buffer, sizeof prober->buffer, timeout_ns));
    brought[task->id] = result;
    if (prober->fd > 0)
        close(prober->fd);
    TASK_END(task);
}

static enum probe (*probe_of)(unsigned id);

static struct task *create(struct trial *trial, unsigned id)
{
    struct prober *prober = calloc(1, sizeof *prober);
    assert_non_null(prober);
    prober->task = (struct task){.body = prober_body, .result = &trial->results[id], .id = id};
    prober->probe = probe_of(id);
    return &prober->task;
}

/* ---- Running them ---- */

static void run(const char *name, unsigned tasks)
{
    static struct result results[TASKS_MAX];
    char why[256];
    const struct strategy *strategy = strategy_find(name);
    assert_non_null(strategy);
    if (strategy->unavailable && strategy->unavailable())
        return;
    settings_reset(strategy->settings);
    if (strategy->prepare)
        assert_int_equal(strategy->prepare(tasks, why, sizeof why), 0);
    memset(brought, 0x55, sizeof brought);
    struct trial trial = {.tasks = tasks, .workers = 1, .results = results, .create = create};
    if (strategy->run(&trial) != 0)
        fail_msg("%s: %s", name, trial.reason);
    for (unsigned id = 0; id < tasks; id++)
        if (brought[id] != expected[probe_of(id)])
            fail_msg("%s: op %d brought %lld, not %lld", name, (int)probe_of(id),
                     (long long)brought[id], (long long)expected[probe_of(id)]);
}

static enum probe any_probe(unsigned id)
{
    return (enum probe)(id % PROBES);
}

static enum probe only_refused(unsigned id)
{
    (void)id;
    return REFUSED;
}

static void ops_bring_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"sequential", "pthreads",       "coroutine",   "fiber",
                                        "uring",      "fiber-ucontext", "fiber-setjmp"};
    probe_of = any_probe;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        run(names[i], 5 * PROBES);
}

/* Each op and its time limit take an entry, of which a ring has 4096 at most. */
static void more_ops_than_the_ring_has_entries(void **state)
{
    (void)state;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < TASKS_MAX + 64)
        skip();
    probe_of = only_refused;
    run("uring", TASKS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_bring_the_same),
        cmocka_unit_test(more_ops_than_the_ring_has_entries),
    };
    return cmocka_run_group_tests_name("ops", tests, set_up, tear_down);
}
