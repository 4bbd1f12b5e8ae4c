// SIMD: dot products of 16,384 floats and of 32,768 signed 16-bit integers, n times.
#include "kernel.h"
#include <wasm_simd128.h>

#define FLOATS 16384
#define SHORTS 32768

static float x[FLOATS], y[FLOATS];
static short u[SHORTS], v[SHORTS];

static NOINLINE float dot_floats(void)
{
    v128_t sum0 = wasm_f32x4_splat(0), sum1 = sum0;
    for (u32 i = 0; i < FLOATS; i += 8) {
        sum0 = wasm_f32x4_add(sum0, wasm_f32x4_mul(wasm_v128_load(x + i), wasm_v128_load(y + i)));
        sum1 = wasm_f32x4_add(sum1, wasm_f32x4_mul(wasm_v128_load(x + i + 4), wasm_v128_load(y + i + 4)));
    }
    sum0 = wasm_f32x4_add(sum0, sum1);
    return wasm_f32x4_extract_lane(sum0, 0) + wasm_f32x4_extract_lane(sum0, 1) + wasm_f32x4_extract_lane(sum0, 2)
        + wasm_f32x4_extract_lane(sum0, 3);
}

static NOINLINE u32 dot_shorts(void)
{
    v128_t sum = wasm_i32x4_splat(0);
    for (u32 i = 0; i < SHORTS; i += 8)
        sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_v128_load(u + i), wasm_v128_load(v + i)));
    return (u32)(wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2)
        + wasm_i32x4_extract_lane(sum, 3));
}

i64 run(i32 n)
{
    u32 random = 31;
    for (u32 i = 0; i < FLOATS; i++) {
        x[i] = (float)(next_random(&random) & 0xfff) / 4096.0f - 0.5f;
        y[i] = (float)(next_random(&random) & 0xfff) / 4096.0f - 0.5f;
    }
    for (u32 i = 0; i < SHORTS; i++) {
        u[i] = (short)(next_random(&random) % 2001 - 1000);
        v[i] = (short)(next_random(&random) % 2001 - 1000);
    }
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        union { float f; u32 u; } result = { dot_floats() };
        hash = mix(hash, result.u);
        hash = mix(hash, dot_shorts());
        x[round % FLOATS] += 0.25f;
        u[round % SHORTS] ^= 1;
    }
    return (i64)hash;
}
