/* The compiler: one pass over the source, which writes the code of functions while it reads them. */
#include "code.h"
#include "lex.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LOCALS = 200, MAX_DEPTH = 120, MAX_BREAKS = 100, MAX_ARGUMENTS = 20 };

typedef struct {
    String *name; /* null for what the compiler itself keeps there */
    int depth;
    bool captured;
} Local;

typedef struct Loop {
    struct Loop *outer;
    int locals, handlers;
    uint32_t breaks[MAX_BREAKS], continues[MAX_BREAKS];
    int breakCount, continueCount;
} Loop;

typedef struct Function {
    struct Function *outer;
    Proto *proto;
    Local locals[MAX_LOCALS];
    String *captured[255];
    int localCount, depth, handlers;
    Loop *loop;
} Function;

typedef struct {
    Vm *vm;
    Lexer lexer;
    Token token, before;
    Function *function;
    int depth;
    bool failed;
} Compiler;

/* Something that has been read but not yet loaded: it may turn out to be assigned to. */
typedef enum { E_VALUE, E_LOCAL, E_UPVALUE, E_GLOBAL, E_FIELD, E_INDEX } ExpressionKind;

typedef struct {
    ExpressionKind kind;
    int index;
} Expression;

static void expression(Compiler *c);
static void statement(Compiler *c);
static void block(Compiler *c);

static void fail(Compiler *c, const Token *at, const char *message)
{
    if (c->failed) return;
    c->failed = true;
    if (at->kind == K_ERROR) vm_fail(c->vm, "%s:%u: %.*s", c->vm->fileName, at->line, (int)at->length, at->start);
    else vm_fail(c->vm, "%s:%u: %s, at %.*s", c->vm->fileName, at->line, message, (int)at->length, at->start);
}

static void advance(Compiler *c)
{
    c->before = c->token;
    c->token = lex(&c->lexer);
    if (c->token.kind == K_ERROR) fail(c, &c->token, "");
    /* After an error nothing more is read. */
    if (c->failed) c->token.kind = K_END;
}

static bool accept(Compiler *c, int kind)
{
    if (c->token.kind != kind) return false;
    advance(c);
    return true;
}

static void expect(Compiler *c, int kind, const char *message)
{
    if (!accept(c, kind)) fail(c, &c->token, message);
}

/* ---- code ---- */

static void emit(Compiler *c, int byte)
{
    Proto *p = c->function->proto;
    if (p->codeCount == p->codeRoom) {
        uint32_t room = p->codeRoom ? p->codeRoom * 2 : 64;
        p->code = heap_resize(c->vm, p->code, p->codeRoom, room, 1);
        p->lines = heap_resize(c->vm, p->lines, p->codeRoom, room, sizeof(uint32_t));
        p->codeRoom = room;
    }
    p->code[p->codeCount] = (uint8_t)byte;
    p->lines[p->codeCount++] = c->before.line;
}

static void emit16(Compiler *c, int op, uint32_t operand)
{
    emit(c, op);
    emit(c, operand & 255);
    emit(c, operand >> 8);
}

static uint32_t constant(Compiler *c, Value value)
{
    Proto *p = c->function->proto;
    for (uint32_t i = 0; i < p->constantCount; i++)
        if (same(p->constants[i], value) && (value.tag != T_NUMBER || memcmp(&value.as.number, &p->constants[i].as.number, 8) == 0)) return i;
    if (p->constantCount == 65535) {
        fail(c, &c->before, "too many constants");
        return 0;
    }
    if (p->constantCount == p->constantRoom) {
        uint32_t room = p->constantRoom ? p->constantRoom * 2 : 8;
        p->constants = heap_resize(c->vm, p->constants, p->constantRoom, room, sizeof(Value));
        p->constantRoom = room;
    }
    p->constants[p->constantCount] = value;
    return p->constantCount++;
}

static uint32_t jump(Compiler *c, int op)
{
    emit16(c, op, 0);
    return c->function->proto->codeCount - 2;
}

static void land(Compiler *c, uint32_t from)
{
    Proto *p = c->function->proto;
    uint32_t distance = p->codeCount - from - 2;
    if (distance > 65535) fail(c, &c->before, "a jump too far");
    p->code[from] = distance & 255;
    p->code[from + 1] = (distance >> 8) & 255;
}

