/*
 * Models: one declaration of members gives a struct, its validation, JSON both ways and its schema.
 *
 *     #define ORDER_MEMBERS(M)                                  \
 *         M(STRING, customer_email, .format = WF_EMAIL)         \
 *         M(INT64,  quantity,       .min = 1, .max = 1000)      \
 *         M(STRING, note,           .optional = true, .max = 500)
 *     WF_MODEL(order, ORDER_MEMBERS)                            // struct order, order_model
 *
 *     struct order order;
 *     struct wf_problems problems;
 *     wf_problems_init(&problems, arena);
 *     int rc = wf_model_parse(&order_model, arena, text, size, &order, &problems);
 *     if (rc == 0) rc = wf_model_write(&order_model, &order, &writer);
 *     else rc = wf_problems_write(&problems, &writer);          // {"detail":[{"loc":["body","quantity"], ...}]}
 *
 * What is parsed lives in the arena; the struct holds numbers and pointers. Presence follows one rule: `order.has.note`
 * says that a value came, `order.null.note` that null came (for members with .nullable); neither: it was absent.
 *
 * Nothing here suspends. Threads: any, with an arena that is not used elsewhere meanwhile; a model is never written to.
 */
#ifndef WEFT_MODEL_H
#define WEFT_MODEL_H

#include <weft/json.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WF_MEMBERS_MAX = 256,      /* of a model */
    WF_ITEMS_MAX = 10000,      /* of a list or map whose declaration says no other .max */
    WF_PROBLEMS_MAX = 100,     /* that are kept; more are counted */
    WF_PAIRS_MAX = 1000,       /* of a form */
    WF_PATTERN_STEPS_MAX = 256 /* of a pattern, see below */
};

/* ---- Kinds ---- */

struct wf_bytes {
    const void *data;
    size_t size;
};

struct wf_uuid {
    uint8_t bytes[16];
};

struct wf_date {
    int32_t year; /* 0 to 9999 */
    uint8_t month, day;
};

/* What a member is, in C and in JSON. */
enum wf_kind {
    WF_KIND_NONE,
    WF_KIND_BOOL,      /* bool */
    WF_KIND_INT32,     /* int32_t */
    WF_KIND_INT64,     /* int64_t */
    WF_KIND_UINT64,    /* uint64_t */
    WF_KIND_DOUBLE,    /* double, finite */
    WF_KIND_STRING,    /* const char *, terminated, UTF-8 without U+0000 */
    WF_KIND_BYTES,     /* struct wf_bytes; base64 in JSON (RFC 4648 section 4) */
    WF_KIND_UUID,      /* struct wf_uuid; "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" (RFC 9562) */
    WF_KIND_DATE,      /* struct wf_date; "2026-02-28" */
    WF_KIND_DATE_TIME, /* int64_t, ns since 1970 in UTC; "2026-02-28T09:30:00.5+01:00" (RFC 3339), 1678 to 2261 */
    WF_KIND_ENUM,      /* int, the index of a text in .values */
    WF_KIND_JSON,      /* const char *, terminated: any JSON, as it stands */
    WF_KIND_MODEL,     /* MODEL(name): struct name, which a WF_MODEL or WF_UNION declares */
    WF_KIND_LIST,      /* LIST(kind, .option ...): struct { T *items; size_t count; } */
    WF_KIND_MAP,       /* MAP(kind, .option ...): struct { struct { const char *key; T value; } *items; size_t count; };
                    lists and maps in each other: two levels, more by models */
};

/* What a text must look like, beyond .pattern. */
enum wf_format {
    WF_ANY_FORMAT,
    WF_EMAIL,    /* as HTML has it for <input type=email> */
    WF_URI,      /* absolute, by the characters of RFC 3986 */
    WF_HOSTNAME, /* RFC 1123 */
    WF_IPV4,
    WF_IPV6,
    WF_PASSWORD, /* anything; the schema says that it is not to be shown */
};

