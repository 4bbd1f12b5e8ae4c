/* A program that loads what was compiled a moment ago: it asks the library for its name, and for values of its function. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* What the library calls of the program. */
double scale(double value) { return 100 * value; }

int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) {
    printf("%s\n", dlerror());
    return 1;
  }
  const char *(*name)(void) = (const char *(*)(void))dlsym(library, "name");
  double (*value)(double) = (double (*)(double))dlsym(library, "value");
  if (!name || !value) {
    printf("%s\n", dlerror());
    return 1;
  }
  printf("%s:", name());
  for (int i = 2; i < argc; i++) printf(" %g", value(atof(argv[i])));
  printf("\n");
  return dlclose(library);
}
