/* The functions that scripts find. */
#include "value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NATIVE(name) static bool name(Vm *vm, int count, Value *arguments, Value *result)

/* ---- arguments ---- */

static bool number_at(Vm *vm, int count, Value *arguments, int i, double *number)
{
    if (i >= count || arguments[i].tag != T_NUMBER) return vm_fail(vm, "argument %d is no number", i + 1);
    *number = arguments[i].as.number;
    return true;
}

static bool string_at(Vm *vm, int count, Value *arguments, int i, String **string)
{
    if (i >= count || !is_object(arguments[i], O_STRING)) return vm_fail(vm, "argument %d is no string", i + 1);
    *string = as_string(arguments[i]);
    return true;
}

static bool table_at(Vm *vm, int count, Value *arguments, int i, Table **table)
{
    if (i >= count || !is_object(arguments[i], O_TABLE)) return vm_fail(vm, "argument %d is no table", i + 1);
    *table = as_table(arguments[i]);
    return true;
}

static uint32_t to_uint32(double number)
{
    number = fmod(floor(number), 4294967296.0);
    if (number != number) return 0;
    return (uint32_t)(number < 0 ? number + 4294967296.0 : number);
}

/* ---- text that grows ---- */

typedef struct {
    char *text;
    size_t length, room;
} Buffer;

static void append(Buffer *buffer, const char *text, size_t length)
{
    if (buffer->length + length > buffer->room) {
        buffer->room = (buffer->length + length) * 2;
        buffer->text = realloc(buffer->text, buffer->room);
        if (buffer->text == NULL) exit(3);
    }
    memcpy(buffer->text + buffer->length, text, length);
    buffer->length += length;
}

static Value finish(Vm *vm, Buffer *buffer)
{
    Value value = of_object(string_of(vm, buffer->length ? buffer->text : "", buffer->length));
    free(buffer->text);
    return value;
}

/* ---- in and out ---- */

static void put(Vm *vm, Value value)
{
    String *s = to_string(vm, value);
    fwrite(s->text, 1, s->length, stdout);
}

NATIVE(lib_print)
{
    for (int i = 0; i < count; i++) {
        if (i > 0) putchar(' ');
        put(vm, arguments[i]);
    }
    putchar('\n');
    *result = NIL;
    return true;
}

NATIVE(lib_write)
{
    for (int i = 0; i < count; i++) put(vm, arguments[i]);
    *result = NIL;
    return true;
}

NATIVE(lib_read_file)
{
    String *path;
    if (!string_at(vm, count, arguments, 0, &path)) return false;
    FILE *file = fopen(path->text, "rb");
    if (file == NULL) return vm_fail(vm, "%s cannot be read", path->text);
    Buffer buffer = { 0 };
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) append(&buffer, piece, n);
    fclose(file);
    *result = finish(vm, &buffer);
    return true;
}

NATIVE(lib_write_file)
{
    String *path, *text;
    if (!string_at(vm, count, arguments, 0, &path) || !string_at(vm, count, arguments, 1, &text)) return false;
    FILE *file = fopen(path->text, "wb");
    if (file == NULL) return vm_fail(vm, "%s cannot be written", path->text);
    size_t written = fwrite(text->text, 1, text->length, file);
    if (fclose(file) != 0 || written != text->length) return vm_fail(vm, "%s cannot be written", path->text);
    *result = NIL;
    return true;
}

NATIVE(lib_clock)
{
    (void)vm, (void)count, (void)arguments;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *result = of_number((double)now.tv_sec + (double)now.tv_nsec / 1e9);
    return true;
}

/* ---- values ---- */

NATIVE(lib_type)
{
    *result = of_object(string_from(vm, type_name(count > 0 ? arguments[0] : NIL)));
    return true;
}

NATIVE(lib_str)
{
    *result = of_object(to_string(vm, count > 0 ? arguments[0] : NIL));
    return true;
}

NATIVE(lib_num)
{
    String *text;
    if (!string_at(vm, count, arguments, 0, &text)) return false;
    char *end;
    double number = strtod(text->text, &end);
    *result = text->length > 0 && end == text->text + text->length ? of_number(number) : NIL;
    return true;
}

