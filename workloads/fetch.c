/*
 * fetch: each task gets one resource over HTTP/1.1 on a TCP connection of its own, and reads it
 * piece by piece: what most programs that wait, wait for. The resource comes from the built-in
 * origin, which answers after --latency, or from any --url. The digest is the Adler-32 of the body
 * followed by the three digits of the status.
 *
 * The catch: the server takes part. Its processor time is not the task's, but on the same cores it
 * gets in the way.
 */
#include "content.h"
#include "http.h"
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    /* A task that waits keeps only a small buffer. Once a receive fills it, more is at hand: then
     * it takes a large one until it has caught up, so that a body of 10 KiB needs two receives and
     * thousands of waiting tasks do not hold thousands of large buffers. */
    SMALL_BYTES = 512,
    LARGE_BYTES = 16 * 1024,

    CHUNK_BYTES = 1024, /* of the body with --chunked */

    /* A server that is silent, or never ends, must not keep a task forever. */
    TIMEOUT_SECONDS = 30, /* unless --timeout says otherwise */
    RESPONSE_BYTES_MAX = 1 << 30,
    BODY_BYTES_MAX = RESPONSE_BYTES_MAX / 2, /* that may be asked for */
};

static const char *url;
static uint64_t latency_ns, duration_ns, body_bytes;
static bool chunked;

static const struct setting settings[] = {
    {"url", 0, SETTING_TEXT, NULL, "URL", "fetch this (http:// only), not from the built-in origin",
     &url, 0, 0},
    {"latency", 0, SETTING_DURATION, "50ms", "TIME", "the origin waits so long before it answers",
     &latency_ns, 0, 3600e9},
    {"bytes", 0, SETTING_BYTES, "10KiB", "BYTES", "size of the origin's body", &body_bytes, 1,
     BODY_BYTES_MAX},
    {"duration", 0, SETTING_DURATION, "0", "TIME", "the origin spreads the body over so long",
     &duration_ns, 0, 3600e9},
    {"chunked", 0, SETTING_FLAG, NULL, NULL, "the origin sends chunks instead of a known length",
     &chunked, 0, 0},
    {0},
};

/* What all tasks share; made by fetch_prepare(). */
static struct {
    struct addrinfo *addresses;
    char *request;
    size_t request_bytes;
} server;

struct fetch {
    struct task task;
    const struct addrinfo *address; /* that is being tried */
    struct http http;
    size_t sent_bytes;
    char *large;     /* LARGE_BYTES, or NULL */
    int fd;          /* of the connection, or -1 */
    uint32_t digest; /* of the body so far */
    char small[SMALL_BYTES];
};

/* ---- The task ---- */

static uint64_t timeout_ns(void)
{
    return params.timeout_ns ? params.timeout_ns : UINT64_C(1000000000) * TIMEOUT_SECONDS;
}

static void on_body(struct http *http, const char *at, size_t bytes)
{
    struct fetch *fetch = (struct fetch *)(void *)((char *)http - offsetof(struct fetch, http));
    fetch->digest = adler32(fetch->digest, at, bytes);
}

/* Receives into the large buffer as long as the one before was filled. */
static struct op receive(struct fetch *fetch, bool filled)
{
    if (!filled) {
        free(fetch->large);
        fetch->large = NULL;
    } else if (!fetch->large) {
        fetch->large = malloc(LARGE_BYTES); /* without it the small one does */
    }
    return fetch->large ? op_recv(fetch->fd, fetch->large, LARGE_BYTES, timeout_ns())
                        : op_recv(fetch->fd, fetch->small, SMALL_BYTES, timeout_ns());
}

/* Takes in what a receive brought. Returns 0; the response may be complete then. Or an errno. */
static int take(struct fetch *fetch, int64_t received)
{
    if (received < 0)
        return (int)-received;
    if (received == 0)
        return -http_feed_end(&fetch->http);
    fetch->task.result->bytes_moved += (uint64_t)received;
    ssize_t taken = http_feed(&fetch->http, fetch->task.op.buffer, (size_t)received);
    if (taken < 0)
        return (int)-taken;
    if (fetch->http.head_complete && fetch->http.status / 100 != 2)
        return EREMOTEIO; /* redirects too: they are not followed */
    return fetch->task.result->bytes_moved > RESPONSE_BYTES_MAX ? EFBIG : 0;
}

