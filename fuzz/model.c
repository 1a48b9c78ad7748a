/*
 * Models from any bytes. The first byte says what the others are:
 *
 * - JSON for a model of all kinds, or for a tree with unions: what is accepted is written, read again and written the
 *   same; what is refused has its problems, which are JSON; it is no JSON exactly where the reader says so. Half of the
 *   inputs have an arena that is too small somewhere.
 * - a form for a model, and each of its texts as a parameter.
 * - a pattern, a zero byte, a text: the pattern matches what it also matches in a group, or as one of two.
 */
#include "fuzz.h"

#include <string.h>
#include <weft/model.h>

#define ALL_MEMBERS(M)                                                                                                 \
    M(BOOL, b, .optional = true, .nullable = true)                                                                     \
    M(INT32, i, .optional = true, .min = -100, .below = 1000)                                                          \
    M(INT64, l, .optional = true)                                                                                      \
    M(UINT64, u, .preset = "7")                                                                                        \
    M(DOUBLE, d, .optional = true, .above = -1e300)                                                                    \
    M(STRING, s, .optional = true, .min = 1, .max = 8, .pattern = "^[^x]*$")                                           \
    M(BYTES, y, .optional = true, .max = 20)                                                                           \
    M(UUID, g, .optional = true)                                                                                       \
    M(DATE, t, .optional = true)                                                                                       \
    M(DATE_TIME, w, .optional = true)                                                                                  \
    M(ENUM, e, .optional = true, .values = WF_VALUES("a", "b"))                                                        \
    M(JSON, j, .optional = true)                                                                                       \
    M(STRING, m, .optional = true, .format = WF_EMAIL)                                                                 \
    M(STRING, q, .optional = true, .format = WF_URI)                                                                   \
    M(LIST(INT32, .max = 9), n, .optional = true, .max = 5)                                                            \
    M(MAP(STRING), p, .optional = true, .max = 4)                                                                      \
    M(LIST(MODEL(all)), c, .optional = true)
