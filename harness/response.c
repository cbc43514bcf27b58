/*
 * See response.h. The paths and their parameters are httpbin's.
 */
#include "response.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATTERN_BYTES = 64 * 1024 };

#define SECOND_NS      UINT64_C(1000000000)
#define DELAY_MAX_NS   (3600 * SECOND_NS)
#define BODY_BYTES_MAX (UINT64_C(1) << 30)

/* ---- What is asked for, and the response to it ---- */

/* A number in a target: seconds with up to nine decimals, kept in nanoseconds, or a whole one. */
struct number {
    bool is_time;
    uint64_t min, max;
    const char *fault; /* what to say of any other; NULL: there is no number here */
};

static bool read_digits(const char **text, const char *end, size_t most, uint64_t *number)
{
    const char *start = *text;
    for (; *text < end && **text >= '0' && **text <= '9'; ++*text) {
        if ((size_t)(*text - start) == most)
            return false;
        *number = *number * 10 + (uint64_t)(**text - '0');
    }
    return *text > start;
}

static bool read_number(const struct number *kind, const char *text, const char *end,
                        uint64_t *number)
{
    uint64_t value = 0, fraction = 0;
    if (!read_digits(&text, end, 10, &value))
        return false;
    if (kind->is_time) {
        value *= SECOND_NS;
        if (text < end && *text == '.') {
            const char *start = ++text;
            if (!read_digits(&text, end, 9, &fraction))
                return false;
            for (ptrdiff_t digits = text - start; digits < 9; digits++)
                fraction *= 10;
        }
    }
    *number = value + fraction;
    return text == end && *number >= kind->min && *number <= kind->max;
}

/* The parameters of all paths; what a path does not use is passed over. */
struct query {
    uint64_t delay_ns, duration_ns, bytes, chunk_bytes, seed, code;
};

#define IN_QUERY(member) offsetof(struct query, member)
static const struct parameter {
    const char *name;
    size_t offset;
    struct number kind;
} parameters[] = {
    {"delay", IN_QUERY(delay_ns), {true, 0, DELAY_MAX_NS, "delay takes seconds, up to 3600\n"}},
    {"duration",
     IN_QUERY(duration_ns),
     {true, 0, DELAY_MAX_NS, "duration takes seconds, up to 3600\n"}},
    {"numbytes", IN_QUERY(bytes), {false, 1, BODY_BYTES_MAX, "numbytes takes 1 to 1073741824\n"}},
    {"chunk_size",
     IN_QUERY(chunk_bytes),
     {false, 1, BODY_BYTES_MAX, "chunk_size takes 1 to 1073741824\n"}},
    {"seed", IN_QUERY(seed), {false, 0, UINT32_MAX, "seed takes 0 to 4294967295\n"}},
    {"code", IN_QUERY(code), {false, 200, 599, "code takes 200 to 599\n"}},
};

/* Reads "name=value&name=value". Returns NULL, or what is wrong. */
static const char *read_query(const char *text, struct query *query)
{
    while (*text) {
        const char *end = text + strcspn(text, "&");
        for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
            const struct parameter *parameter = &parameters[i];
            size_t length = strlen(parameter->name);
            uint64_t *number = (uint64_t *)(void *)((char *)query + parameter->offset);
            if (strncmp(text, parameter->name, length) == 0 && text[length] == '=' &&
                !read_number(&parameter->kind, text + length + 1, end, number))
                return parameter->kind.fault;
        }
        text = *end ? end + 1 : end;
    }
    return NULL;
}

struct response response_text(unsigned code, const char *text)
{
    return (struct response){.code = code,
                             .type = "text/plain",
                             .body = text,
                             .body_period = strlen(text),
                             .body_bytes = strlen(text)};
}

/* What bodies are made of: printable, and without a period that a lost piece could hide in. */
static const char *pattern(void)
{
    static char text[PATTERN_BYTES];
    uint32_t random = 1;
    for (size_t i = 0; i < PATTERN_BYTES && !text[PATTERN_BYTES - 1]; i++) {
        random = random * 1664525u + 1013904223u;
        text[i] = (char)('0' + (random >> 26)); /* '0' to 'o' */
    }
    return text;
}

