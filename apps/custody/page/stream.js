// The events of the service as they come, over whatever breaks in between: Server-Sent Events read by fetch, because
// EventSource cannot send a token.
import {Failure, authorization, eventsAddress, failureOf} from "./api.js";

const SILENCE_MS = 50000;  // the service says something every 15 s
const WAIT_FIRST_MS = 500, WAIT_MAX_MS = 5000;

// Pieces of text in, {id, data} out (HTML, 9.2.6); `take` may be called in the midst of a line.
export function makeReader(emit) {
    let rest = "", id = null, data = [];
    const line = (text) => {
        if (text === "") {
            if (data.length) emit({id, data: data.join("\n")});
            data = [];
            return;
        }
        const at = text.indexOf(":");
        const name = at < 0 ? text : text.slice(0, at), value = at < 0 ? "" : text.slice(at + 1).replace(/^ /, "");
        if (name === "data") data.push(value);
        else if (name === "id") id = value;
    };
    return (text) => {
        const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
        rest = lines.pop();
        lines.forEach(line);
    };
}

// Reads one connection until it ends. A mistake of this page's own is told in the console, and ends nothing.
async function listen(last, {opened, heard}, control) {
    const headers = {Authorization: authorization(), Accept: "text/event-stream", "Last-Event-ID": String(last)};
    const take = makeReader(({id, data}) => {
        try {
            heard(Number(id), JSON.parse(data));
        } catch (error) {
            reportError(error);
        }
    });
    let timer;
    const patience = () => { clearTimeout(timer); timer = setTimeout(() => control.abort(), SILENCE_MS); };
    patience();
    try {
        const response = await fetch(eventsAddress, {headers, signal: control.signal, cache: "no-store"});
        if (!response.ok) throw await failureOf(response);
        opened();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
            const {done, value} = await reader.read();
            if (done) return;
            patience();
            take(value);
        }
    } finally {
        clearTimeout(timer);
    }
}

// Pauses, but not while somebody tells that the network is back or looks at the page again.
function pause(ms, signal) {
    return new Promise((done) => {
        const end = new AbortController();
        const wake = () => { end.abort(); clearTimeout(timer); done(); };
        const timer = setTimeout(wake, ms);
        addEventListener("online", wake, {signal: end.signal});
        document.addEventListener("visibilitychange", () => document.hidden || wake(), {signal: end.signal});
        signal.addEventListener("abort", wake, {signal: end.signal});
    });
}

// Calls `heard(number, event)` for each event once and in order, until the signal is aborted.
//   start(last): before each connection; gives the number behind which to go on (last is null the first time)
//   opened(), broken(failure, ms): the state of the line; nothing comes while it is broken, nothing is lost either
//   refused(failure): the token is not taken, and that was all
export async function follow({start, opened, heard, broken, refused, signal}) {
    let last = null, wait = WAIT_FIRST_MS;
    while (!signal.aborted) {
        const control = new AbortController(), stop = () => control.abort();
        signal.addEventListener("abort", stop);
        let failure = new Failure(0, {code: "no_connection"});
        try {
            last = await start(last);
            await listen(last, {
                opened: () => { wait = WAIT_FIRST_MS; opened(); },
                heard: (number, event) => { last = number; heard(number, event); },
            }, control);
        } catch (error) {
            if (error instanceof Failure) failure = error;
        }
        signal.removeEventListener("abort", stop);
        control.abort();
        if (signal.aborted) return;
        if (failure.status === 401) return void refused(failure);
        const ms = failure.retryAfter * 1000 || wait * (0.75 + Math.random() / 2);
        broken(failure, ms);
        await pause(ms, signal);
        wait = Math.min(wait * 2, WAIT_MAX_MS);
    }
}
