#include "program.h"
static word fib(word n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
word run(word n) { return fib(n); }