static void jump_back(Compiler *c, int op, int slot, uint32_t to)
{
    emit(c, op);
    if (slot >= 0) emit(c, slot);
    uint32_t distance = c->function->proto->codeCount + 2 - to;
    if (distance > 65535) fail(c, &c->before, "a jump too far");
    emit(c, distance & 255);
    emit(c, (distance >> 8) & 255);
}

/* ---- names ---- */

static String *name_of(Compiler *c, const Token *token)
{
    String *name = string_of(c->vm, token->start, token->length);
    constant(c, of_object(name)); /* which keeps it */
    return name;
}

static int declare(Compiler *c, String *name)
{
    Function *f = c->function;
    if (f->localCount == MAX_LOCALS) {
        fail(c, &c->before, "too many variables in a function");
        return 0;
    }
    f->locals[f->localCount] = (Local){ name, f->depth, false };
    return f->localCount++;
}

static int find_local(Function *f, String *name)
{
    for (int i = f->localCount - 1; i >= 0; i--)
        if (f->locals[i].name == name) return i;
    return -1;
}

static int capture(Compiler *c, Function *f, String *name)
{
    if (f->outer == NULL) return -1;
    for (int i = 0; i < f->proto->captureCount; i++)
        if (f->captured[i] == name) return i;
    Capture made = { true, 0 };
    int index = find_local(f->outer, name);
    if (index >= 0) f->outer->locals[index].captured = true;
    else {
        made.fromLocal = false;
        index = capture(c, f->outer, name);
        if (index < 0) return -1;
    }
    if (f->proto->captureCount == 254) {
        fail(c, &c->before, "too many variables captured");
        return 0;
    }
    made.index = (uint8_t)index;
    f->captured[f->proto->captureCount] = name;
    f->proto->captures[f->proto->captureCount] = made;
    return f->proto->captureCount++;
}

static Expression variable(Compiler *c, const Token *token)
{
    String *name = name_of(c, token);
    int index = find_local(c->function, name);
    if (index >= 0) return (Expression){ E_LOCAL, index };
    index = capture(c, c->function, name);
    if (index >= 0) return (Expression){ E_UPVALUE, index };
    return (Expression){ E_GLOBAL, (int)constant(c, of_object(name)) };
}

static void load(Compiler *c, Expression e)
{
    switch (e.kind) {
    case E_VALUE: break;
    case E_LOCAL: emit(c, OP_GET_LOCAL); emit(c, e.index); break;
    case E_UPVALUE: emit(c, OP_GET_UPVALUE); emit(c, e.index); break;
    case E_GLOBAL: emit16(c, OP_GET_GLOBAL, (uint32_t)e.index); break;
    case E_FIELD: emit16(c, OP_GET_FIELD, (uint32_t)e.index); break;
    case E_INDEX: emit(c, OP_GET_INDEX); break;
    }
}

static void store(Compiler *c, Expression e)
{
    switch (e.kind) {
    case E_VALUE: break;
    case E_LOCAL: emit(c, OP_SET_LOCAL); emit(c, e.index); break;
    case E_UPVALUE: emit(c, OP_SET_UPVALUE); emit(c, e.index); break;
    case E_GLOBAL: emit16(c, OP_SET_GLOBAL, (uint32_t)e.index); break;
    case E_FIELD: emit16(c, OP_SET_FIELD, (uint32_t)e.index); break;
    case E_INDEX: emit(c, OP_SET_INDEX); break;
    }
}

/* ---- scopes ---- */

static void close_from(Compiler *c, int local)
{
    Function *f = c->function;
    bool captured = false;
    for (int i = local; i < f->localCount; i++) captured |= f->locals[i].captured;
    int count = f->localCount - local;
    if (captured || count > 2) {
        emit(c, OP_CLOSE);
        emit(c, local);
    } else {
        while (count-- > 0) emit(c, OP_POP);
    }
}

static void leave(Compiler *c)
{
    Function *f = c->function;
    f->depth--;
    int keep = f->localCount;
    while (keep > 0 && f->locals[keep - 1].depth > f->depth) keep--;
    if (keep < f->localCount) close_from(c, keep);
    f->localCount = keep;
}

