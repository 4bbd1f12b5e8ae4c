/*
 * json [FILE]: reads a document and prints it with indents, or says where it is wrong.
 * json --generate COUNT SEED: makes documents, prints them, reads them, breaks them, reads them again.
 * Errors are results all the way up: no longjmp, no global that remembers them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { J_NULL, J_BOOL, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT } Kind;

typedef struct Value {
    Kind kind;
    bool truth;
    double number;
    char *text;
    size_t length; /* of text, or how many items */
    struct Value *items;
    char **keys;
    size_t *keyLengths;
} Value;

/* ---- memory that goes all at once ---- */

typedef struct Block {
    struct Block *next;
    size_t used, room;
    char bytes[];
} Block;

typedef struct {
    Block *first;
    size_t total;
} Arena;

static void *take(Arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!arena->first || arena->first->used + size > arena->first->room) {
        size_t room = size > 32768 ? size : 32768;
        Block *block = malloc(sizeof *block + room);
        if (!block) exit(3);
        *block = (Block){ arena->first, 0, room };
        arena->first = block;
    }
    void *result = arena->first->bytes + arena->first->used;
    arena->first->used += size;
    arena->total += size;
    return result;
}

static void drop(Arena *arena)
{
    while (arena->first) {
        Block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
}

/* ---- text that grows ---- */

typedef struct {
    char *text;
    size_t length, room;
} Buffer;

static void put(Buffer *buffer, const char *text, size_t length)
{
    if (buffer->length + length + 1 > buffer->room) {
        buffer->room = (buffer->length + length + 1) * 2;
        buffer->text = realloc(buffer->text, buffer->room);
        if (!buffer->text) exit(3);
    }
    memcpy(buffer->text + buffer->length, text, length);
    buffer->length += length;
    buffer->text[buffer->length] = 0;
}

static void put_text(Buffer *buffer, const char *text) { put(buffer, text, strlen(text)); }

/* ---- reading ---- */

enum { MAX_DEPTH = 200 };

typedef struct {
    const char *start, *at, *end;
    Arena *arena;
    int depth;
    const char *error;
} Reader;

static bool fail(Reader *r, const char *error)
{
    if (!r->error) r->error = error;
    return false;
}

static void skip(Reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool accept(Reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static int hex4(Reader *r)
{
    int value = 0;
    if (r->end - r->at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = r->at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    r->at += 4;
    return value;
}

static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) return out[0] = (char)code, 1;
    if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
    if (code < 0x10000) return out[0] = (char)(0xe0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 63)), out[2] = (char)(0x80 | (code & 63)), 3;
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* The length of a character in UTF-8; 0 if it is none. */
static size_t character(const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (length == 0 || (size_t)(end - at) < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (length == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0))) return 0;
    if (length == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))) return 0;
    return length;
}

static bool read_escape(Reader *r, char *out, size_t *length)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end) return fail(r, "a string without an end");
    char c = *r->at++;
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        out[(*length)++] = to[simple - from];
        return true;
    }
    if (c != 'u') return r->at--, fail(r, "an escape that is none");
    int high = hex4(r);
    if (high < 0) return fail(r, "four hexadecimal digits are missing");
    uint32_t code = (uint32_t)high;
    if (high >= 0xd800 && high < 0xdc00) {
        int low = accept(r, '\\') && accept(r, 'u') ? hex4(r) : -1;
        if (low < 0xdc00 || low >= 0xe000) return fail(r, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    } else if (high >= 0xdc00 && high < 0xe000) return fail(r, "half a surrogate pair");
    *length += encode(code, out + *length);
    return true;
}

