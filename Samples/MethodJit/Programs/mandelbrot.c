#include "program.h"
static word stays(word a, word b)
{
  word x = 0, y = 0;
  for (int i = 0; i < 200; i++) {
    word xx = x * x >> 24, yy = y * y >> 24;
    if (xx + yy > 4 << 24) return 0;
    y = (2 * x * y >> 24) + b;
    x = xx - yy + a;
  }
  return 1;
}
word run(word n)
{
  word inside = 0;
  for (word y = 0; y < n; y++)
    for (word x = 0; x < n; x++)
      inside += stays((x * 3 << 24) / n - (2 << 24), (y * 2 << 24) / n - (1 << 24));
  return inside;
}
