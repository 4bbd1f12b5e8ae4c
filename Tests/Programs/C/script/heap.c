/* Memory: objects, strings that exist once, and a collector that marks and sweeps. */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What blocks cost is counted in elements, not bytes, so that collections happen at the same places on every machine. */
void *heap_resize(Vm *vm, void *block, size_t oldCount, size_t count, size_t size)
{
    vm->cost += count;
    vm->cost -= oldCount;
    if (count == 0) {
        free(block);
        return NULL;
    }
    void *result = realloc(block, count * size);
    if (result == NULL) {
        fputs("out of memory\n", stderr);
        exit(3);
    }
    return result;
}

static void *object_new(Vm *vm, Kind kind, size_t size)
{
    if (vm->cost > vm->limit) collect(vm);
    Object *object = malloc(size);
    if (object == NULL) {
        fputs("out of memory\n", stderr);
        exit(3);
    }
    memset(object, 0, size);
    object->kind = kind;
    object->serial = ++vm->serial;
    object->next = vm->objects;
    vm->objects = object;
    vm->cost += 4;
    return object;
}

void protect(Vm *vm, void *object)
{
    if (vm->protectedCount == PROTECTED_COUNT) abort();
    vm->protected[vm->protectedCount++] = object;
}

void unprotect(Vm *vm, int count) { vm->protectedCount -= count; }

