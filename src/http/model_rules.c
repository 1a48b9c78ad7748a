/* What a declaration asks for beyond the kind: bounds, lengths, formats, patterns, functions of one's own. */
#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "http/model.h"

/* ---- Numbers ---- */

/* A bound as a person writes it. */
static const char *bound_text(double bound, char text[JSON_DOUBLE_TEXT + 1])
{
    text[json_double_text(bound, false, text)] = '\0';
    return text;
}

int check_number(struct parse *parse, const struct wf_member *member, long double value, const struct path *path)
{
    char bound[JSON_DOUBLE_TEXT + 1];
    if (value < (long double)member->min)
        return problem(parse, path, "greater_than_equal", "Input should be greater than or equal to %s",
                       bound_text(member->min, bound));
    if (value > (long double)member->max)
        return problem(parse, path, "less_than_equal", "Input should be less than or equal to %s",
                       bound_text(member->max, bound));
    if (value <= (long double)member->above && !isinf(member->above))
        return problem(parse, path, "greater_than", "Input should be greater than %s",
                       bound_text(member->above, bound));
    if (value >= (long double)member->below && !isinf(member->below))
        return problem(parse, path, "less_than", "Input should be less than %s", bound_text(member->below, bound));
    return 0;
}

/* ---- Lengths ---- */

static const char *plural(double count)
{
    return count == 1 ? "" : "s";
}

int check_count(struct parse *parse, const struct wf_member *member, size_t count, const char *what, const char *unit,
                const struct path *path)
{
    bool characters = unit[0] == 'c';
    if ((double)count < member->min)
        return problem(parse, path, characters ? "string_too_short" : "too_short", "%s should have at least %.0f %s%s",
                       what, member->min, unit, plural(member->min));
    if ((double)count > member->max)
        return problem(parse, path, characters ? "string_too_long" : "too_long", "%s should have at most %.0f %s%s",
                       what, member->max, unit, plural(member->max));
    return 0;
}

/* Of UTF-8: bytes that begin one. */
static size_t count_characters(const struct json_slice *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->size; i++) count += (text->bytes[i] & 0xc0) != 0x80;
    return count;
}

/* ---- Formats ---- */

/* What a byte may be part of. */
enum {
    WORD = 1, /* a letter or a digit */
    HEX = 2,
    LOCAL = 4,  /* of an e-mail address, before the @ */
    OF_URI = 8, /* RFC 3986; a % only before two digits */
    SCHEME = 16,
};
enum {
    DIGIT = WORD | HEX | LOCAL | OF_URI | SCHEME,
    LETTER = WORD | LOCAL | OF_URI | SCHEME,
};

static const uint8_t classes[256] = {
    ['0' ... '9'] = DIGIT,
    ['a' ... 'f'] = LETTER | HEX,
    ['g' ... 'z'] = LETTER,
    ['A' ... 'F'] = LETTER | HEX,
    ['G' ... 'Z'] = LETTER,
    ['.'] = LOCAL | OF_URI | SCHEME,
    ['-'] = LOCAL | OF_URI | SCHEME,
    ['+'] = LOCAL | OF_URI | SCHEME,
    ['!'] = LOCAL | OF_URI,
    ['#'] = LOCAL | OF_URI,
    ['$'] = LOCAL | OF_URI,
    ['&'] = LOCAL | OF_URI,
    ['\''] = LOCAL | OF_URI,
    ['*'] = LOCAL | OF_URI,
    ['/'] = LOCAL | OF_URI,
    ['='] = LOCAL | OF_URI,
    ['?'] = LOCAL | OF_URI,
    ['_'] = LOCAL | OF_URI,
    ['~'] = LOCAL | OF_URI,
    ['%'] = LOCAL,
    ['^'] = LOCAL,
    ['`'] = LOCAL,
    ['{'] = LOCAL,
    ['|'] = LOCAL,
    ['}'] = LOCAL,
    [':'] = OF_URI,
    ['['] = OF_URI,
    [']'] = OF_URI,
    ['@'] = OF_URI,
    ['('] = OF_URI,
    [')'] = OF_URI,
    [','] = OF_URI,
    [';'] = OF_URI,
};