/* ---- Members ---- */

struct wf_model;

/* A member of a model, or a value by itself: a parameter of a path, query or header, a list as a body. */
struct wf_member {
    const char *name; /* in JSON; default: as in C */
    enum wf_kind kind;
    enum wf_format format; /* STRING */
    bool optional;         /* may be absent */
    bool nullable;         /* may be null; members only */
    bool read_only;        /* written, and passed over when parsed */
    bool write_only;       /* parsed, and never written */
    bool deprecated;       /* the schema says so */
    const char *preset;    /* when absent: a text for scalars ("10", "open"), JSON for the rest */
    double min, max;       /* of a number; of the characters of STRING, the bytes of BYTES, the items of LIST, MAP */
    double above, below;   /* of a number: exclusive. Past 2^53 a bound is what a double can hold. */
    unsigned digits;       /* DATE_TIME, when written: of a second's fraction, up to 9; default: as many as it has */
    const char *pattern;   /* STRING: what a part of it must match, see wf_pattern_check */
    const char *const *values;                 /* ENUM: WF_VALUES("open", "paid") */
    const char *title, *description, *example; /* for the schema; an example like a preset */
    const char *(*check)(const void *value);   /* NULL: right; else what is wrong with it */
    const struct wf_model *model;              /* MODEL */
    const struct wf_member *item;              /* LIST, MAP */
    void *reserved_[2];
};

enum wf_unknown {
    WF_UNKNOWN_IGNORED,
    WF_UNKNOWN_REFUSED, /* each is a problem, "extra_forbidden" */
};

struct wf_model {
    const char *name; /* also in the schema */
    size_t size;      /* of the struct */
    const struct wf_member *members;
    size_t count;
    const char *tag;         /* of a union: the member that says which */
    enum wf_unknown unknown; /* members that are none */
    const char *title, *description;
    const char *(*check)(const void *value); /* of the whole, once all members are right; NULL: right */
    const struct wf_place_ *(*places_)(void);
    void *reserved_[2];
};

/*
 * WF_MODEL(name, MEMBERS, .option = value ...) declares `struct name` and `name_model`, static; in C only. MEMBERS is a
 * macro that lists M(KIND, name, .option = value ...): options are the fields of struct wf_member, those of the model
 * those of struct wf_model. A model may be in its own lists, so that trees can be declared. This and what follows
 * belongs outside functions.
 *
 * For several files: WF_MODEL_DECLARE(name, MEMBERS) in a header, which C++ understands too, and WF_MODEL_DEFINE(name,
 * MEMBERS, .option = value ...) in one file of C. In a header WF_MODEL would give each file a model of its own.
 */
#define WF_MODEL(...) WF_MODEL_(__VA_ARGS__, .reserved_ = {0})
#define WF_MODEL_DECLARE(model_name, MEMBERS)                                                                          \
    WF_MODEL_STRUCT_(model_name, MEMBERS) extern const struct wf_model model_name##_model;
#define WF_MODEL_DEFINE(...) WF_MODEL_DEFINE_(__VA_ARGS__, .reserved_ = {0})

/*
 * WF_UNION(name, CASES, .tag = "type") declares a value that is one of several models. In JSON the tag is a member more
 * of each, and holds the case's name. CASES lists C(model, .name = "..."), by default the name of the model:
 *
 *     #define SHAPE_CASES(C) C(circle) C(square)
 *     WF_UNION(shape, SHAPE_CASES, .tag = "type")        // {"type": "circle", "radius": 2}
 *
 *     struct shape shape = {.which = &circle_model, .circle = {.radius = 2}};
 *
 * A union is used like a model: MODEL(shape), wf_model_parse(&shape_model, ...). WF_UNION_DECLARE, WF_UNION_DEFINE: as
 * above.
 */
#define WF_UNION(...) WF_UNION_(__VA_ARGS__, .reserved_ = {0})
#define WF_UNION_DECLARE(model_name, CASES)                                                                            \
    WF_UNION_STRUCT_(model_name, CASES) extern const struct wf_model model_name##_model;
