/* Models from the inside: a parse under way, values as texts, and what their declarations ask for. */
#ifndef WEFT_HTTP_MODEL_H
#define WEFT_HTTP_MODEL_H

#include <weft/model.h>

#include "http/json.h"

/* Where a value is in the input, from the inside out; on the stacks of those who read it. */
struct path {
    const struct path *before;
    const char *name; /* NULL: an index */
    size_t index;
};

/* A parse under way. Its functions give 0, also where they found a problem, or the code that ends it. */
struct parse {
    struct wf_arena *arena;
    struct wf_problems *problems; /* may be NULL */
    struct wf_json_reader *reader;
    size_t found; /* problems of this parse */
    const char *first_message;
};

/* How lists, maps and unions lie in a struct. */
struct list {
    char *items;
    size_t count;
};
enum {
    MAP_VALUE = 8,  /* where the value is in an entry of a map, after its key */
    UNION_VALUE = 8 /* where the cases of a union are, after `which` */
};

/* Of a value of that kind, in an array. */
size_t member_size(const struct wf_member *member);
size_t map_entry_size(const struct wf_member *item);
size_t items_max(const struct wf_member *member);

/* ---- problems.c ---- */

int problem(struct parse *parse, const struct path *path, const char *type, const char *format, ...) WF_PRINTF_(4, 5);
/* The result of a parse that went well otherwise. */
int parse_result(const struct parse *parse);

/* ---- model_rules.c: what a declaration asks for beyond the kind ---- */

/* `value` is a double, or an integer of 64 bits, which a long double holds as well. */
int check_number(struct parse *parse, const struct wf_member *member, long double value, const struct path *path);
/* Is a number inside its bounds? For integers only up to 2^53. */
static inline bool is_inside(const struct wf_member *member, double value)
{
    return value >= member->min && value <= member->max && value > member->above && value < member->below;
}
int check_text(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
               const struct path *path);
/* Of bytes or items; `what` is "Data" or "List", `unit` "byte" or "item". */
int check_count(struct parse *parse, const struct wf_member *member, size_t count, const char *what, const char *unit,
                const struct path *path);
/* The declaration's own function. */
int check_own(struct parse *parse, const char *(*check)(const void *value), const void *value, const struct path *path);
/* Does the text have the format? */
bool has_format(enum wf_format format, const char *text, size_t size);

/* ---- model_text.c: scalars out of texts ---- */

/* The value of a kind that is a string in JSON, from UTF-8. */
int read_text(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
              const struct path *path);
/* A number that was scanned. */
int read_number(struct parse *parse, const struct wf_member *member, const struct json_number *number, void *out,
                const struct path *path);
/* A text that is no JSON: of a parameter, a form, a preset. */
int read_plain(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
               const struct path *path);
/* What stands for a member that was absent; 1: nothing, and it is right so. */
int read_absent(struct parse *parse, const struct wf_member *member, void *out, const struct path *path);
bool bool_of_text(const struct json_slice *text, bool *value);

/* ---- model_read.c: JSON ---- */

int read_value(struct parse *parse, const struct wf_member *member, void *out, const struct path *path);
/* All of the text is that value; where it is no JSON, a problem says so. */
int read_whole(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
               const struct path *path);

/* ---- forms.c: UUIDs, dates and bytes as texts ---- */

enum { FORM_TEXT = 40 }; /* room for a UUID, a date or a time; the end is not needed */

bool uuid_parse(const struct json_slice *text, struct wf_uuid *uuid);
size_t uuid_text(const struct wf_uuid *uuid, char text[FORM_TEXT]);
bool date_is_real(const struct wf_date *date);
bool date_parse(const struct json_slice *text, struct wf_date *date);
size_t date_text(const struct wf_date *date, char text[FORM_TEXT]);
bool time_parse(const struct json_slice *text, int64_t *time_ns);
/* So many digits of a fraction; 0: as many as there are. */
size_t date_time_text(int64_t time_ns, unsigned digits, char text[FORM_TEXT]);
/* At most that many bytes come out. */
size_t base64_room(size_t size);
bool base64_decode(const struct json_slice *text, unsigned char *bytes, size_t *size);
size_t base64_encode(const unsigned char *bytes, size_t size, char *text);

/* ---- model_schema.c ---- */

/* A member of a schema or of what surrounds it; a text that is NULL and a flag that is not set are left away. */
void json_write_pair(struct wf_json_writer *writer, const char *key, const char *text);
void json_write_flag(struct wf_json_writer *writer, const char *key, bool flag);
/* "$ref", to the schema of a model. */
void json_write_reference(struct wf_json_writer *writer, const char *name);

/* ---- model_reach.c ---- */

/* All models that these lead to, themselves included. The array is to be freed with wf_memory_free. */
struct models {
    const struct wf_model **list;
    size_t count;
};
int models_reach(struct models *models, const struct wf_model *model);
int models_reach_member(struct models *models, const struct wf_member *member);
void models_finish(struct models *models);

/* ---- problems.c ---- */

/* [{"loc": [...], "msg": "...", "type": "..."}] */
void problems_write_list(const struct wf_problems *problems, struct wf_json_writer *writer);

#endif