static int fetch_init(struct task *task)
{
    struct fetch *fetch = (struct fetch *)task;
    fetch->fd = -1;
    fetch->address = server.addresses;
    if (!fetch->address)
        return -EDESTADDRREQ;
    fetch->digest = 1; /* where Adler-32 starts */
    http_begin(&fetch->http, false, on_body);
    return 0;
}

static void fetch_release(struct task *task)
{
    struct fetch *fetch = (struct fetch *)task;
    free(fetch->large);
    fetch->large = NULL;
    if (fetch->fd >= 0)
        close(fetch->fd);
    fetch->fd = -1;
}

static const struct op *fetch_body(struct task *task, int64_t result)
{
    struct fetch *fetch = (struct fetch *)task;
    int error = 0;
    TASK_BEGIN(task);

    /* A name may have several addresses (localhost: ::1 and 127.0.0.1): the first that answers. */
    for (;;) {
        AWAIT(task, op_connect(fetch->address->ai_addr, fetch->address->ai_addrlen, timeout_ns()));
        if (result >= 0 || !fetch->address->ai_next)
            break;
        fetch->address = fetch->address->ai_next;
    }
    error = result < 0 ? (int)-result : 0;
    fetch->fd = error ? -1 : (int)result;

    while (!error && fetch->sent_bytes < server.request_bytes) {
        AWAIT(task, op_send(fetch->fd, server.request + fetch->sent_bytes,
                            server.request_bytes - fetch->sent_bytes, timeout_ns()));
        error = result < 0 ? (int)-result : 0;
        if (!error)
            fetch->sent_bytes += (size_t)result;
    }
    task->result->bytes_moved = fetch->sent_bytes;

    result = 0;
    while (!error && !fetch->http.complete) {
        AWAIT(task, receive(fetch, result > 0 && (size_t)result == task->op.len));
        error = take(fetch, result);
    }

    fetch_release(task);
    char status[4];
    snprintf(status, sizeof status, "%03u", fetch->http.status % 1000u);
    task->result->digest = adler32(fetch->digest, status, 3);
    task->result->error = error;
    TASK_END(task);
}

/* ---- What all tasks share ---- */

struct url {
    char host[256]; /* without the brackets of an IPv6 address */
    char port[6];
    int authority_bytes; /* host and port as they stand in the URL, from `authority` */
    const char *authority;
    int target_bytes; /* path and query, from `target`, possibly without the leading slash */
    const char *target;
};

/* Takes a URL apart. Returns NULL, or what is wrong with it. */
static const char *split_url(const char *text, struct url *parts)
{
    static const char scheme[] = "http://";
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return "a character that must be percent-encoded";
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return "a scheme other than http://";

    parts->authority = text + strlen(scheme);
    size_t bytes = strcspn(parts->authority, "/?#");
    parts->authority_bytes = (int)bytes;
    parts->target = parts->authority + bytes;
    parts->target_bytes = (int)strcspn(parts->target, "#");
    if (memchr(parts->authority, '@', bytes))
        return "a user name";

    const char *end = parts->authority + bytes;
    const char *host = parts->authority, *host_end;
    if (*host == '[') {
        host++;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (!host_end)
            return "an address without its ']'";
    } else {
        host_end = memchr(host, ':', bytes);
        if (!host_end)
            host_end = end;
    }
    size_t host_bytes = (size_t)(host_end - host);
    if (host_bytes == 0 || host_bytes >= sizeof parts->host)
        return "no host name";
    memcpy(parts->host, host, host_bytes);
    parts->host[host_bytes] = '\0';

    const char *port = host_end + (*host_end == ']');
    unsigned long number = 80;
    if (port < end) {
        char *digits_end;
        number = strtoul(port + 1, &digits_end, 10);
        if (*port != ':' || digits_end != end || strspn(port + 1, "0123456789") == 0 ||
            number == 0 || number > 65535)
            return "no port number between 1 and 65535";
    }
    snprintf(parts->port, sizeof parts->port, "%lu", number);
    return NULL;
}

