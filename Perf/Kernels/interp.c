// A bytecode interpreter with a large switch: a stack machine of 64 operations that counts primes, sums a table, walks a
// string and computes Collatz lengths, n rounds.
#include "kernel.h"

enum {
    HALT, CONST8, CONST32, LOCAL0, LOCAL1, LOCAL2, LOCAL3, LOCAL, SET0, SET1, SET2, SET3, SET, TEE, INC, DEC,
    ADD, SUB, MUL, DIV, REM, AND, OR, XOR, SHL, SHR, SAR, NEG, NOT, EQZ, EQ, NE,
    LT, GT, LE, GE, LTU, GTU, LEU, GEU, JUMP, JUMP_IF, JUMP_IFNOT, CALL, RETURN, DUP, DROP, SWAP,
    OVER, LOAD8, LOAD16, LOAD32, STORE8, STORE16, STORE32, SELECT, MIN, MAX, ABS, ADD_CONST, MUL_CONST, LT_LOCAL, ROTL, POPCNT,
};

static u8 code[1024];
static u32 code_length;
static u8 heap[65536];
static u32 stack[256];
static u32 frames[64];

static void emit(u8 byte) { code[code_length++] = byte; }
static void emit1(u8 op, u8 operand) { emit(op); emit(operand); }
static void emit16(u8 op, u32 operand) { emit(op); emit((u8)operand); emit((u8)(operand >> 8)); }
static void emit32(u8 op, u32 operand) { emit16(op, operand); emit((u8)(operand >> 16)); emit((u8)(operand >> 24)); }
static u32 hole(u8 op) { emit16(op, 0); return code_length - 2; }
static void fill(u32 at) { code[at] = (u8)code_length; code[at + 1] = (u8)(code_length >> 8); }

// Primes below 3,000 by trial division; the count is added to local 0.
static void assemble_primes(void)
{
    emit1(CONST8, 2); emit(SET1);
    u32 outer = code_length;
    emit1(CONST8, 2); emit(SET2);
    u32 inner = code_length;
    emit(LOCAL2); emit(LOCAL2); emit(MUL); emit(LOCAL1); emit(GTU);
    u32 prime = hole(JUMP_IF);
    emit(LOCAL1); emit(LOCAL2); emit(REM); emit(EQZ);
    u32 composite = hole(JUMP_IF);
    emit1(INC, 2);
    emit16(JUMP, inner);
    fill(prime);
    emit1(INC, 0);
    fill(composite);
    emit1(INC, 1);
    emit(LOCAL1); emit32(CONST32, 3000); emit(LTU);
    emit16(JUMP_IF, outer);
}

// Writes and sums a table of words, bytes and halves.
static void assemble_table(void)
{
    emit1(CONST8, 0); emit(SET1);
    u32 write = code_length;
    emit(LOCAL1); emit1(CONST8, 2); emit(SHL);
    emit(LOCAL1); emit1(MUL_CONST, 37); emit(LOCAL0); emit(XOR);
    emit(STORE32);
    emit1(INC, 1);
    emit(LOCAL1); emit32(CONST32, 2000); emit(LT);
    emit16(JUMP_IF, write);
    emit1(CONST8, 0); emit(SET1);
    u32 read = code_length;
    emit(LOCAL0);
    emit(LOCAL1); emit1(CONST8, 2); emit(SHL); emit(DUP); emit(LOAD32); emit(SWAP); emit1(ADD_CONST, 1); emit(LOAD8);
    emit(OVER); emit(MAX); emit(XOR); emit(POPCNT); emit(ADD);
    emit1(CONST8, 3); emit(ROTL); emit(SET0);
    emit1(INC, 1);
    emit(LOCAL1); emit32(CONST32, 2000); emit(LT);
    emit16(JUMP_IF, read);
}

// Longest Collatz sequence that starts below 300, with a call for each number.
static void assemble_collatz(void)
{
    u32 skip = hole(JUMP);
    u32 function = code_length;
    emit1(CONST8, 0); emit(SET3);
    u32 again = code_length;
    emit(LOCAL2); emit1(CONST8, 1); emit(EQ);
    u32 done = hole(JUMP_IF);
    emit(LOCAL2); emit1(MUL_CONST, 3); emit1(ADD_CONST, 1);
    emit(LOCAL2); emit1(CONST8, 1); emit(SHR);
    emit(LOCAL2); emit1(CONST8, 1); emit(AND);
    emit(SELECT);
    emit(SET2);
    emit1(INC, 3);
    emit16(JUMP, again);
    fill(done);
    emit(RETURN);
    fill(skip);
    emit1(CONST8, 1); emit(SET1);
    emit1(CONST8, 0); emit1(SET, 4);
    u32 loop = code_length;
    emit(LOCAL1); emit(SET2);
    emit16(CALL, function);
    emit1(LOCAL, 4); emit(LOCAL3); emit(MAX); emit1(SET, 4);
    emit1(INC, 1);
    emit(LOCAL1); emit32(CONST32, 300); emit(LE);
    emit16(JUMP_IF, loop);
    emit(LOCAL0); emit1(LOCAL, 4); emit(ADD); emit(SET0);
}

