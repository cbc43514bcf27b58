/*
 * epoll_client URL N: gets the URL N times at once, with one thread, one epoll, one connection per
 * request and nothing that this job does not need: no libraries, no tasks, no timeouts. It is the
 * yardstick for the CPU time of the strategy `coroutine`, which does the same job by way of tasks,
 * an event loop and an HTTP parser. Prints what it took as one line of JSON.
 *
 *     make programs && build/overlap origin &
 *     build/tests/bench/epoll_client
 * 'http://127.0.0.1:PORT/drip?delay=0.05&duration=0&numbytes=10240' 1000
 *
 * It knows responses with a Content-Length only.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 1024, RECEIVE_BYTES = 64 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    bool sent;
    bool in_body;
    uint32_t head_bytes;
    uint64_t body_bytes; /* still to come, once in_body */
    char head[HEAD_BYTES];
};

static struct addrinfo *address;
static char *request;
static size_t request_bytes;
static uint64_t body_bytes_total;

/* "http://HOST[:PORT]/TARGET" */
static void prepare(const char *url)
{
    char host[256], port[6] = "80", *colon;
    const char *scheme = "http://";
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        errx(2, "URL must start with http://, not '%s'", url);
    url += strlen(scheme);
    size_t length = strcspn(url, "/");
    snprintf(host, sizeof host, "%.*s", (int)length, url);
    colon = strchr(host, ':');
    if (colon) {
        *colon = '\0';
        snprintf(port, sizeof port, "%s", colon + 1);
    }
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int failure = getaddrinfo(host, port, &hints, &address);
    if (failure)
        errx(2, "cannot find '%s' port %s: %s", host, port, gai_strerror(failure));
    int bytes = asprintf(&request,
                         "GET %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: epoll_client\r\n"
                         "Accept: */*\r\nConnection: close\r\n\r\n",
                         url[length] ? url + length : "/", (int)length, url);
    if (bytes < 0)
        err(1, "cannot make the request");
    request_bytes = (size_t)bytes;
}

static void start(struct connection *connection, int epoll)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "cannot make a socket (ulimit -n raises the limit of descriptors)");
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
        err(1, "cannot connect");
    *connection = (struct connection){.fd = fd};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        err(1, "cannot watch a socket");
}

/* The status must be 200 and the length of the body be known. */
static uint64_t parse_head(char *head)
{
    const char *length = NULL;
    if (strncmp(head, "HTTP/1.1 200", strlen("HTTP/1.1 200")) != 0)
        errx(1, "unexpected answer: %.*s", (int)strcspn(head, "\r\n"), head);
    for (char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "Content-Length:", strlen("Content-Length:")) == 0)
            length = line + strlen("Content-Length:");
    }
    char *end = NULL;
    uint64_t bytes = length ? strtoull(length, &end, 10) : 0;
    if (end == length)
        errx(1, "an answer without Content-Length");
    return bytes;
}

/* Takes in what was received. True when the response is complete. */
static bool take(struct connection *connection, const char *at, size_t bytes)
{
    if (!connection->in_body) {
        uint32_t had = connection->head_bytes;
        size_t fits = HEAD_BYTES - 1 - had;
        if (fits > bytes)
            fits = bytes;
        memcpy(connection->head + had, at, fits);
        connection->head_bytes += (uint32_t)fits;
        connection->head[connection->head_bytes] = '\0';
        char *end = strstr(connection->head, "\r\n\r\n");
        if (!end && connection->head_bytes == HEAD_BYTES - 1)
            errx(1, "an answer with a head of more than %d bytes", HEAD_BYTES - 1);
        if (!end)
            return false;
        end[2] = '\0';
        connection->body_bytes = parse_head(connection->head);
        connection->in_body = true;
        bytes -= (size_t)(end + 4 - connection->head) - had;
    }
    if (bytes > connection->body_bytes)
        errx(1, "an answer with more than its Content-Length");
    connection->body_bytes -= bytes;
    body_bytes_total += bytes;
    return connection->body_bytes == 0;
}

/* Goes on as far as it can without waiting. True when the response is complete. */
static bool advance(struct connection *connection, uint32_t events)
{
    static char received[RECEIVE_BYTES];
    if (!connection->sent && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        ssize_t sent = send(connection->fd, request, request_bytes, MSG_NOSIGNAL);
        if (sent != (ssize_t)request_bytes) /* a fresh connection has room for any request */
            err(1, "cannot send a request");
        connection->sent = true;
    }
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        return false;
    for (;;) {
        ssize_t got = recv(connection->fd, received, sizeof received, 0);
        if (got < 0 && errno == EAGAIN)
            return false;
        if (got < 0)
            err(1, "cannot receive an answer");
        if (got == 0)
            errx(1, "an answer was cut short");
        if (take(connection, received, (size_t)got))
            return true;
    }
}

static uint64_t ns_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

int main(int argc, char **argv)
{
    unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (n == 0 || n > 1000000)
        errx(2, "usage: epoll_client URL N, N from 1 to 1000000");
    prepare(argv[1]);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    struct timespec started, ended;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    clock_gettime(CLOCK_MONOTONIC, &started);

    struct connection *connections = calloc(n, sizeof *connections);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || epoll < 0)
        err(1, "cannot start");
    for (unsigned long i = 0; i < n; i++)
        start(&connections[i], epoll);
    for (unsigned long left = n; left > 0;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (advance(connection, events[i].events)) {
                close(connection->fd);
                left--;
            }
        }
    }
    close(epoll);
    free(connections);

    clock_gettime(CLOCK_MONOTONIC, &ended);
    getrusage(RUSAGE_SELF, &after);
    printf(
        "{\"requests\":%lu,\"body_bytes\":%" PRIu64 ",\"wall_ns\":%" PRIu64 ",\"user_ns\":%" PRIu64
        ",\"system_ns\":%" PRIu64 "}\n",
        n, body_bytes_total,
        (uint64_t)((ended.tv_sec - started.tv_sec) * 1000000000 + ended.tv_nsec - started.tv_nsec),
        ns_of(after.ru_utime) - ns_of(before.ru_utime),
        ns_of(after.ru_stime) - ns_of(before.ru_stime));
    freeaddrinfo(address);
    free(request);
    return 0;
}
