/* A C program that makes a module for a polynomial in its memory, has it compiled, and calls it through a function pointer. */
#include "wasm_linking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char code[4096];
static size_t length;

static void byte(int value) { code[length++] = (unsigned char)value; }

static void bytes(const char *text, size_t count) {
  memcpy(code + length, text, count);
  length += count;
}

static void constant(int value) {
  byte(0x41);
  for (;; value >>= 7) {
    int last = (value >> 6) == 0 || (value >> 6) == -1;
    byte((value & 0x7f) | (last ? 0 : 0x80));
    if (last) return;
  }
}

/* Five bytes for a length that is known only later. */
static size_t open_length(void) {
  length += 5;
  return length;
}

static void close_length(size_t start) {
  size_t value = length - start;
  for (int i = 0; i < 5; i++) code[start - 5 + i] = (unsigned char)((value >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
}

/* (module (import "host" "note" (func (param i32))) (func (export "f") (param i32) (result i32) ...)), by Horner's rule. */
static void write_module(const int *coefficients, int count) {
  length = 0;
  bytes("\0asm\1\0\0\0", 8);
  bytes("\1\12\2\x60\1\x7f\0\x60\1\x7f\1\x7f", 12);
  bytes("\2\15\1\4host\4note\0\0", 15);
  bytes("\3\2\1\1", 4);
  bytes("\7\5\1\1f\0\1", 7);
  byte(10);
  size_t section = open_length();
  byte(1);
  size_t body = open_length();
  bytes("\0\x20\0\x10\0", 5);
  constant(0);
  for (int i = 0; i < count; i++) {
    bytes("\x20\0\x6c", 3);
    constant(coefficients[i]);
    byte(0x6a);
  }
  byte(0x0b);
  close_length(body);
  close_length(section);
}

static int noted;

static void note(int value) { noted = value; }

static int check(const char *what, int result) {
  if (result >= 0) return result;
  char text[200];
  int whole = wasm_last_error(text, sizeof text - 1);
  text[whole < (int)sizeof text ? whole : (int)sizeof text - 1] = 0;
  printf("%s: %s\n", what, text);
  return result;
}

int main(int argc, char **argv) {
  int coefficients[16], count = 0;
  for (int i = 1; i < argc && count < 16; i++) coefficients[count++] = atoi(argv[i]);
  write_module(coefficients, count);
  wasm_handle module = check("compile", wasm_compile(code, length));
  if (module < 0) return 1;

  char text[400];
  text[wasm_imports(module, text, sizeof text)] = 0;
  printf("%s", text);
  text[wasm_exports(module, text, sizeof text)] = 0;
  printf("%s", text);

  check("without imports", wasm_instantiate(module, NULL, 0));
  wasm_handle function = wasm_get_function((int32_t)note);
  struct wasm_import import = {"host", 4, "note", 4, function};
  wasm_handle instance = check("instantiate", wasm_instantiate(module, &import, 1));
  if (instance < 0) return 1;
  int32_t slot = check("get_export", wasm_get_export(instance, "f", 1, -1));
  if (slot < 0) return 1;
  int (*f)(int) = (int (*)(int))slot;
  for (int x = 0; x <= 10; x += 5) printf("f(%d) = %d\n", x, f(x));
  printf("noted: %d\n", noted);

  wasm_drop(module);
  wasm_drop(instance);
  check("after drop", wasm_instantiate(module, &import, 1));
  printf("f(2) = %d\n", f(2));
  code[0] = 1;
  check("broken", wasm_compile(code, length));
  check("load", wasm_load("nothing.wasm", 12));
  return 0;
}