/* ---- functions ---- */

static void begin_function(Compiler *c, Function *f, String *name)
{
    memset(f, 0, sizeof *f);
    f->outer = c->function;
    f->proto = proto_new(c->vm, name);
    protect(c->vm, f->proto);
    c->function = f;
    declare(c, NULL); /* the function itself */
}

static Proto *end_function(Compiler *c)
{
    emit(c, OP_NIL);
    emit(c, OP_RETURN);
    Proto *proto = c->function->proto;
    c->function = c->function->outer;
    unprotect(c->vm, 1);
    return proto;
}

/* A function's parameters and body; leaves the closure on the stack. */
static void function_rest(Compiler *c, String *name)
{
    Function *f = malloc(sizeof *f);
    if (f == NULL) exit(3);
    begin_function(c, f, name);
    expect(c, CHAR('('), "a parameter list begins with (");
    if (c->token.kind != CHAR(')')) do {
            expect(c, K_NAME, "a parameter is a name");
            if (f->proto->parameterCount == MAX_ARGUMENTS) fail(c, &c->before, "too many parameters");
            f->proto->parameterCount++;
            declare(c, name_of(c, &c->before));
        } while (accept(c, CHAR(',')));
    expect(c, CHAR(')'), "a parameter list ends with )");
    block(c);
    Proto *proto = end_function(c);
    protect(c->vm, proto);
    emit16(c, OP_CLOSURE, constant(c, of_object(proto)));
    unprotect(c->vm, 1);
    free(f);
}

/* ---- expressions ---- */

static void table(Compiler *c)
{
    emit(c, OP_NEW_TABLE);
    while (c->token.kind != CHAR('}') && !c->failed) {
        if (accept(c, CHAR('['))) {
            expression(c);
            expect(c, CHAR(']'), "a key ends with ]");
        } else if (accept(c, K_STRING) || accept(c, K_NAME)) {
            char *buffer = malloc(c->before.length + 1);
            size_t length = c->before.length;
            if (buffer == NULL) exit(3);
            if (c->before.kind == K_STRING) length = unescape(&c->before, buffer);
            else memcpy(buffer, c->before.start, length);
            emit16(c, OP_CONSTANT, constant(c, of_object(string_of(c->vm, buffer, length))));
            free(buffer);
        } else fail(c, &c->token, "a key is a name, a string or in brackets");
        expect(c, CHAR(':'), "a colon follows a key");
        expression(c);
        emit(c, OP_STORE);
        if (!accept(c, CHAR(','))) break;
    }
    expect(c, CHAR('}'), "a table ends with }");
}

static Expression primary(Compiler *c)
{
    Expression value = { E_VALUE, 0 };
    advance(c);
    Token token = c->before;
    switch (token.kind) {
    case K_NUMBER: emit16(c, OP_CONSTANT, constant(c, of_number(token.number))); return value;
    case K_STRING: {
        char *buffer = malloc(token.length + 1);
        if (buffer == NULL) exit(3);
        size_t length = unescape(&token, buffer);
        emit16(c, OP_CONSTANT, constant(c, of_object(string_of(c->vm, buffer, length))));
        free(buffer);
        return value;
    }
    case K_NIL: emit(c, OP_NIL); return value;
    case K_TRUE: emit(c, OP_TRUE); return value;
    case K_FALSE: emit(c, OP_FALSE); return value;
    case K_NAME: return variable(c, &token);
    case K_FN: function_rest(c, string_from(c->vm, "fn")); return value;
    case CHAR('('):
        expression(c);
        expect(c, CHAR(')'), "a parenthesis is not closed");
        return value;
    case CHAR('['):
        emit(c, OP_NEW_TABLE);
        while (c->token.kind != CHAR(']') && !c->failed) {
            expression(c);
            emit(c, OP_APPEND);
            if (!accept(c, CHAR(','))) break;
        }
        expect(c, CHAR(']'), "a list ends with ]");
        return value;
    case CHAR('{'): table(c); return value;
    default: fail(c, &token, "an expression is missing"); return value;
    }
}

