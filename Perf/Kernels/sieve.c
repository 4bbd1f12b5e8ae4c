// Byte stores with a stride: the sieve of Eratosthenes below 4,000,000, n times.
#include "kernel.h"

#define LIMIT 4000000

static u8 composite[LIMIT];

i64 run(i32 n)
{
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
        u32 count = 0, last = 0;
        for (u32 i = 2; i < LIMIT; i++) {
            if (composite[i]) continue;
            count++;
            last = i;
            if (i <= 2000)
                for (u32 j = i * i; j < LIMIT; j += i) composite[j] = 1;
        }
        hash = mix(hash, (u64)count << 32 | last);
    }
    return (i64)hash;
}
