// String formatting: a printf of its own with %d %u %x %c %s, widths, padding, and %f with a precision, n lines.
#include <stdarg.h>
#include "kernel.h"

typedef struct {
    char *at, *end;
} Output;

static void put(Output *out, char c)
{
    if (out->at < out->end) *out->at++ = c;
}

static void put_padded(Output *out, const char *text, int length, int width, char padding, int left)
{
    if (!left)
        for (int i = length; i < width; i++) put(out, padding);
    for (int i = 0; i < length; i++) put(out, text[i]);
    if (left)
        for (int i = length; i < width; i++) put(out, ' ');
}

static int digits(char *end, u64 value, u32 base)
{
    char *at = end;
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    return (int)(end - at);
}

// Correct to the precision for the magnitudes used here: whole part and rounded fraction as integers.
static int format_float(char *end, double value, int precision)
{
    u64 scale = 1;
    for (int i = 0; i < precision; i++) scale *= 10;
    double magnitude = value < 0 ? -value : value;
    u64 whole = (u64)magnitude;
    u64 fraction = (u64)((magnitude - (double)whole) * (double)scale + 0.5);
    if (fraction >= scale) {
        fraction -= scale;
        whole++;
    }
    char *at = end;
    if (precision) {
        for (int i = 0; i < precision; i++) {
            *--at = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        *--at = '.';
    }
    at -= digits(at, whole, 10);
    if (value < 0) *--at = '-';
    return (int)(end - at);
}

static NOINLINE int format_list(char *buffer, u32 size, const char *format, va_list arguments)
{
    Output out = { buffer, buffer + size - 1 };
    char scratch[64], *scratch_end = scratch + sizeof scratch;
    for (; *format; format++) {
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format++;
        int left = 0, width = 0, precision = 6, length;
        char padding = ' ';
        if (*format == '-') { left = 1; format++; }
        if (*format == '0') { padding = '0'; format++; }
        while (*format >= '0' && *format <= '9') width = width * 10 + (*format++ - '0');
        if (*format == '.') {
            format++;
            precision = 0;
            while (*format >= '0' && *format <= '9') precision = precision * 10 + (*format++ - '0');
        }
        switch (*format) {
        case 'd': {
            int value = va_arg(arguments, int);
            length = digits(scratch_end, value < 0 ? -(i64)value : value, 10);
            if (value < 0) scratch_end[-++length] = '-';
            put_padded(&out, scratch_end - length, length, width, padding, left);
            break;
        }
        case 'u':
            length = digits(scratch_end, va_arg(arguments, u32), 10);
            put_padded(&out, scratch_end - length, length, width, padding, left);
            break;
        case 'x':
            length = digits(scratch_end, va_arg(arguments, u32), 16);
            put_padded(&out, scratch_end - length, length, width, padding, left);
            break;
        case 'f':
            length = format_float(scratch_end, va_arg(arguments, double), precision);
            put_padded(&out, scratch_end - length, length, width, padding, left);
            break;
        case 'c':
            put(&out, (char)va_arg(arguments, int));
            break;
        case 's': {
            const char *text = va_arg(arguments, const char *);
            for (length = 0; text[length]; length++) { }
            put_padded(&out, text, length, width, padding, left);
            break;
        }
        default:
            put(&out, *format);
            break;
        }
    }
    *out.at = 0;
    return (int)(out.at - buffer);
}

static int format_line(char *buffer, u32 size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_list(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

static const char *const names[8] = { "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta" };

i64 run(i32 n)
{
    char line[200];
    u32 random = 2026;
    u64 hash = 0;
    for (i32 i = 0; i < n; i++) {
        u32 a = next_random(&random), b = next_random(&random);
        double ratio = (double)(i32)a / (double)((b & 0xffff) + 1);
        int length = format_line(line, sizeof line, "%6d %-8s [%08x] %10.3f%% %c %d/%u: %s, %.1f\n", i, names[a & 7], a, ratio,
                                 'a' + (int)(b % 26), (i32)b, a >> 9, names[b & 7], ratio * 0.25);
        for (int j = 0; j < length; j++) hash = hash * 131 + (u8)line[j];
    }
    return (i64)hash;
}