static inline bool is(char character, int class)
{
    return (classes[(unsigned char)character] & class) != 0;
}

/* Labels of letters, digits and dashes inside, 63 bytes each and 253 in all (RFC 1123 section 2.1). */
static bool is_hostname(const char *text, size_t size)
{
    size_t label = 0;
    if (size == 0 || size > 253) return false;
    for (size_t i = 0; i < size; i++) {
        if (is(text[i], WORD)) {
            if (++label > 63) return false;
        } else if (label == 0 || (text[i] != '-' && (text[i] != '.' || text[i - 1] == '-'))) {
            return false;
        } else {
            label = text[i] == '.' ? 0 : label + 1;
        }
    }
    return label > 0 && label <= 63 && text[size - 1] != '-';
}

/* "Valid e-mail address" of the HTML standard, which is narrower than RFC 5322 on purpose. */
static bool is_email(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && is(text[at], LOCAL)) at++;
    if (at == 0 || at == size || text[at] != '@' || size > 254) return false;
    return is_hostname(text + at + 1, size - at - 1);
}

/* A scheme, a colon, and characters that RFC 3986 has; not that they stand where they should. */
static bool is_uri(const char *text, size_t size)
{
    size_t i = 0;
    if (size == 0 || !is(text[0], SCHEME) || text[0] < 'A') return false;
    while (i < size && is(text[i], SCHEME)) i++;
    if (i == size || text[i++] != ':' || i == size) return false;
    for (; i < size; i++) {
        bool escape = text[i] == '%' && size - i > 2 && is(text[i + 1], HEX) && is(text[i + 2], HEX);
        if (!escape && !is(text[i], OF_URI)) return false;
    }
    return true;
}

static bool is_address(int family, const char *text, size_t size)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[16];
    if (size >= sizeof copy) return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return strlen(copy) == size && inet_pton(family, copy, address) == 1;
}

bool has_format(enum wf_format format, const char *text, size_t size)
{
    switch (format) {
    case WF_EMAIL:
        return is_email(text, size);
    case WF_URI:
        return is_uri(text, size);
    case WF_HOSTNAME:
        return is_hostname(text, size);
    case WF_IPV4:
        return is_address(AF_INET, text, size);
    case WF_IPV6:
        return is_address(AF_INET6, text, size);
    default:
        return true;
    }
}

static const char *const format_names[] = {
    [WF_EMAIL] = "email address", [WF_URI] = "URI",           [WF_HOSTNAME] = "host name",
    [WF_IPV4] = "IPv4 address",   [WF_IPV6] = "IPv6 address",
};

/* ---- Texts ---- */

static int check_pattern(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                         const struct path *path)
{
    int rc = wf_pattern_match(member->pattern, text->bytes, text->size);
    if (rc < 0) return -ENOTSUP;
    if (rc > 0) return 0;
    return problem(parse, path, "string_pattern_mismatch", "String should match pattern '%s'", member->pattern);
}

int check_text(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
               const struct path *path)
{
    if (memchr(text->bytes, '\0', text->size) != NULL)
        return problem(parse, path, "string_zero", "String should not contain U+0000");
    size_t found = parse->found;
    size_t characters_min = text->size / 4; /* a character has at most four bytes */
    bool fits = member->min <= (double)characters_min && (double)text->size <= member->max;
    if (!fits) {
        int rc = check_count(parse, member, count_characters(text), "String", "character", path);
        if (rc < 0 || parse->found > found) return rc;
    }
    if (member->format != WF_ANY_FORMAT && !has_format(member->format, text->bytes, text->size))
        return problem(parse, path, "value_error", "Input should be a valid %s", format_names[member->format]);
    return member->pattern != NULL ? check_pattern(parse, member, text, path) : 0;
}

int check_own(struct parse *parse, const char *(*check)(const void *value), const void *value, const struct path *path)
{
    const char *wrong = check(value);
    return wrong == NULL ? 0 : problem(parse, path, "value_error", "Value error, %s", wrong);
}
