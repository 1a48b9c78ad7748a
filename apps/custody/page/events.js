// What happens, newest first.
import {announce, find, make, time} from "./dom.js";
import {vinButton} from "./vehicles.js";

const MAX = 100;
const TITLES = {
    "authorization.created": "Authorization asked for", "authorization.approved": "Authorization approved",
    "authorization.rejected": "Authorization rejected", "authorization.cancelled": "Authorization cancelled",
    "authorization.expired": "Authorization expired", "authorization.used": "Authorization used",
    "custody.transferred": "Custody changed hands",
};
let unsaid = [], timer;

const titleOf = (event) => TITLES[event.type] || event.type;

// Several at once are said as a number.
function say(event) {
    unsaid.push(event);
    clearTimeout(timer);
    timer = setTimeout(() => {
        announce(unsaid.length > 3 ? `${unsaid.length} new events`
            : unsaid.map((each) => `${titleOf(each)}, ${each.subject_id}`).join(". "));
        unsaid = [];
    }, 400);
}

export function addEvent(number, event, isNew) {
    const list = find("events");
    const kind = event.type.split(".").pop();
    const item = make("li", {class: isNew ? "fresh" : "", "data-kind": kind, "data-number": number},
        make("p", {}, make("strong", {}, titleOf(event))), make("p", {}, make("code", {}, event.subject_id)),
        make("p", {}, vinButton(event.vin)), make("p", {class: "faint"}, time(event.at)));
    list.prepend(item);
    while (list.childElementCount > MAX) list.lastElementChild.remove();
    list.parentElement.querySelector(".empty").hidden = true;
    if (isNew) say(event);
}

export function forgetEvents() {
    find("events").replaceChildren();
    find("events").parentElement.querySelector(".empty").hidden = false;
}
