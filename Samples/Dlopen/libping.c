/* One of two libraries that need each other. */
#include "game.h"

/* Data that only the loader can fill in: addresses of its own data and of others', of functions here and there. */
const char *ping_name = "ping";
static const char **names[] = {&ping_name, &pong_name};
static int *const counters[] = {&pong_count, &score};
static int (*const players[])(int, callback) = {ping, pong};

/* Nobody defines these. */
extern int bonus(int value) __attribute__((weak));
extern int jackpot __attribute__((weak));

static int started;

__attribute__((constructor)) static void start(void) {
  started = 100;
  say(ping_name, "constructor, pong_count is", pong_count);
}

__attribute__((destructor)) static void stop(void) { say(ping_name, "destructor, started is", started); }

static int triple(int value) { return 3 * value + started; }

callback ping_callback(void) { return triple; }

int ping(int depth, callback each) {
  say(*names[depth % 2], "plays at", depth);
  *counters[depth % 2] += each(depth);
  if (bonus) return bonus(depth);
  if (&jackpot) return jackpot;
  return depth == 0 ? *counters[1] : players[1](depth - 1, each);
}
