/*
 * regex PATTERN [FILE]: prints the lines that match, like grep -E.
 * regex --generate COUNT SEED: patterns and texts made by chance; the machine that tries all ways at once must find the same
 * as the one that tries them in turn.
 *
 * A pattern becomes a program: | * + ? {n,m} ( ) [ ] . ^ $ \d \w \s and \ before any other character.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { I_CHAR, I_ANY, I_SET, I_SPLIT, I_JUMP, I_START, I_END, I_MATCH } Op;

typedef struct {
    Op op;
    int a, b; /* where to go on; of a split a is tried first. I_CHAR, I_SET: what a character is compared with. */
} Instruction;

enum { MAX_PROGRAM = 4000, MAX_SETS = 200, MAX_NESTING = 60 };

typedef struct {
    Instruction code[MAX_PROGRAM];
    int count;
    uint8_t sets[MAX_SETS][32];
    int setCount;
} Program;

/* ---- compiling ---- */

typedef struct {
    const char *start, *at;
    Program *program;
    const char *error;
    int depth;
} Parser;

static void fail(Parser *p, const char *error)
{
    if (!p->error) p->error = error;
}

static int emit(Parser *p, Op op, int a, int b)
{
    if (p->program->count == MAX_PROGRAM) {
        fail(p, "a pattern too large");
        return 0;
    }
    p->program->code[p->program->count] = (Instruction){ op, a, b };
    return p->program->count++;
}

/* Makes room for an instruction before those from there on. */
static void insert(Parser *p, int at, Op op, int a, int b)
{
    Program *program = p->program;
    emit(p, I_JUMP, 0, 0);
    if (p->error) return;
    memmove(&program->code[at + 1], &program->code[at], (size_t)(program->count - 1 - at) * sizeof *program->code);
    for (int i = at + 1; i < program->count; i++) {
        Instruction *in = &program->code[i];
        if (in->op == I_SPLIT || in->op == I_JUMP) {
            if (in->a >= at) in->a++;
            if (in->b >= at && in->op == I_SPLIT) in->b++;
        }
    }
    program->code[at] = (Instruction){ op, a, b };
}

static void set_add(uint8_t *set, int c) { set[c / 8] |= (uint8_t)(1 << c % 8); }

static bool set_has(const uint8_t *set, int c) { return set[c / 8] >> c % 8 & 1; }

static bool add_class(uint8_t *set, char name)
{
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), space = c == ' ' || (c >= 9 && c <= 13), in;
        switch (name) {
        case 'd': in = digit; break;
        case 'D': in = !digit; break;
        case 'w': in = digit || letter || c == '_'; break;
        case 'W': in = !(digit || letter || c == '_'); break;
        case 's': in = space; break;
        case 'S': in = !space; break;
        default: return false;
        }
        if (in) set_add(set, c);
    }
    return true;
}

static uint8_t *new_set(Parser *p)
{
    if (p->program->setCount == MAX_SETS) {
        fail(p, "too many sets");
        return p->program->sets[0];
    }
    return memset(p->program->sets[p->program->setCount++], 0, 32);
}

static void set(Parser *p)
{
    uint8_t *set = new_set(p);
    bool negated = *p->at == '^';
    if (negated) p->at++;
    for (bool first = true; *p->at != ']' || first; first = false) {
        if (!*p->at) {
            fail(p, "a set without an end");
            return;
        }
        int low = (unsigned char)*p->at++;
        if (low == '\\' && *p->at) {
            low = (unsigned char)*p->at++;
            if (add_class(set, (char)low)) continue;
        }
        int high = low;
        if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
            high = (unsigned char)p->at[1];
            p->at += 2;
            if (high < low) fail(p, "a range that goes backwards");
        }
        for (int c = low; c <= high; c++) set_add(set, c);
    }
    p->at++;
    if (negated)
        for (int i = 0; i < 32; i++) set[i] = (uint8_t)~set[i];
    emit(p, I_SET, p->program->setCount - 1, 0);
}

static void alternatives(Parser *p);