NATIVE(lib_assert)
{
    if (count > 0 && is_true(arguments[0])) {
        *result = arguments[0];
        return true;
    }
    if (count < 2) return vm_fail(vm, "an assertion does not hold");
    return vm_fail(vm, "%s", to_string(vm, arguments[1])->text);
}

NATIVE(lib_collect)
{
    (void)count, (void)arguments;
    *result = of_number((double)collect(vm));
    return true;
}

NATIVE(lib_collections)
{
    (void)count, (void)arguments;
    *result = of_number((double)vm->collections);
    return true;
}

/* ---- tables ---- */

NATIVE(lib_push)
{
    Table *table;
    if (!table_at(vm, count, arguments, 0, &table)) return false;
    *result = count > 1 ? arguments[1] : NIL;
    return count < 2 || table_set(vm, table, of_number(table->count), arguments[1]);
}

NATIVE(lib_pop)
{
    Table *table;
    if (!table_at(vm, count, arguments, 0, &table)) return false;
    *result = NIL;
    if (table->count == 0) return true;
    *result = table->array[table->count - 1];
    return table_set(vm, table, of_number(table->count - 1), NIL);
}

NATIVE(lib_keys)
{
    Table *table;
    if (!table_at(vm, count, arguments, 0, &table)) return false;
    Table *keys = table_new(vm);
    *result = of_object(keys);
    uint32_t position = 0;
    for (Value key, value; table_next(table, &position, &key, &value);) table_push(vm, keys, key);
    return true;
}

NATIVE(lib_size)
{
    Table *table;
    if (!table_at(vm, count, arguments, 0, &table)) return false;
    *result = of_number(table_size(table));
    return true;
}

NATIVE(lib_set_proto)
{
    Table *table, *proto;
    if (!table_at(vm, count, arguments, 0, &table) || !table_at(vm, count, arguments, 1, &proto)) return false;
    table->proto = proto;
    *result = arguments[0];
    return true;
}

/* Whether a comes behind b; false too after vm_fail, with failed set. */
static bool behind(Vm *vm, Value compare, Value a, Value b, bool *failed)
{
    if (compare.tag != T_NIL) {
        Value pair[2] = { b, a }, less = NIL;
        if (!vm_call(vm, compare, 2, pair, &less)) *failed = true;
        return is_true(less);
    }
    if (a.tag == T_NUMBER && b.tag == T_NUMBER) return b.as.number < a.as.number;
    if (is_object(a, O_STRING) && is_object(b, O_STRING)) {
        String *s = as_string(a), *t = as_string(b);
        int order = memcmp(s->text, t->text, s->length < t->length ? s->length : t->length);
        return order ? order > 0 : s->length > t->length;
    }
    *failed = !vm_fail(vm, "a %s is compared with a %s", type_name(a), type_name(b));
    return false;
}

/* Merges sorted pieces of growing size, from one table to the other and back. */
NATIVE(lib_sort)
{
    Table *table;
    if (!table_at(vm, count, arguments, 0, &table)) return false;
    Value compare = count > 1 ? arguments[1] : NIL;
    uint32_t n = table->count;
    bool failed = false;
    Table *from = table_new(vm);
    protect(vm, from);
    Table *to = table_new(vm);
    protect(vm, to);
    for (uint32_t i = 0; i < n; i++) {
        table_push(vm, from, table->array[i]);
        table_push(vm, to, NIL);
    }
    for (uint32_t width = 1; width < n && !failed; width *= 2) {
        for (uint32_t start = 0; start < n && !failed; start += 2 * width) {
            uint32_t middle = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            uint32_t a = start, b = middle;
            for (uint32_t i = start; i < end && !failed; i++) {
                bool second = a == middle || (b < end && behind(vm, compare, from->array[a], from->array[b], &failed));
                to->array[i] = from->array[second ? b++ : a++];
            }
        }
        Table *swap = from;
        from = to;
        to = swap;
    }
    if (!failed)
        for (uint32_t i = 0; i < n; i++) table_set(vm, table, of_number(i), from->array[i]);
    unprotect(vm, 2);
    *result = arguments[0];
    return !failed;
}

