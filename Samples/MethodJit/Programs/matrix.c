#include "program.h"
static word at(word row, word column, word n) { return row * n + column; }
static word product(word row, word column, word n)
{
  word sum = 0;
  for (word k = 0; k < n; k++) sum += mem[at(row, k, n)] * mem[n * n + at(k, column, n)];
  return sum;
}
word run(word n)
{
  for (word i = 0; i < n * n; i++) { mem[i] = i % 7 - 3; mem[n * n + i] = i % 5 - 2; }
  for (word row = 0; row < n; row++)
    for (word column = 0; column < n; column++) mem[2 * n * n + at(row, column, n)] = product(row, column, n);
  unsigned long sum = 0;
  for (word i = 0; i < n * n; i++) sum = sum * 31 + (unsigned long)mem[2 * n * n + i];
  return (word)sum;
}
