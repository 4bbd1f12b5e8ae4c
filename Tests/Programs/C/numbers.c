/*
 * numbers COUNT SEED: doubles to text and back, in every way that C has for it. Prints some of the texts, and hashes of all.
 * What C leaves to the library (%a of numbers that are not normal, "nan" with a sign) is hashed after it was read back.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t draw(void)
{
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return (hash ^ '\n') * 0x100000001b3u;
}

static int mistakes;

static void wrong(const char *what, const char *text, double d)
{
    if (mistakes++ < 10) printf("WRONG: %s: %s, %016" PRIx64 "\n", what, text, bits_of(d));
}

/*
 * Numbers of all sizes: any bits, short decimals, whole ones, near powers of two and ten, too small to be normal. What is
 * drawn is drawn in an order that C leaves no doubt about.
 */
static double next_number(int kind)
{
    uint64_t a = draw(), b = draw(), c = draw();
    switch (kind % 7) {
    case 0: return isfinite(of_bits(a)) ? of_bits(a) : 1.5;
    case 1: return (double)(int64_t)(a >> 40) / 1000 - 8000;
    case 2: return (double)(int64_t)a;
    case 3: return ldexp(1, (int)(a % 2000) - 1000) + (b % 3 == 0 ? 0 : ldexp((double)(b % 9), (int)(c % 2000) - 1050));
    case 4: {
        char text[40];
        sprintf(text, "%de%d", (int)(a % 99999), (int)(b % 600) - 300);
        return strtod(text, NULL);
    }
    case 5: return of_bits(a >> (12 + b % 50));
    default: return of_bits((a & 0x800fffffffffffffu) | (1013 + b % 20) << 52);
    }
}

static void round_trips(int count)
{
    static const char *const formats[] = { "%.17g", "%.16e", "%.0f", "%.3f", "%g", "%e", "%.10G", "%+.2e", "% 12.4g", "%-14.6g|", "%#.5g", "%015.4f", "%.25e", "%.40f" };
    enum { FORMATS = sizeof formats / sizeof *formats };
    uint64_t hashes[FORMATS], hexadecimal = 0, shortest = 0;
    static char text[2000];
    for (int f = 0; f < FORMATS; f++) hashes[f] = 0xcbf29ce484222325u;
    for (int i = 0; i < count; i++) {
        double d = next_number(i), back;
        for (int f = 0; f < FORMATS; f++) {
            snprintf(text, sizeof text, formats[f], d);
            hashes[f] = hash_text(hashes[f], text);
        }
        snprintf(text, sizeof text, "%.17g", d);
        if (bits_of(strtod(text, NULL)) != bits_of(d)) wrong("strtod of %.17g", text, d);
        if (sscanf(text, "%lf", &back) != 1 || bits_of(back) != bits_of(d)) wrong("sscanf of %.17g", text, d);
        snprintf(text, sizeof text, "%a", d);
        if (bits_of(strtod(text, NULL)) != bits_of(d)) wrong("strtod of %a", text, d);
        if (isnormal(d)) hexadecimal = hash_text(hexadecimal, text);
        snprintf(text, sizeof text, "%.25e", d);
        if (bits_of(strtod(text, NULL)) != bits_of(d)) wrong("strtod of %.25e", text, d);
        int digits = 1;
        for (; digits < 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, d);
            if (strtod(text, NULL) == d) break;
        }
        shortest = hash_text(shortest, text);
        float single = (float)d;
        snprintf(text, sizeof text, "%.9g", single);
        if (strtof(text, NULL) != single) wrong("strtof of %.9g", text, single);
    }
    for (int f = 0; f < FORMATS; f++) printf("%-10s %016" PRIx64 "\n", formats[f], hashes[f]);
    printf("%-10s %016" PRIx64 "\n%-10s %016" PRIx64 "\n", "%a", hexadecimal, "shortest", shortest);
}

