#include "lex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *text; TokenKind kind; } words[] = {
    { "break", K_BREAK }, { "catch", K_CATCH }, { "continue", K_CONTINUE }, { "else", K_ELSE }, { "false", K_FALSE },
    { "fn", K_FN }, { "for", K_FOR }, { "if", K_IF }, { "in", K_IN }, { "let", K_LET }, { "nil", K_NIL },
    { "return", K_RETURN }, { "throw", K_THROW }, { "true", K_TRUE }, { "try", K_TRY }, { "while", K_WHILE },
};

static const struct { const char *text; TokenKind kind; } signs[] = {
    { "==", K_EQUAL }, { "!=", K_UNEQUAL }, { "<=", K_LESS_EQUAL }, { ">=", K_GREATER_EQUAL }, { "&&", K_AND }, { "||", K_OR },
    { "..=", K_JOIN_TO }, { "..", K_DOTS }, { "+=", K_ADD_TO }, { "-=", K_SUBTRACT_FROM }, { "*=", K_MULTIPLY_BY }, { "/=", K_DIVIDE_BY },
};

static Token wrong(Lexer *lexer, const char *text)
{
    return (Token){ .kind = K_ERROR, .start = text, .length = (uint32_t)strlen(text), .line = lexer->line };
}

static void skip_space(Lexer *lexer)
{
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        if (c == '\n') lexer->line++;
        else if (c == '/' && lexer->end - lexer->at > 1 && lexer->at[1] == '/') {
            while (lexer->at < lexer->end && *lexer->at != '\n') lexer->at++;
            continue;
        } else if (c != ' ' && c != '\t' && c != '\r') return;
        lexer->at++;
    }
}

static Token text(Lexer *lexer)
{
    Token token = { .kind = K_STRING, .start = lexer->at + 1, .line = lexer->line };
    for (const char *p = token.start; p < lexer->end; p++) {
        if (*p == '\n') break;
        if (*p == '\\') {
            p++;
            continue;
        }
        if (*p == '"') {
            token.length = (uint32_t)(p - token.start);
            lexer->at = p + 1;
            return token;
        }
    }
    return wrong(lexer, "a string without an end");
}

static Token number(Lexer *lexer)
{
    char *end, buffer[64];
    Token token = { .kind = K_NUMBER, .start = lexer->at, .line = lexer->line };
    /* The source need not end with a zero, and strtod would take "1..2" for "1." and ".2". */
    size_t length = 0;
    while (lexer->at + length < lexer->end && length < sizeof buffer - 1) {
        char c = lexer->at[length];
        bool hexadecimal = length > 1 && (buffer[1] == 'x' || buffer[1] == 'X');
        bool sign = (c == '+' || c == '-') && length > 0 && !hexadecimal && (buffer[length - 1] == 'e' || buffer[length - 1] == 'E');
        bool dot = c == '.' && (lexer->at + length + 1 >= lexer->end || lexer->at[length + 1] != '.');
        if (!isalnum((unsigned char)c) && !sign && !dot) break;
        buffer[length++] = c;
    }
    buffer[length] = 0;
    token.number = strtod(buffer, &end);
    if (end != buffer + length) return wrong(lexer, "a number that is none");
    token.length = (uint32_t)length;
    lexer->at += length;
    return token;
}

Token lex(Lexer *lexer)
{
    skip_space(lexer);
    if (lexer->at >= lexer->end) return (Token){ .kind = K_END, .start = "the end", .length = 7, .line = lexer->line };
    size_t left = (size_t)(lexer->end - lexer->at);
    char c = *lexer->at;
    if (c == '"') return text(lexer);
    if (isdigit((unsigned char)c)) return number(lexer);
    Token token = { .kind = CHAR(c), .start = lexer->at, .length = 1, .line = lexer->line };
    if (isalpha((unsigned char)c) || c == '_') {
        while (token.length < left && (isalnum((unsigned char)lexer->at[token.length]) || lexer->at[token.length] == '_')) token.length++;
        token.kind = K_NAME;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i].text) == token.length && memcmp(words[i].text, token.start, token.length) == 0) token.kind = words[i].kind;
    } else {
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            size_t length = strlen(signs[i].text);
            if (length > left || memcmp(signs[i].text, token.start, length) != 0) continue;
            token.kind = signs[i].kind;
            token.length = (uint32_t)length;
            break;
        }
        if (token.kind == CHAR(c) && !strchr("+-*/%<>=!#.,:;(){}[]", c)) return wrong(lexer, "a character that means nothing");
    }
    lexer->at += token.length;
    return token;
}

size_t unescape(const Token *token, char *buffer)
{
    size_t length = 0;
    for (uint32_t i = 0; i < token->length; i++) {
        char c = token->start[i];
        if (c == '\\' && i + 1 < token->length) {
            c = token->start[++i];
            if (c == 'n') c = '\n';
            else if (c == 't') c = '\t';
            else if (c == '0') c = 0;
        }
        buffer[length++] = c;
    }
    return length;
}