static int arguments(Compiler *c)
{
    int count = 0;
    while (c->token.kind != CHAR(')') && !c->failed) {
        expression(c);
        if (++count > MAX_ARGUMENTS) fail(c, &c->before, "too many arguments");
        if (!accept(c, CHAR(','))) break;
    }
    expect(c, CHAR(')'), "arguments end with )");
    return count;
}

static Expression postfix(Compiler *c)
{
    Expression e = primary(c);
    for (;;) {
        if (accept(c, CHAR('('))) {
            load(c, e);
            int count = arguments(c);
            emit(c, OP_CALL);
            emit(c, count);
            e.kind = E_VALUE;
        } else if (accept(c, CHAR('['))) {
            load(c, e);
            expression(c);
            expect(c, CHAR(']'), "an index ends with ]");
            e.kind = E_INDEX;
        } else if (accept(c, CHAR('.'))) {
            load(c, e);
            expect(c, K_NAME, "a name follows a dot");
            e = (Expression){ E_FIELD, (int)constant(c, of_object(name_of(c, &c->before))) };
        } else if (accept(c, CHAR(':'))) {
            load(c, e);
            expect(c, K_NAME, "a method is a name");
            uint32_t name = constant(c, of_object(name_of(c, &c->before)));
            expect(c, CHAR('('), "a method is called");
            int count = arguments(c);
            emit16(c, OP_METHOD, name);
            emit(c, count);
            e.kind = E_VALUE;
        } else return e;
    }
}

static void unary(Compiler *c)
{
    if (++c->depth > MAX_DEPTH) fail(c, &c->token, "nested too deeply");
    if (accept(c, CHAR('-'))) {
        unary(c);
        emit(c, OP_NEGATE);
    } else if (accept(c, CHAR('!'))) {
        unary(c);
        emit(c, OP_NOT);
    } else if (accept(c, CHAR('#'))) {
        unary(c);
        emit(c, OP_COUNT);
    } else load(c, postfix(c));
    c->depth--;
}

static int precedence(int kind, int *op)
{
    switch (kind) {
    case K_OR: *op = OP_OR; return 1;
    case K_AND: *op = OP_AND; return 2;
    case K_EQUAL: *op = OP_EQUAL; return 3;
    case K_UNEQUAL: *op = OP_UNEQUAL; return 3;
    case CHAR('<'): *op = OP_LESS; return 4;
    case K_LESS_EQUAL: *op = OP_LESS_EQUAL; return 4;
    case CHAR('>'): *op = OP_GREATER; return 4;
    case K_GREATER_EQUAL: *op = OP_GREATER_EQUAL; return 4;
    case K_DOTS: *op = OP_JOIN; return 5;
    case CHAR('+'): *op = OP_ADD; return 6;
    case CHAR('-'): *op = OP_SUBTRACT; return 6;
    case CHAR('*'): *op = OP_MULTIPLY; return 7;
    case CHAR('/'): *op = OP_DIVIDE; return 7;
    case CHAR('%'): *op = OP_MODULO; return 7;
    default: return 0;
    }
}

/* The rest of an expression whose first operand is on the stack. */
static void binary(Compiler *c, int least)
{
    int op, level;
    while ((level = precedence(c->token.kind, &op)) >= least && level > 0) {
        advance(c);
        uint32_t from = op == OP_AND || op == OP_OR ? jump(c, op) : 0;
        unary(c);
        binary(c, level + 1);
        if (from) land(c, from);
        else emit(c, op);
    }
}

static void expression(Compiler *c)
{
    unary(c);
    binary(c, 1);
}

/* ---- statements ---- */

static void block(Compiler *c)
{
    expect(c, CHAR('{'), "a block begins with {");
    c->function->depth++;
    while (c->token.kind != CHAR('}') && c->token.kind != K_END) statement(c);
    expect(c, CHAR('}'), "a block ends with }");
    leave(c);
}

static void let(Compiler *c)
{
    expect(c, K_NAME, "a variable needs a name");
    String *name = name_of(c, &c->before);
    if (accept(c, CHAR('='))) expression(c);
    else emit(c, OP_NIL);
    expect(c, CHAR(';'), "a statement ends with ;");
    if (c->function->outer == NULL && c->function->depth == 0) emit16(c, OP_SET_GLOBAL, constant(c, of_object(name)));
    else declare(c, name);
}

