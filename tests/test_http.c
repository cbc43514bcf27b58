/*
 * The HTTP reader, the workload fetch, and the origin. A task of fetch is driven by plain blocking
 * ops against servers that misbehave, each a thread on a port of its own. Nothing waits without
 * a timeout. With the argument "origin" this program is the origin, as the overlap command is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "cpus.h"
#include "heap.h"
#include "http.h"
#include "op.h"
#include "origin.h"
#include "response.h"
#include "workload.h"

enum { PATIENCE_MS = 2000 }; /* of a server, with a client that does not come or end */

/* ---- The reader ---- */

static char data_seen[1 << 16];
static size_t data_bytes;

static void see_data(struct http *http, const char *at, size_t bytes)
{
    (void)http;
    assert_true(data_bytes + bytes < sizeof data_seen);
    memcpy(data_seen + data_bytes, at, bytes);
    data_bytes += bytes;
    data_seen[data_bytes] = '\0';
}

static void begin(struct http *http, bool is_request)
{
    data_bytes = 0;
    data_seen[0] = '\0';
    http_begin(http, is_request, see_data);
}

/* Feeds a message whole, in two pieces split anywhere, and byte by byte. It must end `surplus`
 * bytes before the text does, or (SURPLUS_EOF) with the stream. */
enum { SURPLUS_EOF = -1 };

static void check_message(bool is_request, const char *text, int surplus, const char *data)
{
    size_t length = strlen(text);
    size_t end = surplus == SURPLUS_EOF ? length : length - (size_t)surplus;
    struct http http;
    for (size_t split = 0; split < end; split++) {
        begin(&http, is_request);
        assert_int_equal(http_feed(&http, text, split), split);
        assert_false(http.complete);
        assert_int_equal(http_feed(&http, text + split, length - split), end - split);
        assert_int_equal(http_feed_end(&http), 0);
        assert_string_equal(data_seen, data);
    }
    begin(&http, is_request);
    for (size_t i = 0; i < end; i++) {
        assert_false(http.complete);
        assert_int_equal(http_feed(&http, text + i, 1), 1);
    }
    assert_int_equal(http.complete, surplus != SURPLUS_EOF);
    assert_int_equal(http_feed_end(&http), 0);
    assert_true(http.complete);
    assert_string_equal(data_seen, data);
}