NATIVE(lib_join)
{
    Table *table;
    String *separator;
    if (!table_at(vm, count, arguments, 0, &table) || !string_at(vm, count, arguments, 1, &separator)) return false;
    Buffer buffer = { 0 };
    for (uint32_t i = 0; i < table->count; i++) {
        if (i > 0) append(&buffer, separator->text, separator->length);
        String *s = to_string(vm, table->array[i]);
        append(&buffer, s->text, s->length);
    }
    *result = finish(vm, &buffer);
    return true;
}

/* ---- strings ---- */

NATIVE(lib_sub)
{
    String *s;
    double start, length;
    if (!string_at(vm, count, arguments, 0, &s) || !number_at(vm, count, arguments, 1, &start)) return false;
    if (count < 3) length = s->length;
    else if (!number_at(vm, count, arguments, 2, &length)) return false;
    if (!(start >= 0)) start = 0;
    if (start > s->length) start = s->length;
    if (!(length >= 0)) length = 0;
    if (length > s->length - start) length = s->length - start;
    *result = of_object(string_of(vm, s->text + (uint32_t)start, (size_t)length));
    return true;
}

NATIVE(lib_find)
{
    String *s, *t;
    double from = 0;
    if (!string_at(vm, count, arguments, 0, &s) || !string_at(vm, count, arguments, 1, &t)) return false;
    if (count > 2 && !number_at(vm, count, arguments, 2, &from)) return false;
    *result = NIL;
    if (!(from >= 0)) return true;
    for (uint32_t i = from < s->length ? (uint32_t)from : s->length; i + t->length <= s->length; i++)
        if (memcmp(s->text + i, t->text, t->length) == 0) {
            *result = of_number(i);
            break;
        }
    return true;
}

NATIVE(lib_byte)
{
    String *s;
    double at = 0;
    if (!string_at(vm, count, arguments, 0, &s)) return false;
    if (count > 1 && !number_at(vm, count, arguments, 1, &at)) return false;
    *result = at >= 0 && at < s->length ? of_number((unsigned char)s->text[(uint32_t)at]) : NIL;
    return true;
}

NATIVE(lib_char)
{
    double code;
    if (!number_at(vm, count, arguments, 0, &code)) return false;
    char c = (char)to_uint32(code);
    *result = of_object(string_of(vm, &c, 1));
    return true;
}

static bool convert(Vm *vm, int count, Value *arguments, Value *result, int (*one)(int))
{
    String *s;
    if (!string_at(vm, count, arguments, 0, &s)) return false;
    Buffer buffer = { 0 };
    for (uint32_t i = 0; i < s->length; i++) {
        char c = (char)one((unsigned char)s->text[i]);
        append(&buffer, &c, 1);
    }
    *result = finish(vm, &buffer);
    return true;
}

NATIVE(lib_upper) { return convert(vm, count, arguments, result, toupper); }
NATIVE(lib_lower) { return convert(vm, count, arguments, result, tolower); }

NATIVE(lib_repeat)
{
    String *s;
    double times;
    if (!string_at(vm, count, arguments, 0, &s) || !number_at(vm, count, arguments, 1, &times)) return false;
    if (times * s->length > 10e6) return vm_fail(vm, "a string too long");
    Buffer buffer = { 0 };
    for (double i = 0; i < times; i++) append(&buffer, s->text, s->length);
    *result = finish(vm, &buffer);
    return true;
}

NATIVE(lib_split)
{
    String *s, *separator;
    if (!string_at(vm, count, arguments, 0, &s) || !string_at(vm, count, arguments, 1, &separator)) return false;
    if (separator->length == 0) return vm_fail(vm, "a separator is empty");
    Table *parts = table_new(vm);
    protect(vm, parts);
    uint32_t start = 0;
    for (uint32_t i = 0; i + separator->length <= s->length;) {
        if (memcmp(s->text + i, separator->text, separator->length) != 0) {
            i++;
            continue;
        }
        table_push(vm, parts, of_object(string_of(vm, s->text + start, i - start)));
        start = i += separator->length;
    }
    table_push(vm, parts, of_object(string_of(vm, s->text + start, s->length - start)));
    unprotect(vm, 1);
    *result = of_object(parts);
    return true;
}