static void named_function(Compiler *c)
{
    expect(c, K_NAME, "a function needs a name");
    String *name = name_of(c, &c->before);
    if (c->function->outer == NULL && c->function->depth == 0) {
        function_rest(c, name);
        emit16(c, OP_SET_GLOBAL, constant(c, of_object(name)));
    } else {
        emit(c, OP_NIL);
        int local = declare(c, name); /* before the body, which may call it */
        function_rest(c, name);
        emit(c, OP_SET_LOCAL);
        emit(c, local);
    }
}

static void if_statement(Compiler *c)
{
    expression(c);
    uint32_t over = jump(c, OP_JUMP_FALSE);
    block(c);
    if (!accept(c, K_ELSE)) {
        land(c, over);
        return;
    }
    uint32_t end = jump(c, OP_JUMP);
    land(c, over);
    if (accept(c, K_IF)) {
        if (++c->depth > MAX_DEPTH) fail(c, &c->token, "nested too deeply");
        if_statement(c);
        c->depth--;
    } else block(c);
    land(c, end);
}

static void begin_loop(Compiler *c, Loop *loop)
{
    loop->outer = c->function->loop;
    loop->locals = c->function->localCount;
    loop->handlers = c->function->handlers;
    loop->breakCount = loop->continueCount = 0;
    c->function->loop = loop;
}

static void land_continues(Compiler *c, Loop *loop)
{
    for (int i = 0; i < loop->continueCount; i++) land(c, loop->continues[i]);
}

static void end_loop(Compiler *c, Loop *loop)
{
    for (int i = 0; i < loop->breakCount; i++) land(c, loop->breaks[i]);
    c->function->loop = loop->outer;
}

static void while_statement(Compiler *c)
{
    Loop loop;
    uint32_t start = c->function->proto->codeCount;
    expression(c);
    uint32_t over = jump(c, OP_JUMP_FALSE);
    begin_loop(c, &loop);
    block(c);
    land_continues(c, &loop);
    jump_back(c, OP_LOOP, -1, start);
    land(c, over);
    end_loop(c, &loop);
}

/* for i = first, behind { } counts up; for k, v in table { } goes through a table. */
static void for_statement(Compiler *c)
{
    Loop loop;
    Function *f = c->function;
    f->depth++;
    expect(c, K_NAME, "a loop needs a variable");
    Token first = c->before, second = c->before;
    bool counts = c->token.kind == CHAR('=');
    if (!counts) {
        expect(c, CHAR(','), "= or a second variable follows");
        expect(c, K_NAME, "the second variable is a name");
        second = c->before;
        expect(c, K_IN, "in follows the variables");
    } else advance(c);
    expression(c);
    int slot = declare(c, counts ? name_of(c, &first) : NULL);
    if (counts) {
        expect(c, CHAR(','), "a comma and the end follow");
        expression(c);
    } else {
        emit16(c, OP_CONSTANT, constant(c, of_number(0)));
    }
    declare(c, NULL);
    emit(c, counts ? OP_RANGE : OP_EACH);
    emit(c, slot);
    emit(c, 0);
    emit(c, 0);
    uint32_t over = f->proto->codeCount - 2;
    uint32_t start = f->proto->codeCount;
    begin_loop(c, &loop);
    f->depth++;
    if (!counts) {
        declare(c, name_of(c, &first));
        declare(c, name_of(c, &second));
    }
    block(c);
    leave(c);
    land_continues(c, &loop);
    if (counts) jump_back(c, OP_RANGE_NEXT, slot, start);
    else jump_back(c, OP_LOOP, -1, start - 4);
    land(c, over);
    end_loop(c, &loop);
    leave(c);
}

static void leave_loop(Compiler *c, bool breaks)
{
    Loop *loop = c->function->loop;
    if (loop == NULL) {
        fail(c, &c->before, "there is no loop here");
        return;
    }
    for (int i = loop->handlers; i < c->function->handlers; i++) emit(c, OP_TRY_END);
    if (c->function->localCount > loop->locals) close_from(c, loop->locals);
    int *count = breaks ? &loop->breakCount : &loop->continueCount;
    if (*count == MAX_BREAKS) fail(c, &c->before, "too many ways out of a loop");
    else (breaks ? loop->breaks : loop->continues)[(*count)++] = jump(c, OP_JUMP);
    expect(c, CHAR(';'), "a statement ends with ;");
}

