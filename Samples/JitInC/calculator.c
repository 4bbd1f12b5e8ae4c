/* A calculator that compiles: programs are texts like "x2*1+", as on the page Docs/guest-jit.md. */
typedef int (*function)(int);

#define JIT(name) __attribute__((import_module("jit"), import_name(#name)))
function make(const unsigned char *code, unsigned length) JIT(make);
void replace(function old, const unsigned char *code, unsigned length) JIT(replace);

static unsigned char code[1024];

/* The body: no locals, an instruction for each character, end. */
static unsigned write(const char *text) {
  unsigned at = 0;
  code[at++] = 0;
  for (; *text && at + 3 < sizeof code; text++) {
    switch (*text) {
      case 'x': code[at++] = 0x20; code[at++] = 0; break; /* local.get 0 */
      case '+': code[at++] = 0x6a; break;                 /* i32.add */
      case '*': code[at++] = 0x6c; break;                 /* i32.mul */
      default: code[at++] = 0x41; code[at++] = *text - '0'; /* i32.const */
    }
  }
  code[at++] = 0x0b; /* end */
  return at;
}

static char text[256] = "xx*x2*+1+";
static function compiled;

/* Where the host may write another text. */
__attribute__((export_name("text"))) char *address(void) { return text; }

__attribute__((export_name("compile"))) void compile(void) {
  if (compiled) replace(compiled, code, write(text));
  else compiled = make(code, write(text));
}

__attribute__((export_name("sum"))) int sum(int n) {
  int sum = 0;
  for (int x = 0; x < n; x++) sum += compiled(x);
  return sum;
}
