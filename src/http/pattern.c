/*
 * Patterns: compiled into steps of a machine whose states are followed all at once (R. Cox, "Regular Expression
 * Matching Can Be Simple And Fast", 2007), so that no text makes a match take long. A pattern is compiled each time: it
 * is short, and what is compiled fits on the stack.
 *
 * Each step goes on to the one behind it; forks and jumps also or only to one that lies so many steps away. So what is
 * repeated can be moved and copied as it is:
 *
 *     a?      fork +2, a                    a*      fork +3, a, jump -2
 *     a{2,3}  a, a, fork +2, a              a|b     fork +3, a, jump +2, b
 */
#include <string.h>

#include "base/utf8.h"
#include "http/model.h"

enum {
    STEPS_MAX = WF_PATTERN_STEPS_MAX,
    RANGES_MAX = 100,
    DEPTH_MAX = 20,
    REPEAT_FOREVER = -1,
};

enum operation {
    ONE_OF, /* a character in the ranges */
    NONE_OF,
    FORK,
    JUMP,
    AT_START,
    AT_END,
    ACCEPT,
};

struct step {
    uint8_t operation;
    uint8_t first, count; /* ranges */
    int16_t away;         /* FORK, JUMP */
};

struct range {
    uint32_t low, high;
};

struct program {
    struct step steps[STEPS_MAX];
    struct range ranges[RANGES_MAX];
    size_t step_count, range_count;
    const char *at; /* in the pattern */
    const char *wrong;
    unsigned depth;
};

/* ---- Compiling ---- */

static bool refuse(struct program *program, const char *what)
{
    if (program->wrong == NULL) program->wrong = what;
    return false;
}

static bool add_step(struct program *program, struct step step)
{
    if (program->step_count == STEPS_MAX) return refuse(program, "it has too many steps");
    program->steps[program->step_count++] = step;
    return true;
}

static bool add_range(struct program *program, uint32_t low, uint32_t high)
{
    if (program->range_count == RANGES_MAX) return refuse(program, "it has too many characters in classes");
    if (low > high) return refuse(program, "a range ends before it begins");
    program->ranges[program->range_count++] = (struct range){low, high};
    return true;
}

/* The character at a place in UTF-8, which is moved on. Bytes that form none stand for themselves. */
static uint32_t character(const char **at, const char *end)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    size_t size = utf8_character(*at, (size_t)(end - *at));
    if (size <= 1) {
        (*at)++;
        return bytes[0];
    }
    uint32_t value = bytes[0] & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) value = value << 6 | (bytes[i] & 0x3f);
    *at += size;
    return value;
}

static uint32_t next_character(struct program *program)
{
    return character(&program->at, program->at + strlen(program->at));
}

/* \d \w \s; false: it is another letter. */
static bool add_named(struct program *program, char letter)
{
    switch (letter) {
    case 'd':
        return add_range(program, '0', '9');
    case 'w':
        return add_range(program, '0', '9') && add_range(program, 'a', 'z') && add_range(program, 'A', 'Z') &&
               add_range(program, '_', '_');
    case 's':
        return add_range(program, '\t', '\r') && add_range(program, ' ', ' ') && add_range(program, 0xa0, 0xa0);
    default:
        return false;
    }
}

/* A character after a backslash that is not one of the named classes. */
static bool escaped(struct program *program, uint32_t *value)
{
    static const char letters[] = "n\nr\rt\tf\fv\v";
    char letter = *program->at;
    if (letter == '\0') return refuse(program, "a backslash ends it");
    const char *found = strchr(letters, letter);
    bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    if (is_letter && found == NULL)
        return refuse(program, "a letter after a backslash that is none of d, w, s, n, r, t, f, v");
    bool is_digit = letter >= '0' && letter <= '9';
    if (is_digit) return refuse(program, "a digit after a backslash: groups cannot be referred to");
    *value = next_character(program);
    if (found != NULL && is_letter) *value = (unsigned char)found[1];
    return true;
}

static bool is_one_of(char letter, const char *set)
{
    return letter != '\0' && strchr(set, letter) != NULL;
}

/* A character of a class, or false. */
static bool class_character(struct program *program, uint32_t *value)
{
    if (*program->at == '\0') return refuse(program, "a class does not end");
    if (*program->at != '\\') {
        *value = next_character(program);
        return true;
    }
    program->at++;
    return escaped(program, value);
}

static bool class_item(struct program *program)
{
    uint32_t low = 0, high;
    if (program->at[0] == '\\' && is_one_of(program->at[1], "dws")) {
        program->at += 2;
        return add_named(program, program->at[-1]);
    }
    if (!class_character(program, &low)) return false;
    high = low;
    if (program->at[0] == '-' && program->at[1] != ']') {
        program->at++;
        if (!class_character(program, &high)) return false;
    }
    return add_range(program, low, high);
}

