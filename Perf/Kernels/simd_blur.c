// SIMD: a 3 x 3 binomial blur of a grey image of 1024 x 512 in 16-bit arithmetic, n times.
#include "kernel.h"
#include <wasm_simd128.h>

#define WIDTH 1024
#define HEIGHT 512

static u8 image[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];

static inline v128_t row_low(const u8 *at)
{
    v128_t left = wasm_u16x8_load8x8(at - 1), middle = wasm_u16x8_load8x8(at), right = wasm_u16x8_load8x8(at + 1);
    return wasm_i16x8_add(wasm_i16x8_add(left, right), wasm_i16x8_shl(middle, 1));
}

static inline v128_t column(const u8 *at)
{
    v128_t above = row_low(at - WIDTH), here = row_low(at), below = row_low(at + WIDTH);
    v128_t sum = wasm_i16x8_add(wasm_i16x8_add(above, below), wasm_i16x8_shl(here, 1));
    return wasm_u16x8_shr(wasm_i16x8_add(sum, wasm_i16x8_splat(8)), 4);
}

static NOINLINE void blur(void)
{
    for (u32 y = 1; y < HEIGHT - 1; y++)
        for (u32 x = 16; x < WIDTH - 16; x += 16)
            wasm_v128_store(&blurred[y][x], wasm_u8x16_narrow_i16x8(column(&image[y][x]), column(&image[y][x + 8])));
}

i64 run(i32 n)
{
    u32 random = 77;
    for (u32 y = 0; y < HEIGHT; y++)
        for (u32 x = 0; x < WIDTH; x++) image[y][x] = (u8)next_random(&random);
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        blur();
        for (u32 y = 0; y < HEIGHT; y += 37)
            for (u32 x = 0; x < WIDTH; x += 41) hash = mix(hash, blurred[y][x]);
        // Something new to blur: the result, brightened where it is dark.
        v128_t bright = wasm_i8x16_splat(3);
        for (u32 y = 0; y < HEIGHT; y++)
            for (u32 x = 0; x < WIDTH; x += 16)
                wasm_v128_store(&image[y][x], wasm_u8x16_add_sat(wasm_v128_load(&blurred[y][x]), bright));
    }
    return (i64)hash;
}
