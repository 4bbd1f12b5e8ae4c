// Copies of all sizes: memory.copy and memory.fill, and loops over bytes and words, n rounds over 1 MiB.
#include "kernel.h"

#define SIZE (1 << 20)

static u8 from[SIZE], to[SIZE];

static NOINLINE void copy_bytes(u8 *target, const u8 *source, u32 count)
{
    for (u32 i = 0; i < count; i++) target[i] = source[i];
}

static NOINLINE void copy_words(u64 *target, const u64 *source, u32 count)
{
    for (u32 i = 0; i < count; i++) target[i] = source[i];
}

i64 run(i32 n)
{
    u32 random = 5;
    for (u32 i = 0; i < SIZE; i++) from[i] = (u8)next_random(&random);
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        __builtin_memset(to, round, SIZE);
        // Small blocks of varying sizes, as strings and structures are copied.
        u32 at = 0;
        while (at < SIZE / 4) {
            u32 size = 1 + next_random(&random) % 200;
            __builtin_memcpy(to + at, from + at + round % 64, size);
            at += size;
        }
        copy_bytes(to + SIZE / 4, from + SIZE / 4 + 1, SIZE / 4);
        copy_words((u64 *)(to + SIZE / 2), (const u64 *)(from + SIZE / 2), SIZE / 4 / 8);
        __builtin_memmove(to + SIZE / 2 + 12345, to + SIZE / 2, SIZE / 4);
        __builtin_memcpy(from, to, SIZE);
        for (u32 i = 0; i < SIZE; i += 509) hash = hash * 31 + from[i];
    }
    return (i64)mix(hash, 0);
}
