/*
 * The queue of deadlines; see heap.h. Slot i has the children 4i + 1 ... 4i + 4.
 */
#include "heap.h"

#include <errno.h>
#include <stdlib.h>

enum { CHILDREN = 4, CAPACITY_MIN = 64 };

static void place(struct heap *heap, uint32_t i, struct heap_slot slot)
{
    heap->slots[i] = slot;
    slot.node->slot = i + 1;
}

/* Puts `slot` at i or nearer to the top, wherever order wants it. */
static void sift_up(struct heap *heap, uint32_t i, struct heap_slot slot)
{
    while (i) {
        uint32_t parent = (i - 1) / CHILDREN;
        if (heap->slots[parent].key <= slot.key)
            break;
        place(heap, i, heap->slots[parent]);
        i = parent;
    }
    place(heap, i, slot);
}

/* Puts `slot` at i or further from the top. */
static void sift_down(struct heap *heap, uint32_t i, struct heap_slot slot)
{
    for (;;) {
        uint64_t first = (uint64_t)i * CHILDREN + 1;
        if (first >= heap->count)
            break;
        uint32_t end = heap->count - first < CHILDREN ? heap->count : (uint32_t)first + CHILDREN;
        uint32_t least = (uint32_t)first;
        for (uint32_t child = least + 1; child < end; child++)
            if (heap->slots[child].key < heap->slots[least].key)
                least = child;
        if (slot.key <= heap->slots[least].key)
            break;
        place(heap, i, heap->slots[least]);
        i = least;
    }
    place(heap, i, slot);
}

int heap_reserve(struct heap *heap, uint32_t count)
{
    if (count <= heap->capacity)
        return 0;
    struct heap_slot *slots = reallocarray(heap->slots, count, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    heap->slots = slots;
    heap->capacity = count;
    return 0;
}

int heap_push(struct heap *heap, struct heap_node *node)
{
    if (heap->count == heap->capacity &&
        heap_reserve(heap, heap->capacity ? 2 * heap->capacity : CAPACITY_MIN) < 0)
        return -ENOMEM;
    sift_up(heap, heap->count++, (struct heap_slot){node->key, node});
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (!node->slot)
        return;
    uint32_t i = node->slot - 1;
    node->slot = 0;
    struct heap_slot last = heap->slots[--heap->count];
    if (i == heap->count)
        return;
    /* The last one fills the gap; it may belong above or below it. */
    if (i && last.key < heap->slots[(i - 1) / CHILDREN].key)
        sift_up(heap, i, last);
    else
        sift_down(heap, i, last);
}

void heap_drop(struct heap *heap)
{
    free(heap->slots);
    *heap = (struct heap){0};
}
