/* What workloads share: their parameters and their random numbers. */
#include "workload.h"

struct params params;

uint32_t workload_random(uint64_t seed, uint32_t id, uint32_t salt)
{
    /* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
    uint64_t z = seed + 0x9e3779b97f4a7c15u * (((uint64_t)salt << 32 | id) + 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}
