// Floating-point loops over arrays: the product of two matrices of 192 x 192 doubles, n times.
#include "kernel.h"

#define SIZE 192

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) c[i][j] = 0;
        for (int k = 0; k < SIZE; k++) {
            double left = a[i][k];
            for (int j = 0; j < SIZE; j++) c[i][j] += left * b[k][j];
        }
    }
}

i64 run(i32 n)
{
    u32 random = 7;
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (double)(next_random(&random) & 0xffff) / 65536.0 - 0.5;
            b[i][j] = (double)(next_random(&random) & 0xffff) / 65536.0 - 0.5;
        }
    }
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        multiply();
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) {
                hash = mix(hash, bits_of(c[i][j]));
                b[i][j] = c[i][j] * 0.0625;
            }
        }
    }
    return (i64)hash;
}