static void try_statement(Compiler *c)
{
    uint32_t handler = jump(c, OP_TRY);
    c->function->handlers++;
    block(c);
    c->function->handlers--;
    emit(c, OP_TRY_END);
    uint32_t end = jump(c, OP_JUMP);
    land(c, handler);
    expect(c, K_CATCH, "catch follows a try");
    expect(c, CHAR('('), "catch names what it takes");
    expect(c, K_NAME, "catch names what it takes");
    c->function->depth++;
    declare(c, name_of(c, &c->before)); /* what is thrown is on the stack */
    expect(c, CHAR(')'), "catch names what it takes");
    block(c);
    leave(c);
    land(c, end);
}

static int assignment_op(int kind)
{
    switch (kind) {
    case K_ADD_TO: return OP_ADD;
    case K_SUBTRACT_FROM: return OP_SUBTRACT;
    case K_MULTIPLY_BY: return OP_MULTIPLY;
    case K_DIVIDE_BY: return OP_DIVIDE;
    case K_JOIN_TO: return OP_JOIN;
    default: return -1;
    }
}

static void simple_statement(Compiler *c)
{
    Token start = c->token;
    if (start.kind == CHAR('-') || start.kind == CHAR('!') || start.kind == CHAR('#')) fail(c, &start, "a statement calls or assigns");
    Expression e = postfix(c);
    int op = assignment_op(c->token.kind);
    if (c->token.kind == CHAR('=') || op >= 0) {
        if (e.kind == E_VALUE) fail(c, &c->token, "this cannot be assigned to");
        advance(c);
        if (op >= 0) {
            if (e.kind == E_FIELD) emit(c, OP_DUPLICATE);
            if (e.kind == E_INDEX) emit(c, OP_DUPLICATE2);
            load(c, e);
        }
        expression(c);
        if (op >= 0) emit(c, op);
        store(c, e);
    } else {
        if (e.kind != E_VALUE) fail(c, &c->token, "a statement calls or assigns");
        emit(c, OP_POP);
    }
    expect(c, CHAR(';'), "a statement ends with ;");
}

static void statement(Compiler *c)
{
    if (++c->depth > MAX_DEPTH) fail(c, &c->token, "nested too deeply");
    if (accept(c, K_LET)) let(c);
    else if (accept(c, K_IF)) if_statement(c);
    else if (accept(c, K_WHILE)) while_statement(c);
    else if (accept(c, K_FOR)) for_statement(c);
    else if (accept(c, K_TRY)) try_statement(c);
    else if (accept(c, K_BREAK)) leave_loop(c, true);
    else if (accept(c, K_CONTINUE)) leave_loop(c, false);
    else if (c->token.kind == CHAR('{')) block(c);
    else if (accept(c, K_THROW)) {
        expression(c);
        emit(c, OP_THROW);
        expect(c, CHAR(';'), "a statement ends with ;");
    } else if (accept(c, K_RETURN)) {
        if (c->token.kind == CHAR(';')) emit(c, OP_NIL);
        else expression(c);
        for (int i = 0; i < c->function->handlers; i++) emit(c, OP_TRY_END);
        emit(c, OP_RETURN);
        expect(c, CHAR(';'), "a statement ends with ;");
    } else if (c->token.kind == K_FN) {
        Lexer ahead = c->lexer;
        if (lex(&ahead).kind == K_NAME) {
            advance(c);
            named_function(c);
        } else simple_statement(c);
    } else simple_statement(c);
    c->depth--;
}

Proto *compile(Vm *vm, const char *source, size_t length)
{
    Compiler *c = calloc(1, sizeof *c);
    Function *f = calloc(1, sizeof *f);
    if (c == NULL || f == NULL) exit(3);
    int protected = vm->protectedCount;
    c->vm = vm;
    c->lexer = (Lexer){ source, source + length, 1 };
    begin_function(c, f, string_from(vm, "main"));
    advance(c);
    while (c->token.kind != K_END && !c->failed) statement(c);
    Proto *proto = end_function(c);
    if (c->failed) proto = NULL;
    vm->protectedCount = protected;
    free(f);
    free(c);
    return proto;
}
