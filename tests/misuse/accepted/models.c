// Models of every kind, in one file and in several, nested, in trees, unions, and values by themselves.
#include <weft/model.h>

#define POINT_MEMBERS(M) M(INT32, x) M(INT32, y, .min = 0)
WF_MODEL_DECLARE(point, POINT_MEMBERS)
WF_MODEL_DEFINE(point, POINT_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

#define ALL_MEMBERS(M)                                                                                                 \
    M(BOOL, truth)                                                                                                     \
    M(UINT64, natural, .max = 10)                                                                                      \
    M(DOUBLE, real, .above = 0, .below = 1)                                                                            \
    M(STRING, text, .optional = true, .pattern = "^a")                                                                 \
    M(BYTES, bytes)                                                                                                    \
    M(UUID, uuid)                                                                                                      \
    M(DATE, date)                                                                                                      \
    M(DATE_TIME, time)                                                                                                 \
    M(ENUM, state, .values = WF_VALUES("open", "paid"))                                                                \
    M(JSON, any)                                                                                                       \
    M(MODEL(point), point)                                                                                             \
    M(LIST(MODEL(point)), points, .max = 3)                                                                            \
    M(LIST(STRING, .min = 1, .max = 3), texts)                                                                         \
    M(MAP(MODEL(point)), places)                                                                                       \
    M(LIST(MODEL(all)), tree)
WF_MODEL(all, ALL_MEMBERS)

#define ANY_CASES(C) C(point) C(all, .name = "everything")
WF_UNION(any, ANY_CASES, .tag = "type")

WF_MEMBER(limit, INT64, .min = 1, .max = 100, .preset = "20")
WF_MEMBER(matrix, LIST(MODEL(all)))

int use(struct wf_arena *arena, const char *text, size_t size);
int use(struct wf_arena *arena, const char *text, size_t size)
{
    struct any any = {.which = &point_model, .point = {.x = 1, .y = 2}};
    WF_TYPE(LIST(MODEL(all))) out;
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, arena, 0);
    int rc = wf_model_write(&any_model, &any, &writer);
    if (rc == 0) rc = wf_member_parse(&matrix, arena, text, size, &out, NULL);
    return rc == 0 && out.count > 0 && out.items[0].has.text ? wf_member_check(&limit) : rc;
}
