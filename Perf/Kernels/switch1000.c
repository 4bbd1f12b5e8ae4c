// A function that just-in-time compilers dread: one switch of 1,000 different cases over eight locals and a memory, as a
// bytecode interpreter or a generated parser has it. n steps, in an order that the data decide.
#include "kernel.h"

#define WORDS 4096

static u32 memory[WORDS];
static u16 program[16384];

// One of eleven operations; which is a constant at every use.
static inline __attribute__((always_inline)) u32 operate(u32 which, u32 x, u32 y, u32 constant)
{
    switch (which % 11) {
    case 0: return x + y + constant;
    case 1: return x - y * constant;
    case 2: return (x ^ y) + constant;
    case 3: return (x | constant) - y;
    case 4: return (x & y) ^ constant;
    case 5: return x * (y | 1);
    case 6: return x << (constant & 15) ^ y;
    case 7: return (x >> (constant & 15)) + y;
    case 8: return x > y ? x - constant : y + constant;
    case 9: return x + (y << 16 | y >> 16);
    default: return x ^ memory[(y ^ constant) % WORDS];
    }
}

#define CASE(k)                                                                                     \
    case k:                                                                                         \
        r[(k) % 8] = operate((k) * 7, r[(k) / 8 % 8], r[(k) / 64 % 8], (k) * 2654435761u);          \
        r[((k) + 3) % 8] += operate((k) / 11, r[(k) % 7], r[(k) % 5 + 1], (k) * 40503u);            \
        memory[(r[(k) / 3 % 8] + (k)) % WORDS] ^= operate((k) / 3, r[((k) + 5) % 8], step, (k) + 1);  \
        r[(k) / 7 % 8] ^= memory[(r[(k) / 5 % 8] >> 7) % WORDS];                                    \
        if (r[(k) / 2 % 8] & 1u << (k) % 32) at = (at + (k) % 13) % (sizeof program / 2);           \
        break;

#define CASES10(k)                                                                                  \
    CASE((k)) CASE((k) + 1) CASE((k) + 2) CASE((k) + 3) CASE((k) + 4)                               \
    CASE((k) + 5) CASE((k) + 6) CASE((k) + 7) CASE((k) + 8) CASE((k) + 9)

#define CASES100(k)                                                                                 \
    CASES10((k)) CASES10((k) + 10) CASES10((k) + 20) CASES10((k) + 30) CASES10((k) + 40)            \
    CASES10((k) + 50) CASES10((k) + 60) CASES10((k) + 70) CASES10((k) + 80) CASES10((k) + 90)

static NOINLINE u64 interpret(u32 steps)
{
    u32 r[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    u32 at = 0;
    for (u32 step = 0; step < steps; step++) {
        u32 code = program[at];
        at = (at + 1) % (sizeof program / 2);
        switch (code) {
            CASES100(0) CASES100(100) CASES100(200) CASES100(300) CASES100(400)
            CASES100(500) CASES100(600) CASES100(700) CASES100(800) CASES100(900)
        }
    }
    u64 hash = at;
    for (int i = 0; i < 8; i++) hash = mix(hash, r[i]);
    return hash;
}

i64 run(i32 n)
{
    u32 random = 1000;
    for (u32 i = 0; i < sizeof program / 2; i++) program[i] = (u16)(next_random(&random) % 1000);
    for (u32 i = 0; i < WORDS; i++) memory[i] = next_random(&random);
    u64 hash = interpret((u32)n);
    for (u32 i = 0; i < WORDS; i++) hash = mix(hash, memory[i]);
    return (i64)hash;
}
