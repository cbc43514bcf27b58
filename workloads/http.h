/*
 * HTTP/1.x messages, read piece by piece as they arrive: the thinnest layer over a well-kept
 * parser, llhttp or the older http_parser, whichever the system has. It stops at the end of a
 * message, limits the size of its head, and skips interim (1xx) responses. The two differ only in
 * how much malformed input they forgive.
 */
#ifndef OVERLAP_HTTP_H
#define OVERLAP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if __has_include(<llhttp.h>)
#include <llhttp.h>
#define HTTP_USES_LLHTTP 1
typedef llhttp_t http_native;
#else
#include <http_parser.h>
#define HTTP_USES_LLHTTP 0
typedef http_parser http_native;
#endif

enum { HTTP_HEAD_BYTES_MAX = 16 * 1024 }; /* start line and header fields together */

struct http {
    http_native parser;
    void (*data)(struct http *http, const char *at, size_t bytes);
    uint32_t head_bytes; /* read so far */
    uint16_t status;     /* of a response, once head_complete */
    uint8_t method;      /* of a request, once head_complete: HTTP_GET, HTTP_HEAD, ... */
    uint8_t minor;       /* version 1.minor, once head_complete */
    bool is_request;
    bool head_complete;
    bool keep_alive; /* the connection may carry another message; once head_complete */
    bool complete;   /* the whole message was read */
};

/* Begins a new message. Its data is handed over as it arrives: of a request the target (path and
 * query), of a response the body without its chunk framing. Nothing needs to be released. */
void http_begin(struct http *http, bool is_request,
                void (*data)(struct http *http, const char *at, size_t bytes));

/* Reads the next `bytes` of the message. Returns how many it took: all, or fewer once the message
 * is complete. -EPROTO: malformed, or not HTTP/1. -ENOTSUP: a request whose method the parser does
 * not know. -EMSGSIZE: the head is too large. After an error only http_begin() may follow. */
ssize_t http_feed(struct http *http, const char *at, size_t bytes);

/* The peer has ended the stream, which is how some bodies end. 0: the message is complete. -EPROTO:
 * it is cut short. */
int http_feed_end(struct http *http);

#endif
