// Recursive calls: Fibonacci numbers, the slow way.
#include "kernel.h"

static NOINLINE u32 fib(u32 n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

i64 run(i32 n)
{
    return fib(n);
}