WF_MODEL(all, ALL_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

#define LEAF_MEMBERS(M) M(INT64, v)
WF_MODEL(leaf, LEAF_MEMBERS)
struct node;
#define EITHER_CASES(C) C(leaf, .name = "l") C(all, .name = "a")
WF_UNION(either, EITHER_CASES, .tag = "k")
#define NODE_MEMBERS(M)                                                                                                \
    M(LIST(MODEL(either)), e) M(MAP(MODEL(leaf)), m, .optional = true) M(LIST(MODEL(node)), n, .optional = true)
WF_MODEL(node, NODE_MEMBERS)

static bool is_json(struct wf_arena *arena, const void *bytes, size_t size)
{
    struct wf_json_reader reader;
    wf_json_reader_init(&reader, arena, bytes, size);
    return wf_json_skip(&reader) == 0 && wf_json_read_end(&reader) == 0;
}

static void claim_written(const struct wf_model *model, struct wf_arena *arena, const void *value)
{
    struct wf_json_writer first, second;
    const char *text, *again;
    size_t size;
    void *copy = wf_arena_alloc(arena, model->size);
    CLAIM(copy != NULL);
    wf_json_writer_init(&first, arena, 0);
    wf_json_writer_init(&second, arena, 0);
    CLAIM(wf_model_write(model, value, &first) == 0);
    CLAIM(wf_json_write_end(&first, &text, &size) == 0);
    CLAIM(wf_model_parse(model, arena, text, size, copy, NULL) == 0);
    CLAIM(wf_model_write(model, copy, &second) == 0);
    CLAIM(wf_json_write_end(&second, &again, NULL) == 0);
    CLAIM(strcmp(text, again) == 0);
}

static void claim_problems(struct wf_arena *arena, const struct wf_problems *problems)
{
    struct wf_json_writer writer;
    const char *text;
    size_t size;
    CLAIM(problems->count > 0 && problems->first != NULL);
    wf_json_writer_init(&writer, arena, 0);
    CLAIM(wf_problems_write(problems, &writer) == 0);
    CLAIM(wf_json_write_end(&writer, &text, &size) == 0);
    CLAIM(is_json(arena, text, size));
}

static void parse_json(const struct wf_model *model, const uint8_t *bytes, size_t size, size_t limit)
{
    struct wf_arena arena;
    struct wf_problems problems;
    union {
        struct all all;
        struct node node;
    } value;
    wf_arena_init(&arena);
    wf_arena_set_limit(&arena, limit);
    wf_problems_init(&problems, &arena);
    int rc = wf_model_parse(model, &arena, bytes, size, &value, &problems);
    wf_arena_set_limit(&arena, 0);
    if (rc == 0) claim_written(model, &arena, &value);
    else if (rc != -ENOMEM) claim_problems(&arena, &problems);
    CLAIM(rc == 0 || rc == -EINVAL || rc == -EBADMSG || (limit > 0 && rc == -ENOMEM));
    if (rc != -ENOMEM) CLAIM((rc != -EBADMSG) == is_json(&arena, bytes, size));
    wf_arena_finish(&arena);
}

/* Each text as each member. */
static void parse_parameters(struct wf_arena *arena, const struct wf_pairs *pairs)
{
    struct wf_problems problems;
    struct all place; /* no member is larger */
    for (size_t i = 0; i < pairs->count && i < 4; i++)
        for (size_t j = 0; j < all_model.count; j++) {
            wf_problems_init(&problems, arena);
            int rc = wf_member_parse_text(&all_model.members[j], arena, pairs->items[i].text, pairs->items[i].text_size,
                                          &place, &problems);
            CLAIM(rc == 0 || rc == -EINVAL);
            if (rc < 0) claim_problems(arena, &problems);
        }
}

static void parse_form(const uint8_t *bytes, size_t size)
{
    struct wf_arena arena;
    struct wf_pairs pairs;
    struct wf_problems problems;
    struct all all;
    wf_arena_init(&arena);
    wf_problems_init(&problems, &arena);
    if (wf_pairs_parse(&arena, bytes, size, &pairs) == 0) {
        int rc = wf_model_parse_pairs(&all_model, &arena, &pairs, &all, &problems);
        CLAIM(rc == 0 || rc == -EINVAL);
        if (rc == 0) claim_written(&all_model, &arena, &all);
        else claim_problems(&arena, &problems);
        parse_parameters(&arena, &pairs);
    }
    wf_arena_finish(&arena);
}

static void match(const uint8_t *bytes, size_t size)
{
    static char pattern[600], grouped[620], doubled[1300];
    const uint8_t *zero = memchr(bytes, '\0', size);
    size_t length = zero != NULL ? (size_t)(zero - bytes) : size;
    if (length >= sizeof pattern) return;
    memcpy(pattern, bytes, length);
    pattern[length] = '\0';
    const char *text = (const char *)bytes + length;
    size_t left = size - length;
    int matched = wf_pattern_match(pattern, text, left);
    CLAIM(matched == 0 || matched == 1 || matched == -EINVAL);
    CLAIM((wf_pattern_check(pattern) == 0) == (matched >= 0));
    snprintf(grouped, sizeof grouped, "(?:%s)", pattern);
    snprintf(doubled, sizeof doubled, "%s|%s", pattern, pattern);
    int in_group = wf_pattern_match(grouped, text, left), twice = wf_pattern_match(doubled, text, left);
    if (matched >= 0 && in_group >= 0) CLAIM(in_group == matched); /* it may have become too deep, or too long */
    if (matched >= 0 && twice >= 0) CLAIM(twice == matched);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {.bytes = bytes, .left = size};
    CLAIM(wf_model_check(&all_model) == 0 && wf_model_check(&node_model) == 0);
    unsigned what = take(&input, 6);
    size_t limit = what % 2 == 1 ? take(&input, 256) * 8U : 0;
    if (what < 4) parse_json(what < 2 ? &all_model : &node_model, input.bytes, input.left, limit);
    else if (what == 4) parse_form(input.bytes, input.left);
    else match(input.bytes, input.left);
    return 0;
}