static void atom(Parser *p)
{
    char c = *p->at++;
    switch (c) {
    case '(':
        if (++p->depth > MAX_NESTING) {
            fail(p, "nested too deeply");
            return;
        }
        alternatives(p);
        p->depth--;
        if (*p->at != ')') fail(p, "a parenthesis is not closed");
        else p->at++;
        break;
    case '[': set(p); break;
    case '.': emit(p, I_ANY, 0, 0); break;
    case '^': emit(p, I_START, 0, 0); break;
    case '$': emit(p, I_END, 0, 0); break;
    case '*': case '+': case '?': fail(p, "nothing to repeat"); break;
    case '\\': {
        if (!*p->at) {
            fail(p, "a backslash at the end");
            break;
        }
        c = *p->at++;
        if (strchr("dDwWsS", c)) {
            add_class(new_set(p), c);
            emit(p, I_SET, p->program->setCount - 1, 0);
        } else emit(p, I_CHAR, (unsigned char)(c == 'n' ? '\n' : c == 't' ? '\t' : c), 0);
        break;
    }
    default: emit(p, I_CHAR, (unsigned char)c, 0);
    }
}

static int number(Parser *p)
{
    int value = -1;
    while (*p->at >= '0' && *p->at <= '9' && value < 1000) value = (value < 0 ? 0 : value) * 10 + *p->at++ - '0';
    return value;
}

/* Once more what is at start, its targets moved along. */
static void copy(Parser *p, int start, int length)
{
    int shift = p->program->count - start;
    for (int i = 0; i < length && !p->error; i++) {
        Instruction in = p->program->code[start + i];
        if (in.op == I_SPLIT || in.op == I_JUMP) {
            in.a += shift;
            if (in.op == I_SPLIT) in.b += shift;
        }
        emit(p, in.op, in.a, in.b);
    }
}

static void star(Parser *p, int start)
{
    insert(p, start, I_SPLIT, start + 1, 0);
    int jump = emit(p, I_JUMP, start, 0);
    p->program->code[start].b = jump + 1;
}

static void option(Parser *p, int start)
{
    insert(p, start, I_SPLIT, start + 1, 0);
    p->program->code[start].b = p->program->count;
}

static void counted(Parser *p, int start)
{
    int low = number(p), high = low;
    if (low < 0) {
        fail(p, "a number is missing");
        return;
    }
    if (*p->at == ',') {
        p->at++;
        high = number(p);
    }
    if (*p->at++ != '}') {
        p->at--;
        fail(p, "a } is missing");
        return;
    }
    if (low > 100 || high > 100 || (high >= 0 && high < low)) {
        fail(p, "counts that cannot be");
        return;
    }
    int length = p->program->count - start;
    if (high == 0) {
        p->program->count = start;
        return;
    }
    int here = start;
    for (int i = 1; i < low && !p->error; i++) {
        here = p->program->count;
        copy(p, start, length);
    }
    if (high < 0) {
        if (low == 0) star(p, start);
        else {
            here = p->program->count;
            copy(p, start, length);
            star(p, here);
        }
        return;
    }
    if (low == 0) {
        option(p, start);
        low = 1;
        for (int i = low; i < high && !p->error; i++) {
            here = p->program->count;
            copy(p, start + 1, length);
            option(p, here);
        }
        return;
    }
    for (int i = low; i < high && !p->error; i++) {
        here = p->program->count;
        copy(p, start, length);
        option(p, here);
    }
}

static void sequence(Parser *p)
{
    while (*p->at && *p->at != '|' && *p->at != ')' && !p->error) {
        int start = p->program->count;
        atom(p);
        while (!p->error && *p->at && strchr("*+?{", *p->at)) {
            char c = *p->at++;
            if (c == '*') star(p, start);
            else if (c == '?') option(p, start);
            else if (c == '{') counted(p, start);
            else {
                int jump = emit(p, I_SPLIT, start, 0);
                p->program->code[jump].b = jump + 1;
            }
        }
    }
}

static void alternatives(Parser *p)
{
    int start = p->program->count;
    sequence(p);
    if (*p->at != '|' || p->error) return;
    p->at++;
    insert(p, start, I_SPLIT, start + 1, 0);
    int jump = emit(p, I_JUMP, 0, 0);
    p->program->code[start].b = jump + 1;
    if (++p->depth > MAX_NESTING) fail(p, "nested too deeply");
    else alternatives(p);
    p->depth--;
    p->program->code[jump].a = p->program->count;
}

