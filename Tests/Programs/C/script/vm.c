/* The virtual machine: a stack, frames, and one large switch. */
#include "code.h"
#include "value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a function can have on the stack beyond its arguments: the compiler's limits on locals, nesting and arguments. */
enum { HEADROOM = 2000 };

const char *type_name(Value value)
{
    switch (value.tag) {
    case T_NIL: return "nil";
    case T_BOOL: return "bool";
    case T_NUMBER: return "number";
    default:
        switch (value.as.object->kind) {
        case O_STRING: return "string";
        case O_TABLE: return "table";
        default: return "function";
        }
    }
}

int format_number(double number, char *buffer, size_t size)
{
    if (number != number) return snprintf(buffer, size, "nan");
    if (number == floor(number) && fabs(number) < 1e15) return snprintf(buffer, size, "%.0f", number + 0.0);
    return snprintf(buffer, size, "%.14g", number);
}

String *to_string(Vm *vm, Value value)
{
    char buffer[200];
    switch (value.tag) {
    case T_NIL: return string_from(vm, "nil");
    case T_BOOL: return string_from(vm, value.as.truth ? "true" : "false");
    case T_NUMBER: return string_of(vm, buffer, (size_t)format_number(value.as.number, buffer, sizeof buffer));
    default: break;
    }
    switch (value.as.object->kind) {
    case O_STRING: return as_string(value);
    case O_TABLE: return string_from(vm, "table");
    case O_CLOSURE: snprintf(buffer, sizeof buffer, "function %.100s", ((Closure *)value.as.object)->proto->name->text); break;
    case O_NATIVE: snprintf(buffer, sizeof buffer, "function %.100s", ((Native *)value.as.object)->name); break;
    default: return string_from(vm, "?");
    }
    return string_from(vm, buffer);
}

static uint32_t line_of(const Frame *frame)
{
    const Proto *proto = frame->closure->proto;
    size_t at = (size_t)(frame->ip - proto->code);
    return proto->lines[at > 0 ? at - 1 : 0];
}

/* Throws a text, with the place that runs. */
bool vm_fail(Vm *vm, const char *format, ...)
{
    char text[400];
    int length = 0;
    if (vm->frameCount > 0) length = snprintf(text, sizeof text, "%s:%u: ", vm->fileName, line_of(&vm->frames[vm->frameCount - 1]));
    va_list list;
    va_start(list, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, list);
    va_end(list);
    vm->thrown = of_object(string_from(vm, text));
    return false;
}

static void close_upvalues(Vm *vm, const Value *from)
{
    while (vm->open && vm->open->where >= from) {
        Upvalue *upvalue = vm->open;
        vm->open = upvalue->nextOpen;
        upvalue->own = *upvalue->where;
        upvalue->where = &upvalue->own;
        upvalue->nextOpen = NULL;
    }
}

static Upvalue *capture(Vm *vm, Value *where)
{
    Upvalue **link = &vm->open;
    while (*link && (*link)->where > where) link = &(*link)->nextOpen;
    if (*link && (*link)->where == where) return *link;
    Upvalue *upvalue = upvalue_new(vm, where);
    /* A collection in between leaves the list as it is: all of it is marked. */
    upvalue->nextOpen = *link;
    *link = upvalue;
    return upvalue;
}

/* Goes on at a try within the frames above stopAt; false if there is none, with these frames gone. */
static bool unwind(Vm *vm, int stopAt)
{
    if (vm->handlerCount > 0 && vm->handlers[vm->handlerCount - 1].frames > stopAt) {
        Handler *handler = &vm->handlers[--vm->handlerCount];
        vm->frameCount = handler->frames;
        close_upvalues(vm, handler->top);
        vm->top = handler->top;
        *vm->top++ = vm->thrown;
        vm->thrown = NIL;
        vm->frames[vm->frameCount - 1].ip = handler->ip;
        vm->trace[0] = 0;
        return true;
    }
    size_t length = strlen(vm->trace);
    while (vm->frameCount > stopAt) {
        Frame *frame = &vm->frames[--vm->frameCount];
        if (length < sizeof vm->trace - 200)
            length += (size_t)snprintf(vm->trace + length, sizeof vm->trace - length, "    in %.100s, line %u\n", frame->closure->proto->name->text, line_of(frame));
        close_upvalues(vm, frame->base);
        vm->top = frame->base;
    }
    return false;
}

/* Makes a frame for a function whose arguments are on the stack. */
static bool enter(Vm *vm, Closure *closure, int count)
{
    if (vm->frameCount == FRAME_COUNT || vm->top - vm->stack > STACK_SIZE - HEADROOM) return vm_fail(vm, "the stack is full");
    int wanted = closure->proto->parameterCount;
    while (count < wanted) {
        *vm->top++ = NIL;
        count++;
    }
    vm->top -= count - wanted;
    vm->frames[vm->frameCount++] = (Frame){ closure, closure->proto->code, vm->top - wanted - 1 };
    return true;
}