static void samples(void)
{
    static const double numbers[] = { 0, -0.0, 1, 0.1, -2.5, 1.0 / 3, 1e21, 1e22, 1e23, 123456789, 0.0001, 0.00001, 2147483648.0, 4.9406564584124654e-324,
        DBL_MIN, DBL_MAX, DBL_EPSILON, 9007199254740993.0, 5e-5, 999999.5, 0.5, 1.5, 2.5, 1e-7 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double d = numbers[i];
        printf("%g | %.17g | %e | %.0f | %.3f", d, d, d, fabs(d) < 1e30 ? d : 1e30, fabs(d) < 1e30 ? d : -1e30);
        if (d == 0 || isnormal(d)) printf(" | %a | %.3a | %A", d, d, d);
        puts("");
    }
    printf("%f %F %e %g %G %5.1f|%-8f|%08f\n", INFINITY, INFINITY, -INFINITY, INFINITY, -INFINITY, INFINITY, -INFINITY, INFINITY);
    printf("%f %G\n", fabs(NAN), fabs(NAN));
}

static void whole_numbers(void)
{
    printf("%d %i %u %x %X %o %c %s %p\n", -1, INT32_MIN, UINT32_MAX, 48879, 48879, 8, 'c', "text", (void *)0x10);
    printf("%hhd %hd %ld %lld %" PRIu64 " %zu %jd %td\n", (char)-1, (short)-1, -1L, (long long)INT64_MIN, UINT64_MAX, (size_t)7, (intmax_t)-7, (ptrdiff_t)9);
    printf("|%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d|%-8.3d|%#x|%#o|%.0d|\n", 42, 42, 42, 42, 42, 7, 7, 7, 255, 8, 0);
    printf("|%10s|%-10s|%.2s|%*d|%-*d|%.*f|%%|%c%c|\n", "right", "left", "cut off", 6, 12, 6, 12, 2, 3.14159, 'a', 'b');
    printf("|%2$s %1$s|%3$0*4$d|\n", "second", "first", 42, 6);
    char small[8];
    int n = snprintf(small, sizeof small, "%s", "longer than that");
    printf("%d %s\n", n, small);
    n = snprintf(NULL, 0, "%d-%s", 12345, "abc");
    printf("%d\n", n);
    int before = 0;
    printf("count%n", &before);
    printf(" %d\n", before);
}

static void scanning(void)
{
    int a = 0, b = 0, c = 0, n = 0;
    unsigned u = 0;
    double d = 0;
    float f = 0;
    char word[32] = "", set[32] = "", one = 0;
    n = sscanf("12 -7 0x1f rest", "%d %d %i", &a, &b, &c);
    printf("%d: %d %d %d\n", n, a, b, c);
    n = sscanf("3.5e2,abc;DEADbeef", "%lf,%31[a-z];%x", &d, set, &u);
    printf("%d: %g %s %x\n", n, d, set, u);
    n = sscanf("  key = value with spaces", " %31[^= ] = %31[^\n]", word, set);
    printf("%d: <%s> <%s>\n", n, word, set);
    n = sscanf("x1y22z333", "x%dy%1d%*dz%2d%c", &a, &b, &c, &one);
    printf("%d: %d %d %d %c\n", n, a, b, c, one);
    n = sscanf("077 077 0b", "%o %i %d", &u, &a, &b);
    printf("%d: %u %d %d\n", n, u, a, b);
    n = sscanf("0x1.8p3 1e400 -inf nan", "%f %lf", &f, &d);
    printf("%d: %g %g\n", n, f, d);
    printf("%d %d %d\n", sscanf("", "%d", &a), sscanf("x", "%d", &a), sscanf("5", "%d%d", &a, &b));
    n = 0;
    sscanf("abc def", "%*s%n", &n);
    printf("%d\n", n);
    long long ll = 0;
    unsigned char byte = 0;
    n = sscanf("-9223372036854775808 300", "%lld %hhu", &ll, &byte);
    printf("%d: %lld %d\n", n, ll, byte);
}