static uint32_t hash_text(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

static void grow_strings(Vm *vm)
{
    uint32_t slots = vm->stringSlots ? vm->stringSlots * 2 : 256;
    String **table = calloc(slots, sizeof *table);
    if (table == NULL) exit(3);
    for (uint32_t i = 0; i < vm->stringSlots; i++) {
        String *s = vm->strings[i];
        if (s == NULL) continue;
        uint32_t at = s->hash & (slots - 1);
        while (table[at]) at = (at + 1) & (slots - 1);
        table[at] = s;
    }
    free(vm->strings);
    vm->strings = table;
    vm->stringSlots = slots;
}

String *string_of(Vm *vm, const char *text, size_t length)
{
    uint32_t hash = hash_text(text, length);
    if (vm->stringCount * 2 >= vm->stringSlots) grow_strings(vm);
    for (uint32_t at = hash & (vm->stringSlots - 1); vm->strings[at]; at = (at + 1) & (vm->stringSlots - 1)) {
        String *s = vm->strings[at];
        if (s->hash == hash && s->length == length && memcmp(s->text, text, length) == 0) return s;
    }
    /* Making it may collect, which makes the table of strings anew: its place is looked up afterwards. */
    String *s = object_new(vm, O_STRING, sizeof(String) + length + 1);
    s->hash = hash;
    s->length = (uint32_t)length;
    memcpy(s->text, text, length);
    vm->cost += length / 8;
    uint32_t at = hash & (vm->stringSlots - 1);
    while (vm->strings[at]) at = (at + 1) & (vm->stringSlots - 1);
    vm->strings[at] = s;
    vm->stringCount++;
    return s;
}

String *string_from(Vm *vm, const char *text) { return string_of(vm, text, strlen(text)); }

Table *table_new(Vm *vm) { return object_new(vm, O_TABLE, sizeof(Table)); }

Proto *proto_new(Vm *vm, String *name)
{
    protect(vm, name);
    Proto *proto = object_new(vm, O_PROTO, sizeof(Proto));
    unprotect(vm, 1);
    proto->name = name;
    return proto;
}

Closure *closure_new(Vm *vm, Proto *proto)
{
    protect(vm, proto);
    Closure *closure = object_new(vm, O_CLOSURE, sizeof(Closure) + proto->captureCount * sizeof(Upvalue *));
    unprotect(vm, 1);
    closure->proto = proto;
    closure->count = proto->captureCount;
    return closure;
}

Upvalue *upvalue_new(Vm *vm, Value *where)
{
    Upvalue *upvalue = object_new(vm, O_UPVALUE, sizeof(Upvalue));
    upvalue->where = where;
    return upvalue;
}

Native *native_new(Vm *vm, const char *name, NativeFunction function)
{
    Native *native = object_new(vm, O_NATIVE, sizeof(Native));
    native->name = name;
    native->function = function;
    return native;
}

static void mark(Vm *vm, void *pointer)
{
    Object *object = pointer;
    if (object == NULL || object->marked) return;
    object->marked = true;
    if (object->kind == O_STRING || object->kind == O_NATIVE) return;
    if (vm->grayCount == vm->grayRoom) {
        vm->grayRoom = vm->grayRoom ? vm->grayRoom * 2 : 256;
        vm->gray = realloc(vm->gray, vm->grayRoom * sizeof *vm->gray);
        if (vm->gray == NULL) exit(3);
    }
    vm->gray[vm->grayCount++] = object;
}

static void mark_value(Vm *vm, Value value)
{
    if (value.tag == T_OBJECT) mark(vm, value.as.object);
}

static void scan(Vm *vm, Object *object)
{
    switch (object->kind) {
    case O_TABLE: {
        Table *table = (Table *)object;
        for (uint32_t i = 0; i < table->count; i++) mark_value(vm, table->array[i]);
        for (uint32_t i = 0; i < table->slots; i++) {
            mark_value(vm, table->entries[i].key);
            mark_value(vm, table->entries[i].value);
        }
        mark(vm, table->proto);
        break;
    }
    case O_PROTO: {
        Proto *proto = (Proto *)object;
        mark(vm, proto->name);
        for (uint32_t i = 0; i < proto->constantCount; i++) mark_value(vm, proto->constants[i]);
        break;
    }
    case O_CLOSURE: {
        Closure *closure = (Closure *)object;
        mark(vm, closure->proto);
        for (uint32_t i = 0; i < closure->count; i++) mark(vm, closure->upvalues[i]);
        break;
    }
    case O_UPVALUE: mark_value(vm, *((Upvalue *)object)->where); break;
    default: break;
    }
}

static void release(Vm *vm, Object *object)
{
    vm->cost -= 4;
    if (object->kind == O_STRING) {
        vm->cost -= ((String *)object)->length / 8;
    } else if (object->kind == O_TABLE) {
        Table *table = (Table *)object;
        heap_resize(vm, table->array, table->room, 0, sizeof(Value));
        heap_resize(vm, table->entries, table->slots, 0, sizeof(Entry));
    } else if (object->kind == O_PROTO) {
        Proto *proto = (Proto *)object;
        heap_resize(vm, proto->code, proto->codeRoom, 0, 1);
        heap_resize(vm, proto->lines, proto->codeRoom, 0, sizeof(uint32_t));
        heap_resize(vm, proto->constants, proto->constantRoom, 0, sizeof(Value));
    }
    free(object);
}

/* Strings that nobody else refers to leave the table of strings; the others move together. */
static void sweep_strings(Vm *vm)
{
    String **old = vm->strings;
    uint32_t slots = vm->stringSlots;
    vm->strings = calloc(slots, sizeof *vm->strings);
    if (vm->strings == NULL) exit(3);
    vm->stringCount = 0;
    for (uint32_t i = 0; i < slots; i++) {
        String *s = old[i];
        if (s == NULL || !s->head.marked) continue;
        uint32_t at = s->hash & (slots - 1);
        while (vm->strings[at]) at = (at + 1) & (slots - 1);
        vm->strings[at] = s;
        vm->stringCount++;
    }
    free(old);
}

/* Returns how many objects are left. */
size_t collect(Vm *vm)
{
    for (Value *v = vm->stack; v < vm->top; v++) mark_value(vm, *v);
    for (int i = 0; i < vm->frameCount; i++) mark(vm, vm->frames[i].closure);
    for (Upvalue *u = vm->open; u; u = u->nextOpen) mark(vm, u);
    for (int i = 0; i < vm->protectedCount; i++) mark(vm, vm->protected[i]);
    mark(vm, vm->globals);
    mark_value(vm, vm->thrown);
    while (vm->grayCount > 0) scan(vm, vm->gray[--vm->grayCount]);

    if (vm->stringSlots > 0) sweep_strings(vm);
    size_t left = 0;
    for (Object **link = &vm->objects; *link;) {
        Object *object = *link;
        if (object->marked) {
            object->marked = false;
            link = &object->next;
            left++;
        } else {
            *link = object->next;
            release(vm, object);
        }
    }
    vm->limit = vm->cost * 2 + 50000;
    vm->collections++;
    return left;
}