static bool call_native(Vm *vm, Native *native, int count)
{
    Value result = NIL;
    if (!native->function(vm, count, vm->top - count, &result)) return false;
    vm->top -= count + 1;
    *vm->top++ = result;
    return true;
}

static bool begin_call(Vm *vm, int count)
{
    Value callee = vm->top[-count - 1];
    if (is_object(callee, O_CLOSURE)) return enter(vm, (Closure *)callee.as.object, count);
    if (is_object(callee, O_NATIVE)) return call_native(vm, (Native *)callee.as.object, count);
    return vm_fail(vm, "a %s is called", type_name(callee));
}

static bool get_index(Vm *vm, Value from, Value key, Value *result)
{
    if (is_object(from, O_TABLE)) {
        *result = table_find(as_table(from), key);
        return true;
    }
    if (is_object(from, O_STRING) && key.tag == T_NUMBER) {
        double at = key.as.number;
        *result = NIL;
        if (at >= 0 && at < as_string(from)->length) *result = of_object(string_of(vm, &as_string(from)->text[(uint32_t)at], 1));
        return true;
    }
    return vm_fail(vm, "a %s is indexed", type_name(from));
}

static bool set_index(Vm *vm, Value in, Value key, Value value)
{
    if (!is_object(in, O_TABLE)) return vm_fail(vm, "something is stored in a %s", type_name(in));
    return table_set(vm, as_table(in), key, value) || vm_fail(vm, "a key is nil or no number");
}

/* The function of a method, below the object and the arguments. */
static bool find_method(Vm *vm, Value name, int count)
{
    Value object = vm->top[-count - 1], function = NIL;
    if (is_object(object, O_TABLE)) function = table_find(as_table(object), name);
    else if (is_object(object, O_STRING)) function = table_get(vm->globals, name);
    if (function.tag == T_NIL) return vm_fail(vm, "a %s has no method %s", type_name(object), as_string(name)->text);
    for (Value *v = vm->top; v > vm->top - count - 1; v--) *v = v[-1];
    vm->top[-count - 1] = function;
    vm->top++;
    return true;
}

static bool join(Vm *vm)
{
    Value *operands = vm->top - 2;
    for (int i = 0; i < 2; i++) {
        if (operands[i].tag != T_NUMBER && !is_object(operands[i], O_STRING)) return vm_fail(vm, "a %s is joined", type_name(operands[i]));
        operands[i] = of_object(to_string(vm, operands[i]));
    }
    String *a = as_string(operands[0]), *b = as_string(operands[1]);
    char small[256], *buffer = small;
    size_t length = (size_t)a->length + b->length;
    if (length > sizeof small && (buffer = malloc(length)) == NULL) return vm_fail(vm, "a string too long");
    memcpy(buffer, a->text, a->length);
    memcpy(buffer + a->length, b->text, b->length);
    Value result = of_object(string_of(vm, buffer, length));
    if (buffer != small) free(buffer);
    vm->top--;
    vm->top[-1] = result;
    return true;
}

static bool compare(Vm *vm, int op, Value a, Value b, Value *result)
{
    int order;
    if (is_object(a, O_STRING) && is_object(b, O_STRING)) {
        String *s = as_string(a), *t = as_string(b);
        order = memcmp(s->text, t->text, s->length < t->length ? s->length : t->length);
        if (order == 0) order = s->length < t->length ? -1 : s->length > t->length;
    } else return vm_fail(vm, "a %s is compared with a %s", type_name(a), type_name(b));
    *result = of_bool(op == OP_LESS ? order < 0 : op == OP_LESS_EQUAL ? order <= 0 : op == OP_GREATER ? order > 0 : order >= 0);
    return true;
}

static bool count_of(Vm *vm, Value *value)
{
    if (is_object(*value, O_TABLE)) *value = of_number(as_table(*value)->count);
    else if (is_object(*value, O_STRING)) *value = of_number(as_string(*value)->length);
    else return vm_fail(vm, "a %s has no length", type_name(*value));
    return true;
}