/* Half a step beyond the largest double, and one less. */
#define BEYOND \
    "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758720709633028641669288791094655554785194040263065748867150582" \
    "0681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792"
#define NOT_BEYOND \
    "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758720709633028641669288791094655554785194040263065748867150582" \
    "0681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497791"

static void to_numbers(void)
{
    static const char *const texts[] = { "1", " +2.5x", "-.5e1", ".", "1e", "1e+", "0x", "0x.8", "0x1p-1074", "0x1p-1075", "0x1.fffffffffffff8p1023", "1e309", "-1e-400",
        "inf", "-Infinity!", "infin", "nan", "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623159e308", "9007199254740992.5", "9007199254740993",
        "9007199254740993.000000000000000000000000000000000000000000000000000000001", "0.500000000000000166533453693773481063544750213623046875",
        BEYOND, NOT_BEYOND,
        "100000000000000000000000000000000000000000000000000000000000000000000e-68", "0.00000000000000000000000000000000000000000000000000000000000000001e65" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end;
        double d = strtod(texts[i], &end);
        printf("%.40s: %016" PRIx64 " +%d\n", texts[i], isnan(d) ? 0x7ff8000000000000u : bits_of(d), (int)(end - texts[i]));
    }
    static const char *const integers[] = { "123", "-0x1F", "0777", "zz", "9223372036854775808", "-9223372036854775809", "  12abc", "+", "0x", "1z" };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        char *end;
        long long v = strtoll(integers[i], &end, 0);
        unsigned long long w = strtoull(integers[i], NULL, 36);
        printf("%s: %lld +%d, %llu\n", integers[i], v, (int)(end - integers[i]), w);
    }
}

/* What is written to a file with fprintf comes back with fscanf. */
static void through_a_file(int count)
{
    FILE *file = fopen("numbers.txt", "w+");
    if (file == NULL) {
        perror("numbers.txt");
        exit(3);
    }
    uint64_t start = state, sum = 0;
    for (int i = 0; i < count; i++) {
        double d = next_number(i);
        fprintf(file, "%d:%.17g;%a\n", i, d, d);
    }
    rewind(file);
    state = start;
    for (int i = 0; i < count; i++) {
        double d = next_number(i), a, b;
        int index;
        if (fscanf(file, "%d:%lf;%la", &index, &a, &b) != 3 || index != i || bits_of(a) != bits_of(d) || bits_of(b) != bits_of(d)) wrong("fscanf", "", d);
        sum += bits_of(a);
    }
    printf("file       %016" PRIx64 "\n", sum);
    fclose(file);
    remove("numbers.txt");
}

/* Functions whose results are exact everywhere; those of the others differ in the last place from library to library. */
static void functions(int count)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < count; i++) {
        double a = next_number(i), b = next_number(i + 3), whole;
        int exponent;
        double results[] = { sqrt(fabs(a)), fma(a, b, 1), fmod(a, b), remainder(a, b), floor(a), ceil(a), trunc(a), rint(a), round(a), frexp(a, &exponent),
            ldexp(a, 3), modf(a, &whole), nextafter(a, b), copysign(a, b), fmin(a, b), fmax(a, b), hypot(3 * floor(fmod(a, 1e5)), 4 * floor(fmod(a, 1e5))) };
        for (size_t j = 0; j < sizeof results / sizeof *results; j++) {
            uint64_t bits = isnan(results[j]) ? 1 : bits_of(results[j]);
            hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
            hash ^= hash >> 31;
        }
        hash += (uint64_t)(int64_t)exponent + bits_of(whole);
    }
    printf("functions  %016" PRIx64 "\n", hash);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    samples();
    whole_numbers();
    scanning();
    to_numbers();
    round_trips(count);
    through_a_file(count / 4);
    functions(count);
    printf("%d mistakes\n", mistakes);
    return mistakes > 0;
}
