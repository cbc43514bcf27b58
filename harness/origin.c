/*
 * The origin: one thread on one libev loop, so that it costs little and its time is easily kept
 * apart from that of the tasks.
 *
 * Responses must be punctual, and libev's timers are not: all deadlines go through one timerfd
 * (deadlines.h).
 *
 * A connection is in one of four states: it reads a request; it waits until (more of) the response
 * is due; it sends what is due; or, having refused a request that it did not read to the end, it
 * lingers. For if it closed at once, the kernel would reset the connection because of the unread
 * bytes, and the client might never see why. In each state it has a deadline.
 */
#include "origin.h"
#include "clock.h"
#include "cpus.h"
#include "deadlines.h"
#include "http.h"
#include "options.h"
#include "response.h"

#include <err.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_BYTES_MAX = 1 << 20,
    RECEIVE_BYTES = 16 * 1024,
    PIECES_MAX = 20,   /* of a body that is spread over time; httpbin sends single bytes */
    SEGMENTS_MAX = 64, /* per writev() */
    ACCEPTS_MAX = 64,  /* per wake-up, or those who are being served would wait */
};

#define SECOND_NS UINT64_C(1000000000)
#define IDLE_NS   (60 * SECOND_NS) /* without a request, or without progress */
#define LINGER_NS SECOND_NS
#define RETRY_NS  (SECOND_NS / 100) /* accept() again, after descriptors ran out */

struct connection {
    struct heap_node deadline; /* first, so that it is the connection */
    ev_io io;
    enum { READING, WAITING, SENDING, LINGERING } state;
    struct http http;
    uint64_t request_bytes;
    struct response response;
    bool refused;                   /* the request was not read to its end */
    uint64_t start_ns;              /* when the head is due */
    uint64_t pieces, piece;         /* of the body: how many, how many of them go out next time */
    uint64_t due_bytes, sent_bytes; /* of the stream */
    char *early;                    /* what came of the next request with this one; or NULL */
    size_t early_bytes;
    size_t text_bytes;              /* of the target; more than fits in: it was too long */
    char text[RESPONSE_HEAD_BYTES]; /* target of the request, then head of the response */
};

/* There is one origin in a process. */
static struct {
    struct ev_loop *ev;
    ev_io listener;
    ev_io timer;
    ev_prepare arm_timer;
    struct deadlines deadlines; /* of all connections, and: */
    struct heap_node retry;     /* when to accept again */
    char received[RECEIVE_BYTES];
} origin;

/* ---- Deadlines ---- */

static void set_deadline(struct heap_node *node, uint64_t time_ns)
{
    heap_remove(&origin.deadlines.heap, node);
    node->key = time_ns;
    if (heap_push(&origin.deadlines.heap, node) != 0)
        errx(EXIT_UNABLE, "no memory for %u connections", origin.deadlines.heap.count);
}

/* Before the loop waits. A deadline that moved away costs a wake-up, but no system call now. */
static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    (void)ev, (void)prepare, (void)events;
    deadlines_arm(&origin.deadlines);
}

/* ---- Connections ---- */