static void reads_responses(void **state)
{
    (void)state;
    check_message(false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, "hello");
    check_message(false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "");
    check_message(false, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", 3, "he");
    check_message(false, "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 0, "");
    check_message(false, "HTTP/1.1 200 OK\r\n\r\nuntil the end", SURPLUS_EOF, "until the end");
    check_message(false, "HTTP/1.0 200 OK\r\n\r\n", SURPLUS_EOF, "");
    check_message(false,
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nTrailer: x\r\n\r\nHTTP",
                  4, "hello");
    check_message(
        false,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n"
        "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
        0, "ok");
}

static void reads_requests(void **state)
{
    (void)state;
    struct http http;
    const char *text = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\n\r\n";
    check_message(true, text, (int)strlen("GET /next HTTP/1.1\r\n\r\n"), "/a?b=c");
    check_message(true, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd", 1, "/");
    check_message(true, "GET /x HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", 0, "/x");

    begin(&http, true);
    assert_true(http_feed(&http, text, strlen(text)) > 0);
    assert_int_equal(http.method, HTTP_GET);
    assert_int_equal(http.minor, 1);
    assert_true(http.keep_alive);

    text = "HEAD / HTTP/1.0\r\n\r\n";
    begin(&http, true);
    assert_int_equal(http_feed(&http, text, strlen(text)), strlen(text));
    assert_int_equal(http.method, HTTP_HEAD);
    assert_int_equal(http.minor, 0);
    assert_false(http.keep_alive);
}

static void check_refused(bool is_request, const char *text, int error)
{
    struct http http;
    begin(&http, is_request);
    assert_int_equal(http_feed(&http, text, strlen(text)), error);
    assert_false(http.complete);
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    check_refused(false, "SSH-2.0-OpenSSH_9.2\r\n", -EPROTO);
    check_refused(false, "HTTP/2.0 200 OK\r\n\r\n", -EPROTO);
    check_refused(false, "HTTP/1.1 2x0 OK\r\n\r\n", -EPROTO);
    check_refused(false, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO);
    check_refused(false, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                  -EPROTO);
    check_refused(false,
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
                  -EPROTO);
    check_refused(false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", -EPROTO);
    check_refused(false,
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
                  -EPROTO);
    check_refused(true, "GET /\r\n\r\n", -EPROTO);
    check_refused(true, "GET / HTTP/3.0\r\n\r\n", -EPROTO);
    check_refused(true, "BREW / HTTP/1.1\r\n\r\n", -ENOTSUP);

    struct http http;
    begin(&http, false);
    assert_int_equal(http_feed_end(&http), -EPROTO); /* nothing came at all */
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell";
    begin(&http, false);
    assert_int_equal(http_feed(&http, text, strlen(text)), strlen(text));
    assert_int_equal(http_feed_end(&http), -EPROTO);
}

/* A head of exactly the limit passes, one byte more does not. */
static void limits_the_head(void **state)
{
    (void)state;
    const char *start = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: ";
    for (size_t more = 0; more < 2; more++) {
        size_t bytes = HTTP_HEAD_BYTES_MAX + more;
        char *text = malloc(bytes + 2);
        memset(text, 'x', bytes);
        for (size_t i = 0; start[i]; i++)
            text[i] = start[i];
        snprintf(text + bytes - 4, 6, "\r\n\r\nb");
        struct http http;
        begin(&http, false);
        ssize_t expected = more ? -EMSGSIZE : (ssize_t)bytes + 1;
        assert_int_equal(http_feed(&http, text, bytes + 1), expected);
        free(text);
    }
    struct http http;
    begin(&http, false);
    const char *interim = "HTTP/1.1 100 Continue\r\n\r\n";
    ssize_t taken = 0;
    for (int i = 0; i < HTTP_HEAD_BYTES_MAX && taken >= 0; i++)
        taken = http_feed(&http, interim, strlen(interim));
    assert_int_equal(taken, -EMSGSIZE);
}

/* ---- Servers ---- */

struct server {
    const char *response; /* NULL: says nothing */
    size_t bytes;         /* 0: strlen() */
    size_t piece;         /* sends so much at a time; 0: all */
    enum { CLOSE, RESET, HOLD } end;
    bool is_ipv6;

    int listener;
    unsigned port;
    pthread_t thread;
    char request[1024]; /* that came */
};

static bool readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, PATIENCE_MS) == 1;
}

static void *serve(void *context)
{
    struct server *server = context;
    if (!readable(server->listener))
        return NULL;
    int fd = accept(server->listener, NULL, NULL);
    size_t got = 0;
    while (!strstr(server->request, "\r\n\r\n") && readable(fd)) {
        ssize_t bytes = recv(fd, server->request + got, sizeof server->request - 1 - got, 0);
        if (bytes <= 0)
            break;
        got += (size_t)bytes;
    }
    size_t bytes = server->bytes;
    if (!bytes && server->response)
        bytes = strlen(server->response);
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (size_t sent = 0; sent < bytes;) {
        size_t piece = server->piece && server->piece < bytes - sent ? server->piece : bytes - sent;
        ssize_t now = send(fd, server->response + sent, piece, MSG_NOSIGNAL);
        if (now < 0)
            break; /* the client has had enough */
        sent += (size_t)now;
    }
    char byte;
    if (server->end == HOLD && readable(fd))
        (void)!recv(fd, &byte, 1, 0);
    const struct linger reset = {.l_onoff = 1};
    if (server->end == RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    return NULL;
}

/* False when this machine has no such address. */
static bool server_start(struct server *server)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *name = server->is_ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t bytes = server->is_ipv6 ? sizeof v6 : sizeof v4;
    server->listener = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, name, bytes) < 0) {
        close(server->listener);
        return false;
    }
    assert_int_equal(listen(server->listener, 8), 0);
    getsockname(server->listener, name, &bytes);
    server->port = ntohs(server->is_ipv6 ? v6.sin6_port : v4.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return true;
}

static void server_stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
}

