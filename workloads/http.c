/*
 * See http.h. Both parsers come from the same hands and call back alike; only how they are started,
 * stopped and asked differs.
 */
#include "http.h"

#include <errno.h>

#if HTTP_USES_LLHTTP
typedef llhttp_settings_t callbacks;
enum { STOP = HPE_PAUSED };
#define should_keep_alive llhttp_should_keep_alive
#else
typedef http_parser_settings callbacks;
enum { STOP = 1 };
#define should_keep_alive http_should_keep_alive
#endif

/* ---- What the parser calls ---- */

static struct http *of(http_native *parser)
{
    return (struct http *)parser; /* its first member */
}

static int on_data(http_native *parser, const char *at, size_t bytes)
{
    of(parser)->data(of(parser), at, bytes);
    return 0;
}

static int on_head_complete(http_native *parser)
{
    struct http *http = of(parser);
    if (parser->http_major != 1)
        return -1;
    parser->upgrade = 0; /* offers to change the protocol are declined by going on */
    http->status = (uint16_t)parser->status_code;
    http->method = (uint8_t)parser->method;
    http->minor = (uint8_t)parser->http_minor;
    http->keep_alive = should_keep_alive(parser);
    http->head_complete = true;
    return 0;
}

static int on_complete(http_native *parser)
{
    of(parser)->complete = true;
    return STOP;
}

static const callbacks request_callbacks = {
    .on_url = on_data,
    .on_headers_complete = on_head_complete,
    .on_message_complete = on_complete,
};

static const callbacks response_callbacks = {
    .on_body = on_data,
    .on_headers_complete = on_head_complete,
    .on_message_complete = on_complete,
};

/* ---- Calling the parser ---- */

static const callbacks *callbacks_of(const struct http *http)
{
    return http->is_request ? &request_callbacks : &response_callbacks;
}

#if HTTP_USES_LLHTTP

static void start(struct http *http)
{
    llhttp_init(&http->parser, http->is_request ? HTTP_REQUEST : HTTP_RESPONSE, callbacks_of(http));
}

/* Parses, at most to the end of the message. Returns as http_feed() does. */
static ssize_t execute(struct http *http, const char *at, size_t bytes)
{
    switch (llhttp_execute(&http->parser, at, bytes)) {
    case HPE_OK:
        return (ssize_t)bytes;
    case HPE_PAUSED:
        return llhttp_get_error_pos(&http->parser) - at;
    case HPE_INVALID_METHOD:
        return -ENOTSUP;
    default:
        return -EPROTO;
    }
}

static void finish(struct http *http)
{
    llhttp_finish(&http->parser);
}

#else

static void start(struct http *http)
{
    http_parser_init(&http->parser, http->is_request ? HTTP_REQUEST : HTTP_RESPONSE);
}

static ssize_t execute(struct http *http, const char *at, size_t bytes)
{
    size_t taken = http_parser_execute(&http->parser, callbacks_of(http), at, bytes);
    switch (HTTP_PARSER_ERRNO(&http->parser)) {
    case HPE_OK:
    case HPE_CB_message_complete:
        return (ssize_t)taken;
    case HPE_INVALID_METHOD:
        return -ENOTSUP;
    case HPE_HEADER_OVERFLOW: /* of trailers, which http_feed() does not count */
        return -EMSGSIZE;
    default:
        return -EPROTO;
    }
}

static void finish(struct http *http)
{
    execute(http, NULL, 0);
}

#endif

void http_begin(struct http *http, bool is_request,
                void (*data)(struct http *http, const char *at, size_t bytes))
{
    *http = (struct http){.is_request = is_request, .data = data};
    start(http);
}

/* 100 Continue and its like announce the response; 101 would be one, had we asked for it. */
static bool is_interim(const struct http *http)
{
    return !http->is_request && http->status / 100 == 1 && http->status != 101;
}

ssize_t http_feed(struct http *http, const char *at, size_t bytes)
{
    size_t taken = 0;
    while (taken < bytes && !http->complete) {
        bool in_head = !http->head_complete;
        size_t piece = bytes - taken;
        if (in_head && piece > HTTP_HEAD_BYTES_MAX - http->head_bytes)
            piece = HTTP_HEAD_BYTES_MAX - http->head_bytes;
        ssize_t got = execute(http, at + taken, piece);
        if (got < 0)
            return got;
        taken += (size_t)got;
        if (in_head)
            http->head_bytes += (uint32_t)got;
        if (!http->head_complete && http->head_bytes == HTTP_HEAD_BYTES_MAX)
            return -EMSGSIZE;
        if (http->complete && is_interim(http)) {
            http->head_complete = http->complete = false;
            start(http);
        }
    }
    return (ssize_t)taken;
}

int http_feed_end(struct http *http)
{
    if (!http->complete)
        finish(http);
    return http->complete ? 0 : -EPROTO;
}
