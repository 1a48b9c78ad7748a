// Authorizations: those that are open, asking for one, and deciding about it.
import {claims, explain, get, post} from "./api.js";
import {badge, cell, expectOther, fill, find, make, notice, row, ROWS, showTable, time} from "./dom.js";
import {openForm} from "./dialogs.js";
import {PLACES, openTransfer} from "./transfers.js";
import {vinButton} from "./vehicles.js";

const STEP = ROWS, MAX = 200;
let limit = STEP, chosen = "OPEN", turns = 0;
let approved = [];  // the newest ones

const who = () => claims().sub || "";
const list = (query) => get(`/authorizations?${new URLSearchParams(query)}`);
export const authorizationsOf = (vin) => list({vin, limit: 50});
export const approvedOnes = () => approved;

// ---- The list ----

function does(name, label, kind, onclick) {
    return make("button", {type: "button", class: kind, "data-does": name, onclick}, label);
}

function buttonsOf(each) {
    const id = each.authorization_id;
    const of = (name, label, kind, run) => {
        const button = does(name, label, kind, run);
        button.setAttribute("aria-label", `${label} ${id}`);
        return button;
    };
    const cancel = of("cancel", "Cancel", "quiet", () => openDecision(each, "cancel"));
    if (each.status === "PENDING") {
        return [of("approve", "Approve", "good", () => approve(each)),
                of("reject", "Reject", "", () => openDecision(each, "reject")), cancel];
    }
    return each.status === "APPROVED" ? [of("transfer", "Transfer", "first", () => openTransfer(each)), cancel] : [];
}

function authorizationRow(each) {
    const ends = each.status === "PENDING" || each.status === "APPROVED"
        ? ["expires ", time(each.expires_at)] : [time(each.updated_at)];
    return row(
        cell("Authorization", make("div", {}, make("strong", {class: "code"}, each.authorization_id),
            make("span", {class: "second"}, vinButton(each.vin)),
            each.make_model !== "Unknown" && make("span", {class: "second faint"}, each.make_model))),
        cell("Who and where to", make("div", {}, make("strong", {}, each.person_identity_key),
            make("span", {class: "second"}, each.origin), make("span", {class: "second"}, `→ ${each.destination}`),
            make("span", {class: "second faint"}, `by ${each.authorized_by}, `, time(each.created_at)))),
        cell("Status", make("div", {}, badge(each.status), make("span", {class: "second faint whole"}, ends))),
        cell("What to do", make("div", {class: "buttons"}, buttonsOf(each))));
}

const newest = (a, b) => (a.created_at === b.created_at ? (a.authorization_id < b.authorization_id ? 1 : -1)
    : a.created_at < b.created_at ? 1 : -1);

function show(all, total) {
    const table = find("authorizations"), section = table.closest("section"), items = all.slice(0, limit);
    fill(table.tBodies[0], items, (each) => each.authorization_id, authorizationRow);
    showTable(table, items.length);
    section.querySelector(".more").hidden = items.length >= total || limit >= MAX;
    section.querySelector(".rest").hidden = total <= limit || limit < MAX;
    section.querySelector(".rest").textContent = `and ${total - limit} older ones: custody list --all`;
}

export async function refreshAuthorizations() {
    const turn = ++turns;
    const [pending, ready, all] = await Promise.all([
        list({status: "PENDING", limit}), list({status: "APPROVED", limit}), chosen === "ALL" ? list({limit}) : null]);
    if (turn !== turns) return;  // a later one knows more
    approved = ready.authorizations;
    find("figure-pending").textContent = pending.total_count;
    find("figure-approved").textContent = ready.total_count;
    const open = [...pending.authorizations, ...ready.authorizations].sort(newest);
    const page = {PENDING: pending, APPROVED: ready, ALL: all,
                  OPEN: {authorizations: open, total_count: pending.total_count + ready.total_count}}[chosen];
    show(page.authorizations, page.total_count);
}

// ---- Decisions ----

const DONE = {approve: "is approved", reject: "is rejected", cancel: "is cancelled"};

async function decide(each, verb, decision) {
    const after = await post(`/authorizations/${each.authorization_id}:${verb}`, decision);
    const action = verb === "approve" ? {label: "Transfer", run: () => openTransfer(after)} : null;
    notice("good", `${each.authorization_id} ${DONE[verb]}.`, action);
    await refreshAuthorizations();
}

async function approve(each) {
    try {
        await decide(each, "approve", {by: who() || "page"});
    } catch (failure) {
        notice("bad", `${each.authorization_id} could not be approved. ${explain(failure)}`);
        refreshAuthorizations().catch(() => {});
    }
}

function openDecision(each, verb) {
    const word = verb === "reject" ? "Reject" : "Cancel";
    openForm({
        title: `${word} ${each.authorization_id}`, button: `${word} the authorization`, kind: "grave",
        about: `${each.person_identity_key} will not be able to take over ${each.vin} with it.`,
        fields: [{name: "by", label: "By", value: who()}, {name: "reason", label: "Reason (optional)"}],
        send: ({by, reason}) => decide(each, verb, reason ? {by, reason} : {by}),
    });
}

// ---- A new one ----

export function openAuthorize(vin = "") {
    openForm({
        title: "New authorization", button: "Ask for it",
        about: "Lets a person take over a vehicle, once somebody has approved it.",
        fields: [
            {name: "vin", label: "VIN", value: vin, code: true},
            {name: "person_identity_key", label: "Person", hint: "Who takes the vehicle over, by their identity key."},
            {name: "origin", label: "From", choices: PLACES}, {name: "destination", label: "To", choices: PLACES},
            {name: "make_model", label: "Make and model", value: "Unknown"},
            {name: "authorized_by", label: "Authorized by", value: who()},
        ],
        send: async (values, key) => {
            const made = await post("/authorizations", values, key);
            notice("good", `${made.authorization_id} waits for approval.`);
            await refreshAuthorizations();
        },
    });
}

export function startAuthorizations() {
    find("authorize").addEventListener("click", () => openAuthorize());
    const showOthers = () => {
        expectOther(find("authorizations").tBodies[0]);
        refreshAuthorizations().catch((failure) => notice("bad", explain(failure)));
    };
    find("statuses").addEventListener("change", ({target}) => {
        chosen = target.value;
        limit = STEP;
        showOthers();
    });
    find("authorizations").closest("section").querySelector(".more").addEventListener("click", () => {
        limit = Math.min(limit * 2, MAX);
        showOthers();
    });
}