static bool read_string(Reader *r, char **text, size_t *length)
{
    const char *end = r->at;
    while (end < r->end && *end != '"') end += *end == '\\' && end + 1 < r->end ? 2 : 1;
    char *out = take(r->arena, (size_t)(end - r->at) + 1);
    *text = out;
    *length = 0;
    for (;;) {
        if (r->at == r->end) return fail(r, "a string without an end");
        if (*r->at == '"') break;
        if (*r->at == '\\') {
            r->at++;
            if (!read_escape(r, out, length)) return false;
            continue;
        }
        if ((unsigned char)*r->at < 0x20) return fail(r, "a control character in a string");
        size_t size = character(r->at, r->end);
        if (size == 0) return fail(r, "bytes that are no UTF-8");
        memcpy(out + *length, r->at, size);
        *length += size;
        r->at += size;
    }
    r->at++;
    out[*length] = 0;
    return true;
}

static bool digits(Reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > start || fail(r, "a digit is missing");
}

static bool read_number(Reader *r, Value *value)
{
    const char *start = r->at;
    char buffer[400];
    accept(r, '-');
    if (!accept(r, '0') && !digits(r)) return false;
    if (accept(r, '.') && !digits(r)) return false;
    if (accept(r, 'e') || accept(r, 'E')) {
        if (!accept(r, '-')) accept(r, '+');
        if (!digits(r)) return false;
    }
    size_t length = (size_t)(r->at - start);
    if (length >= sizeof buffer) return fail(r, "a number too long");
    memcpy(buffer, start, length);
    buffer[length] = 0;
    value->kind = J_NUMBER;
    value->number = strtod(buffer, NULL);
    return isfinite(value->number) || fail(r, "a number too large");
}

static bool read_value(Reader *r, Value *value);

/* Items are gathered in an array that doubles; the arena keeps the old ones, which is at most as much again. */
static bool read_items(Reader *r, Value *value, char close)
{
    size_t room = 0;
    value->kind = close == ']' ? J_ARRAY : J_OBJECT;
    if (++r->depth > MAX_DEPTH) return fail(r, "nested too deeply");
    skip(r);
    if (!accept(r, close)) for (;;) {
            if (value->length == room) {
                size_t more = room ? room * 2 : 4;
                Value *items = take(r->arena, more * sizeof *items);
                char **keys = take(r->arena, more * sizeof *keys);
                size_t *lengths = take(r->arena, more * sizeof *lengths);
                if (room) {
                    memcpy(items, value->items, room * sizeof *items);
                    memcpy(keys, value->keys, room * sizeof *keys);
                    memcpy(lengths, value->keyLengths, room * sizeof *lengths);
                }
                value->items = items;
                value->keys = keys;
                value->keyLengths = lengths;
                room = more;
            }
            if (close == '}') {
                skip(r);
                if (!accept(r, '"')) return fail(r, "a key is missing");
                if (!read_string(r, &value->keys[value->length], &value->keyLengths[value->length])) return false;
                skip(r);
                if (!accept(r, ':')) return fail(r, "a colon is missing");
            }
            if (!read_value(r, &value->items[value->length])) return false;
            value->length++;
            skip(r);
            if (accept(r, close)) break;
            if (!accept(r, ',')) return fail(r, "a comma or the end is missing");
        }
    r->depth--;
    return true;
}

static bool word(Reader *r, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0) return fail(r, "a word that is none");
    r->at += length;
    return true;
}

static bool read_value(Reader *r, Value *value)
{
    memset(value, 0, sizeof *value);
    skip(r);
    if (r->at == r->end) return fail(r, "a value is missing");
    switch (*r->at) {
    case '{': r->at++; return read_items(r, value, '}');
    case '[': r->at++; return read_items(r, value, ']');
    case '"':
        r->at++;
        value->kind = J_STRING;
        return read_string(r, &value->text, &value->length);
    case 't': value->kind = J_BOOL; value->truth = true; return word(r, "true");
    case 'f': value->kind = J_BOOL; return word(r, "false");
    case 'n': return word(r, "null");
    default:
        if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')) return read_number(r, value);
        return fail(r, "a value begins with something else");
    }
}

