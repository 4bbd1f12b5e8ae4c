/* Imports as other toolchains leave them: functions of "env" that only matter elsewhere, beside those of WASI. */
#include <stdio.h>
#include <stdlib.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))

IMPORT("emscripten_notify_memory_growth") void notify_memory_growth(int index);
IMPORT("__syscall_getpid") int get_pid(void);
IMPORT("host_time_zone") long long time_zone(double seconds, int where);

int main(int argc, char **argv)
{
    (void)argv;
    notify_memory_growth(0);
    char *block = malloc(10 * 1024 * 1024);
    printf("%d bytes, pid %d, zone %lld\n", block ? 10 * 1024 * 1024 : 0, get_pid(), time_zone(1.5, 0));
    free(block);
    return argc > 1 ? atoi(argv[1]) : 0;
}
