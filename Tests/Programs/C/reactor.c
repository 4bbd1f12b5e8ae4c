/* No program but a library: _initialize is called first, then whatever the host wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *greeting;
static int calls;

__attribute__((constructor)) static void prepare(void)
{
    greeting = strdup("ready");
}

__attribute__((export_name("add"))) int add(int a, int b)
{
    calls++;
    return a + b;
}

__attribute__((export_name("greet"))) int greet(void)
{
    calls++;
    printf("%s, %d\n", greeting ? greeting : "not ready", calls);
    return fflush(stdout);
}
