// The checksum of a kernel compiled natively: what both engines are compared with. Usage: NAME N
#include <stdio.h>
#include <stdlib.h>
#include "kernel.h"

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    printf("0x%016llx\n", (unsigned long long)run(atoi(argv[1])));
    return 0;
}