static void watch(struct connection *connection, int events)
{
    ev_io *io = &connection->io;
    if (ev_is_active(io) && (io->events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(origin.ev, io);
    if (events) {
        ev_io_modify(io, events);
        ev_io_start(origin.ev, io);
    }
}

static void hang_up(struct connection *connection)
{
    heap_remove(&origin.deadlines.heap, &connection->deadline);
    ev_io_stop(origin.ev, &connection->io);
    close(connection->io.fd);
    free(connection->early);
    free(connection);
}

static void on_target(struct http *http, const char *at, size_t bytes)
{
    struct connection *connection =
        (struct connection *)(void *)((char *)http - offsetof(struct connection, http));
    if (connection->text_bytes < RESPONSE_HEAD_BYTES) {
        size_t left = RESPONSE_HEAD_BYTES - connection->text_bytes;
        memcpy(connection->text + connection->text_bytes, at, bytes < left ? bytes : left);
    }
    connection->text_bytes += bytes;
}

static void expect_request(struct connection *connection)
{
    connection->state = READING;
    connection->text_bytes = connection->request_bytes = 0;
    http_begin(&connection->http, true, on_target);
    set_deadline(&connection->deadline, clock_now_ns() + IDLE_NS);
}

/* Keeps what came of the next request. */
static void keep_early(struct connection *connection, const char *at, size_t bytes)
{
    char *early = NULL;
    if (bytes > 0) {
        early = malloc(bytes);
        if (!early)
            errx(EXIT_UNABLE, "no memory for a request");
        memcpy(early, at, bytes);
    }
    free(connection->early);
    connection->early = early;
    connection->early_bytes = bytes;
}

/* The functions of the states. Each returns whether the connection can go on at once: if not, it
 * waits for its watcher or its deadline, or it is gone. */

/* Sends the next piece when it is due. */
static bool await_piece(struct connection *connection)
{
    const struct response *response = &connection->response;
    uint64_t body_bytes = response->total_bytes - response->head_bytes;
    uint64_t due_ns =
        connection->start_ns + response->duration_ns * connection->piece / connection->pieces;
    connection->due_bytes =
        response->head_bytes + body_bytes * connection->piece / connection->pieces;
    if (due_ns <= clock_now_ns()) {
        connection->state = SENDING;
        return true;
    }
    connection->state = WAITING;
    set_deadline(&connection->deadline, due_ns);
    return false;
}

/* Begins to respond. With a duration the head goes first, then the pieces of the body. */
static bool respond(struct connection *connection, struct response response)
{
    response.close_after = connection->refused;
    response_prepare(&response, &connection->http, connection->text);
    uint64_t pieces = response.body_bytes < PIECES_MAX ? response.body_bytes : PIECES_MAX;
    connection->pieces = response.duration_ns && pieces ? pieces : 1;
    connection->piece = response.duration_ns ? 0 : 1;
    connection->sent_bytes = 0;
    connection->start_ns = clock_now_ns() + response.delay_ns;
    connection->response = response;
    return await_piece(connection);
}

static bool refuse(struct connection *connection, unsigned code)
{
    connection->refused = true;
    return respond(connection, response_text(code, ""));
}

static bool answer_request(struct connection *connection)
{
    if (connection->text_bytes >= sizeof connection->text)
        return respond(connection, response_text(414, ""));
    if (connection->http.method != HTTP_GET && connection->http.method != HTTP_HEAD)
        return respond(connection, response_text(405, ""));
    connection->text[connection->text_bytes] = '\0';
    return respond(connection, response_to(connection->text));
}

/* Does it look like a request line? Else "unknown method" means that it is no HTTP at all. */
static bool starts_with_method(const char *at, size_t bytes)
{
    size_t letters = 0;
    while (letters < bytes && at[letters] >= 'A' && at[letters] <= 'Z')
        letters++;
    return letters > 0 && letters < bytes && at[letters] == ' ';
}

static bool read_request(struct connection *connection)
{
    const char *at = connection->early;
    ssize_t bytes = (ssize_t)connection->early_bytes;
    if (!at) {
        at = origin.received;
        bytes = recv(connection->io.fd, origin.received, RECEIVE_BYTES, 0);
        if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
            watch(connection, EV_READ);
            return false;
        }
        if (bytes <= 0) {
            hang_up(connection);
            return false;
        }
    }
    connection->request_bytes += (uint64_t)bytes;
    ssize_t taken = http_feed(&connection->http, at, (size_t)bytes);
    if (taken == -EMSGSIZE)
        return refuse(connection, 431);
    if (taken == -ENOTSUP && starts_with_method(at, (size_t)bytes))
        return refuse(connection, 501);
    if (taken < 0)
        return refuse(connection, 400);
    keep_early(connection, at + taken, (size_t)(bytes - taken));
    if (connection->http.complete)
        return answer_request(connection);
    return connection->request_bytes > REQUEST_BYTES_MAX ? refuse(connection, 413) : true;
}

/* The response is sent: another request, or the end. */
static bool end_response(struct connection *connection)
{
    if (!connection->response.close_after) {
        expect_request(connection);
        watch(connection, EV_READ);
        return connection->early != NULL;
    }
    if (!connection->refused && !connection->early) {
        hang_up(connection);
        return false;
    }
    shutdown(connection->io.fd, SHUT_WR);
    connection->state = LINGERING;
    set_deadline(&connection->deadline, clock_now_ns() + LINGER_NS);
    watch(connection, EV_READ);
    return true;
}

static bool send_due(struct connection *connection)
{
    while (connection->sent_bytes < connection->due_bytes) {
        struct iovec segments[SEGMENTS_MAX];
        int count = 0;
        uint64_t end = connection->sent_bytes;
        while (end < connection->due_bytes && count < SEGMENTS_MAX) {
            struct iovec segment = response_at(&connection->response, end);
            if (segment.iov_len > connection->due_bytes - end)
                segment.iov_len = (size_t)(connection->due_bytes - end);
            end += segment.iov_len;
            segments[count++] = segment;
        }
        ssize_t sent = writev(connection->io.fd, segments, count);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            watch(connection, EV_WRITE);
            set_deadline(&connection->deadline, clock_now_ns() + IDLE_NS);
            return false;
        }
        if (sent < 0) {
            hang_up(connection);
            return false;
        }
        connection->sent_bytes += (uint64_t)sent;
    }
    if (connection->sent_bytes == connection->response.total_bytes)
        return end_response(connection);
    if (connection->io.events & EV_WRITE)
        watch(connection, 0);
    connection->piece++;
    return await_piece(connection);
}