static struct response answer_bytes(uint64_t bytes, const struct query *query)
{
    return (struct response){.code = (unsigned)query->code,
                             .type = "application/octet-stream",
                             .body = pattern(),
                             .body_period = PATTERN_BYTES,
                             .body_phase = query->seed % PATTERN_BYTES,
                             .body_bytes = bytes};
}

static struct response answer_drip(uint64_t number, const struct query *query)
{
    (void)number;
    return answer_bytes(query->bytes, query);
}

static struct response answer_stream(uint64_t bytes, const struct query *query)
{
    struct response response = answer_bytes(bytes, query);
    response.chunk_bytes = query->chunk_bytes;
    return response;
}

static struct response answer_delay(uint64_t delay_ns, const struct query *query)
{
    (void)query;
    struct response response = response_text(200, "awake\n");
    response.delay_ns = delay_ns < 10 * SECOND_NS ? delay_ns : 10 * SECOND_NS;
    return response;
}

static struct response answer_status(uint64_t code, const struct query *query)
{
    (void)query;
    return response_text((unsigned)code, "");
}

static struct response answer_help(uint64_t number, const struct query *query)
{
    (void)number, (void)query;
    return response_text(
        200,
        "overlap origin\n\n"
        "/drip?delay=S&duration=S&numbytes=N&code=C   N bytes after, and over, so many seconds\n"
        "/delay/S                                     an answer after S seconds, at most 10\n"
        "/bytes/N?seed=K                              N bytes\n"
        "/stream-bytes/N?chunk_size=B&seed=K          N bytes in chunks of B\n"
        "/status/C                                    an answer with status C\n\n"
        "Bodies are the same every time. Every path takes delay and duration.\n");
}

static const struct path {
    const char *name;
    struct number kind;   /* of the number behind it */
    uint64_t duration_ns; /* unless the query says so */
    struct response (*answer)(uint64_t number, const struct query *query);
} paths[] = {
    {"/", {0}, 0, answer_help},
    {"/drip", {0}, 2 * SECOND_NS, answer_drip},
    {"/delay/", {true, 0, DELAY_MAX_NS, "/delay/ takes seconds, up to 3600\n"}, 0, answer_delay},
    {"/bytes/", {false, 0, BODY_BYTES_MAX, "/bytes/ takes 0 to 1073741824\n"}, 0, answer_bytes},
    {"/stream-bytes/",
     {false, 0, BODY_BYTES_MAX, "/stream-bytes/ takes 0 to 1073741824\n"},
     0,
     answer_stream},
    {"/status/", {false, 200, 599, "/status/ takes 200 to 599\n"}, 0, answer_status},
};

/* The path that the first `bytes` of a target name, and the number behind it if there is one. */
static const struct path *find_path(const char *target, size_t bytes, const char **number)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t length = strlen(paths[i].name);
        *number = target + length;
        if (bytes >= length && memcmp(target, paths[i].name, length) == 0 &&
            (bytes == length || paths[i].kind.fault))
            return &paths[i];
    }
    return NULL;
}

struct response response_to(const char *target)
{
    if (*target != '/') { /* "http://host/path", as proxies are asked */
        const char *host = strstr(target, "://");
        target = host ? host + 3 + strcspn(host + 3, "/") : target;
    }
    size_t bytes = strcspn(target, "?");
    const char *number_text;
    const struct path *path = find_path(target, bytes, &number_text);
    if (!path)
        return response_text(404, "no such path; / lists them\n");

    uint64_t number = 0;
    if (path->kind.fault && !read_number(&path->kind, number_text, target + bytes, &number))
        return response_text(400, path->kind.fault);
    struct query query = {.code = 200,
                          .bytes = 10,
                          .chunk_bytes = 10240,
                          .duration_ns = path->duration_ns}; /* as httpbin's */
    const char *fault = read_query(target + bytes + (target[bytes] == '?'), &query);
    if (fault)
        return response_text(400, fault);
    struct response response = path->answer(number, &query);
    response.delay_ns += query.delay_ns;
    response.duration_ns = query.duration_ns;
    return response;
}

/* ---- The stream of a response ---- */

static struct iovec body_at(const struct response *response, uint64_t offset, uint64_t most)
{
    size_t at = (size_t)((response->body_phase + offset) % response->body_period);
    size_t bytes = response->body_period - at;
    return (struct iovec){(char *)response->body + at, bytes < most ? bytes : (size_t)most};
}