/* ---- The workload ---- */

static const struct workload *fetch;

static void release(struct task *task)
{
    fetch->release(task);
}

static int find_fetch(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (workload, entry)
        if (strcmp((*entry)->name, "fetch") == 0)
            fetch = *entry;
    task_hooks.release = release;
    signal(SIGPIPE, SIG_IGN);
    return fetch ? 0 : -1;
}

/* Gives "name=value" settings, ended by NULL, over the defaults. */
static void set(const char *const settings[])
{
    char why[256];
    settings_reset(fetch->settings);
    params.timeout_ns = 0;
    for (; *settings; settings++) {
        size_t length = strcspn(*settings, "=");
        const struct setting *setting = fetch->settings;
        while (setting->name &&
               (strlen(setting->name) != length || strncmp(setting->name, *settings, length) != 0))
            setting++;
        assert_non_null(setting->name);
        assert_int_equal(setting_parse(setting, *settings + length + 1, why, sizeof why), 0);
    }
}

static void prepare(void)
{
    char why[512] = "";
    int status = fetch->prepare(why, sizeof why);
    if (status != 0)
        print_error("%s\n", why);
    assert_int_equal(status, 0);
}

static struct task *create(struct result *result)
{
    struct task *task = calloc(1, fetch->task_bytes);
    *result = (struct result){0};
    task->result = result;
    task->body = fetch->body;
    assert_int_equal(fetch->init(task), 0);
    return task;
}

/* One task, for at most `ops` ops. */
static struct result run(unsigned ops)
{
    struct result result;
    struct task *task = create(&result);
    const struct op *op = task_resume(task, 0);
    for (; op && ops > 0; ops--)
        op = task_resume(task, op_block(op));
    task_free(task);
    return result;
}

static struct result fetch_from(struct server *server)
{
    char url[64];
    snprintf(url, sizeof url, "url=http://%s:%u/some/path?x=y#fragment",
             server->is_ipv6 ? "[::1]" : "127.0.0.1", server->port);
    /* Those who hold the connection are waited for; the others have all the time they need. */
    set((const char *[]){url, NULL});
    params.timeout_ns = server->end == HOLD ? 40000000 : 2000000000;
    prepare();
    return run(UINT32_MAX);
}

/* Adler-32 as RFC 1950 writes it. */
static uint32_t adler32(const char *text, size_t bytes)
{
    uint32_t s1 = 1, s2 = 0;
    for (size_t i = 0; i < bytes; i++) {
        s1 = (s1 + (unsigned char)text[i]) % 65521;
        s2 = (s2 + s1) % 65521;
    }
    return (s2 << 16) + s1;
}

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void check_fetch(struct server server, int error)
{
    assert_true(server_start(&server));
    struct result result = fetch_from(&server);
    server_stop(&server);
    assert_int_equal(result.error, error);
    if (!error)
        assert_int_equal(result.digest, adler32("hello200", 8));
}

static void fetches_however_it_comes(void **state)
{
    (void)state;
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n";
    check_fetch((struct server){.response = HELLO}, 0);
    check_fetch((struct server){.response = HELLO, .piece = 1}, 0);
    check_fetch((struct server){.response = HELLO, .bytes = strlen(HELLO), .end = HOLD}, 0);
    check_fetch((struct server){.response = HELLO "and more"}, 0);
    check_fetch((struct server){.response = chunked}, 0);
    check_fetch((struct server){.response = chunked, .piece = 1}, 0);
    check_fetch((struct server){.response = "HTTP/1.1 200 OK\r\n\r\nhello"}, 0);
    check_fetch((struct server){.response = "HTTP/1.0 200\r\n\r\nhello", .piece = 1}, 0);
    check_fetch((struct server){.response = "HTTP/1.1 100 Continue\r\n\r\n" HELLO}, 0);
}

