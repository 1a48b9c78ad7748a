/* The three forms of a date, without the locale's help, which may know other months. */
#include "http/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void date_write(char text[DATE_TEXT], time_t date)
{
    struct tm tm;
    if (gmtime_r(&date, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099)
        tm = (struct tm){.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
    snprintf(text, DATE_TEXT, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + tm.tm_wday * 3,
             (unsigned)tm.tm_mday % 100, months + tm.tm_mon * 3, (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static int month_of(const char *name)
{
    const char *at = strlen(name) == 3 ? strstr(months, name) : NULL;
    return at != NULL && (at - months) % 3 == 0 ? (int)(at - months) / 3 : -1;
}

/* Two digits of a year mean the last one that is not more than 50 years ahead; of two that fit, the near one. */
static int century(int year)
{
    return year < 70 ? year + 2000 : year + 1900;
}

static time_t date_of(struct tm *tm, const char *month, int year)
{
    tm->tm_mon = month_of(month);
    tm->tm_year = year - 1900;
    bool good = tm->tm_mon >= 0 && tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_hour >= 0 && tm->tm_hour < 24 &&
                tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec <= 60 && year >= 1601;
    return good ? timegm(tm) : -1;
}

time_t date_read(const char *text)
{
    struct tm tm = {0};
    char month[4];
    int year, end = 0;
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &year, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &end) == 6 &&
        end > 0 && text[end] == '\0')
        return date_of(&tm, month, year);
    if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &year, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &end) == 6 &&
        end > 0 && text[end] == '\0')
        return date_of(&tm, month, century(year));
    if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &year, &end) == 6 &&
        end > 0 && text[end] == '\0')
        return date_of(&tm, month, year);
    return -1;
}