#define WF_UNION_DEFINE(...) WF_UNION_DEFINE_(__VA_ARGS__, .reserved_ = {0})

/*
 * WF_MEMBER(name, KIND, .option = value ...) declares a value by itself, a static struct wf_member: for parameters, and
 * for bodies that are lists. Its C type is WF_TYPE(KIND).
 *
 *     WF_MEMBER(limit, INT64, .min = 1, .max = 100, .preset = "20")
 *     WF_MEMBER(orders, LIST(MODEL(order)), .max = 50)
 */
#define WF_MEMBER(...) WF_MEMBER_(__VA_ARGS__, .reserved_ = {0})
#define WF_TYPE(kind) WF_TYPE_##kind

/* The texts of an ENUM. */
#define WF_VALUES(...)                                                                                                 \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

/*
 * Is the declaration right? Presets parse, patterns and bounds make sense, names are there once; models inside, too.
 * Suspends: never. Errors: -EINVAL, with a message (wf_failure) that names the member.
 */
WF_API int wf_model_check(const struct wf_model *model);
WF_API int wf_member_check(const struct wf_member *member);

/*
 * Is the text a pattern? Patterns are a part of JavaScript's regular expressions, as schemas have them: characters,
 * `.`, classes `[^a-z_]`, `\d \w \s` and their opposites, groups `(a|b)`, `? * + {2} {2,} {2,5}`, `^` and `$`. A match
 * may be anywhere unless it is anchored; a character is one of UTF-8. Takes a time proportional to text times pattern,
 * whatever they are; `{n}` counts n times, WF_PATTERN_STEPS_MAX at most.
 * Suspends: never. Errors: -EINVAL, with a message that says where.
 */
WF_API int wf_pattern_check(const char *pattern);

/* Does a part of the text match? Suspends: never. Errors: -EINVAL, as above; 1 yes, 0 no. */
WF_API int wf_pattern_match(const char *pattern, const char *text, size_t size);

/* ---- Problems ---- */

/* A part of a path: a name, or, where that is NULL, an index. */
struct wf_step {
    const char *name;
    size_t index;
};

struct wf_problem {
    struct wf_problem *next;
    const struct wf_step *path; /* {"body", "items", 0, "name"} */
    size_t depth;
    const char *message; /* "Input should be greater than or equal to 1" */
    const char *type;    /* "greater_than_equal"; the words of pydantic, where it has one */
};

/* What is wrong with an input, all of it. In an arena. */
struct wf_problems {
    struct wf_problem *first;
    size_t count;      /* that were found; the first WF_PROBLEMS_MAX are in the list */
    const char *where; /* begins the paths from now on: "body", "query", "path" */
    struct wf_problem *last_;
    struct wf_arena *arena_;
    void *reserved_[2];
};

/* Empty; where is "body". Suspends: never. */
WF_API void wf_problems_init(struct wf_problems *problems, struct wf_arena *arena);

/* One of your own: a member's name, or NULL for the whole. Suspends: never. Errors: -ENOMEM; else -EINVAL, to be
 * returned. */
WF_API int wf_problems_add(struct wf_problems *problems, const char *name, const char *type, const char *format, ...)
    WF_PRINTF_(4, 5);

/* {"detail": [{"loc": ["body", "quantity"], "msg": "...", "type": "..."}]}. Suspends: never. Errors: the writer's. */
WF_API int wf_problems_write(const struct wf_problems *problems, struct wf_json_writer *writer);

/* ---- Parsing ---- */

/*
 * JSON into the struct. A key that comes twice is a problem, "duplicate"; so is whatever a declaration does not allow.
 * A number in quotes is none; 1.0 is an integer. `problems` may be NULL, for who only wants to know whether.
 * Suspends: never. Errors: -EINVAL: there are problems, and *out is of no use; -EBADMSG: that is not JSON, which is one
 * problem with the place, and the message; -ENOMEM; -ENOTSUP, with a message: a pattern of the declaration is wrong.
 * Other faults of declarations are found by wf_model_check, and undefined here.
 */