static void names_what_went_wrong(void **state)
{
    (void)state;
    check_fetch((struct server){.response = ""}, EPROTO);
    check_fetch((struct server){.response = "HTTP/1.1 200 OK\r\nConte"}, EPROTO);
    check_fetch((struct server){.response = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"},
                EPROTO);
    check_fetch((struct server){.response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "5\r\nhello\r\n"},
                EPROTO);
    check_fetch((struct server){.response = "220 mail.example ESMTP\r\n"}, EPROTO);
    check_fetch((struct server){.response = "\x16\x03\x01\x02", .piece = 1}, EPROTO);
    check_fetch((struct server){.response = "", .end = RESET}, ECONNRESET);
    check_fetch((struct server){.end = HOLD}, ETIMEDOUT);
    check_fetch((struct server){.response = HELLO, .bytes = strlen(HELLO) - 1, .end = HOLD},
                ETIMEDOUT);
    check_fetch((struct server){.response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
                EREMOTEIO);
    check_fetch((struct server){.response = "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"},
                EREMOTEIO);
    check_fetch((struct server){.response = "HTTP/1.1 500 Oh\r\n\r\n", .piece = 1}, EREMOTEIO);
    check_fetch((struct server){.response = "HTTP/1.1 101 Switching Protocols\r\n"
                                            "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"},
                EREMOTEIO);

    size_t bytes = 4 * HTTP_HEAD_BYTES_MAX;
    char *endless = malloc(bytes);
    memset(endless, 'x', bytes);
    endless[snprintf(endless, bytes, "HTTP/1.1 200 OK\r\nX: ")] = 'x';
    check_fetch((struct server){.response = endless, .bytes = bytes}, EMSGSIZE);
    free(endless);

    /* Refused: a port that was free a moment ago. */
    struct server server = {.response = HELLO};
    assert_true(server_start(&server));
    fetch_from(&server);
    server_stop(&server);
    assert_int_equal(fetch_from(&server).error, ECONNREFUSED);
}

static void fetches_large_bodies(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    size_t head_bytes = strlen(head), body_bytes = 1000000;
    char *text = malloc(head_bytes + body_bytes + 4);
    snprintf(text, head_bytes + 1, "%s", head);
    for (size_t i = 0; i < body_bytes; i++)
        text[head_bytes + i] = (char)(i * i >> 3);
    struct server server = {.response = text, .bytes = head_bytes + body_bytes};
    assert_true(server_start(&server));
    struct result result = fetch_from(&server);
    server_stop(&server);
    snprintf(text + head_bytes + body_bytes, 4, "200");
    assert_int_equal(result.error, 0);
    assert_int_equal(result.digest, adler32(text + head_bytes, body_bytes + 3));
    assert_int_equal(result.bytes_moved, strlen(server.request) + head_bytes + body_bytes);
    free(text);
}

static void asks_properly(void **state)
{
    (void)state;
    char host[64];
    struct server server = {.response = HELLO};
    assert_true(server_start(&server));
    fetch_from(&server);
    server_stop(&server);
    assert_ptr_equal(strstr(server.request, "GET /some/path?x=y HTTP/1.1\r\n"), server.request);
    snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", server.port);
    assert_non_null(strstr(server.request, host));
    assert_non_null(strstr(server.request, "\r\nConnection: close\r\n"));

    struct server v6 = {.response = HELLO, .is_ipv6 = true};
    if (server_start(&v6)) {
        assert_int_equal(fetch_from(&v6).error, 0);
        server_stop(&v6);
        snprintf(host, sizeof host, "\r\nHost: [::1]:%u\r\n", v6.port);
        assert_non_null(strstr(v6.request, host));
    }

    /* A name that may have a second address, where nobody listens. */
    struct server named = {.response = HELLO};
    char url[64];
    assert_true(server_start(&named));
    snprintf(url, sizeof url, "url=http://localhost:%u?q", named.port);
    set((const char *[]){url, NULL});
    prepare();
    assert_int_equal(run(UINT32_MAX).error, 0);
    server_stop(&named);
    assert_ptr_equal(strstr(named.request, "GET /?q HTTP/1.1\r\n"), named.request);
}

static void refuses_bad_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *complaint;
    } bad[] = {
        {"url=https://127.0.0.1/", "scheme"},
        {"url=127.0.0.1:80", "scheme"},
        {"url=ftp://127.0.0.1/", "scheme"},
        {"url=http://", "host name"},
        {"url=http://:80/", "host name"},
        {"url=http:///path", "host name"},
        {"url=http://127.0.0.1:0/", "port"},
        {"url=http://127.0.0.1:65536/", "port"},
        {"url=http://127.0.0.1:8a/", "port"},
        {"url=http://127.0.0.1:/", "port"},
        {"url=http://[::1/", "']'"},
        {"url=http://[::1]80/", "port"},
        {"url=http://me:pw@127.0.0.1/", "user"},
        {"url=http://127.0.0.1/a b", "percent"},
        {"url=http://127.0.0.1/\r\nX: y", "percent"},
        {"url=http://127.0.0.1/\xc3\xa4", "percent"},
        {"url=http://[zz]/", "cannot find the host 'zz'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[512] = "";
        set((const char *[]){bad[i].url, NULL});
        assert_int_equal(fetch->prepare(why, sizeof why), -1);
        assert_non_null(strstr(why, bad[i].complaint));
        assert_null(strchr(why, '\n'));
    }
    char why[512] = "";
    set((const char *[]){"latency=2s", NULL});
    params.timeout_ns = 1000000000;
    assert_int_equal(fetch->prepare(why, sizeof why), -1);
    assert_non_null(strstr(why, "--latency"));
}

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Wherever a task is abandoned, nothing of it stays (its memory is the sanitizer's to watch). */
static void releases_what_it_holds(void **state)
{
    (void)state;
    unsigned before = count_descriptors();
    for (unsigned ops = 0; ops < 6; ops++) {
        struct server server = {.response = HELLO, .piece = 10};
        char url[64];
        assert_true(server_start(&server));
        snprintf(url, sizeof url, "url=http://127.0.0.1:%u", server.port);
        set((const char *[]){url, NULL});
        prepare();
        if (ops == 0)
            run(UINT32_MAX); /* so that the server, too, has an end */
        run(ops);
        server_stop(&server);
        assert_int_equal(count_descriptors(), before);
    }
}

/* ---- The origin ---- */

/* Its deadlines, and those of the strategies' loop, come from this queue in order. */
static void heap_keeps_order(void **state)
{
    (void)state;
    enum { NODES = 500, STEPS = 50000 };
    static struct heap_node nodes[NODES];
    struct heap heap = {0};
    uint32_t in_heap = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        struct heap_node *node = &nodes[workload_random(1, step, 0) % NODES];
        if (node->slot) {
            heap_remove(&heap, node);
            assert_int_equal(node->slot, 0);
            in_heap--;
        } else {
            node->key = workload_random(1, step, 1) % 1000; /* some are equal */
            assert_int_equal(heap_push(&heap, node), 0);
            in_heap++;
        }
        for (uint32_t i = 0; step % 1000 == 0 && i < NODES; i++)
            assert_true(!nodes[i].slot || heap_top(&heap)->key <= nodes[i].key);
    }
    assert_int_equal(heap.count, in_heap);
    uint64_t last = 0;
    for (struct heap_node *top; (top = heap_top(&heap)); heap_remove(&heap, top)) {
        assert_true(top->key >= last);
        last = top->key;
        in_heap--;
    }
    assert_int_equal(in_heap, 0);
    heap_remove(&heap, &nodes[0]); /* is in none: nothing happens */
    heap_drop(&heap);
}

/* What the stream of a response holds, read in pieces that start anywhere. */
static size_t stream(const char *target, const char *request, size_t step, char *text, size_t most)
{
    struct http http;
    char head[RESPONSE_HEAD_BYTES];
    begin(&http, true);
    assert_int_equal(http_feed(&http, request, strlen(request)), strlen(request));
    struct response response = response_to(target);
    response_prepare(&response, &http, head);
    assert_true(response.total_bytes < most);
    uint64_t at = 0;
    while (at < response.total_bytes) {
        struct iovec piece = response_at(&response, at);
        size_t bytes = piece.iov_len < step ? piece.iov_len : step;
        assert_true(bytes > 0 && at + bytes <= response.total_bytes);
        memcpy(text + at, piece.iov_base, bytes);
        at += bytes;
    }
    text[at] = '\0';
    return (size_t)at;
}

#define GET "GET / HTTP/1.1\r\n\r\n"

static void streams_are_responses(void **state)
{
    (void)state;
    static char text[1 << 17], body[1 << 16];
    const char *formats[] = {"/bytes/%d?seed=3", "/stream-bytes/%d?seed=3&chunk_size=10",
                             "/stream-bytes/%d?seed=3&chunk_size=1000"};
    const int sizes[] = {0, 1, 9, 10, 11, 19, 20, 21, 1000, 4999};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof formats / sizeof *formats; j++) {
            for (size_t step = 1; step < 20000; step = step * 7 + 1) {
                char target[64];
                snprintf(target, sizeof target, formats[j], sizes[i]);
                size_t bytes = stream(target, GET, step, text, sizeof text);
                struct http http;
                begin(&http, false);
                assert_int_equal(http_feed(&http, text, bytes), bytes);
                assert_true(http.complete && http.keep_alive);
                assert_int_equal(http.status, 200);
                assert_int_equal(data_bytes, sizes[i]);
                if (j == 0)
                    memcpy(body, data_seen, data_bytes);
                assert_memory_equal(body, data_seen, data_bytes);
            }
        }
    }
}