/* A chunk's closing CRLF stands at the front of the next line; the first one ends the head. */
struct iovec response_at(const struct response *response, uint64_t offset)
{
    static const char end[] = "\r\n0\r\n\r\n";
    if (offset < response->head_bytes)
        return (struct iovec){(char *)response->head + offset, response->head_bytes - offset};
    offset -= response->head_bytes;
    if (!response->chunk_bytes)
        return body_at(response, offset, response->body_bytes - offset);

    size_t line_bytes = strlen(response->full_line);
    uint64_t frame_bytes = line_bytes + response->chunk_bytes;
    uint64_t full = response->body_bytes / response->chunk_bytes;
    uint64_t rest_bytes = response->body_bytes % response->chunk_bytes;
    uint64_t chunk = offset / frame_bytes;
    uint64_t chunk_bytes = response->chunk_bytes;
    const char *line = response->full_line;
    if (chunk >= full) {
        chunk = full;
        chunk_bytes = rest_bytes;
        line = rest_bytes ? response->rest_line : "";
        line_bytes = strlen(line);
    }
    offset -= chunk * frame_bytes;
    if (offset < line_bytes)
        return (struct iovec){(char *)line + offset, line_bytes - offset};
    offset -= line_bytes;
    if (offset < chunk_bytes)
        return body_at(response, chunk * response->chunk_bytes + offset, chunk_bytes - offset);
    offset -= chunk_bytes;
    return (struct iovec){(char *)end + offset, strlen(end) - offset};
}

static uint64_t stream_bytes(const struct response *response)
{
    if (!response->chunk_bytes)
        return response->head_bytes + response->body_bytes;
    uint64_t full = response->body_bytes / response->chunk_bytes;
    uint64_t rest = response->body_bytes % response->chunk_bytes;
    return response->head_bytes + response->body_bytes + full * strlen(response->full_line) +
           (rest ? strlen(response->rest_line) : 0) + strlen("\r\n0\r\n\r\n");
}

/* ---- The head of a response ---- */

static const char *reason_of(unsigned code)
{
    switch (code) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    default:
        return ""; /* of /status/ and code=; the phrase is optional */
    }
}

/* The time as HTTP writes it, written anew once a second. */
static const char *date_text(void)
{
    static char text[40];
    static time_t written;
    time_t now = time(NULL);
    if (now != written) {
        struct tm utc;
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
        written = now;
    }
    return text;
}

void response_prepare(struct response *response, const struct http *request, char *head)
{
    bool has_body = response->code != 204 && response->code != 304;
    if (request->minor == 0)
        response->chunk_bytes = 0; /* HTTP/1.0 knows no chunks */
    if (!request->keep_alive)
        response->close_after = true;

    char body_lines[128] = "";
    if (has_body && response->chunk_bytes)
        snprintf(body_lines, sizeof body_lines,
                 "Content-Type: %s\r\nTransfer-Encoding: chunked\r\n", response->type);
    else if (has_body)
        snprintf(body_lines, sizeof body_lines,
                 "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", response->type,
                 response->body_bytes);
    if (!has_body || (request->head_complete && request->method == HTTP_HEAD))
        response->body_bytes = response->chunk_bytes = 0;
    if (response->chunk_bytes) {
        snprintf(response->full_line, sizeof response->full_line, "\r\n%" PRIx64 "\r\n",
                 response->chunk_bytes);
        snprintf(response->rest_line, sizeof response->rest_line, "\r\n%" PRIx64 "\r\n",
                 response->body_bytes % response->chunk_bytes);
    }
    int bytes = snprintf(head, RESPONSE_HEAD_BYTES, "HTTP/1.1 %u %s\r\nDate: %s\r\n%s%s%s%s",
                         response->code, reason_of(response->code), date_text(),
                         response->code == 405 ? "Allow: GET, HEAD\r\n" : "", body_lines,
                         response->close_after ? "Connection: close\r\n"
                         : request->minor == 0 ? "Connection: keep-alive\r\n"
                                               : "",
                         response->chunk_bytes ? "" : "\r\n");
    response->head = head;
    response->head_bytes = (size_t)bytes;
    response->total_bytes = stream_bytes(response);
}