WF_API WF_CHECKED int wf_model_parse(const struct wf_model *model, struct wf_arena *arena, const void *bytes,
                                     size_t size, void *out, struct wf_problems *problems);

/* The same for a value that is no model: a list, a map, a number. `out` is of its type, WF_TYPE(...). */
WF_API WF_CHECKED int wf_member_parse(const struct wf_member *member, struct wf_arena *arena, const void *bytes,
                                      size_t size, void *out, struct wf_problems *problems);

/*
 * A value out of a text that is no JSON: a parameter of a path, query, header or cookie. A bool is true, false, 1, 0,
 * yes, no, on, off; a list has one item; maps and models are JSON. NULL: it is absent, so that the preset is taken, or
 * the problem is "missing"; the result is 1 where it is absent and may be. The path is `where`, and the member's name.
 * Suspends: never. Errors: as above.
 */
WF_API WF_CHECKED int wf_member_parse_text(const struct wf_member *member, struct wf_arena *arena, const char *text,
                                           size_t size, void *out, struct wf_problems *problems);

/* A name and its value, decoded; not terminated. */
struct wf_pair {
    const char *name, *text;
    size_t name_size, text_size;
};

struct wf_pairs {
    struct wf_pair *items;
    size_t count;
};

/*
 * Takes "a=1&b=two+words&c=%C3%A9" apart, a form (application/x-www-form-urlencoded) or a query.
 * Suspends: never. Owns: the arena. Errors: -EBADMSG, with a message: a `%` without its two digits; -E2BIG past
 * WF_PAIRS_MAX; -ENOMEM.
 */
WF_API WF_CHECKED int wf_pairs_parse(struct wf_arena *arena, const void *bytes, size_t size, struct wf_pairs *pairs);

/*
 * Pairs into the struct: a form, the text parts of multipart/form-data, a whole query. Each pair is a member, as by
 * wf_member_parse_text; those of one name make a list.
 * Suspends: never. Errors: as wf_model_parse.
 */
WF_API WF_CHECKED int wf_model_parse_pairs(const struct wf_model *model, struct wf_arena *arena,
                                           const struct wf_pairs *pairs, void *out, struct wf_problems *problems);

/* ---- Writing ---- */

/*
 * The struct as JSON. Members with .optional are written when `has` says so, or when they hold a text, bytes, items: a
 * pointer that is not NULL. `null` writes null, for those with .nullable; all others are always written.
 * Suspends: never. Errors: the writer's; -EINVAL, with a message, for a value that the kind does not have: a text that
 * is NULL, an ENUM outside its values, a date that is none.
 */
WF_API int wf_model_write(const struct wf_model *model, const void *value, struct wf_json_writer *writer);
WF_API int wf_member_write(const struct wf_member *member, const void *value, struct wf_json_writer *writer);

/* ---- Schemas ---- */

/*
 * The schema (JSON Schema 2020-12, as OpenAPI 3.1 has it). Models inside are references: {"$ref":
 * "#/components/schemas/NAME"}; wf_model_write_schemas writes those, and all that they refer to, as the members of one
 * object. Two models of one name are an error.
 * Suspends: never. Errors: the writer's; -EEXIST, with a message; -E2BIG, more than 1,000 models.
 */
WF_API int wf_model_write_schema(const struct wf_model *model, struct wf_json_writer *writer);
WF_API int wf_member_write_schema(const struct wf_member *member, struct wf_json_writer *writer);
WF_API int wf_model_write_schemas(const struct wf_model *const *models, size_t count, struct wf_json_writer *writer);

/* ---- What the macros stand on: private ---- */