static const char *read_document(Arena *arena, const char *text, size_t length, Value *value, size_t *position)
{
    Reader r = { text, text, text + length, arena, 0, NULL };
    if (read_value(&r, value)) {
        skip(&r);
        if (r.at < r.end) fail(&r, "something behind the end");
    }
    *position = (size_t)(r.at - text);
    return r.error;
}

/* ---- writing ---- */

static void write_string(Buffer *out, const char *text, size_t length)
{
    put_text(out, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\') put(out, (char[]){ '\\', (char)c }, 2);
        else if (c == '\n') put_text(out, "\\n");
        else if (c < 0x20) put(out, escape, (size_t)sprintf(escape, "\\u%04x", c));
        else put(out, text + i, 1);
    }
    put_text(out, "\"");
}

/* The shortest that reads back as the same number. */
static void write_number(Buffer *out, double number)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    put_text(out, text);
}

static void write_value(Buffer *out, const Value *value, int indent)
{
    switch (value->kind) {
    case J_NULL: put_text(out, "null"); return;
    case J_BOOL: put_text(out, value->truth ? "true" : "false"); return;
    case J_NUMBER: write_number(out, value->number); return;
    case J_STRING: write_string(out, value->text, value->length); return;
    default: break;
    }
    bool object = value->kind == J_OBJECT;
    put_text(out, object ? "{" : "[");
    for (size_t i = 0; i < value->length; i++) {
        if (i > 0) put_text(out, ",");
        if (indent >= 0) {
            put_text(out, "\n");
            for (int j = 0; j <= indent; j++) put_text(out, "  ");
        }
        if (object) {
            write_string(out, value->keys[i], value->keyLengths[i]);
            put_text(out, indent >= 0 ? ": " : ":");
        }
        write_value(out, &value->items[i], indent >= 0 ? indent + 1 : -1);
    }
    if (indent >= 0 && value->length > 0) {
        put_text(out, "\n");
        for (int j = 0; j < indent; j++) put_text(out, "  ");
    }
    put_text(out, object ? "}" : "]");
}

/* ---- documents that nobody wrote ---- */

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

static void generate_string(Buffer *out)
{
    static const char *const pieces[] = { "a", "key", "Hello, world", "\\n", "\\\"", "\\u00e9", "\xc3\xa9", "\\ud83d\\ude00", "\xf0\x9f\x98\x80", "\\/", " ", "\xe2\x82\xac", "\\t", "0" };
    put_text(out, "\"");
    for (uint32_t i = draw(6); i > 0; i--) put_text(out, pieces[draw(sizeof pieces / sizeof *pieces)]);
    put_text(out, "\"");
}

static void generate_space(Buffer *out)
{
    static const char *const spaces[] = { "", "", "", " ", "\n", "\t ", "\r\n" };
    put_text(out, spaces[draw(7)]);
}

static void generate(Buffer *out, int depth)
{
    char text[60];
    generate_space(out);
    uint32_t kind = draw(depth > 5 ? 8 : 12);
    switch (kind) {
    case 0: put_text(out, "null"); break;
    case 1: put_text(out, "true"); break;
    case 2: put_text(out, "false"); break;
    case 3: case 4: generate_string(out); break;
    case 5: {
        int number = (int)draw(2000000) - 1000000;
        put(out, text, (size_t)sprintf(text, "%d", number));
        break;
    }
    case 6: {
        uint32_t whole = draw(1000), part = draw(1000000);
        put(out, text, (size_t)sprintf(text, "%u.%06u", whole, part));
        break;
    }
    case 7: {
        uint32_t mantissa = draw(1000), exponent = draw(300), sign = draw(2);
        put(out, text, (size_t)sprintf(text, "-%u.5%c%s%u", mantissa, "eE"[sign], sign ? "-" : "+", exponent));
        break;
    }
    default: {
        bool object = kind >= 10;
        put_text(out, object ? "{" : "[");
        for (uint32_t i = 0, count = draw(7); i < count; i++) {
            if (i > 0) put_text(out, ",");
            if (object) {
                generate_space(out);
                generate_string(out);
                generate_space(out);
                put_text(out, ":");
            }
            generate(out, depth + 1);
        }
        generate_space(out);
        put_text(out, object ? "}" : "]");
    }
    }
    generate_space(out);
}

