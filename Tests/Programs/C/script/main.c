/* script FILE [ARGUMENTS...]: runs a script; "-" is the standard input. */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(FILE *file, size_t *length)
{
    char *text = NULL;
    size_t room = 0;
    *length = 0;
    for (;;) {
        if (*length == room) {
            room = room ? room * 2 : 4096;
            text = realloc(text, room);
            if (text == NULL) exit(3);
        }
        size_t n = fread(text + *length, 1, room - *length, file);
        if (n == 0) return text;
        *length += n;
    }
}

static int failed(Vm *vm)
{
    fflush(stdout);
    fprintf(stderr, "error: %s\n%s", to_string(vm, vm->thrown)->text, vm->trace);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: script FILE [ARGUMENTS...]\n", stderr);
        return 2;
    }
    FILE *file = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "rb");
    if (file == NULL) {
        fprintf(stderr, "error: %s cannot be read\n", argv[1]);
        return 2;
    }
    size_t length;
    char *source = read_all(file, &length);
    if (file != stdin) fclose(file);

    static Vm vm;
    vm_start(&vm);
    const char *slash = strrchr(argv[1], '/');
    vm.fileName = slash ? slash + 1 : argv[1];
    Table *arguments = table_new(&vm);
    table_set(&vm, vm.globals, of_object(string_from(&vm, "arguments")), of_object(arguments));
    for (int i = 2; i < argc; i++) table_push(&vm, arguments, of_object(string_from(&vm, argv[i])));

    Proto *proto = compile(&vm, source, length);
    free(source);
    if (proto == NULL) return failed(&vm);
    Value result;
    return vm_call(&vm, of_object(closure_new(&vm, proto)), 0, NULL, &result) ? 0 : failed(&vm);
}