#define WF_TYPE_BOOL bool
#define WF_TYPE_INT32 int32_t
#define WF_TYPE_INT64 int64_t
#define WF_TYPE_UINT64 uint64_t
#define WF_TYPE_DOUBLE double
#define WF_TYPE_STRING const char *
#define WF_TYPE_BYTES struct wf_bytes
#define WF_TYPE_UUID struct wf_uuid
#define WF_TYPE_DATE struct wf_date
#define WF_TYPE_DATE_TIME int64_t
#define WF_TYPE_ENUM int
#define WF_TYPE_JSON const char *
#define WF_TYPE_MODEL(model_name) struct model_name
#define WF_TYPE_LIST(...) WF_TYPE_LIST_(__VA_ARGS__, 0)
#define WF_TYPE_LIST_(item, ...)                                                                                       \
    struct {                                                                                                           \
        WF_TYPE_ITEM_(item) * items;                                                                                   \
        size_t count;                                                                                                  \
    }
#define WF_TYPE_MAP(...) WF_TYPE_MAP_(__VA_ARGS__, 0)
#define WF_TYPE_MAP_(item, ...)                                                                                        \
    struct {                                                                                                           \
        struct {                                                                                                       \
            const char *key;                                                                                           \
            WF_TYPE_ITEM_(item) value;                                                                                 \
        } * items;                                                                                                     \
        size_t count;                                                                                                  \
    }

/* No macro is expanded inside itself: lists and maps as items have macros of their own, whose items are neither. */
#define WF_IS_NESTED_(item) WF_SECOND_(WF_NESTED_##item, 0, 0)
#define WF_SECOND_(...) WF_SECOND__(__VA_ARGS__)
#define WF_SECOND__(first, second, ...) second
#define WF_NESTED_LIST(...) 0, 1
#define WF_NESTED_MAP(...) 0, 1
#define WF_TYPE_ITEM_(item) WF_JOIN_(WF_TYPE_ITEM_, WF_IS_NESTED_(item))(item)
#define WF_TYPE_ITEM_0(item) WF_TYPE_##item
#define WF_TYPE_ITEM_1(item) WF_TYPE_INNER_##item
#define WF_TYPE_INNER_LIST(...) WF_TYPE_INNER_LIST_(__VA_ARGS__, 0)
#define WF_TYPE_INNER_LIST_(item, ...)                                                                                 \
    struct {                                                                                                           \
        WF_TYPE_##item *items;                                                                                         \
        size_t count;                                                                                                  \
    }
#define WF_TYPE_INNER_MAP(...) WF_TYPE_INNER_MAP_(__VA_ARGS__, 0)
#define WF_TYPE_INNER_MAP_(item, ...)                                                                                  \
    struct {                                                                                                           \
        struct {                                                                                                       \
            const char *key;                                                                                           \
            WF_TYPE_##item value;                                                                                      \
        } * items;                                                                                                     \
        size_t count;                                                                                                  \
    }

#define WF_SPEC_BOOL .kind = WF_KIND_BOOL
#define WF_SPEC_INT32 .kind = WF_KIND_INT32
#define WF_SPEC_INT64 .kind = WF_KIND_INT64
#define WF_SPEC_UINT64 .kind = WF_KIND_UINT64
#define WF_SPEC_DOUBLE .kind = WF_KIND_DOUBLE
#define WF_SPEC_STRING .kind = WF_KIND_STRING
#define WF_SPEC_BYTES .kind = WF_KIND_BYTES
#define WF_SPEC_UUID .kind = WF_KIND_UUID
#define WF_SPEC_DATE .kind = WF_KIND_DATE
#define WF_SPEC_DATE_TIME .kind = WF_KIND_DATE_TIME
#define WF_SPEC_ENUM .kind = WF_KIND_ENUM
#define WF_SPEC_JSON .kind = WF_KIND_JSON
#define WF_SPEC_MODEL(model_name) .kind = WF_KIND_MODEL, .model = &WF_JOIN_(model_name, _model)
#define WF_SPEC_LIST(...) .kind = WF_KIND_LIST, .item = WF_ITEM_(__VA_ARGS__, .reserved_ = {0})
#define WF_SPEC_MAP(...) .kind = WF_KIND_MAP, .item = WF_ITEM_(__VA_ARGS__, .reserved_ = {0})
#define WF_ITEM_(item, ...)                                                                                            \
    &(const struct wf_member)                                                                                          \
    {                                                                                                                  \
        WF_NO_BOUNDS_, WF_SPEC_ITEM_(item), __VA_ARGS__                                                                \
    }
