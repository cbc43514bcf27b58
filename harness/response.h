/*
 * What the origin answers: the paths that it knows, and responses as streams of bytes that exist
 * nowhere. Any part of such a stream (head, body, chunk framing) is found by its offset, so a large
 * body takes no memory, and whoever sends it needs to remember nothing but how far it has come.
 */
#ifndef OVERLAP_RESPONSE_H
#define OVERLAP_RESPONSE_H

#include "http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { RESPONSE_HEAD_BYTES = 512 }; /* of the longest head */

struct response {
    unsigned code;
    const char *type; /* Content-Type */
    const char *body; /* `body_period` bytes, repeated, from `body_phase` on */
    size_t body_period, body_phase;
    uint64_t body_bytes;
    uint64_t chunk_bytes; /* 0: not chunked */
    uint64_t delay_ns;    /* from the end of the request to the head */
    uint64_t duration_ns; /* from there to the end of the body */
    bool close_after;     /* it is the last one on its connection */

    /* Set by response_prepare(): */
    const char *head;
    size_t head_bytes;
    uint64_t total_bytes;              /* of the stream */
    char full_line[24], rest_line[24]; /* before a chunk: "\r\n", its size in hex, "\r\n" */
};

/* The response to GET of a target (path and query); an error when it makes no sense. */
struct response response_to(const char *target);

/* One that says `text`, which must live as long as the response. */
struct response response_text(unsigned code, const char *text);

/* Fits the response to its request and writes its head into `head`, of RESPONSE_HEAD_BYTES, which
 * must live as long as the response. */
void response_prepare(struct response *response, const struct http *request, char *head);

/* Where the stream goes on at `offset` < total_bytes, and how far that piece of memory reaches. */
struct iovec response_at(const struct response *response, uint64_t offset);

#endif
