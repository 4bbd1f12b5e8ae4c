/* The instructions of the virtual machine. Operands of 16 bits have the low byte first. */
#ifndef CODE_H
#define CODE_H

typedef enum {
    OP_NIL, OP_TRUE, OP_FALSE,
    OP_CONSTANT,      /* k16 */
    OP_POP,
    OP_DUPLICATE,
    OP_DUPLICATE2,    /* the upper two */
    OP_GET_LOCAL,     /* s8 */
    OP_SET_LOCAL,     /* s8, takes the value */
    OP_GET_UPVALUE,   /* u8 */
    OP_SET_UPVALUE,   /* u8 */
    OP_GET_GLOBAL,    /* k16 */
    OP_SET_GLOBAL,    /* k16 */
    OP_GET_FIELD,     /* k16: table -> value */
    OP_SET_FIELD,     /* k16: table value -> */
    OP_GET_INDEX,     /* table key -> value */
    OP_SET_INDEX,     /* table key value -> */
    OP_APPEND,        /* table value -> table */
    OP_STORE,         /* table key value -> table */
    OP_NEW_TABLE,
    OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_MODULO, OP_JOIN,
    OP_EQUAL, OP_UNEQUAL, OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL,
    OP_NEGATE, OP_NOT, OP_COUNT,
    OP_JUMP,          /* o16 forward */
    OP_LOOP,          /* o16 back */
    OP_JUMP_FALSE,    /* o16, takes the condition */
    OP_AND, OP_OR,    /* o16: jump and keep the value, or take it */
    OP_RANGE,         /* s8 o16: leaves the loop over numbers in s8 and s8 + 1 if it is over */
    OP_RANGE_NEXT,    /* s8 o16 back */
    OP_EACH,          /* s8 o16: pushes key and value of the table in s8 at position s8 + 1, or jumps */
    OP_CALL,          /* n8 */
    OP_METHOD,        /* k16 n8: object arguments -> result */
    OP_CLOSURE,       /* k16 */
    OP_CLOSE,         /* s8: drops all from there, and lets closures keep what they captured */
    OP_TRY,           /* o16 to the handler */
    OP_TRY_END,
    OP_THROW,
    OP_RETURN
} Op;

#endif
