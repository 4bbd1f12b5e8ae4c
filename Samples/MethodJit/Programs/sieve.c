#include "program.h"
word run(word n)
{
  word count = 0;
  for (word i = 2; i <= n; i++) mem[i] = 1;
  for (word i = 2; i <= n; i++)
    if (mem[i]) {
      count++;
      for (word k = i * i; k <= n; k += i) mem[k] = 0;
    }
  return count;
}
