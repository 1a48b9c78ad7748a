/*
 * Numbers of JSON, both ways, and the same in every locale.
 *
 * Reading: up to 2^53 and 10^22 both parts of a decimal number are doubles without loss, and one multiplication or
 * division gives the nearest double (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990). What is
 * larger goes to strtod, without its point, which is what depends on the locale; past 800 digits it matters only
 * whether there is another one that is not 0.
 *
 * Writing: the fewest decimals that give the same double back when they are divided by their power of ten, by the same
 * rule; what is very large, very small or needs 16 digits is tried with printf, 15, 16, 17 digits.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/json.h"

enum {
    DIGITS_MAX = 800,
    EXACT_POWER_MAX = 22,
};
#define EXACT_MAX (UINT64_C(1) << 53)

static const double powers[EXACT_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at)) at++;
    return at;
}

bool json_scan_number(const char *bytes, const char *end, struct json_number *number)
{
    const char *at = bytes, *digits;
    number->whole = true;
    if (at < end && *at == '-') at++;
    at = skip_digits(digits = at, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) return false;
    if (at < end && *at == '.') {
        number->whole = false;
        at = skip_digits(digits = at + 1, end);
        if (at == digits) return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        number->whole = false;
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        at = skip_digits(digits = at, end);
        if (at == digits) return false;
    }
    number->text = (struct json_slice){.bytes = bytes, .size = (size_t)(at - bytes)};
    return true;
}

/* ---- Integers ---- */