static uint64_t hash_text(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return hash;
}

/* Changes some bytes of a document. */
static void damage(Buffer *document)
{
    static const char bytes[] = "{}[],:\"\\0-9.eEtfnu \n\x01\x80\xff";
    for (uint32_t i = 1 + draw(3); i > 0 && document->length > 0; i--) {
        uint32_t at = draw((uint32_t)document->length);
        char with = bytes[draw(sizeof bytes - 1)];
        switch (draw(3)) {
        case 0: document->text[at] = with; break;
        case 1: memmove(document->text + at, document->text + at + 1, document->length-- - at); break;
        default: document->length = at; document->text[at] = 0; break;
        }
    }
}

static void note_error(const char *error, int *counts, const char **names)
{
    for (int i = 0; i < 32; i++) {
        if (!names[i]) names[i] = error;
        if (strcmp(names[i], error) == 0) {
            counts[i]++;
            return;
        }
    }
}

static int run_generated(int count)
{
    uint64_t hash = 0xcbf29ce484222325u, broken = hash;
    size_t bytes = 0, memory = 0;
    int valid = 0, counts[32] = { 0 };
    const char *names[32] = { 0 };
    for (int i = 0; i < count; i++) {
        Arena arena = { 0 };
        Buffer document = { 0 }, compact = { 0 }, again = { 0 }, pretty = { 0 };
        Value value, second, third;
        size_t position;
        generate(&document, i % 4);
        bytes += document.length;
        const char *error = read_document(&arena, document.text, document.length, &value, &position);
        if (error) {
            printf("WRONG: %s at %zu of %s\n", error, position, document.text);
            return 1;
        }
        write_value(&compact, &value, -1);
        write_value(&pretty, &value, 0);
        if (read_document(&arena, compact.text, compact.length, &second, &position) || read_document(&arena, pretty.text, pretty.length, &third, &position)) {
            printf("WRONG: what was written does not read: %s\n", compact.text);
            return 1;
        }
        write_value(&again, &third, -1);
        if (again.length != compact.length || memcmp(again.text, compact.text, again.length) != 0) {
            printf("WRONG: %s became %s\n", compact.text, again.text);
            return 1;
        }
        hash = hash_text(hash_text(hash, compact.text, compact.length), pretty.text, pretty.length);
        damage(&document);
        error = read_document(&arena, document.text, document.length, &value, &position);
        if (error) {
            broken = hash_text(broken + position, error, strlen(error));
            note_error(error, counts, names);
        } else valid++;
        memory += arena.total > 0;
        drop(&arena);
        free(document.text);
        free(compact.text);
        free(again.text);
        free(pretty.text);
    }
    printf("%d documents, %zu bytes, %016" PRIx64 "\n", count, bytes, hash);
    printf("broken: %d still valid, %016" PRIx64 "\n", valid, broken);
    for (int i = 0; i < 32 && names[i]; i++) printf("%6d %s\n", counts[i], names[i]);
    return memory == 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--generate") == 0) {
        state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
        return run_generated(argc > 2 ? atoi(argv[2]) : 1000);
    }
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : stdin;
    if (!file) {
        fprintf(stderr, "json: %s cannot be read\n", argv[1]);
        return 2;
    }
    Buffer text = { 0 }, out = { 0 };
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) put(&text, piece, n);
    Arena arena = { 0 };
    Value value;
    size_t position;
    const char *error = read_document(&arena, text.text ? text.text : "", text.length, &value, &position);
    if (error) {
        size_t line = 1, column = 1;
        for (size_t i = 0; i < position; i++) {
            column++;
            if (text.text[i] == '\n') line++, column = 1;
        }
        fprintf(stderr, "json: %zu:%zu: %s\n", line, column, error);
        return 1;
    }
    write_value(&out, &value, 0);
    puts(out.text);
    return 0;
}