/* One %-conversion at a time goes to snprintf; d and x want whole numbers. */
NATIVE(lib_format)
{
    String *format;
    if (!string_at(vm, count, arguments, 0, &format)) return false;
    Buffer buffer = { 0 };
    int next = 1;
    const char *end = format->text + format->length;
    for (const char *p = format->text; p < end; p++) {
        if (*p != '%') {
            append(&buffer, p, 1);
            continue;
        }
        char one[24] = "%", text[400];
        size_t length = 1;
        for (p++; p < end && strchr("0123456789.+- #", *p) && length < 12; p++) one[length++] = *p;
        char kind = p < end ? *p : 0;
        if (kind == '%') {
            append(&buffer, "%", 1);
            continue;
        }
        double number = 0;
        if (kind == 's') {
            String *s = to_string(vm, next < count ? arguments[next] : NIL);
            next++;
            one[length] = 's';
            snprintf(text, sizeof text, one, s->text);
        } else if (kind && strchr("dxeEfgGa", kind)) {
            if (!number_at(vm, count, arguments, next++, &number)) {
                free(buffer.text);
                return false;
            }
            if (kind == 'd' || kind == 'x') {
                one[length++] = 'l';
                one[length++] = 'l';
                one[length] = kind;
                snprintf(text, sizeof text, one, (long long)number);
            } else {
                one[length] = kind;
                snprintf(text, sizeof text, one, number);
            }
        } else {
            free(buffer.text);
            return vm_fail(vm, "%%%c is no format", kind ? kind : '?');
        }
        append(&buffer, text, strlen(text));
    }
    *result = finish(vm, &buffer);
    return true;
}

/* ---- numbers ---- */

#define FUNCTION(name, expression) \
    NATIVE(name) \
    { \
        double x; \
        if (!number_at(vm, count, arguments, 0, &x)) return false; \
        *result = of_number(expression); \
        return true; \
    }

FUNCTION(lib_floor, floor(x))
FUNCTION(lib_abs, fabs(x))
FUNCTION(lib_sqrt, sqrt(x))

#define FUNCTION2(name, expression) \
    NATIVE(name) \
    { \
        double x, y; \
        if (!number_at(vm, count, arguments, 0, &x) || !number_at(vm, count, arguments, 1, &y)) return false; \
        *result = of_number(expression); \
        return true; \
    }

FUNCTION2(lib_min, x < y ? x : y)
FUNCTION2(lib_max, x > y ? x : y)
FUNCTION2(lib_band, to_uint32(x) & to_uint32(y))
FUNCTION2(lib_bor, to_uint32(x) | to_uint32(y))
FUNCTION2(lib_bxor, to_uint32(x) ^ to_uint32(y))
FUNCTION2(lib_shl, to_uint32(x) << (to_uint32(y) & 31))
FUNCTION2(lib_shr, to_uint32(x) >> (to_uint32(y) & 31))

static const struct { const char *name; NativeFunction function; } functions[] = {
    { "print", lib_print }, { "write", lib_write }, { "readFile", lib_read_file }, { "writeFile", lib_write_file }, { "clock", lib_clock },
    { "type", lib_type }, { "str", lib_str }, { "num", lib_num }, { "assert", lib_assert }, { "collect", lib_collect },
    { "collections", lib_collections }, { "push", lib_push }, { "pop", lib_pop }, { "keys", lib_keys }, { "size", lib_size },
    { "setProto", lib_set_proto }, { "sort", lib_sort }, { "join", lib_join }, { "sub", lib_sub }, { "find", lib_find },
    { "byte", lib_byte }, { "char", lib_char }, { "upper", lib_upper }, { "lower", lib_lower }, { "repeat", lib_repeat },
    { "split", lib_split }, { "format", lib_format }, { "floor", lib_floor }, { "abs", lib_abs }, { "sqrt", lib_sqrt },
    { "min", lib_min }, { "max", lib_max }, { "band", lib_band }, { "bor", lib_bor }, { "bxor", lib_bxor }, { "shl", lib_shl },
    { "shr", lib_shr },
};

void library_add(Vm *vm)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        Native *native = native_new(vm, functions[i].name, functions[i].function);
        protect(vm, native);
        table_set(vm, vm->globals, of_object(string_from(vm, functions[i].name)), of_object(native));
        unprotect(vm, 1);
    }
}