static const char *compile(Program *program, const char *pattern, int *position)
{
    Parser p = { .start = pattern, .at = pattern, .program = program };
    program->count = program->setCount = 0;
    alternatives(&p);
    if (!p.error && *p.at) fail(&p, "a parenthesis too many");
    emit(&p, I_MATCH, 0, 0);
    *position = (int)(p.at - pattern);
    return p.error;
}

/* ---- all ways at once ---- */

typedef struct {
    int list[MAX_PROGRAM], count;
} Threads;

typedef struct {
    const Program *program;
    const char *text;
    int length;
    uint32_t stamp, seen[MAX_PROGRAM];
    int stack[MAX_PROGRAM * 2];
    Threads now, next;
    uint64_t steps;
} Machine;

/* Adds where a thread can be without reading, the preferred ones first. */
static void add(Machine *m, Threads *threads, int at, int position)
{
    int depth = 0;
    m->stack[depth++] = at;
    while (depth > 0) {
        at = m->stack[--depth];
        if (m->seen[at] == m->stamp) continue;
        m->seen[at] = m->stamp;
        const Instruction *in = &m->program->code[at];
        switch (in->op) {
        case I_JUMP: m->stack[depth++] = in->a; break;
        case I_SPLIT:
            m->stack[depth++] = in->b;
            m->stack[depth++] = in->a;
            break;
        case I_START:
            if (position == 0) m->stack[depth++] = at + 1;
            break;
        case I_END:
            if (position == m->length) m->stack[depth++] = at + 1;
            break;
        default: threads->list[threads->count++] = at;
        }
    }
}

static bool matches(const Program *program, const Instruction *in, unsigned char c)
{
    switch (in->op) {
    case I_CHAR: return in->a == c;
    case I_ANY: return c != '\n';
    case I_SET: return set_has(program->sets[in->a], c);
    default: return false;
    }
}

/* The end of the match from there, as the order of alternatives prefers it; -1 if there is none. */
static int match_at(Machine *m, int start)
{
    int end = -1;
    m->now.count = 0;
    m->stamp++;
    add(m, &m->now, 0, start);
    for (int i = start;; i++) {
        m->next.count = 0;
        m->stamp++;
        for (int t = 0; t < m->now.count; t++) {
            const Instruction *in = &m->program->code[m->now.list[t]];
            m->steps++;
            if (in->op == I_MATCH) {
                end = i;
                break;
            }
            if (i < m->length && matches(m->program, in, (unsigned char)m->text[i])) add(m, &m->next, m->now.list[t] + 1, i + 1);
        }
        if (m->next.count == 0 || i >= m->length) return end;
        m->now.count = m->next.count;
        memcpy(m->now.list, m->next.list, (size_t)m->next.count * sizeof *m->now.list);
    }
}

/* ---- one way after the other ---- */

typedef struct {
    const Program *program;
    const char *text;
    int length, budget;
} Backtracker;

/* -2: given up. A loop that read nothing is left. */
static int follow(Backtracker *b, int at, int i, int depth, int lastSplit, int lastPosition)
{
    for (;;) {
        if (--b->budget < 0 || depth > 2000) return -2;
        const Instruction *in = &b->program->code[at];
        switch (in->op) {
        case I_MATCH: return i;
        case I_JUMP: at = in->a; break;
        case I_SPLIT: {
            if (at == lastSplit && i == lastPosition) return -1;
            int end = follow(b, in->a, i, depth + 1, at, i);
            if (end != -1) return end;
            at = in->b;
            break;
        }
        case I_START:
            if (i != 0) return -1;
            at++;
            break;
        case I_END:
            if (i != b->length) return -1;
            at++;
            break;
        default:
            if (i >= b->length || !matches(b->program, in, (unsigned char)b->text[i])) return -1;
            i++;
            at++;
        }
    }
}

/* ---- patterns that nobody wrote ---- */

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

typedef struct {
    char text[4000];
    int length;
} Buffer;

