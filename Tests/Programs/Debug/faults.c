// Traps in several ways, each some calls deep. The tests look for these lines in the stacks of the traps.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define NOINLINE __attribute__((noinline))

volatile int32_t sink;

static inline __attribute__((always_inline)) int32_t read_at(int32_t address) {
    return *(volatile int32_t *)address; // out of bounds
}

NOINLINE int32_t divide(int32_t a, int32_t b) {
    sink = a;
    return a / b; // division
}

NOINLINE int32_t inner(int32_t kind) {
    sink = kind;
    if (kind == 0) return divide(100, sink); // calls divide
    if (kind == 1) return read_at(-16); // inlines read_at
    sink = 2;
    if (kind == 2) __builtin_trap(); // unreachable
    return kind;
}

NOINLINE int32_t middle(int32_t kind) {
    int32_t sum = 0;
    for (int32_t i = 5; i > 0; i--) {
        sink = i;
        sum += inner(kind + i - 1); // calls inner
    }
    return sum;
}

EXPORT("run") int32_t run(int32_t kind) {
    sink = kind;
    return middle(kind) + 1; // calls middle
}

// The same without traps, so that the functions get warm.
EXPORT("warm") int32_t warm(int32_t times) {
    int32_t sum = 0;
    for (int32_t i = 0; i < times; i++) sum += middle(10 + (i & 1));
    return sum;
}