/* Adds the step that takes one character of the ranges since then. */
static bool add_class(struct program *program, size_t first, bool opposite)
{
    struct step step = {.operation = opposite ? NONE_OF : ONE_OF, .first = (uint8_t)first};
    step.count = (uint8_t)(program->range_count - first);
    return add_step(program, step);
}

static bool parse_class(struct program *program)
{
    size_t first = program->range_count;
    bool opposite = *program->at == '^';
    program->at += opposite;
    if (*program->at == ']') return refuse(program, "an empty class");
    while (*program->at != ']')
        if (!class_item(program)) return false;
    program->at++;
    return add_class(program, first, opposite);
}

static bool parse_escape(struct program *program)
{
    size_t first = program->range_count;
    uint32_t value;
    char letter = *program->at;
    if (is_one_of(letter, "dwsDWS")) {
        program->at++;
        bool opposite = letter < 'a';
        return add_named(program, (char)(letter | 0x20)) && add_class(program, first, opposite);
    }
    return escaped(program, &value) && add_range(program, value, value) && add_class(program, first, false);
}

static bool parse_choice(struct program *program);

static bool parse_group(struct program *program)
{
    if (program->at[0] == '?' && program->at[1] == ':') program->at += 2;
    else if (program->at[0] == '?') return refuse(program, "a group of a kind that there is not");
    if (program->depth == DEPTH_MAX) return refuse(program, "too many groups in each other");
    program->depth++;
    bool good = parse_choice(program);
    program->depth--;
    if (!good) return false;
    if (*program->at != ')') return refuse(program, "a group does not end");
    program->at++;
    return true;
}

static bool parse_single(struct program *program)
{
    size_t first = program->range_count;
    uint32_t value;
    switch (*program->at++) {
    case '(':
        return parse_group(program);
    case '[':
        return parse_class(program);
    case '\\':
        return parse_escape(program);
    case '.':
        return add_range(program, '\n', '\n') && add_range(program, '\r', '\r') && add_class(program, first, true);
    case '^':
        return add_step(program, (struct step){.operation = AT_START});
    case '$':
        return add_step(program, (struct step){.operation = AT_END});
    case '*':
    case '+':
    case '?':
    case '{':
        program->at--;
        return refuse(program, "nothing to repeat");
    case ']':
    case '}':
        program->at--;
        return refuse(program, "it was not opened; write a backslash before it");
    default:
        program->at--;
        value = next_character(program);
        return add_range(program, value, value) && add_class(program, first, false);
    }
}

/* ---- Repetition ---- */

static struct step away(enum operation operation, size_t steps, int direction)
{
    return (struct step){.operation = (uint8_t)operation, .away = (int16_t)((int)steps * direction)};
}

/* Puts a fork before the steps from `first` on. */
static bool insert_fork(struct program *program, size_t first, size_t steps)
{
    size_t count = program->step_count - first;
    if (!add_step(program, away(FORK, steps, 1))) return false;
    memmove(program->steps + first + 1, program->steps + first, count * sizeof *program->steps);
    program->steps[first] = away(FORK, steps, 1);
    return true;
}

static bool copy_steps(struct program *program, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!add_step(program, program->steps[first + i])) return false;
    return true;
}

/* None or more of the steps from `first` on. */
static bool loop(struct program *program, size_t first)
{
    size_t count = program->step_count - first;
    return insert_fork(program, first, count + 2) && add_step(program, away(JUMP, count + 1, -1));
}

static bool number(struct program *program, int *value)
{
    if (*program->at < '0' || *program->at > '9') return refuse(program, "a number was expected in {}");
    for (*value = 0; *program->at >= '0' && *program->at <= '9'; program->at++) {
        *value = *value * 10 + (*program->at - '0');
        if (*value > STEPS_MAX) return refuse(program, "it has too many steps");
    }
    return true;
}

static bool read_bounds(struct program *program, int *low, int *high)
{
    char letter = *program->at++;
    *low = letter == '+';
    *high = letter == '?' ? 1 : REPEAT_FOREVER;
    if (letter != '{') return true;
    if (!number(program, low)) return false;
    *high = *low;
    if (*program->at == ',') {
        program->at++;
        *high = REPEAT_FOREVER;
        if (*program->at != '}' && !number(program, high)) return false;
    }
    if (*program->at++ != '}') return refuse(program, "{} does not end");
    if (*high != REPEAT_FOREVER && *high < *low) return refuse(program, "{} ends before it begins");
    return true;
}

/* The steps from `first` on, from `low` to `high` times. */
static bool repeat(struct program *program, size_t first, int low, int high)
{
    size_t count = program->step_count - first, source = first;
    int done = 1;
    if (low == 0 && high == REPEAT_FOREVER) return loop(program, first);
    if (high == 0) program->step_count = first;
    if (high == 0) return true;
    if (low == 0) {
        source = first + 1;
        if (!insert_fork(program, first, count + 1)) return false;
    }
    for (; done < low; done++)
        if (!copy_steps(program, source, count)) return false;
    if (high == REPEAT_FOREVER) {
        size_t last = program->step_count;
        return copy_steps(program, source, count) && loop(program, last);
    }
    for (; done < high; done++)
        if (!add_step(program, away(FORK, count + 1, 1)) || !copy_steps(program, source, count)) return false;
    return true;
}