/* Runs until the frames above stopAt are done. */
static bool run(Vm *vm, int stopAt)
{
    Frame *frame;
    const uint8_t *ip;
    Value *top, *base, *constants;
    uint32_t operand;

#define LOAD() (frame = &vm->frames[vm->frameCount - 1], ip = frame->ip, base = frame->base, top = vm->top, constants = frame->closure->proto->constants)
#define SAVE() (frame->ip = ip, vm->top = top)
#define READ16() (ip += 2, ip[-2] | ip[-1] << 8)
#define TRY(call) do { SAVE(); if (!(call)) goto thrown; top = vm->top; } while (0)
#define ARITHMETIC(operator, word) \
        if (top[-1].tag != T_NUMBER || top[-2].tag != T_NUMBER) { \
            TRY(vm_fail(vm, "a %s is %s", type_name(top[-2].tag != T_NUMBER ? top[-2] : top[-1]), word)); \
        } \
        top--; \
        top[-1].as.number = top[-1].as.number operator top[0].as.number; \
        break
#define COMPARISON(operator) \
        if (top[-1].tag == T_NUMBER && top[-2].tag == T_NUMBER) { \
            top--; \
            top[-1] = of_bool(top[-1].as.number operator top[0].as.number); \
        } else { \
            Value result; \
            TRY(compare(vm, ip[-1], top[-2], top[-1], &result)); \
            top--; \
            top[-1] = result; \
        } \
        break

    LOAD();
    for (;;) {
        switch (*ip++) {
        case OP_NIL: *top++ = NIL; break;
        case OP_TRUE: *top++ = of_bool(true); break;
        case OP_FALSE: *top++ = of_bool(false); break;
        case OP_CONSTANT: *top++ = constants[READ16()]; break;
        case OP_POP: top--; break;
        case OP_DUPLICATE: top[0] = top[-1]; top++; break;
        case OP_DUPLICATE2: top[0] = top[-2]; top[1] = top[-1]; top += 2; break;
        case OP_GET_LOCAL: *top++ = base[*ip++]; break;
        case OP_SET_LOCAL: base[*ip++] = *--top; break;
        case OP_GET_UPVALUE: *top++ = *frame->closure->upvalues[*ip++]->where; break;
        case OP_SET_UPVALUE: *frame->closure->upvalues[*ip++]->where = *--top; break;
        case OP_GET_GLOBAL: *top++ = table_get(vm->globals, constants[READ16()]); break;
        case OP_SET_GLOBAL:
            operand = READ16();
            SAVE();
            table_set(vm, vm->globals, constants[operand], top[-1]);
            top--;
            break;
        case OP_GET_FIELD:
            operand = READ16();
            if (is_object(top[-1], O_TABLE)) top[-1] = table_find(as_table(top[-1]), constants[operand]);
            else TRY(get_index(vm, top[-1], constants[operand], &top[-1]));
            break;
        case OP_SET_FIELD:
            operand = READ16();
            TRY(set_index(vm, top[-2], constants[operand], top[-1]));
            top -= 2;
            break;
        case OP_GET_INDEX: {
            Value key = top[-1], from = top[-2];
            if (is_object(from, O_TABLE) && key.tag == T_NUMBER && key.as.number >= 0 && key.as.number < as_table(from)->count
                && key.as.number == (uint32_t)key.as.number) {
                top[-2] = as_table(from)->array[(uint32_t)key.as.number];
                /* What is not there may be in the prototype. */
                if (top[-2].tag == T_NIL) top[-2] = table_find(as_table(from), key);
            } else TRY(get_index(vm, from, key, &top[-2]));
            top--;
            break;
        }
        case OP_SET_INDEX:
            TRY(set_index(vm, top[-3], top[-2], top[-1]));
            top -= 3;
            break;
        case OP_APPEND: SAVE(); table_push(vm, as_table(top[-2]), top[-1]); top--; break;
        case OP_STORE: TRY(set_index(vm, top[-3], top[-2], top[-1])); top -= 2; break;
        case OP_NEW_TABLE: SAVE(); *top++ = of_object(table_new(vm)); break;

        case OP_ADD: ARITHMETIC(+, "added");
        case OP_SUBTRACT: ARITHMETIC(-, "subtracted");
        case OP_MULTIPLY: ARITHMETIC(*, "multiplied");
        case OP_DIVIDE: ARITHMETIC(/, "divided");
        case OP_MODULO: {
            if (top[-1].tag != T_NUMBER || top[-2].tag != T_NUMBER) TRY(vm_fail(vm, "a %s is divided", type_name(top[-2].tag != T_NUMBER ? top[-2] : top[-1])));
            double a = top[-2].as.number, b = top[-1].as.number, r;
            if (a >= 0 && b > 0 && a < 4294967296.0 && b < 4294967296.0 && a == (uint32_t)a && b == (uint32_t)b) r = (uint32_t)a % (uint32_t)b;
            else {
                r = fmod(a, b);
                if (r != 0 && (r < 0) != (b < 0)) r += b;
            }
            top--;
            top[-1].as.number = r;
            break;
        }
        case OP_JOIN: TRY(join(vm)); break;
        case OP_EQUAL: top--; top[-1] = of_bool(same(top[-1], top[0])); break;
        case OP_UNEQUAL: top--; top[-1] = of_bool(!same(top[-1], top[0])); break;
        case OP_LESS: COMPARISON(<);
        case OP_LESS_EQUAL: COMPARISON(<=);
        case OP_GREATER: COMPARISON(>);
        case OP_GREATER_EQUAL: COMPARISON(>=);
        case OP_NEGATE:
            if (top[-1].tag != T_NUMBER) TRY(vm_fail(vm, "a %s is negated", type_name(top[-1])));
            top[-1].as.number = -top[-1].as.number;
            break;
        case OP_NOT: top[-1] = of_bool(!is_true(top[-1])); break;
        case OP_COUNT: TRY(count_of(vm, &top[-1])); break;

        case OP_JUMP: operand = READ16(); ip += operand; break;
        case OP_LOOP: operand = READ16(); ip -= operand; break;
        case OP_JUMP_FALSE:
            operand = READ16();
            if (!is_true(*--top)) ip += operand;
            break;
        case OP_AND:
            operand = READ16();
            if (is_true(top[-1])) top--;
            else ip += operand;
            break;
        case OP_OR:
            operand = READ16();
            if (is_true(top[-1])) ip += operand;
            else top--;
            break;
        case OP_RANGE: {
            Value *range = &base[*ip++];
            operand = READ16();
            if (range[0].tag != T_NUMBER || range[1].tag != T_NUMBER) TRY(vm_fail(vm, "a loop counts from a %s to a %s", type_name(range[0]), type_name(range[1])));
            if (!(range[0].as.number < range[1].as.number)) ip += operand;
            break;
        }
        case OP_RANGE_NEXT: {
            Value *range = &base[*ip++];
            operand = READ16();
            if (range[0].tag != T_NUMBER) TRY(vm_fail(vm, "a loop counts with a %s", type_name(range[0])));
            range[0].as.number += 1;
            if (range[0].as.number < range[1].as.number) ip -= operand;
            break;
        }
        case OP_EACH: {
            Value *each = &base[*ip++];
            operand = READ16();
            if (!is_object(each[0], O_TABLE)) TRY(vm_fail(vm, "a loop goes through a %s", type_name(each[0])));
            uint32_t position = (uint32_t)each[1].as.number;
            if (table_next(as_table(each[0]), &position, &top[0], &top[1])) top += 2;
            else ip += operand;
            each[1].as.number = position;
            break;
        }

        case OP_METHOD:
            operand = READ16();
            TRY(find_method(vm, constants[operand], *ip));
            operand = *ip++ + 1;
            goto call;
        case OP_CALL:
            operand = *ip++;
        call:
            SAVE();
            if (!begin_call(vm, (int)operand)) goto thrown;
            LOAD();
            break;
        case OP_CLOSURE: {
            operand = READ16();
            Proto *proto = (Proto *)constants[operand].as.object;
            SAVE();
            Closure *closure = closure_new(vm, proto);
            *top++ = of_object(closure);
            vm->top = top;
            for (int i = 0; i < proto->captureCount; i++) {
                Capture from = proto->captures[i];
                closure->upvalues[i] = from.fromLocal ? capture(vm, &base[from.index]) : frame->closure->upvalues[from.index];
            }
            break;
        }
        case OP_CLOSE:
            operand = *ip++;
            close_upvalues(vm, &base[operand]);
            top = &base[operand];
            break;
        case OP_TRY:
            operand = READ16();
            if (vm->handlerCount == HANDLER_COUNT) TRY(vm_fail(vm, "too many tries"));
            vm->handlers[vm->handlerCount++] = (Handler){ vm->frameCount, top, ip + operand };
            break;
        case OP_TRY_END: vm->handlerCount--; break;
        case OP_THROW:
            SAVE();
            vm->thrown = *--top;
            goto thrown;
        case OP_RETURN: {
            Value result = top[-1];
            close_upvalues(vm, base);
            vm->frameCount--;
            *base = result;
            vm->top = base + 1;
            if (vm->frameCount == stopAt) return true;
            LOAD();
            break;
        }
        default: abort();
        }
        continue;

    thrown:
        if (!unwind(vm, stopAt)) return false;
        LOAD();
    }
}

bool vm_call(Vm *vm, Value function, int count, const Value *arguments, Value *result)
{
    if (vm->nesting == NESTING || vm->top - vm->stack > STACK_SIZE - HEADROOM) return vm_fail(vm, "calls are nested too deeply");
    Value *bottom = vm->top;
    int frames = vm->frameCount;
    *vm->top++ = function;
    for (int i = 0; i < count; i++) *vm->top++ = arguments[i];
    vm->nesting++;
    bool done = begin_call(vm, count);
    if (done && vm->frameCount > frames) done = run(vm, frames);
    vm->nesting--;
    if (done) *result = vm->top[-1];
    vm->top = bottom;
    return done;
}

void vm_start(Vm *vm)
{
    memset(vm, 0, sizeof *vm);
    vm->top = vm->stack;
    vm->limit = 50000;
    vm->globals = table_new(vm);
    library_add(vm);
}
