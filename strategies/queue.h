/* A queue, first in first out, of nodes that lie within the caller's own structs. */
#ifndef OVERLAP_QUEUE_H
#define OVERLAP_QUEUE_H

#include <stddef.h>

struct queue_node {
    struct queue_node *next;
};

struct queue {
    struct queue_node *first, **last; /* last: where the next one is hung up */
    unsigned count;
};

/* Makes it empty. It must stay where it is as long as it is used. */
static inline void queue_init(struct queue *queue)
{
    *queue = (struct queue){.last = &queue->first};
}

/* Adds a node that is in no queue; it must stay where it is until it is popped. */
static inline void queue_push(struct queue *queue, struct queue_node *node)
{
    node->next = NULL;
    *queue->last = node;
    queue->last = &node->next;
    queue->count++;
}

/* Takes the oldest node out; NULL when there is none. */
static inline struct queue_node *queue_pop(struct queue *queue)
{
    struct queue_node *node = queue->first;
    if (!node)
        return NULL;
    queue->first = node->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->count--;
    return node;
}

#endif