static void put(Buffer *b, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)b->length + n + 1 > sizeof b->text) return;
    memcpy(b->text + b->length, text, n + 1);
    b->length += (int)n;
}

static void generate(Buffer *b, int depth)
{
    static const char *const atoms[] = { "a", "b", "c", "ab", ".", "[ab]", "[^a]", "[b-d]", "\\d", "\\w", "x" };
    static const char *const repeats[] = { "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}" };
    for (uint32_t i = 1 + draw(3); i > 0; i--) {
        bool group = depth < 3 && draw(3) == 0, filled = true;
        if (group) {
            put(b, "(");
            generate(b, depth + 1);
            if (draw(2)) {
                put(b, "|");
                generate(b, depth + 1);
            }
            put(b, ")");
            filled = false;
        } else put(b, atoms[draw(sizeof atoms / sizeof *atoms)]);
        /* Loops around what may be empty take different ways here and there: they are left to the machine with threads. */
        if (draw(3) == 0) put(b, repeats[filled ? draw(7) : 3 + draw(2)]);
    }
}

static int run_generated(int count)
{
    static Program program;
    static Machine machine;
    static char text[200];
    uint64_t hash = 0xcbf29ce484222325u, steps = 0;
    int found = 0, compared = 0, errors = 0, instructions = 0;
    for (int i = 0; i < count; i++) {
        Buffer pattern = { .length = 0 };
        int position;
        if (draw(10) == 0) put(&pattern, "^");
        generate(&pattern, 0);
        if (draw(10) == 0) put(&pattern, "$");
        if (draw(20) == 0) pattern.text[draw((uint32_t)pattern.length)] = "()[]{}*\\"[draw(8)];
        const char *error = compile(&program, pattern.text, &position);
        if (error) {
            errors++;
            for (; *error; error++) hash = (hash ^ (unsigned char)*error) * 0x100000001b3u;
            hash += (uint64_t)position;
            continue;
        }
        instructions += program.count;
        for (int t = 0; t < 8; t++) {
            int length = (int)draw(t < 7 ? 30 : 190);
            for (int j = 0; j < length; j++) text[j] = "aabbccdx1 "[draw(10)];
            text[length] = 0;
            machine.program = &program;
            machine.text = text;
            machine.length = length;
            for (int start = 0; start <= length; start++) {
                int end = match_at(&machine, start);
                Backtracker b = { &program, text, length, 3000 };
                int other = follow(&b, 0, start, 0, -1, -1);
                if (other != -2) {
                    compared++;
                    if (other != end) {
                        printf("WRONG: %s on %s from %d: %d or %d\n", pattern.text, text, start, end, other);
                        return 1;
                    }
                }
                hash = (hash ^ (uint64_t)(end + 1)) * 0x100000001b3u;
                found += end >= 0;
            }
        }
        steps += machine.steps;
        machine.steps = 0;
    }
    printf("%d patterns, %d with errors, %d instructions\n", count, errors, instructions);
    printf("%d matches, %d compared, %" PRIu64 " steps, %016" PRIx64 "\n", found, compared, steps, hash);
    return 0;
}

int main(int argc, char **argv)
{
    static Program program;
    static Machine machine;
    static char line[10000];
    int position, shown = 0;
    if (argc > 1 && strcmp(argv[1], "--generate") == 0) {
        state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
        return run_generated(argc > 2 ? atoi(argv[2]) : 100);
    }
    if (argc < 2) {
        fputs("usage: regex PATTERN [FILE]\n", stderr);
        return 2;
    }
    const char *error = compile(&program, argv[1], &position);
    if (error) {
        fprintf(stderr, "regex: %s, at %d of the pattern\n", error, position);
        return 2;
    }
    FILE *file = argc > 2 ? fopen(argv[2], "r") : stdin;
    if (!file) {
        fprintf(stderr, "regex: %s cannot be read\n", argv[2]);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        int length = (int)strcspn(line, "\n");
        line[length] = 0;
        machine.program = &program;
        machine.text = line;
        machine.length = length;
        for (int start = 0; start <= length; start++)
            if (match_at(&machine, start) >= 0) {
                puts(line);
                shown++;
                break;
            }
    }
    return shown == 0;
}