/* Makes `server` from the URL that `option` gave. Returns 0, or -1 with one line in `why`. */
static int prepare_url(const char *option, const char *text, char *why, size_t why_bytes)
{
    struct url parts;
    const char *fault = split_url(text, &parts);
    if (fault) {
        snprintf(why, why_bytes, "--%s has %s; it takes http://HOST[:PORT][/PATH][?QUERY]", option,
                 fault);
        return -1;
    }
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int failure = getaddrinfo(parts.host, parts.port, &hints, &server.addresses);
    if (failure) {
        server.addresses = NULL;
        snprintf(why, why_bytes, "cannot find the host '%s' of --%s: %s", parts.host, option,
                 gai_strerror(failure));
        return -1;
    }
    int bytes = asprintf(&server.request,
                         "GET %s%.*s HTTP/1.1\r\n"
                         "Host: %.*s\r\n"
                         "User-Agent: overlap\r\n"
                         "Accept: */*\r\n"
                         "Connection: close\r\n\r\n",
                         *parts.target == '/' ? "" : "/", parts.target_bytes, parts.target,
                         parts.authority_bytes, parts.authority);
    if (bytes < 0) {
        server.request = NULL;
        snprintf(why, why_bytes, "no memory for the request");
        return -1;
    }
    server.request_bytes = (size_t)bytes;
    return 0;
}

static int fetch_prepare(char *why, size_t why_bytes)
{
    if (server.addresses)
        freeaddrinfo(server.addresses);
    free(server.request);
    memset(&server, 0, sizeof server);

    if (url)
        return prepare_url("url", url, why, why_bytes);
    if (latency_ns >= timeout_ns()) {
        snprintf(why, why_bytes, "--latency of %g s must be less than the --timeout of %g s",
                 (double)latency_ns * 1e-9, (double)timeout_ns() * 1e-9);
        return -1;
    }
    if (!params.origin)
        return 0; /* enough for a plan; fetch_init() would fail */

    /* httpbin's paths, though its /stream-bytes knows neither delay nor duration. */
    const uint64_t second = 1000000000;
    char path[128], text[512];
    if (chunked)
        snprintf(path, sizeof path, "/stream-bytes/%" PRIu64 "?chunk_size=%d&", body_bytes,
                 CHUNK_BYTES);
    else
        snprintf(path, sizeof path, "/drip?numbytes=%" PRIu64 "&", body_bytes);
    size_t origin_bytes = strlen(params.origin);
    if (origin_bytes > 0 && params.origin[origin_bytes - 1] == '/')
        origin_bytes--;
    snprintf(text, sizeof text,
             "%.*s%sdelay=%" PRIu64 ".%09" PRIu64 "&duration=%" PRIu64 ".%09" PRIu64,
             (int)origin_bytes, params.origin, path, latency_ns / second, latency_ns % second,
             duration_ns / second, duration_ns % second);
    return prepare_url("origin", text, why, why_bytes);
}

static bool fetch_wants_origin(void)
{
    return !url;
}

static unsigned fetch_plan(uint32_t id, struct step *steps)
{
    (void)id;
    if (url)
        return 0;
    steps[0] = (struct step){.wait_ns = latency_ns + duration_ns};
    return 1;
}

WORKLOAD(fetch) = {
    .name = "fetch",
    .summary = "gets 10 KiB over HTTP, from an origin that answers after 50 ms, or from any --url",
    .task_bytes = sizeof(struct fetch),
    .settings = settings,
    .wants_origin = fetch_wants_origin,
    .prepare = fetch_prepare,
    .init = fetch_init,
    .body = fetch_body,
    .release = fetch_release,
    .plan = fetch_plan,
};