static bool parse_repeated(struct program *program)
{
    size_t first = program->step_count;
    if (!parse_single(program)) return false;
    if (!is_one_of(*program->at, "*+?{")) return true;
    int low, high;
    return read_bounds(program, &low, &high) && repeat(program, first, low, high);
}

static bool parse_sequence(struct program *program)
{
    while (*program->at != '\0' && *program->at != '|' && *program->at != ')')
        if (!parse_repeated(program)) return false;
    return true;
}

static bool parse_choice(struct program *program)
{
    size_t first = program->step_count;
    if (!parse_sequence(program)) return false;
    if (*program->at != '|') return true;
    program->at++;
    if (!insert_fork(program, first, program->step_count - first + 2)) return false;
    size_t jump = program->step_count;
    if (!add_step(program, away(JUMP, 0, 1)) || !parse_choice(program)) return false;
    program->steps[jump] = away(JUMP, program->step_count - jump, 1);
    return true;
}

static int compile(struct program *program, const char *pattern)
{
    program->step_count = program->range_count = program->depth = 0;
    program->wrong = NULL;
    program->at = pattern;
    if (parse_choice(program) && *program->at == ')')
        refuse(program, "a group was not opened; write a backslash before it");
    if (program->wrong == NULL) add_step(program, (struct step){.operation = ACCEPT});
    if (program->wrong == NULL) return 0;
    return FAIL(-EINVAL, "pattern \"%s\", byte %zu: %s", pattern, (size_t)(program->at - pattern), program->wrong);
}

int wf_pattern_check(const char *pattern)
{
    struct program program;
    return compile(&program, pattern);
}

/* ---- Matching ---- */

/* Which steps are next; those of forks and jumps are in it too, which is of no consequence. */
struct states {
    uint64_t bits[STEPS_MAX / 64];
};

struct place {
    bool at_start, at_end;
};

static bool add_state(struct states *states, size_t step)
{
    uint64_t bit = UINT64_C(1) << step % 64;
    bool fresh = (states->bits[step / 64] & bit) == 0;
    states->bits[step / 64] |= bit;
    return fresh;
}

/* Adds a step and all that is reached from it without a character. True: the pattern has matched. */
static bool reach(const struct program *program, struct states *states, size_t start, struct place place)
{
    uint16_t waiting[STEPS_MAX + 1];
    size_t count = 0;
    if (add_state(states, start)) waiting[count++] = (uint16_t)start;
    while (count > 0) {
        size_t at = waiting[--count], other = at + (size_t)program->steps[at].away;
        const struct step *step = &program->steps[at];
        if (step->operation == ACCEPT) return true;
        bool jumps = step->operation == FORK || step->operation == JUMP;
        bool goes_on = step->operation == FORK || (step->operation == AT_START && place.at_start) ||
                       (step->operation == AT_END && place.at_end);
        if (jumps && add_state(states, other)) waiting[count++] = (uint16_t)other;
        if (goes_on && add_state(states, at + 1)) waiting[count++] = (uint16_t)(at + 1);
    }
    return false;
}

static bool takes(const struct program *program, const struct step *step, uint32_t value)
{
    if (step->operation > NONE_OF) return false;
    const struct range *range = program->ranges + step->first;
    for (size_t i = 0; i < step->count; i++)
        if (value >= range[i].low && value <= range[i].high) return step->operation == ONE_OF;
    return step->operation == NONE_OF;
}

/* Follows all states over one character. */
static bool follow(const struct program *program, struct states *states, uint32_t value, struct place place)
{
    struct states after = {{0}};
    bool matched = false;
    for (size_t word = 0; word < WF_COUNT(states->bits); word++)
        for (uint64_t bits = states->bits[word]; bits != 0; bits &= bits - 1) {
            size_t step = word * 64 + (size_t)__builtin_ctzll(bits);
            if (takes(program, &program->steps[step], value)) matched |= reach(program, &after, step + 1, place);
        }
    *states = after;
    return matched;
}

int wf_pattern_match(const char *pattern, const char *text, size_t size)
{
    struct program program;
    struct states states = {{0}};
    const char *at = text, *end = text + size;
    int rc = compile(&program, pattern);
    if (rc < 0) return rc;
    if (reach(&program, &states, 0, (struct place){true, size == 0})) return 1;
    while (at < end) {
        uint32_t value = character(&at, end);
        struct place place = {false, at == end};
        if (follow(&program, &states, value, place) || reach(&program, &states, 0, place)) return 1;
    }
    return 0;
}