static bool linger(struct connection *connection)
{
    ssize_t bytes = recv(connection->io.fd, origin.received, RECEIVE_BYTES, 0);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR))
        hang_up(connection);
    return bytes > 0;
}

static void advance(struct connection *connection)
{
    bool on = true;
    while (on) {
        switch (connection->state) {
        case READING:
            on = read_request(connection);
            break;
        case WAITING:
            /* More came, or the peer went: neither matters before the response is sent. */
            watch(connection, 0);
            on = false;
            break;
        case SENDING:
            on = send_due(connection);
            break;
        case LINGERING:
            on = linger(connection);
            break;
        }
    }
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev, (void)events;
    advance((struct connection *)(void *)((char *)io - offsetof(struct connection, io)));
}

/* ---- The listener and the timer ---- */

static void on_connection(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            /* The listener would stay readable. Those who wait in its queue may wait longer. */
            ev_io_stop(ev, io);
            set_deadline(&origin.retry, clock_now_ns() + RETRY_NS);
        }
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            break;
        struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof *connection);
        if (!connection) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        ev_io_init(&connection->io, on_io, fd, EV_READ);
        expect_request(connection);
        watch(connection, EV_READ);
    }
}

static void on_timer(struct ev_loop *ev, ev_io *io, int events)
{
    (void)io, (void)events;
    uint64_t now = clock_now_ns();
    struct heap_node *top;
    while ((top = deadlines_due(&origin.deadlines, now))) {
        struct connection *connection = (struct connection *)top;
        heap_remove(&origin.deadlines.heap, top);
        if (top == &origin.retry) {
            ev_io_start(ev, &origin.listener);
        } else if (connection->state == WAITING) {
            connection->state = SENDING;
            advance(connection);
        } else {
            hang_up(connection);
        }
    }
    deadlines_went_off(&origin.deadlines);
}

/* ---- The command ---- */

static uint64_t port;
static const char *address, *cpu_list;

static const struct setting settings[] = {
    {"port", 'p', SETTING_COUNT, "0", "PORT", "port to listen on; 0 is any free one", &port, 0,
     65535},
    {"address", 'a', SETTING_TEXT, "127.0.0.1", "IP", "address to listen on", &address, 0, 0},
    {"cpus", 0, SETTING_TEXT, "all", "LIST", "cores to run on", &cpu_list, 0, 0},
    {0},
};

static const struct command_line command_line = {
    .usage = "overlap origin [OPTIONS]",
    .summary = "Serves HTTP for the workload fetch, until it is interrupted.",
    .details = "GET / tells the paths, which are those of httpbin.",
    .tables = (const struct setting *const[]){settings, NULL},
};

static void set_conditions(void)
{
    cpu_set_t cpus;
    char why[256];
    if (cpus_parse(cpu_list, &cpus, why, sizeof why) != 0)
        errx(EXIT_USAGE, "%s", why);
    if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
        err(EXIT_UNABLE, "cannot run on cores %s", cpu_list);
    signal(SIGPIPE, SIG_IGN);
}

static int listen_on(const char *ip, unsigned number)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *info;
    char port_text[8];
    snprintf(port_text, sizeof port_text, "%u", number);
    if (getaddrinfo(ip, port_text, &hints, &info) != 0)
        errx(EXIT_USAGE, "--address takes an IP address such as 127.0.0.1 or ::1, not '%s'", ip);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) < 0 || /* inherited */
        bind(fd, info->ai_addr, info->ai_addrlen) < 0 ||
        listen(fd, INT_MAX) < 0) /* the kernel makes it net.core.somaxconn */
        err(EXIT_FAILED, "cannot listen on %s port %u", ip, number);
    freeaddrinfo(info);
    return fd;
}

