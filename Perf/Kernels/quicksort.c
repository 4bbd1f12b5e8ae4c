// Data-dependent branches and recursion: quicksort of 200,000 numbers, n times.
#include "kernel.h"

#define COUNT 200000

static i32 items[COUNT];

static NOINLINE void sort(i32 *low, i32 *high)
{
    while (high - low > 16) {
        i32 *middle = low + (high - low) / 2;
        i32 a = *low, b = *middle, c = *high;
        i32 pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        i32 *left = low, *right = high;
        while (left <= right) {
            while (*left < pivot) left++;
            while (*right > pivot) right--;
            if (left > right) break;
            i32 swap = *left;
            *left++ = *right;
            *right-- = swap;
        }
        if (right - low < high - left) {
            sort(low, right);
            low = left;
        } else {
            sort(left, high);
            high = right;
        }
    }
    for (i32 *at = low + 1; at <= high; at++) {
        i32 value = *at;
        i32 *to = at;
        for (; to > low && to[-1] > value; to--) *to = to[-1];
        *to = value;
    }
}

i64 run(i32 n)
{
    u32 random = 12345;
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        for (int i = 0; i < COUNT; i++) items[i] = (i32)next_random(&random);
        sort(items, items + COUNT - 1);
        for (int i = 0; i < COUNT; i++) hash = mix(hash, (u32)items[i]);
    }
    return (i64)hash;
}
