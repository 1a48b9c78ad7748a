/*
 * UUIDs (RFC 9562), dates and times (RFC 3339) and bytes (base64, RFC 4648 section 4) as texts, both ways. The calendar
 * is the Gregorian one for all years; days are counted as in H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
#include <string.h>
#include <weft/time.h>

#include "http/model.h"

static int digit_of(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    return -1;
}

/* ---- UUIDs ---- */

static bool has_dash_at(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool uuid_parse(const struct json_slice *text, struct wf_uuid *uuid)
{
    if (text->size != 36) return false;
    size_t count = 0;
    for (size_t i = 0; i < 36;) {
        if (has_dash_at(i)) {
            if (text->bytes[i++] != '-') return false;
            continue;
        }
        int high = digit_of(text->bytes[i]), low = digit_of(text->bytes[i + 1]);
        if (high < 0 || low < 0) return false;
        uuid->bytes[count++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

size_t uuid_text(const struct wf_uuid *uuid, char text[FORM_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (has_dash_at(at)) text[at++] = '-';
        text[at++] = digits[uuid->bytes[i] >> 4];
        text[at++] = digits[uuid->bytes[i] & 15];
    }
    return at;
}

/* ---- Dates ---- */

/* So many decimal digits, or -1. */
static int number_of(const char *at, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9') return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

static void put_number(char *at, int digits, int value)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
}

static int month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

bool date_is_real(const struct wf_date *date)
{
    return date->year >= 0 && date->year <= 9999 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= month_length(date->year, date->month);
}

/* The first ten bytes. */
static bool read_date(const char *at, struct wf_date *date)
{
    int year = number_of(at, 4), month = number_of(at + 5, 2), day = number_of(at + 8, 2);
    if (year < 0 || month < 0 || day < 0 || at[4] != '-' || at[7] != '-') return false;
    *date = (struct wf_date){.year = year, .month = (uint8_t)month, .day = (uint8_t)day};
    return date_is_real(date);
}

bool date_parse(const struct json_slice *text, struct wf_date *date)
{
    return text->size == 10 && read_date(text->bytes, date);
}

size_t date_text(const struct wf_date *date, char text[FORM_TEXT])
{
    put_number(text, 4, date->year);
    text[4] = text[7] = '-';
    put_number(text + 5, 2, date->month);
    put_number(text + 8, 2, date->day);
    return 10;
}

/* ---- Times ---- */

static int64_t days_of(const struct wf_date *date)
{
    int64_t year = date->year - (date->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (date->month + (date->month > 2 ? -3 : 9)) + 2) / 5 + date->day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct wf_date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    return (struct wf_date){(int32_t)(year + era * 400 + (month <= 2)), (uint8_t)month, (uint8_t)day};
}

/* ".5" to nanoseconds; digits past the ninth are dropped. Moves past it; false: no digit after the point. */
static bool read_fraction(const char **at, const char *end, int64_t *fraction_ns)
{
    *fraction_ns = 0;
    if (*at == end || **at != '.') return true;
    const char *first = ++*at;
    int64_t unit = WF_SECONDS(1) / 10;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, unit /= 10) *fraction_ns += unit * (**at - '0');
    return *at > first;
}

/* "Z" or "+01:00", all that is left, in seconds. */
static bool read_offset(const char *at, const char *end, int64_t *offset)
{
    *offset = 0;
    if (end - at == 1) return *at == 'Z' || *at == 'z';
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return false;
    int hours = number_of(at + 1, 2), minutes = number_of(at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
    *offset = INT64_C(60) * (hours * 60 + minutes) * (*at == '-' ? -1 : 1);
    return true;
}

bool time_parse(const struct json_slice *text, int64_t *time_ns)
{
    const char *at = text->bytes, *end = at + text->size;
    struct wf_date date;
    int64_t fraction_ns, offset, seconds;
    if (text->size < 20 || !read_date(at, &date)) return false;
    if (at[10] != 'T' && at[10] != 't' && at[10] != ' ') return false;
    int hour = number_of(at + 11, 2), minute = number_of(at + 14, 2), second = number_of(at + 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
    if (at[13] != ':' || at[16] != ':' || (second == 60 && minute != 59)) return false;
    at += 19;
    if (!read_fraction(&at, end, &fraction_ns) || !read_offset(at, end, &offset)) return false;
    seconds = days_of(&date) * 86400 + INT64_C(3600) * hour + INT64_C(60) * minute + second - offset;
    return !__builtin_mul_overflow(seconds, WF_SECONDS(1), time_ns) &&
           !__builtin_add_overflow(*time_ns, fraction_ns, time_ns);
}

/* Digits that are not wanted are cut off: a time is never written as one to come. */
static size_t put_fraction(char *text, int fraction_ns, unsigned digits)
{
    if (digits == 0 && fraction_ns == 0) return 0;
    text[0] = '.';
    put_number(text + 1, 9, fraction_ns);
    size_t size = 1 + (digits == 0 ? 9 : digits);
    while (digits == 0 && text[size - 1] == '0') size--;
    return size;
}

size_t date_time_text(int64_t time_ns, unsigned digits, char text[FORM_TEXT])
{
    int64_t seconds = time_ns / WF_SECONDS(1), fraction_ns = time_ns % WF_SECONDS(1);
    if (fraction_ns < 0) {
        fraction_ns += WF_SECONDS(1);
        seconds--;
    }
    int64_t days = seconds / 86400, of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    struct wf_date date = date_of(days);
    size_t size = date_text(&date, text);
    memcpy(text + size, "T00:00:00", 9);
    put_number(text + 11, 2, (int)(of_day / 3600));
    put_number(text + 14, 2, (int)(of_day / 60 % 60));
    put_number(text + 17, 2, (int)(of_day % 60));
    size += 9;
    size += put_fraction(text + size, (int)fraction_ns, digits);
    text[size] = 'Z';
    return size + 1;
}

/* ---- Bytes ---- */

size_t base64_room(size_t size)
{
    return size / 4 * 3;
}

static int base64_digit(char character)
{
    if (character >= 'A' && character <= 'Z') return character - 'A';
    if (character >= 'a' && character <= 'z') return character - 'a' + 26;
    if (character >= '0' && character <= '9') return character - '0' + 52;
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

/* Four digits, of which `padding` at the end are "=": what is left over must be 0. */
static bool decode_group(const char *at, int padding, unsigned char *bytes)
{
    uint32_t group = 0;
    for (int i = 0; i < 4; i++) {
        int digit = i < 4 - padding ? base64_digit(at[i]) : 0;
        if (digit < 0) return false;
        group = group << 6 | (uint32_t)digit;
    }
    for (int i = 0; i < 3 - padding; i++) bytes[i] = (unsigned char)(group >> (16 - 8 * i));
    return (group & ((UINT32_C(1) << 8 * padding) - 1)) == 0;
}

bool base64_decode(const struct json_slice *text, unsigned char *bytes, size_t *size)
{
    *size = 0;
    if (text->size % 4 != 0) return false;
    for (size_t i = 0; i < text->size; i += 4) {
        const char *at = text->bytes + i;
        bool last = i + 4 == text->size;
        int padding = !last || at[3] != '=' ? 0 : at[2] == '=' ? 2 : 1;
        if (!decode_group(at, padding, bytes + *size)) return false;
        *size += (size_t)(3 - padding);
    }
    return true;
}

size_t base64_encode(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    enum { PADDING = 64 };
    char *to = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = digits[left > 1 ? group >> 6 & 63 : PADDING];
        *to++ = digits[left > 2 ? group & 63 : PADDING];
    }
    return (size_t)(to - text);
}