static void say_where(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t bytes = sizeof name;
    char host[64], service[8];
    getsockname(fd, (struct sockaddr *)&name, &bytes);
    getnameinfo((struct sockaddr *)&name, bytes, host, sizeof host, service, sizeof service,
                NI_NUMERICHOST | NI_NUMERICSERV);
    bool is_ipv6 = name.ss_family == AF_INET6;
    printf("listening on http://%s%s%s:%s\n", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
           service);
    fflush(stdout);
}

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
    (void)watcher, (void)events;
    ev_break(ev, EVBREAK_ALL);
}

int origin_main(int argc, char **argv)
{
    options_parse(argc, argv, &command_line);
    set_conditions();
    int listener = listen_on(address, (unsigned)port);
    origin.ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!origin.ev || deadlines_open(&origin.deadlines, 0) != 0)
        err(EXIT_UNABLE, "cannot make an event loop");
    ev_io_init(&origin.listener, on_connection, listener, EV_READ);
    ev_io_init(&origin.timer, on_timer, origin.deadlines.timer, EV_READ);
    ev_set_priority(&origin.timer, EV_MAXPRI);
    ev_prepare_init(&origin.arm_timer, on_prepare);
    ev_signal terminate, interrupt;
    ev_signal_init(&terminate, on_signal, SIGTERM);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_io_start(origin.ev, &origin.listener);
    ev_io_start(origin.ev, &origin.timer);
    ev_prepare_start(origin.ev, &origin.arm_timer);
    ev_signal_start(origin.ev, &terminate);
    ev_signal_start(origin.ev, &interrupt);
    say_where(listener);
    ev_run(origin.ev, 0);

    heap_remove(&origin.deadlines.heap, &origin.retry);
    struct heap_node *top;
    while ((top = heap_top(&origin.deadlines.heap)))
        hang_up((struct connection *)top);
    deadlines_close(&origin.deadlines);
    ev_loop_destroy(origin.ev);
    close(listener);
    return 0;
}

/* ---- As a child of the harness ---- */

_Noreturn static void child_main(pid_t parent, int output)
{
    setpgid(0, 0); /* Ctrl-C is for the parent, which then stops this */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_FAILED);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execl("/proc/self/exe", "overlap", "origin", (char *)NULL);
    warn("cannot start the origin");
    _exit(EXIT_FAILED); /* exit() would write what the parent has not written yet */
}

/* Reads the line that say_where() printed. 0, or -1. */
static int read_where(int fd, char *url, size_t url_bytes)
{
    static const char words[] = "listening on ";
    char line[128];
    size_t length = 0;
    uint64_t deadline_ns = clock_now_ns() + 10 * SECOND_NS;
    while (length < sizeof line - 1) {
        uint64_t now = clock_now_ns();
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        int ready = now < deadline_ns ? poll(&poller, 1, (int)((deadline_ns - now) / 1000000)) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = ready > 0 ? read(fd, line + length, sizeof line - 1 - length) : 0;
        if (got <= 0)
            return -1;
        length += (size_t)got;
        line[length] = '\0';
        char *end = strchr(line, '\n');
        if (end && strncmp(line, words, strlen(words)) == 0) {
            *end = '\0';
            snprintf(url, url_bytes, "%s", line + strlen(words));
            return 0;
        }
    }
    return -1;
}

pid_t origin_start(char *url, size_t url_bytes, char *why, size_t why_bytes)
{
    int ends[2];
    pid_t parent = getpid();
    pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (pid < 0) {
        snprintf(why, why_bytes, "cannot start the origin: %s", strerror(errno));
        return -1;
    }
    if (pid == 0)
        child_main(parent, ends[1]);
    close(ends[1]);
    int status = read_where(ends[0], url, url_bytes);
    close(ends[0]);
    if (status == 0)
        return pid;
    origin_stop(pid);
    snprintf(why, why_bytes, "the origin did not start; overlap origin shows why");
    return -1;
}

void origin_keep_off(pid_t pid, const char *cpus)
{
    cpu_set_t all, of_trial, rest;
    char why[256];
    if (cpus_parse("all", &all, why, sizeof why) != 0 ||
        cpus_parse(cpus, &of_trial, why, sizeof why) != 0)
        return;
    CPU_XOR(&rest, &all, &of_trial);
    sched_setaffinity(pid, sizeof rest, CPU_COUNT(&rest) ? &rest : &all);
}

void origin_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
