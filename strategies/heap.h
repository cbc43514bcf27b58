/*
 * A queue of deadlines: a 4-ary min-heap of intrusive nodes. Pushing and removing take O(log n),
 * any node can be removed, and nothing is allocated per node. The keys are kept in the array beside
 * the pointers, so that comparing never visits a node, and four children lie side by side: libev's
 * own heap (ev.c, "4-heap") for the same reasons. Nodes of equal key come out in no particular
 * order.
 */
#ifndef OVERLAP_HEAP_H
#define OVERLAP_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Lies within the caller's own struct. All zero: in no heap. */
struct heap_node {
    uint64_t key;  /* set by the caller before heap_push(), not changed while in the heap */
    uint32_t slot; /* its place in the heap, from 1; 0: in none */
};

struct heap_slot {
    uint64_t key; /* that of the node */
    struct heap_node *node;
};

/* All zero: empty, ready for use. */
struct heap {
    struct heap_slot *slots;
    uint32_t count;
    uint32_t capacity;
};

/* Makes room for `count` nodes, so that no heap_push() up to there can fail. 0 or -ENOMEM. */
int heap_reserve(struct heap *heap, uint32_t count);

/* Adds a node that is in no heap; it must stay where it is until it is removed. 0 or -ENOMEM. */
int heap_push(struct heap *heap, struct heap_node *node);

/* Takes the node out; does nothing when it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* Frees the array. The nodes belong to the caller and are not visited. */
void heap_drop(struct heap *heap);

/* The node with the smallest key, which stays in the heap; NULL when there is none. */
static inline struct heap_node *heap_top(const struct heap *heap)
{
    return heap->count ? heap->slots[0].node : NULL;
}

#endif
