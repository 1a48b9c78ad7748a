// Elements: making them, keeping lists true row by row, times that grow older, and what is said to people.

// make("p", {class: "faint"}, "text", child): texts are texts, never markup.
export function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
        else if (value === true) element.setAttribute(key, "");
        else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children.flat().filter((child) => child != null && child !== false));
    return element;
}

export const find = (id) => document.getElementById(id);

// That a list has at first.
export const ROWS = matchMedia("(max-width: 44rem)").matches ? 4 : 8;

export const row = (...cells) => make("tr", {role: "row"}, ...cells);
// A cell; on a phone, where rows are cards, its column's name stands before it.
export const cell = (label, ...children) => make("td", {role: "cell", "data-label": label}, ...children);

export const badge = (word) => make("span", {class: `badge ${word.toLowerCase()}`}, WORDS[word] || word);
const WORDS = {
    PENDING: "Pending", APPROVED: "Approved", USED: "Used", REJECTED: "Rejected", CANCELLED: "Cancelled",
    EXPIRED: "Expired", QUEUED: "Queued", COMPLETED: "Completed", FAILED: "Failed", FREE: "Releasable", HELD: "Held",
};

// ---- Lists ----

const shown = new WeakMap();  // what a row was built of

// Makes the children of a list those that `build` gives for the items. What did not change stays as it is, and so does
// the place of the keyboard: in the new form of its row, or at the section's title where the row is gone.
export function fill(list, items, keyOf, build) {
    const had = new Map([...list.children].map((child) => [child.dataset.key, child]));
    const isFirst = !list.dataset.filled;
    const focused = document.activeElement;
    const wanted = items.map((item) => {
        const key = keyOf(item), text = JSON.stringify(item), old = had.get(key);
        had.delete(key);
        if (old && shown.get(old) === text) return old;
        const fresh = build(item);
        fresh.dataset.key = key;
        shown.set(fresh, text);
        if (!isFirst) fresh.classList.add("fresh");
        if (old) replace(old, fresh, focused);
        return fresh;
    });
    const lost = [...had.values()].some((child) => child.contains(focused));
    for (const gone of had.values()) gone.remove();
    let at = list.firstElementChild;
    for (const child of wanted) {
        if (child === at) at = at.nextElementSibling;
        else list.insertBefore(child, at);
    }
    if (lost) list.closest("section").querySelector("h2").focus({preventScroll: true});
    list.dataset.filled = "yes";
}

// What comes next was asked for here, and is no news.
export function expectOther(list) {
    delete list.dataset.filled;
}

function replace(old, fresh, focused) {
    const held = old.contains(focused);
    old.replaceWith(fresh);
    if (!held) return;
    const same = focused.dataset.does && fresh.querySelector(`[data-does="${focused.dataset.does}"]`);
    (same || fresh.querySelector("button"))?.focus({preventScroll: true});
}

// The table, or the sentence that says why there is none.
export function showTable(table, count) {
    table.hidden = count === 0;
    table.closest("section").querySelector(".empty").hidden = count > 0;
}

// ---- Times ----

const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];
const relative = new Intl.RelativeTimeFormat("en", {numeric: "always"});

export function ago(when, now = Date.now()) {
    let amount = (when - now) / 1000;
    if (Math.abs(amount) < 3) return "just now";
    for (const [unit, size] of STEPS) {
        if (Math.abs(amount) < size) return relative.format(Math.trunc(amount), unit);
        amount /= size;
    }
    return "";
}

export function time(text) {
    const when = new Date(text);
    return make("time", {datetime: text, title: when.toLocaleString()}, ago(when.getTime()));
}

export function keepTimes() {
    setInterval(() => {
        for (const each of document.querySelectorAll("time")) {
            const text = ago(Date.parse(each.dateTime));
            if (each.textContent !== text) each.textContent = text;
        }
    }, 1000);
}

// ---- Words ----

// For who cannot see what changed.
export function announce(text) {
    find("news").textContent = text;
}

// A message in the corner: "good" ones go by themselves, unless somebody is at them.
export function notice(kind, text, action) {
    const box = make("div", {class: `notice ${kind}`, role: kind === "bad" && "alert"}, make("p", {}, text),
        action && make("button", {type: "button", onclick: () => { box.remove(); action.run(); }}, action.label),
        make("button", {type: "button", class: "quiet close", "aria-label": "Dismiss",
                        onclick: () => box.remove()}, "×"));
    find("notices").append(box);
    while (find("notices").childElementCount > 3) find("notices").firstElementChild.remove();
    const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
    setTimeout(leave, kind === "good" ? 7000 : 20000);
}
