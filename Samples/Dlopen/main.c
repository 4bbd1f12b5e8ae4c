/* A C program that loads two libraries, which call each other and the program, through dlopen. */
#include "dlfcn.h"
#include "game.h"
#include <stdio.h>

int score = 1000;

int twice(int value) { return 2 * value; }

void say(const char *who, const char *what, int value) { printf("%s: %s %d\n", who, what, value); }

static void failure(const char *what) {
  const char *error = dlerror();
  printf("%s: %s\n", what, error ? error : "no error");
}

int main(void) {
  printf("main: opening\n");
  void *library = dlopen("libping.so", RTLD_NOW);
  if (!library) {
    failure("libping.so");
    return 1;
  }

  int (*play)(int, callback) = (int (*)(int, callback))dlsym(library, "ping");
  printf("main: with the program's callback: %d\n", play(3, twice));

  callback (*get)(void) = (callback(*)(void))dlsym(library, "ping_callback");
  callback foreign = get();
  printf("main: the library's callback gives %d\n", foreign(5));
  printf("main: with the library's callback: %d\n", play(2, foreign));

  /* Data of a library that the opened one needs, and one pointer to each function. */
  int *count = dlsym(library, "pong_count");
  printf("main: pong_count is %d, score is %d\n", *count, score);
  printf("main: twice is %s\n", dlsym(RTLD_DEFAULT, "twice") == (void *)twice ? "the same everywhere" : "not the same");
  printf("main: ping is %s\n", dlsym(library, "ping") == (void *)play ? "the same each time" : "not the same");

  printf("main: %s\n", dlsym(library, "serve") ? "found serve" : "no serve");
  failure("dlsym");
  failure("once more");
  printf("main: %s\n", dlopen("libtennis.so", RTLD_NOW) ? "found libtennis.so" : "no libtennis.so");
  failure("dlopen");
  printf("main: %s\n", dlopen("../libping.so", RTLD_NOW) ? "escaped" : "no way out");
  failure("dlopen");
  printf("main: libping.so is %s\n", dlopen("libping.so", RTLD_NOW | RTLD_NOLOAD) == library ? "open" : "not open");

  printf("main: closing twice: %d %d\n", dlclose(library), dlclose(library));
  printf("main: closing once too often: %d\n", dlclose(library));
  failure("dlclose");
  printf("main: libping.so is %s\n", dlopen("libping.so", RTLD_NOW | RTLD_NOLOAD) ? "open" : "not open");

  library = dlopen("/libpong.so", RTLD_NOW | RTLD_GLOBAL);
  printf("main: opened again, pong_count is %d\n", *(int *)dlsym(RTLD_DEFAULT, "pong_count"));
  printf("main: leaving with libraries open\n");
  return 0;
}
