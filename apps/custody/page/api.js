// The service's API: requests with the token, and errors as people need them.
const BASE = "v1";
const PATIENCE_MS = 15000;

// ---- The token ----

let token = sessionStorage.getItem("custody-token") || "";
let onRefused = () => {};

export const hasToken = () => token !== "";
export const authorization = () => `Bearer ${token}`;

export function setToken(text) {
    token = text.trim().replace(/^Bearer\s+/i, "");
    if (token) sessionStorage.setItem("custody-token", token);
    else sessionStorage.removeItem("custody-token");
}

// Behind the # of the address, where it is out of sight once it was read.
export function takeTokenOfAddress() {
    const found = new URLSearchParams(location.hash.slice(1)).get("token");
    if (!found) return false;
    setToken(found);
    history.replaceState(null, "", location.pathname + location.search);
    return true;
}

// What the token says of itself; the service alone knows whether that is true.
export function claims() {
    try {
        const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
        return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (each) => each.charCodeAt(0))));
    } catch {
        return {};
    }
}

// `run(failure)` is called when the service does not take the token.
export function whenRefused(run) {
    onRefused = run;
}

// ---- Requests ----

// status 0: no answer. `fields` is [{loc: "body.vin", msg}].
export class Failure extends Error {
    constructor(status, error = {}, retryAfter = 0) {
        super(error.message || "");
        Object.assign(this, {status, code: error.code || "", fields: error.fields || [], retryAfter,
                             requestId: error.request_id || ""});
    }
}

// A key for a change that may be sent twice and shall happen once.
export function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function requestOf(method, body, key) {
    const headers = {Authorization: authorization(), Accept: "application/json"};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return {method, headers, body: body && JSON.stringify(body), cache: "no-store",
            signal: AbortSignal.timeout(PATIENCE_MS)};
}

export async function failureOf(response) {
    const body = await response.json().catch(() => ({}));
    return new Failure(response.status, body.error, Number(response.headers.get("Retry-After")) || 0);
}

async function call(method, path, body, key) {
    const used = token;
    let response, value;
    try {
        response = await fetch(`${BASE}${path}`, requestOf(method, body, key));
        if (response.ok) value = await response.json();
    } catch {
        throw new Failure(0, {code: "no_connection"});
    }
    if (response.ok) return value;
    const failure = await failureOf(response);
    if (failure.status === 401 && used === token) onRefused(failure);
    throw failure;
}

export const get = (path) => call("GET", path);
export const post = (path, body, key) => call("POST", path, body, key);
export const eventsAddress = `${BASE}/events`;

// ---- Errors ----

const seconds = (count) => (count === 1 ? "1 second" : `${count} seconds`);

export function explain(failure) {
    const said = failure.message ? `: ${failure.message}` : "";
    switch (failure.status) {
    case undefined: return `This page made a mistake${said}`;
    case 0: return "The service does not answer. Trying again is safe: nothing is done twice.";
    case 401: return `The token was not accepted${said}`;
    case 403: return `This token may not do that${said}`;
    case 404: return `It is not there${said}`;
    case 409: return `That does not go together with what is there${said}`;
    case 422: return `Something is not as it has to be${said}`;
    case 429: return `Too many requests. Try again in ${seconds(failure.retryAfter || 1)}.`;
    default: return `The service failed with ${failure.status} ${failure.code}${said}`
        + (failure.requestId ? ` (request ${failure.requestId})` : "");
    }
}