/* Of a number that is written as a whole one. */
static int magnitude(const struct json_number *number, bool *negative, uint64_t *value)
{
    const char *at = number->text.bytes, *end = at + number->text.size;
    *negative = *at == '-';
    *value = 0;
    for (at += *negative; at < end; at++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return -ERANGE;
    return 0;
}

/* Of one with a point or an exponent: as far as doubles hold every integer. */
static int whole_double(const struct json_number *number, bool *negative, uint64_t *value)
{
    double real;
    if (json_to_double(number, &real) < 0) return -ERANGE;
    bool fits = fabs(real) <= (double)EXACT_MAX; /* all doubles past it are whole */
    if (fits && (double)(uint64_t)fabs(real) != fabs(real)) return -EINVAL;
    if (!fits) return -ERANGE;
    *negative = real < 0;
    *value = (uint64_t)fabs(real);
    return 0;
}

static int to_integer(const struct json_number *number, bool *negative, uint64_t *value)
{
    return number->whole ? magnitude(number, negative, value) : whole_double(number, negative, value);
}

int json_to_int(const struct json_number *number, int64_t *value)
{
    bool negative;
    uint64_t size;
    int rc = to_integer(number, &negative, &size);
    if (rc < 0) return rc;
    if (size > (uint64_t)INT64_MAX + negative) return -ERANGE;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return 0;
}

int json_to_uint(const struct json_number *number, uint64_t *value)
{
    bool negative;
    uint64_t size;
    int rc = to_integer(number, &negative, &size);
    if (rc < 0) return rc;
    if (negative && size > 0) return -ERANGE;
    *value = size;
    return 0;
}

/* ---- Doubles, read ---- */

/* A decimal number: its digits without zeros before them, times a power of ten. */
struct decimal {
    char digits[DIGITS_MAX + 1 + 24]; /* and one for all that follow, and the exponent */
    size_t count;
    bool more; /* there were further ones that are not 0 */
    bool negative;
    long power;
};

static void add_digits(struct decimal *decimal, const char *at, const char *end, bool after_point)
{
    for (; at < end; at++) {
        bool kept = decimal->count < DIGITS_MAX && (decimal->count > 0 || *at != '0');
        if (kept) decimal->digits[decimal->count++] = *at;
        else if (decimal->count > 0) decimal->more |= *at != '0';
        if (after_point && (kept || decimal->count == 0)) decimal->power--;
        if (!after_point && !kept && decimal->count > 0) decimal->power++;
    }
}

/* Exponents past any use are cut: the digits of a number take more than a byte each. */
static long exponent(const char *at, const char *end)
{
    long value = 0;
    if (at == end) return 0;
    bool negative = *++at == '-';
    if (*at == '-' || *at == '+') at++;
    for (; at < end; at++)
        if (value < LONG_MAX / 100) value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

static void read_decimal(const struct json_number *number, struct decimal *decimal)
{
    const char *at = number->text.bytes, *end = at + number->text.size;
    decimal->count = 0;
    decimal->more = false;
    decimal->power = 0;
    decimal->negative = *at == '-';
    at += decimal->negative;
    const char *after = skip_digits(at, end);
    add_digits(decimal, at, after, false);
    if (after < end && *after == '.') {
        at = after + 1;
        after = skip_digits(at, end);
        add_digits(decimal, at, after, true);
    }
    decimal->power += exponent(after, end);
}

static double nearest(struct decimal *decimal)
{
    if (decimal->more) {
        decimal->digits[decimal->count++] = '1';
        decimal->power--;
    }
    long power = decimal->power < -100000 ? -100000 : decimal->power > 100000 ? 100000 : decimal->power;
    snprintf(decimal->digits + decimal->count, sizeof decimal->digits - decimal->count, "e%ld", power);
    return strtod(decimal->digits, NULL);
}

static double simple_or_nearest(struct decimal *decimal)
{
    uint64_t digits = 0;
    if (decimal->count == 0) return 0;
    if (decimal->count > 16 || decimal->power > EXACT_POWER_MAX || decimal->power < -EXACT_POWER_MAX)
        return nearest(decimal);
    for (size_t i = 0; i < decimal->count; i++) digits = digits * 10 + (uint64_t)(decimal->digits[i] - '0');
    if (digits > EXACT_MAX) return nearest(decimal);
    return decimal->power < 0 ? (double)digits / powers[-decimal->power] : (double)digits * powers[decimal->power];
}

int json_to_double(const struct json_number *number, double *value)
{
    struct decimal decimal;
    read_decimal(number, &decimal);
    double read = simple_or_nearest(&decimal);
    if (isinf(read)) return -ERANGE;
    *value = decimal.negative ? -read : read;
    return 0;
}

/* ---- Doubles, written ---- */

size_t json_uint_text(uint64_t value, char text[JSON_DOUBLE_TEXT])
{
    static const char pairs[] =
        "000102030405060708091011121314151617181920212223242526272829303132333435363738394041424344"
        "454647484950515253545556575859606162636465666768697071727374757677787980818283848586878889"
        "90919293949596979899";
    char digits[20], *at = digits + sizeof digits;
    for (; value >= 100; value /= 100) memcpy(at -= 2, pairs + value % 100 * 2, 2);
    if (value >= 10) memcpy(at -= 2, pairs + value * 2, 2);
    else *--at = (char)('0' + value);
    size_t size = (size_t)(digits + sizeof digits - at);
    memcpy(text, at, size);
    return size;
}

/* "12.05" of 1205 and 2 decimals. */
static size_t decimal_text(uint64_t digits, int decimals, char *text)
{
    char all[JSON_DOUBLE_TEXT];
    size_t count = json_uint_text(digits, all), at = 0;
    if (count <= (size_t)decimals) {
        text[at++] = '0';
        text[at++] = '.';
        memset(text + at, '0', (size_t)decimals - count);
        at += (size_t)decimals - count;
        memcpy(text + at, all, count);
        return at + count;
    }
    size_t whole = count - (size_t)decimals;
    memcpy(text, all, whole);
    text[whole] = '.';
    memcpy(text + whole + 1, all + whole, (size_t)decimals);
    return count + 1;
}

/* 0: it takes too many digits. */
static size_t few_decimals(double value, bool point, char *text)
{
    for (int decimals = 0; decimals <= EXACT_POWER_MAX; decimals++) {
        double scaled = value * powers[decimals];
        if (scaled > 1e15) return 0;
        double rounded = (double)(uint64_t)(scaled + 0.5);
        if (rounded / powers[decimals] != value) continue;
        if (decimals > 0) return decimal_text((uint64_t)rounded, decimals, text);
        size_t size = json_uint_text((uint64_t)rounded, text);
        if (point) memcpy(text + size, ".0", 2);
        return size + (point ? 2 : 0);
    }
    return 0;
}

/* printf's point may be any, even of several bytes. */
static size_t many_digits(double value, char *text)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, JSON_DOUBLE_TEXT, "%.*g", digits, value);
        if (digits == 17 || strtod(text, NULL) == value) break;
    }
    char *point = text + strspn(text, "0123456789");
    if (*point == '\0') memcpy(point, "e0", sizeof "e0");
    size_t width = strcspn(point, "0123456789e");
    if (width == 0) return strlen(text);
    *point = '.';
    memmove(point + 1, point + width, strlen(point + width) + 1);
    return strlen(text);
}

size_t json_double_text(double value, bool point, char text[JSON_DOUBLE_TEXT])
{
    size_t sign = 0, size = 0;
    if (signbit(value)) {
        text[sign++] = '-';
        value = -value;
    }
    if (value == 0 || (value >= 1e-5 && value <= 1e15)) size = few_decimals(value, point, text + sign);
    if (size == 0) size = many_digits(value, text + sign);
    return sign + size;
}
