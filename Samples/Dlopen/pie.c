/* A position-independent program that needs the two libraries from its start. It is without libc, as Debian's cannot be made
   position-independent: what it says goes to WASI directly. */
#include "game.h"

struct buffer {
  const char *at;
  unsigned long length;
};

int fd_write(int descriptor, const struct buffer *list, unsigned long count, unsigned long *written)
    __attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write")));

int score = 500;

/* Addresses of the program's own, which its loader must fill in. */
static int *const own_score = &score;
static int (*const own_twice)(int) = twice;

int twice(int value) { return 2 * value; }

static unsigned long length_of(const char *text) {
  unsigned long length = 0;
  while (text[length]) length++;
  return length;
}

void say(const char *who, const char *what, int value) {
  char digits[12], *end = digits + sizeof digits, *at = end;
  unsigned magnitude = value < 0 ? 0u - (unsigned)value : (unsigned)value;
  *--at = '\n';
  do *--at = (char)('0' + magnitude % 10);
  while (magnitude /= 10);
  if (value < 0) *--at = '-';
  struct buffer list[] = {{who, length_of(who)}, {": ", 2}, {what, length_of(what)}, {" ", 1}, {at, (unsigned long)(end - at)}};
  unsigned long written;
  fd_write(1, list, 5, &written);
}

void _start(void) {
  say("program", "libraries are there, pong_count is", pong_count);
  say("program", "score through its address is", *own_score);
  say("program", "played", ping(2, own_twice));
  say("program", own_twice == twice ? "one pointer for twice, score is" : "two pointers for twice, score is", score);
}
