// SIMD: Base64 (RFC 4648) of 48 KiB and back, 12 bytes to 16 characters at a time with shuffles and swizzles, n times.
#include "kernel.h"
#include <wasm_simd128.h>

#define SIZE 49152

static u8 data[SIZE + 16], decoded[SIZE + 16];
static u8 text[SIZE / 3 * 4];

static NOINLINE void encode(void)
{
    u8 *to = text;
    for (u32 i = 0; i < SIZE; i += 12, to += 16) {
        v128_t in = wasm_v128_load(data + i);
        // Each group of three bytes b0 b1 b2 as the 32-bit lane b1 b0 b2 b1 (low to high).
        in = wasm_i8x16_shuffle(in, in, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
        v128_t a = wasm_u32x4_shr(wasm_v128_and(in, wasm_i32x4_splat(0x0000fc00)), 10);
        v128_t b = wasm_i32x4_shl(wasm_v128_and(in, wasm_i32x4_splat(0x000003f0)), 4);
        v128_t c = wasm_u32x4_shr(wasm_v128_and(in, wasm_i32x4_splat(0x0fc00000)), 6);
        v128_t d = wasm_i32x4_shl(wasm_v128_and(in, wasm_i32x4_splat(0x003f0000)), 8);
        v128_t six = wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d));
        // What to add to an index: 'A' below 26, 'a'-26 below 52, '0'-52 below 62, then '+' and '/'.
        v128_t offset = wasm_i8x16_splat('A');
        offset = wasm_v128_bitselect(wasm_i8x16_splat('a' - 26), offset, wasm_i8x16_gt(six, wasm_i8x16_splat(25)));
        offset = wasm_v128_bitselect(wasm_i8x16_splat('0' - 52), offset, wasm_i8x16_gt(six, wasm_i8x16_splat(51)));
        offset = wasm_v128_bitselect(wasm_i8x16_splat('+' - 62), offset, wasm_i8x16_eq(six, wasm_i8x16_splat(62)));
        offset = wasm_v128_bitselect(wasm_i8x16_splat('/' - 63), offset, wasm_i8x16_eq(six, wasm_i8x16_splat(63)));
        wasm_v128_store(to, wasm_i8x16_add(six, offset));
    }
}

static NOINLINE u32 decode(void)
{
    const u8 *from = text;
    // Indexed by the high four bits of a character; '/' shares them with '+' and is put right by itself.
    v128_t offsets = wasm_i8x16_make(0, 0, 62 - '+', 52 - '0', 0 - 'A', 0 - 'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
    v128_t bad = wasm_i8x16_splat(0);
    for (u32 i = 0; i < SIZE; i += 12, from += 16) {
        v128_t in = wasm_v128_load(from);
        v128_t slash = wasm_i8x16_eq(in, wasm_i8x16_splat('/'));
        v128_t six = wasm_i8x16_add(in, wasm_i8x16_swizzle(offsets, wasm_u8x16_shr(in, 4)));
        six = wasm_v128_bitselect(wasm_i8x16_splat(63), six, slash);
        bad = wasm_v128_or(bad, wasm_u8x16_gt(six, wasm_i8x16_splat(63)));
        // Pairs of six bits to twelve, pairs of twelve to twenty-four.
        v128_t even = wasm_v128_and(six, wasm_i16x8_splat(0x00ff)), odd = wasm_u16x8_shr(six, 8);
        v128_t twelve = wasm_v128_or(wasm_i16x8_shl(even, 6), odd);
        v128_t low = wasm_v128_and(twelve, wasm_i32x4_splat(0x0000ffff)), high = wasm_u32x4_shr(twelve, 16);
        v128_t all = wasm_v128_or(wasm_i32x4_shl(low, 12), high);
        all = wasm_i8x16_swizzle(all, wasm_i8x16_make(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
        wasm_v128_store(decoded + i, all);
    }
    return wasm_v128_any_true(bad);
}

i64 run(i32 n)
{
    u32 random = 64;
    for (u32 i = 0; i < SIZE; i++) data[i] = (u8)next_random(&random);
    u64 hash = 0;
    for (i32 round = 0; round < n; round++) {
        encode();
        if (decode()) return -1;
        for (u32 i = 0; i < sizeof text; i += 101) hash = hash * 31 + text[i];
        for (u32 i = 0; i < SIZE; i += 97) {
            if (decoded[i] != data[i]) return -2;
            data[i] ^= (u8)hash;
        }
    }
    return (i64)mix(hash, decoded[5]);
}