static NOINLINE u32 interpret(u32 seed)
{
    u32 locals[8] = { seed };
    u32 *sp = stack;
    u32 frame = 0;
    const u8 *pc = code;
#define BINARY(expression)                       \
    {                                            \
        u32 b = *--sp, a = sp[-1];               \
        sp[-1] = (u32)(expression);              \
        break;                                   \
    }
#define UNARY(expression)                        \
    {                                            \
        u32 a = sp[-1];                          \
        sp[-1] = (u32)(expression);              \
        break;                                   \
    }
#define OPERAND16 (pc[0] | pc[1] << 8)
    for (;;) {
        switch (*pc++) {
        case HALT: return locals[0];
        case CONST8: *sp++ = *pc++; break;
        case CONST32: *sp++ = pc[0] | pc[1] << 8 | pc[2] << 16 | (u32)pc[3] << 24; pc += 4; break;
        case LOCAL0: *sp++ = locals[0]; break;
        case LOCAL1: *sp++ = locals[1]; break;
        case LOCAL2: *sp++ = locals[2]; break;
        case LOCAL3: *sp++ = locals[3]; break;
        case LOCAL: *sp++ = locals[*pc++ & 7]; break;
        case SET0: locals[0] = *--sp; break;
        case SET1: locals[1] = *--sp; break;
        case SET2: locals[2] = *--sp; break;
        case SET3: locals[3] = *--sp; break;
        case SET: locals[*pc++ & 7] = *--sp; break;
        case TEE: locals[*pc++ & 7] = sp[-1]; break;
        case INC: locals[*pc++ & 7]++; break;
        case DEC: locals[*pc++ & 7]--; break;
        case ADD: BINARY(a + b)
        case SUB: BINARY(a - b)
        case MUL: BINARY(a * b)
        case DIV: BINARY(a / b)
        case REM: BINARY(a % b)
        case AND: BINARY(a & b)
        case OR: BINARY(a | b)
        case XOR: BINARY(a ^ b)
        case SHL: BINARY(a << (b & 31))
        case SHR: BINARY(a >> (b & 31))
        case SAR: BINARY((i32)a >> (b & 31))
        case NEG: UNARY(0 - a)
        case NOT: UNARY(~a)
        case EQZ: UNARY(a == 0)
        case EQ: BINARY(a == b)
        case NE: BINARY(a != b)
        case LT: BINARY((i32)a < (i32)b)
        case GT: BINARY((i32)a > (i32)b)
        case LE: BINARY((i32)a <= (i32)b)
        case GE: BINARY((i32)a >= (i32)b)
        case LTU: BINARY(a < b)
        case GTU: BINARY(a > b)
        case LEU: BINARY(a <= b)
        case GEU: BINARY(a >= b)
        case JUMP: pc = code + OPERAND16; break;
        case JUMP_IF: pc = *--sp ? code + OPERAND16 : pc + 2; break;
        case JUMP_IFNOT: pc = *--sp ? pc + 2 : code + OPERAND16; break;
        case CALL: frames[frame++ & 63] = (u32)(pc + 2 - code); pc = code + OPERAND16; break;
        case RETURN: pc = code + frames[--frame & 63]; break;
        case DUP: sp[0] = sp[-1]; sp++; break;
        case DROP: sp--; break;
        case SWAP: { u32 a = sp[-1]; sp[-1] = sp[-2]; sp[-2] = a; break; }
        case OVER: sp[0] = sp[-2]; sp++; break;
        case LOAD8: UNARY(heap[a & 0xffff])
        case LOAD16: UNARY(*(u16 *)(heap + (a & 0xfffe)))
        case LOAD32: UNARY(*(u32 *)(heap + (a & 0xfffc)))
        case STORE8: sp -= 2; heap[sp[0] & 0xffff] = (u8)sp[1]; break;
        case STORE16: sp -= 2; *(u16 *)(heap + (sp[0] & 0xfffe)) = (u16)sp[1]; break;
        case STORE32: sp -= 2; *(u32 *)(heap + (sp[0] & 0xfffc)) = sp[1]; break;
        case SELECT: sp -= 2; sp[-1] = sp[1] ? sp[-1] : sp[0]; break;
        case MIN: BINARY(a < b ? a : b)
        case MAX: BINARY(a > b ? a : b)
        case ABS: UNARY((i32)a < 0 ? 0 - a : a)
        case ADD_CONST: UNARY(a + *pc++)
        case MUL_CONST: UNARY(a * *pc++)
        case LT_LOCAL: UNARY((i32)a < (i32)locals[*pc++ & 7])
        case ROTL: BINARY(a << (b & 31) | a >> ((32 - b) & 31))
        case POPCNT: UNARY(__builtin_popcount(a))
        default: __builtin_trap();
        }
    }
}

i64 run(i32 n)
{
    code_length = 0;
    assemble_primes();
    assemble_table();
    assemble_collatz();
    emit(HALT);
    u64 hash = 0;
    u32 result = 1;
    for (i32 round = 0; round < n; round++) {
        result = interpret(result);
        hash = mix(hash, result);
    }
    return (i64)hash;
}
