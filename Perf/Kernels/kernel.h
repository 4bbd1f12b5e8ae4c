// What every kernel starts from: no library, no imports, one export.
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif

#define NOINLINE __attribute__((noinline))

// The work of the kernel, n times or at size n; the result is a checksum that does not depend on the engine.
EXPORT(run) i64 run(i32 n);

// xorshift32: the kernels' source of arbitrary numbers.
static inline u32 next_random(u32 *state)
{
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static inline u64 mix(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
    return hash ^ (hash >> 29);
}

static inline u64 bits_of(double value)
{
    union { double d; u64 u; } both = { value };
    return both.u;
}

#endif
