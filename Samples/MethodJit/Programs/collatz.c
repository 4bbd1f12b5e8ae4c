#include "program.h"
static word length(word n)
{
  word steps = 1;
  for (; n != 1; steps++) n = n & 1 ? 3 * n + 1 : n >> 1;
  return steps;
}
word run(word n)
{
  word best = 0, longest = 0;
  for (word i = 1; i < n; i++) {
    word steps = length(i);
    if (steps > longest) { longest = steps; best = i; }
  }
  return best;
}
