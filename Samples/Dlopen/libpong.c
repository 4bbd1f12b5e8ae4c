/* The other one. */
#include "game.h"

const char *pong_name = "pong";
int pong_count = 7;

/* A table in memory whose entry for the program's function must be what the program itself has. */
static callback known = twice;

__attribute__((constructor)) static void start(void) { say(pong_name, "constructor, pong_count is", ++pong_count); }

__attribute__((destructor)) static void stop(void) { say(pong_name, "destructor, pong_count is", pong_count); }

int pong(int depth, callback each) {
  say(pong_name, each == known ? "was given the program's own function" : "was given another function", each(depth));
  return depth == 0 ? score : ping(depth - 1, each);
}