static void check_status(const char *target, const char *request, const char *start, bool has_body)
{
    static char text[1 << 17];
    stream(target, request, SIZE_MAX, text, sizeof text);
    assert_ptr_equal(strstr(text, start), text);
    assert_int_equal(*(strstr(text, "\r\n\r\n") + 4) != '\0', has_body);
}

static void answers_what_it_is_asked(void **state)
{
    (void)state;
    check_status("/", GET, "HTTP/1.1 200 OK\r\n", true);
    check_status("http://example.org/bytes/7", GET, "HTTP/1.1 200 OK\r\n", true);
    check_status("/drip?delay=0.5&duration=1&numbytes=3&code=503", GET, "HTTP/1.1 503 \r\n", true);
    check_status("/status/418", GET, "HTTP/1.1 418 \r\n", false);
    check_status("/status/204", GET, "HTTP/1.1 204 \r\n", false);
    check_status("/bytes/100", "HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", false);
    check_status("/stream-bytes/9", "HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", false);
    const char *wrong[] = {"/bytes/",
                           "/bytes/1x",
                           "/bytes/-1",
                           "/bytes/1.5",
                           "/bytes/9999999999",
                           "/bytes/99999999999999999999",
                           "/status/100",
                           "/status/600",
                           "/delay/x",
                           "/delay/1e3",
                           "/delay/.",
                           "/delay/1.0000000001",
                           "/drip?numbytes=0",
                           "/drip?delay=-1",
                           "/drip?delay=3601",
                           "/drip?code=",
                           "/stream-bytes/1?chunk_size=0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_status(wrong[i], GET, "HTTP/1.1 400 Bad Request\r\n", true);
    const char *unknown[] = {"/nothing", "/dripp", "/drip/", "/bytes", "*", "", "http://host"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        check_status(unknown[i], GET, "HTTP/1.1 404 Not Found\r\n", true);

    assert_int_equal(response_to("/delay/0.25").delay_ns, 250000000);
    assert_int_equal(response_to("/delay/3600").delay_ns, 10000000000);
    assert_int_equal(response_to("/drip?delay=0.000000001").delay_ns, 1);
    assert_int_equal(response_to("/drip?other&duration=7&numbytes=99").duration_ns, 7000000000);
    assert_int_equal(response_to("/drip?other&duration=7&numbytes=99").body_bytes, 99);
}

static void assert_cores(pid_t pid, const cpu_set_t *expected)
{
    cpu_set_t cores;
    assert_int_equal(sched_getaffinity(pid, sizeof cores, &cores), 0);
    assert_true(CPU_EQUAL(&cores, expected));
}

static void origin_keeps_off(void **state)
{
    (void)state;
    char url[128], why[256];
    cpu_set_t all, one, rest;
    assert_int_equal(cpus_parse("all", &all, why, sizeof why), 0);
    assert_int_equal(cpus_parse("one", &one, why, sizeof why), 0);
    CPU_XOR(&rest, &all, &one);
    pid_t pid = origin_start(url, sizeof url, why, sizeof why);
    assert_true(pid > 0);
    assert_cores(pid, &all);
    origin_keep_off(pid, "one");
    assert_cores(pid, CPU_COUNT(&rest) ? &rest : &all);
    origin_keep_off(pid, "all");
    assert_cores(pid, &all);
    origin_stop(pid);
}

/* The real origin and the workload's own options. */
static void origin_and_fetch(void **state)
{
    (void)state;
    static char url[128];
    char why[256];
    pid_t pid = origin_start(url, sizeof url, why, sizeof why);
    assert_true(pid > 0);
    params.origin = url;
    static const char *const options[][4] = {
        {"latency=0"},
        {"latency=30ms"},
        {"latency=0", "chunked=yes"},
        {"latency=0", "duration=40ms"},
        {"latency=0", "chunked=yes", "duration=40ms"},
    };
    uint32_t digest = 0;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct step steps[PLAN_STEPS_MAX];
        set(options[i]);
        prepare();
        assert_int_equal(fetch->plan(0, steps), 1);
        uint64_t start_ns = clock_now_ns();
        struct result result = run(UINT32_MAX);
        assert_true(clock_now_ns() - start_ns >= steps[0].wait_ns);
        assert_int_equal(result.error, 0);
        assert_true(result.bytes_moved > 10240);
        digest = digest ? digest : result.digest;
        assert_int_equal(result.digest, digest);
    }
    origin_stop(pid);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(run(UINT32_MAX).error, ECONNREFUSED);

    params.origin = NULL;
    set((const char *[]){NULL});
    prepare();
    struct result result = {0};
    struct task *task = calloc(1, fetch->task_bytes);
    task->result = &result;
    assert_int_equal(fetch->init(task), -EDESTADDRREQ);
    task_free(task);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "origin") == 0)
        return origin_main(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_responses),           cmocka_unit_test(reads_requests),
        cmocka_unit_test(refuses_what_is_malformed), cmocka_unit_test(limits_the_head),
        cmocka_unit_test(fetches_however_it_comes),  cmocka_unit_test(names_what_went_wrong),
        cmocka_unit_test(fetches_large_bodies),      cmocka_unit_test(asks_properly),
        cmocka_unit_test(refuses_bad_urls),          cmocka_unit_test(releases_what_it_holds),
        cmocka_unit_test(heap_keeps_order),          cmocka_unit_test(streams_are_responses),
        cmocka_unit_test(answers_what_it_is_asked),  cmocka_unit_test(origin_and_fetch),
        cmocka_unit_test(origin_keeps_off),
    };
    return cmocka_run_group_tests(tests, find_fetch, NULL);
}