#define WF_SPEC_ITEM_(item) WF_JOIN_(WF_SPEC_ITEM_, WF_IS_NESTED_(item))(item)
#define WF_SPEC_ITEM_0(item) WF_SPEC_##item
#define WF_SPEC_ITEM_1(item) WF_SPEC_INNER_##item
#define WF_SPEC_INNER_LIST(...) .kind = WF_KIND_LIST, .item = WF_INNER_(__VA_ARGS__, .reserved_ = {0})
#define WF_SPEC_INNER_MAP(...) .kind = WF_KIND_MAP, .item = WF_INNER_(__VA_ARGS__, .reserved_ = {0})
#define WF_INNER_(item, ...)                                                                                           \
    &(const struct wf_member)                                                                                          \
    {                                                                                                                  \
        WF_NO_BOUNDS_, WF_SPEC_##item, __VA_ARGS__                                                                     \
    }

/* A bound of 0 is a bound, so that none must be something else; options come later and override it. */
#define WF_NO_BOUNDS_                                                                                                  \
    .min = -__builtin_inf(), .max = __builtin_inf(), .above = -__builtin_inf(), .below = __builtin_inf()
#define WF_OVERRIDING_ _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#define WF_OVERRIDDEN_ _Pragma("GCC diagnostic pop")

/* Offsets in the struct. */
struct wf_place_ {
    uint32_t at, has, null;
};

#define WF_MEMBER_TYPE_(kind, ...) WF_TYPE_##kind WF_FIRST_(__VA_ARGS__);
#define WF_MEMBER_FLAG_(kind, ...) bool WF_FIRST_(__VA_ARGS__);
#define WF_MEMBER_SPEC_(kind, ...) WF_MEMBER_SPEC__(__VA_ARGS__, WF_SPEC_##kind)
#define WF_MEMBER_SPEC__(c_name, ...) {WF_NO_BOUNDS_, .name = #c_name, __VA_ARGS__},
#define WF_MEMBER_PLACE_(kind, ...) WF_MEMBER_PLACE__(WF_FIRST_(__VA_ARGS__))
#define WF_MEMBER_PLACE__(c_name)                                                                                      \
    {offsetof(__typeof__(*wf_this_), c_name), offsetof(__typeof__(*wf_this_), has.c_name),                             \
     offsetof(__typeof__(*wf_this_), null.c_name)},

#define WF_MODEL_STRUCT_(model_name, MEMBERS)                                                                          \
    struct model_name {                                                                                                \
        MEMBERS(WF_MEMBER_TYPE_)                                                                                       \
        struct {                                                                                                       \
            MEMBERS(WF_MEMBER_FLAG_)                                                                                   \
        } has, null;                                                                                                   \
    };

