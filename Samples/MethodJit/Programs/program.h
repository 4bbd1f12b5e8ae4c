/* What the programs in C have in common: their memory, and how they are run. The processor time goes to the second line, in microseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef long word;
static word mem[4 << 20];
word run(word n);

int main(int argc, char **argv)
{
  struct timespec a, b;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
  word result = run(argc > 1 ? atol(argv[1]) : 0);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
  printf("%ld\n%ld\n", result, (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
  return 0;
}
