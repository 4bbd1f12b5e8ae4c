/* Tokens of the scripting language. */
#ifndef LEX_H
#define LEX_H

#include "value.h"

typedef enum {
    K_END, K_ERROR, K_NUMBER, K_STRING, K_NAME,
    K_BREAK, K_CATCH, K_CONTINUE, K_ELSE, K_FALSE, K_FN, K_FOR, K_IF, K_IN, K_LET, K_NIL, K_RETURN, K_THROW, K_TRUE, K_TRY, K_WHILE,
    K_EQUAL, K_UNEQUAL, K_LESS_EQUAL, K_GREATER_EQUAL, K_AND, K_OR, K_DOTS,
    K_ADD_TO, K_SUBTRACT_FROM, K_MULTIPLY_BY, K_DIVIDE_BY, K_JOIN_TO
    /* single characters are their own kinds, from 64 on */
} TokenKind;

enum { K_CHAR = 64 };
#define CHAR(c) (K_CHAR + (c))

typedef struct {
    int kind;
    const char *start;
    uint32_t length, line;
    double number;
} Token;

typedef struct {
    const char *at, *end;
    uint32_t line;
} Lexer;

/* The next token; of K_ERROR the text says what is wrong. */
Token lex(Lexer *lexer);

/* The characters of a K_STRING without quotes and escapes; the buffer has room for its length. */
size_t unescape(const Token *token, char *buffer);

#endif