/* Offsets are in a function, because a member's macro does not know the name of its model, and there it need not. */
#define WF_MODEL_TABLES_(model_name, MEMBERS)                                                                          \
    static const struct wf_place_ *model_name##_places_(void)                                                          \
    {                                                                                                                  \
        __attribute__((unused)) const struct model_name *wf_this_ = NULL;                                              \
        static const struct wf_place_ places[] = {MEMBERS(WF_MEMBER_PLACE_)};                                          \
        return places;                                                                                                 \
    }                                                                                                                  \
    WF_OVERRIDING_                                                                                                     \
    static const struct wf_member model_name##_members_[] = {MEMBERS(WF_MEMBER_SPEC_)};                                \
    WF_OVERRIDDEN_                                                                                                     \
    _Static_assert(WF_COUNT(model_name##_members_) <= WF_MEMBERS_MAX, "a model has at most WF_MEMBERS_MAX members");

#define WF_MODEL_FIELDS_(model_name, ...)                                                                              \
    {                                                                                                                  \
        .name = #model_name, .size = sizeof(struct model_name), .members = model_name##_members_,                      \
        .count = WF_COUNT(model_name##_members_), .places_ = model_name##_places_, __VA_ARGS__                         \
    }

#define WF_MODEL_(model_name, MEMBERS, ...)                                                                            \
    WF_MODEL_STRUCT_(model_name, MEMBERS)                                                                              \
    static const struct wf_model model_name##_model;                                                                   \
    WF_MODEL_TABLES_(model_name, MEMBERS)                                                                              \
    WF_OVERRIDING_                                                                                                     \
    __attribute__((unused)) static const struct wf_model model_name##_model =                                          \
        WF_MODEL_FIELDS_(model_name, __VA_ARGS__);                                                                     \
    WF_OVERRIDDEN_

#define WF_MODEL_DEFINE_(model_name, MEMBERS, ...)                                                                     \
    WF_MODEL_TABLES_(model_name, MEMBERS)                                                                              \
    WF_OVERRIDING_                                                                                                     \
    const struct wf_model model_name##_model = WF_MODEL_FIELDS_(model_name, __VA_ARGS__);                              \
    WF_OVERRIDDEN_

#define WF_CASE_TYPE_(...) WF_CASE_TYPE__(WF_FIRST_(__VA_ARGS__))
#define WF_CASE_TYPE__(case_name) struct case_name case_name;
#define WF_CASE_SPEC_(...) WF_CASE_SPEC__(__VA_ARGS__, .reserved_ = {0})
#define WF_CASE_SPEC__(case_name, ...) {WF_NO_BOUNDS_, .name = #case_name, WF_SPEC_MODEL(case_name), __VA_ARGS__},

#define WF_UNION_STRUCT_(model_name, CASES)                                                                            \
    struct model_name {                                                                                                \
        const struct wf_model *which;                                                                                  \
        union {                                                                                                        \
            CASES(WF_CASE_TYPE_)                                                                                       \
        };                                                                                                             \
    };

#define WF_UNION_TABLES_(model_name, CASES)                                                                            \
    WF_OVERRIDING_                                                                                                     \
    static const struct wf_member model_name##_members_[] = {CASES(WF_CASE_SPEC_)};                                    \
    WF_OVERRIDDEN_

#define WF_UNION_FIELDS_(model_name, ...)                                                                              \
    {                                                                                                                  \
        .name = #model_name, .size = sizeof(struct model_name), .members = model_name##_members_,                      \
        .count = WF_COUNT(model_name##_members_), __VA_ARGS__                                                          \
    }

#define WF_UNION_(model_name, CASES, ...)                                                                              \
    WF_UNION_STRUCT_(model_name, CASES)                                                                                \
    WF_UNION_TABLES_(model_name, CASES)                                                                                \
    __attribute__((unused)) static const struct wf_model model_name##_model = WF_UNION_FIELDS_(model_name, __VA_ARGS__);

#define WF_UNION_DEFINE_(model_name, CASES, ...)                                                                       \
    WF_UNION_TABLES_(model_name, CASES)                                                                                \
    const struct wf_model model_name##_model = WF_UNION_FIELDS_(model_name, __VA_ARGS__);

#define WF_MEMBER_(c_name, kind, ...)                                                                                  \
    WF_OVERRIDING_                                                                                                     \
    __attribute__((unused)) static const struct wf_member c_name = {WF_NO_BOUNDS_, .name = #c_name, WF_SPEC_##kind,    \
                                                                    __VA_ARGS__};                                      \
    WF_OVERRIDDEN_

#ifdef __cplusplus
}
#endif
#endif
