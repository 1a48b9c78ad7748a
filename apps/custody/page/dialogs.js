// Forms: what the service says of their fields is shown at the fields. Some of them are dialogs.
import {explain, newKey} from "./api.js";
import {find, make} from "./dom.js";

// ---- Problems ----

function clearProblems(form) {
    for (const each of form.querySelectorAll(".problem")) each.textContent = "";
    for (const each of form.elements) each.removeAttribute("aria-invalid");
}

function showAtField(input, text) {
    const id = `${input.id}-problem`;
    let line = find(id);
    if (!line) {
        line = make("p", {id, class: "problem"});
        input.closest(".field").append(line);
        input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
    }
    line.textContent = text;
    input.setAttribute("aria-invalid", "true");
}

// The field of "body.vin" or "path.vin" is the one called vin. What belongs to no field stands above or below them all.
export function showProblems(form, failure) {
    clearProblems(form);
    const homeless = failure.fields?.filter(({loc, msg}) => {
        const input = form.elements[loc.split(".")[1]];
        if (input) showAtField(input, msg);
        return !input;
    }) || [];
    const general = form.querySelector(".problem[role=alert]");
    if (!failure.fields?.length) general.textContent = explain(failure);
    else if (homeless.length) general.textContent = homeless.map(({loc, msg}) => `${loc}: ${msg}`).join("; ");
    (form.querySelector("[aria-invalid]") || form.querySelector("input"))?.focus();
}

// ---- Sending ----

// Has the form's values sent, once at a time. The same content has the same key, so that sending it again after no
// answer came changes nothing twice.
export function whenSent(form, send) {
    let key = newKey();
    form.addEventListener("input", () => { key = newKey(); });
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (form.getAttribute("aria-busy") === "true") return;
        form.setAttribute("aria-busy", "true");
        try {
            await send(Object.fromEntries(new FormData(form)), key);
            key = newKey();
            clearProblems(form);
        } catch (failure) {
            showProblems(form, failure);
            if (failure.status === undefined) reportError(failure);
        }
        form.removeAttribute("aria-busy");
    });
}

// ---- Dialogs ----

let fields = 0;

function makeField({name, label, value = "", hint, choices, code}) {
    const id = `field-${fields++}`;
    const list = choices && make("datalist", {id: `${id}-choices`},
                                 choices.map(([text, about]) => make("option", {value: text}, about || "")));
    const input = make("input", {id, name, value, class: code && "code", autocomplete: "off", spellcheck: "false",
                                 list: list && list.id, "aria-describedby": hint && `${id}-hint`});
    return make("div", {class: "field"}, make("label", {for: id}, label), input, list,
                hint && make("p", {id: `${id}-hint`, class: "hint"}, hint));
}

// A dialog over the page; it is gone when it is closed, and the keyboard is where it was before, or at the title of the
// section whose row is gone.
export function openDialog(title, ...content) {
    const close = make("button", {type: "button", class: "quiet close", "aria-label": "Close"}, "×");
    const heading = make("h2", {id: `dialog-${fields++}`, tabindex: -1}, title);
    const dialog = make("dialog", {"aria-labelledby": heading.id}, make("div", {class: "head"}, heading, close),
                        content);
    close.addEventListener("click", () => dialog.close());
    const opener = document.activeElement, section = opener.closest("section");
    dialog.addEventListener("close", () => {
        dialog.remove();
        if (!opener.isConnected) section?.querySelector("h2").focus({preventScroll: true});
    });
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
}

// openForm({title, about, fields: [{name, label, value, hint, choices, code}], button, send(values, key)}): closes when
// it was sent.
export function openForm({title, about, fields: wanted, button, kind = "first", send}) {
    const form = make("form", {novalidate: true}, about && make("p", {class: "faint"}, about),
                      make("p", {class: "problem", role: "alert"}), wanted.map(makeField),
                      make("div", {class: "buttons"}, make("button", {class: kind}, button)));
    const dialog = openDialog(title, form);
    whenSent(form, async (values, key) => {
        await send(values, key);
        dialog.close();
    });
    const first = [...form.querySelectorAll("input")].find((input) => input.value === "");
    (first || form.querySelector("button")).focus();
    return form;
}
