// The live page of the sandbox: asks for a token, fills the lists, and keeps them true by the service's events.
import {claims, explain, get, hasToken, setToken, takeTokenOfAddress, whenRefused} from "./api.js";
import {find, keepTimes, make, time} from "./dom.js";
import {openDialog} from "./dialogs.js";
import {follow} from "./stream.js";
import {forgetState, refreshVehicles, startVehicles} from "./vehicles.js";
import {refreshAuthorizations, startAuthorizations} from "./authorizations.js";
import {forgetTransfers, refreshTransfers, startTransfers, wantTransfer} from "./transfers.js";
import {addEvent, forgetEvents} from "./events.js";

const PAST_EVENTS = 60;      // that are shown when the page is opened
const GATHER_MS = 120;       // events that come together refresh the lists once
const REST_MS = 1000;        // between two refreshes, however much happens: others have the same quota
const LOOK_AGAIN_MS = 5000;  // for checks, which no event tells of
let following = null, isLive = false, newFrom = 0;

// ---- The state of the line ----

function showLine(state, text) {
    isLive = state === "live";
    const line = find("line");
    line.dataset.state = state;
    if (line.textContent !== text) line.textContent = text;
}

function showTrouble(text) {
    find("trouble").hidden = !text;
    if (find("trouble").textContent !== text) find("trouble").textContent = text;
}

function broken(failure) {
    showLine("broken", "reconnecting …");
    showTrouble(failure.status === 0 ? "No connection to the service. This page goes on by itself when it is back."
        : explain(failure));
}

// ---- Keeping the lists true ----

let timer = null, isRunning = false, isStale = false, refreshed = 0;

async function refreshAll() {
    timer = null;
    isRunning = true;
    isStale = false;
    const results = await Promise.allSettled([refreshTransfers(), refreshAuthorizations(), refreshVehicles()]);
    const failed = results.find(({status}) => status === "rejected")?.reason;
    if (failed && failed.status === undefined) reportError(failed);
    if (isLive) showTrouble(failed && failed.status !== 401 ? explain(failed) : "");
    isRunning = false;
    refreshed = Date.now();
    if (isStale || results[0].value) refresh();
}

function refresh() {
    if (isRunning) isStale = true;
    else timer ??= setTimeout(refreshAll, Math.max(GATHER_MS, refreshed + REST_MS - Date.now()));
}

function heard(number, event) {
    addEvent(number, event, number > newFrom);
    if (event.type === "custody.transferred") {
        forgetState(event.vin);
        wantTransfer(event.subject_id);
    }
    refresh();
}

// Behind which event to go on: a few before the last one for a start. Where numbers have gone back, it is another
// database, and all that is shown was of the one before.
async function start(last) {
    const {last_event: newest} = await get("/_sandbox/checked?limit=1");
    if (last !== null && newest >= last) return last;
    newFrom = newest;
    forgetEvents();
    forgetTransfers();
    forgetState();
    return Math.max(0, newest - PAST_EVENTS);
}

const refused = (failure) => leave(explain(failure));

function opened() {
    showLine("live", "live");
    showTrouble("");
    refresh();
}

// ---- With a token, and without ----

function showWho() {
    const {sub} = claims();
    find("who").hidden = false;
    find("who").textContent = sub || "token";
    find("who").setAttribute("aria-label", `${sub || "Unknown"}: about the token`);
}

function enter() {
    find("gate").hidden = true;
    find("board").hidden = false;
    showWho();
    showLine("opening", "connecting …");
    following?.abort();
    following = new AbortController();
    follow({start, opened, heard, broken, refused, signal: following.signal});
}

function leave(why) {
    following?.abort();
    setToken("");
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    find("gate").hidden = false;
    find("board").hidden = find("who").hidden = true;
    find("gate-form").querySelector(".problem").textContent = why;
    showLine("off", "not connected");
    find("gate-token").focus();
}

function showToken() {
    const {sub, scope, exp} = claims();
    const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
    const dialog = openDialog("The token of this tab", make("dl", {class: "facts"}, fact("Of", sub || "unknown"),
        fact("May", scope || "unknown"), exp ? fact("Ends", time(new Date(exp * 1000).toISOString())) : ""),
        make("div", {class: "buttons"}, make("button", {type: "button", onclick: () => { dialog.close(); leave(""); }},
                                             "Use another token")));
    dialog.querySelector("h2").focus();
}

function startGate() {
    whenRefused(refused);
    find("gate-form").addEventListener("submit", (event) => {
        event.preventDefault();
        setToken(find("gate-token").value);
        find("gate-token").value = "";
        if (hasToken()) enter();
        else leave("Paste the token that the sandbox printed.");
    });
    addEventListener("hashchange", () => takeTokenOfAddress() && enter());
    find("who").addEventListener("click", showToken);
}

// ---- The theme ----

function startTheme() {
    const root = document.documentElement, button = find("theme");
    const show = () => { button.textContent = `Theme: ${root.dataset.theme || "auto"}`; };
    button.addEventListener("click", () => {
        const next = {auto: "light", light: "dark", dark: ""}[root.dataset.theme || "auto"];
        if (next) root.dataset.theme = next;
        else delete root.dataset.theme;
        localStorage.setItem("custody-theme", next);
        show();
    });
    show();
}

startTheme();
startGate();
startVehicles();
startAuthorizations();
startTransfers();
keepTimes();
setInterval(() => isLive && !document.hidden && refresh(), LOOK_AGAIN_MS);
takeTokenOfAddress();
if (hasToken()) enter();
else leave("");
