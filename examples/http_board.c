/*
 * A board of notes: a typed API to add and read them, and a WebSocket on which everybody hears of new ones.
 * Run it: weft run examples/http_board.c --port 8000, then open http://127.0.0.1:8000/docs
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/channel.h>
#include <weft/model.h>
#include <weft/scope.h>
#include <weft/websocket.h>

enum { NOTES_MAX = 100, QUEUE = 8 };

#define NOTE_MEMBERS(M)                                                                                                \
    M(INT64, id, .read_only = true)                                                                                    \
    M(STRING, text, .min = 1, .max = 200, .example = "Milk is out")
WF_MODEL(note, NOTE_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

#define NOTES_MEMBERS(M) M(LIST(MODEL(note)), notes)
WF_MODEL(notes, NOTES_MEMBERS)

struct reader {
    struct reader *next;
    struct wf_websocket *socket;
    struct wf_channel *notes; /* that are not sent yet */
};

struct board {
    struct note notes[NOTES_MAX]; /* the last ones; a note's place is its number modulo NOTES_MAX */
    char texts[NOTES_MAX][4 * 200 + 1];
    int64_t count;
    struct reader *readers;
};

/* Whoever reads too slowly is sent away, so that nobody has to wait. */
static void tell_readers(const struct board *board, const struct note *note)
{
    for (struct reader *reader = board->readers; reader != NULL; reader = reader->next)
        if (wf_try_send(reader->notes, note) == -EAGAIN) wf_channel_close(reader->notes);
}

static int add_note(struct wf_request *request)
{
    struct board *board = wf_request_state(request);
    const struct note *asked = wf_body_value(request);
    size_t place = (size_t)(board->count % NOTES_MAX);
    snprintf(board->texts[place], sizeof board->texts[place], "%s", asked->text);
    board->notes[place] = (struct note){.id = ++board->count, .text = board->texts[place]};
    tell_readers(board, &board->notes[place]);
    return wf_reply(request, 201, &note_model, &board->notes[place]);
}

static int list_notes(struct wf_request *request)
{
    struct board *board = wf_request_state(request);
    size_t count = board->count < NOTES_MAX ? (size_t)board->count : NOTES_MAX;
    struct notes notes = {.notes = {.items = board->notes, .count = count}};
    return wf_reply(request, 200, &notes_model, &notes);
}

static int send_note(struct wf_websocket *socket, const struct note *note)
{
    struct wf_arena arena;
    struct wf_json_writer writer;
    const char *text;
    wf_arena_init(&arena);
    wf_json_writer_init(&writer, &arena, 0);
    int rc = wf_model_write(&note_model, note, &writer);
    if (rc == 0) rc = wf_json_write_end(&writer, &text, NULL);
    if (rc == 0) rc = wf_websocket_send_text(socket, text);
    wf_arena_finish(&arena);
    return rc;
}

/* Until the queue is closed: it was full. */
static int pass_on(struct reader *reader)
{
    struct note note;
    int rc;
    while ((rc = wf_receive(reader->notes, &note)) > 0 && (rc = send_note(reader->socket, &note)) == 0) continue;
    return rc < 0 ? rc : wf_websocket_close(reader->socket, WF_WEBSOCKET_POLICY, "too slow");
}

/* Until it goes: what it says is not listened to. */
static int wait_for_end(struct reader *reader)
{
    struct wf_arena arena;
    struct wf_websocket_message message;
    int rc = 1;
    while (rc > 0) {
        wf_arena_init(&arena);
        rc = wf_websocket_receive(reader->socket, &arena, &message);
        wf_arena_finish(&arena);
    }
    return rc;
}

static int follow(struct wf_request *request)
{
    struct board *board = wf_request_state(request);
    WF_CHANNEL(waiting, struct note, QUEUE);
    struct reader reader = {.notes = &waiting};
    int rc = wf_websocket_accept(request, &reader.socket, .origins = {"*"});
    if (rc < 0) return rc;
    reader.next = board->readers;
    board->readers = &reader;
    WF_SCOPE(scope);
    wf_spawn(&scope, pass_on, &reader, .daemon = true);
    rc = wf_scope_end(&scope, wait_for_end(&reader));
    struct reader **at = &board->readers;
    while (*at != &reader) at = &(*at)->next;
    *at = reader.next;
    return rc;
}

int main(int argc, char **argv)
{
    static struct board board;
    struct wf_app app = {.title = "Board", .state = &board};
    wf_route(&app, WF_GET, "/notes", list_notes, .response = &notes_model);
    wf_route(&app, WF_POST, "/notes", add_note, .body = &note_model, .response = &note_model, .status = 201);
    wf_route(&app, WF_GET, "/notes/live", follow, .status = 101, .summary = "A WebSocket: a note in each message");
    return wf_serve_main(&app, argc, argv);
}
