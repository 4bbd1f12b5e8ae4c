/* Values and objects of the scripting language, and what its parts know of one another. */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Object Object;
typedef struct Vm Vm;

typedef enum { T_NIL, T_BOOL, T_NUMBER, T_OBJECT } Tag;

typedef struct {
    Tag tag;
    union {
        bool truth;
        double number;
        Object *object;
    } as;
} Value;

typedef enum { O_STRING, O_TABLE, O_PROTO, O_CLOSURE, O_UPVALUE, O_NATIVE } Kind;

/* The serial number orders and hashes objects: addresses would differ from one machine to the next. */
struct Object {
    Kind kind;
    bool marked;
    uint32_t serial;
    Object *next;
};

typedef struct {
    Object head;
    uint32_t hash;
    uint32_t length;
    char text[];
} String;

typedef struct {
    Value key;
    Value value;
} Entry;

/* An array for the keys 0, 1, 2, ... and a hash table with open addressing for all others. */
typedef struct Table {
    Object head;
    Value *array;
    uint32_t count, room;
    Entry *entries;
    uint32_t used, slots; /* used counts removed entries too; slots is 0 or a power of two */
    struct Table *proto;
} Table;

typedef struct {
    bool fromLocal;
    uint8_t index;
} Capture;

typedef struct {
    Object head;
    String *name;
    uint8_t *code;
    uint32_t *lines;
    uint32_t codeCount, codeRoom;
    Value *constants;
    uint32_t constantCount, constantRoom;
    Capture captures[255];
    uint8_t captureCount, parameterCount;
} Proto;

typedef struct Upvalue {
    Object head;
    Value *where; /* a place on the stack, or its own */
    Value own;
    struct Upvalue *nextOpen;
} Upvalue;

typedef struct {
    Object head;
    Proto *proto;
    uint32_t count;
    Upvalue *upvalues[];
} Closure;

/* Returns false after vm_fail. */
typedef bool (*NativeFunction)(Vm *vm, int count, Value *arguments, Value *result);

typedef struct {
    Object head;
    const char *name;
    NativeFunction function;
} Native;

typedef struct {
    Closure *closure;
    const uint8_t *ip;
    Value *base;
} Frame;

/* Where a try goes on when something is thrown. */
typedef struct {
    int frames;
    Value *top;
    const uint8_t *ip;
} Handler;

enum { STACK_SIZE = 64 * 1024, FRAME_COUNT = 4000, HANDLER_COUNT = 1000, NESTING = 60, PROTECTED_COUNT = 1024 };

struct Vm {
    Value stack[STACK_SIZE];
    Value *top;
    Frame frames[FRAME_COUNT];
    int frameCount;
    Handler handlers[HANDLER_COUNT];
    int handlerCount;
    int nesting;
    Upvalue *open;
    Table *globals;
    Value thrown;
    const char *fileName;
    char trace[2048];

    Object *objects;
    uint32_t serial;
    size_t cost, limit, collections;
    String **strings;
    uint32_t stringCount, stringSlots;
    Object *protected[PROTECTED_COUNT]; /* what the compiler and natives hold in C variables */
    int protectedCount;
    Object **gray;
    size_t grayCount, grayRoom;
};

#define NIL ((Value){ .tag = T_NIL })

static inline Value of_bool(bool b) { return (Value){ .tag = T_BOOL, .as.truth = b }; }
static inline Value of_number(double n) { return (Value){ .tag = T_NUMBER, .as.number = n }; }
static inline Value of_object(void *o) { return (Value){ .tag = T_OBJECT, .as.object = o }; }
static inline bool is_object(Value v, Kind kind) { return v.tag == T_OBJECT && v.as.object->kind == kind; }
static inline bool is_true(Value v) { return v.tag == T_BOOL ? v.as.truth : v.tag != T_NIL; }
static inline String *as_string(Value v) { return (String *)v.as.object; }
static inline Table *as_table(Value v) { return (Table *)v.as.object; }

static inline bool same(Value a, Value b)
{
    if (a.tag != b.tag) return false;
    switch (a.tag) {
    case T_NIL: return true;
    case T_BOOL: return a.as.truth == b.as.truth;
    case T_NUMBER: return a.as.number == b.as.number;
    default: return a.as.object == b.as.object;
    }
}

/* heap.c */
void *heap_resize(Vm *vm, void *block, size_t oldCount, size_t count, size_t size);
String *string_of(Vm *vm, const char *text, size_t length);
String *string_from(Vm *vm, const char *text);
Table *table_new(Vm *vm);
Proto *proto_new(Vm *vm, String *name);
Closure *closure_new(Vm *vm, Proto *proto);
Upvalue *upvalue_new(Vm *vm, Value *where);
Native *native_new(Vm *vm, const char *name, NativeFunction function);
void protect(Vm *vm, void *object);
void unprotect(Vm *vm, int count);
size_t collect(Vm *vm);

/* table.c */
Value table_get(const Table *table, Value key);
Value table_find(const Table *table, Value key); /* along the prototypes */
bool table_set(Vm *vm, Table *table, Value key, Value value); /* false if the key is nil or no number */
void table_push(Vm *vm, Table *table, Value value);
bool table_next(const Table *table, uint32_t *position, Value *key, Value *value);
uint32_t table_size(const Table *table);

/* compile.c: null after vm_fail */
Proto *compile(Vm *vm, const char *source, size_t length);

/* vm.c */
void vm_start(Vm *vm);
bool vm_fail(Vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool vm_call(Vm *vm, Value function, int count, const Value *arguments, Value *result);
String *to_string(Vm *vm, Value value);
const char *type_name(Value value);
int format_number(double number, char *buffer, size_t size);

/* library.c */
void library_add(Vm *vm);

#endif
