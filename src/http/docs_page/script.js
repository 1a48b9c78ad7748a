"use strict";
// The documentation page: reads openapi.json beside it, lists what is there, and sends requests.
const base = location.pathname.replace(/\/docs\/?$/, "");
let server = base; // or where the description says that the operations are
const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];
const SHOWN_MAX = 262144;  // characters of an answer
let api;

// ---- Elements ----

// make("p", {class: "faint"}, "text", child): texts are texts, never markup.
function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
        else if (value === true) element.setAttribute(key, "");
        else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
}

const find = (id) => document.getElementById(id);

// ---- Schemas ----

function resolve(node) {
    for (let hops = 0; node && node.$ref && hops < 20; hops++) {
        let at = api;
        for (const part of node.$ref.replace(/^#\//, "").split("/"))
            at = at && at[part.replace(/~1/g, "/").replace(/~0/g, "~")];
        node = at;
    }
    return node || {};
}

const nameOf = (schema) => (schema.$ref ? schema.$ref.split("/").pop() : null);

function typeOf(schema) {
    if (schema.$ref) return nameOf(schema);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    for (const choice of ["oneOf", "anyOf"]) if (schema[choice]) return schema[choice].map(typeOf).join(" | ");
    const types = [].concat(schema.type || "any");
    return types.map((type) => (type === "array" ? `list of ${typeOf(schema.items || {})}` : type)).join(" | ");
}

const RULES = {
    format: (value) => value, contentEncoding: (value) => value, pattern: (value) => `pattern ${value}`,
    minimum: (value) => `≥ ${value}`, maximum: (value) => `≤ ${value}`,
    exclusiveMinimum: (value) => `> ${value}`, exclusiveMaximum: (value) => `< ${value}`,
    minLength: (value) => `at least ${value} characters`, maxLength: (value) => `at most ${value} characters`,
    minItems: (value) => `at least ${value} items`, maxItems: (value) => `at most ${value} items`,
    default: (value) => `default ${JSON.stringify(value)}`, readOnly: () => "read only", writeOnly: () => "write only",
    deprecated: () => "deprecated",
};

function rulesOf(schema) {
    return Object.keys(RULES).filter((key) => schema[key] !== undefined && schema[key] !== false)
        .map((key) => RULES[key](schema[key])).join(", ");
}

// A schema as lines of text; models inside are opened, but none inside itself.
function describe(schema, indent = "", inside = []) {
    const name = nameOf(schema);
    if (name && inside.includes(name)) return `${name} (as above)`;
    const open = resolve(schema), deeper = name ? [...inside, name] : inside;
    if (open.oneOf || open.anyOf)
        return (open.oneOf || open.anyOf).map((each) => describe(each, indent, deeper)).join(`\n${indent}| `);
    if (open.type === "array" && open.items)
        return `list of ${describe(open.items, indent, deeper)}${rulesOf(open) ? ` (${rulesOf(open)})` : ""}`;
    if (!open.properties && !open.additionalProperties)
        return typeOf(open) + (rulesOf(open) ? ` (${rulesOf(open)})` : "");
    const lines = Object.entries(open.properties || {}).map(([key, member]) => {
        const mark = (open.required || []).includes(key) ? "" : "?";
        const about = member.description ? `  // ${member.description}` : "";
        return `${indent}  ${key}${mark}: ${describe(member, `${indent}  `, deeper)}${about}`;
    });
    if (typeof open.additionalProperties === "object")
        lines.push(`${indent}  [any name]: ${describe(open.additionalProperties, `${indent}  `, deeper)}`);
    return `{\n${lines.join("\n")}\n${indent}}`;
}

const SAMPLES = {
    "uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "date": "2026-02-28", "date-time": "2026-02-28T09:30:00Z",
    "email": "ada@example.com", "uri": "https://example.com/", "hostname": "example.com", "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
};

function sampleText(schema) {
    const text = schema.contentEncoding ? "" : SAMPLES[schema.format] || "string";
    return text.padEnd(schema.minLength || 0, "x").slice(0, schema.maxLength);
}

function sampleNumber(schema) {
    const low = schema.minimum ?? (schema.exclusiveMinimum !== undefined ? schema.exclusiveMinimum + 1 : 0);
    return Math.min(Math.max(low, 0), schema.maximum ?? Infinity);
}

// A value that fits, as far as one can tell; undefined: inside itself.
function sample(schema, inside = []) {
    const name = nameOf(schema);
    if (name && inside.includes(name)) return undefined;
    const open = resolve(schema), deeper = name ? [...inside, name] : inside;
    if (open.examples && open.examples.length) return open.examples[0];
    for (const key of ["default", "const"]) if (open[key] !== undefined) return open[key];
    if (open.enum) return open.enum[0];
    if (open.oneOf || open.anyOf) return sample((open.oneOf || open.anyOf)[0], deeper);
    const type = [].concat(open.type)[0];
    if (type === "object") {
        const members = Object.entries(open.properties || {}).filter(([, member]) => !member.readOnly);
        const values = members.map(([key, member]) => [key, sample(member, deeper)]);
        return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    }
    if (type === "array") {
        const item = sample(open.items || {}, deeper);
        return item === undefined ? [] : Array(Math.max(open.minItems || 0, 1)).fill(item);
    }
    if (type === "string") return sampleText(open);
    if (type === "integer" || type === "number") return sampleNumber(open);
    return type === "boolean" ? false : null;
}

// ---- Fields ----

let fields = 0;

function makeInput(id, schema, required) {
    const choices = schema.enum || (schema.type === "boolean" ? [true, false] : null);
    const first = schema.examples ? schema.examples[0] : schema.default;
    if (choices) {
        const options = choices.map((value) => make("option", {selected: value === first}, String(value)));
        return make("select", {id}, required ? null : make("option", {value: "", selected: first === undefined}, ""),
                    ...options);
    }
    if (schema.type === "array") return make("textarea", {id, rows: 2, spellcheck: "false"});
    const shown = first !== undefined ? first : required ? sample(schema) : "";
    return make("input", {
        id, required, autocomplete: "off", spellcheck: "false", value: typeof shown === "object" ? JSON.stringify(shown)
            : shown, type: schema.format === "password" ? "password" : "text",
    });
}

// A row for a parameter or a member of a form: {name, in, values()} and its element.
function makeField(name, where, schema, required, description) {
    const id = `field-${fields++}`, open = resolve(schema);
    const input = makeInput(id, open, required);
    const hint = [where, typeOf(schema), rulesOf(open), open.type === "array" ? "one to a line" : ""];
    const label = make("label", {for: id}, make("code", {}, name), required ? " (required)" : "",
                       make("span", {class: "hint"}, hint.filter(Boolean).join(", ")),
                       description ? make("span", {class: "hint"}, description) : null);
    const values = () => (open.type === "array" ? input.value.split("\n") : [input.value]).filter(Boolean);
    return {name, where, values, element: make("div", {class: "field"}, label, input)};
}

// As it is, but for what a cookie cannot hold.
function setCookie(name, value) {
    document.cookie = `${name}=${value.replace(/[\s;,"\\]/g, encodeURIComponent)}; path=/; samesite=strict`;
}

// ---- Credentials ----

const credentials = {};

function showCredentials() {
    const schemes = Object.entries((api.components || {}).securitySchemes || {})
        .map(([name, scheme]) => [name, resolve(scheme)]).filter(([, scheme]) => scheme.type !== "mutualTLS");
    for (const [name, open] of schemes) {
        const basic = open.type === "http" && open.scheme === "basic";
        const kind = basic ? "user:password" : open.scheme || open.type;
        const hint = open.type === "apiKey" ? `${open.in} ${open.name}` : kind;
        const id = `credential-${name}`;
        credentials[name] = make("input", {id, type: "password", autocomplete: "off"});
        find("credentials").append(make("div", {class: "field"}, make("label", {for: id}, make("code", {}, name),
            make("span", {class: "hint"}, [hint, open.description].filter(Boolean).join(", "))), credentials[name]));
    }
    find("credentials").hidden = schemes.length === 0;
    find("credentials").addEventListener("submit", (event) => event.preventDefault());
}

function addCredentials(operation, request) {
    for (const name of (operation.security || api.security || []).flatMap(Object.keys)) {
        const open = resolve(api.components.securitySchemes[name]), value = credentials[name]?.value;
        if (!value) continue;
        if (open.type !== "apiKey") {
            const bytes = new TextEncoder().encode(value);
            const word = open.scheme === "basic" ? `Basic ${btoa(String.fromCharCode(...bytes))}` : `Bearer ${value}`;
            request.headers.set("Authorization", word);
        } else if (open.in === "header") request.headers.set(open.name, value);
        else if (open.in === "query") request.query.append(open.name, value);
        else setCookie(open.name, value);
    }
}

// ---- Requests ----

function buildRequest(form) {
    const request = {path: form.path, query: new URLSearchParams(), headers: new Headers(), body: undefined};
    const pairs = new URLSearchParams();
    for (const field of form.fields) {
        for (const value of field.values()) {
            if (field.where === "query") request.query.append(field.name, value);
            else if (field.where === "header") request.headers.append(field.name, value);
            else if (field.where === "cookie") setCookie(field.name, value);
            else if (field.where === "form") pairs.append(field.name, value);
        }
        if (field.where === "path")
            request.path = request.path.replace(`{${field.name}}`, encodeURIComponent(field.values()[0] || ""));
    }
    if (form.json) {
        request.headers.set("Content-Type", "application/json");
        request.body = form.json.value;
    } else if (form.isForm) request.body = pairs;
    addCredentials(form.operation, request);
    const query = request.query.toString();
    request.url = server + request.path + (query ? `?${query}` : "");
    return request;
}

const quote = (text) => `'${String(text).replace(/'/g, "'\\''")}'`;

function asCurl(method, request) {
    const parts = ["curl", "-i", "-X", method.toUpperCase(), quote(new URL(request.url, location.href))];
    for (const [name, value] of request.headers) parts.push("-H", quote(`${name}: ${value}`));
    if (request.body !== undefined) parts.push("--data-raw", quote(request.body));
    return parts.join(" ");
}

function prettify(text, type) {
    if (!/json/.test(type)) return text;
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

// Shows the body as it comes, because an answer of events does not end.
async function showBody(response, output) {
    const type = response.headers.get("content-type") || "";
    if (!response.body) return "";
    const reader = response.body.getReader(), decoder = new TextDecoder();
    let text = "", size = 0;
    for (;;) {
        const {done, value} = await reader.read();
        if (done) break;
        size += value.length;
        if (text.length < SHOWN_MAX) text += decoder.decode(value, {stream: true});
        output.textContent = text.slice(0, SHOWN_MAX);
    }
    const readable = type === "" || /^text\/|json|xml|javascript|x-www-form-urlencoded/.test(type);
    output.textContent = readable ? prettify(text, type).slice(0, SHOWN_MAX) : `${size} bytes of ${type}`;
    return text.length > SHOWN_MAX ? ", cut here" : "";
}

async function send(form) {
    const request = buildRequest(form), started = performance.now();
    const took = () => `${Math.round(performance.now() - started)} ms`;
    form.abort = new AbortController();
    form.sendButton.disabled = true;
    form.stopButton.hidden = form.answer.hidden = false;
    form.curl.textContent = asCurl(form.method, request);
    form.head.textContent = form.body.textContent = "";
    form.status.className = "";
    form.status.textContent = "Waiting for the answer …";
    try {
        const response = await fetch(request.url, {
            method: form.method.toUpperCase(), headers: request.headers, body: request.body, signal: form.abort.signal,
        });
        form.status.className = response.ok ? "good" : "bad";
        form.status.textContent = `${response.status} ${response.statusText}`;
        form.head.textContent = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
        const cut = await showBody(response, form.body);
        form.status.textContent = `${response.status} ${response.statusText}, ${took()}${cut}`;
    } catch (error) {
        form.status.className = "bad";
        form.status.textContent += error.name === "AbortError" ? ` stopped after ${took()}` : ` ${error.message}`;
    }
    form.sendButton.disabled = false;
    form.stopButton.hidden = true;
}

// ---- Operations ----

function makeForm(path, method, item, operation) {
    const form = {path, method, operation, fields: [], json: null, isForm: false};
    const parameters = [...(item.parameters || []), ...(operation.parameters || [])].map(resolve);
    for (const each of parameters) {
        const schema = each.schema || (Object.values(each.content || {})[0] || {}).schema || {};
        form.fields.push(makeField(each.name, each.in, schema, each.required, each.description));
    }
    const content = resolve(operation.requestBody).content || {};
    const json = Object.keys(content).find((type) => /json/.test(type));
    const pairs = content["application/x-www-form-urlencoded"];
    if (json) {
        form.json = make("textarea", {id: `field-${fields++}`, rows: 8, spellcheck: "false"});
        form.json.value = JSON.stringify(sample(content[json].schema), null, 2);
        form.schema = content[json].schema;
    } else if (pairs) {
        const open = resolve(pairs.schema);
        for (const [name, member] of Object.entries(open.properties || {}))
            form.fields.push(makeField(name, "form", member, (open.required || []).includes(name), member.description));
        form.isForm = true;
    }
    return form;
}

function showForm(form) {
    const area = make("form", {onsubmit: (event) => {
        event.preventDefault();
        send(form);
    }});
    if (form.fields.length) area.append(make("h3", {}, "Parameters"), ...form.fields.map((field) => field.element));
    if (form.json) {
        area.append(make("h3", {}, make("label", {for: form.json.id}, "Body")), form.json,
                    make("pre", {"aria-label": "Schema of the body", tabindex: 0}, describe(form.schema)));
    }
    form.sendButton = make("button", {class: "send"}, "Send");
    form.stopButton = make("button", {type: "button", hidden: true, onclick: () => form.abort.abort()}, "Stop");
    form.status = make("p", {role: "status"});
    form.curl = make("pre", {tabindex: 0, "aria-label": "The request for curl"});
    form.head = make("pre", {tabindex: 0, "aria-label": "Fields of the answer"});
    form.body = make("pre", {tabindex: 0, "aria-label": "Body of the answer", class: "body"});
    form.answer = make("div", {hidden: true, class: "answer"}, form.status, form.body, form.head, form.curl);
    area.append(make("p", {}, form.sendButton, form.stopButton), form.answer);
    return area;
}

// Successes are shown as they are, errors by the names of their schemas, which are much alike.
function showAnswer(status, answer) {
    const success = /^[123]/.test(status);
    const content = Object.entries(answer.content || {}).filter(([, {schema}]) => schema);
    const names = success ? [] : content.map(([, {schema}]) => nameOf(schema) || typeOf(schema));
    const line = make("p", {}, make("code", {}, status), ` ${answer.description || ""}`);
    if (names.length) line.append(": ", make("a", {href: `#schema-${names[0]}`}, names[0]));
    const show = ([type, {schema}]) => make("pre", {tabindex: 0, "aria-label": `${status}, ${type}`}, describe(schema));
    const shown = success ? content.map(show) : [];
    return make("div", {class: "possible"}, line, ...shown);
}

function showAnswers(operation) {
    const all = Object.entries(operation.responses || {});
    const answers = all.map(([status, each]) => showAnswer(status, resolve(each)));
    return make("div", {}, make("h3", {}, "Answers"), ...answers);
}

// What is inside is made when it is first opened.
function showOperation(path, method, item) {
    const operation = item[method];
    const locked = (operation.security || api.security || []).length > 0;
    const lock = locked ? make("span", {class: "faint"}, "needs credentials") : null;
    const summary = make("summary", {}, make("span", {class: `method ${method}`}, method), make("code", {}, path),
                         make("span", {class: "faint"}, operation.summary || ""), lock);
    const details = make("details", {id: operation.operationId || `${method}-${path}`, class: "operation"}, summary);
    details.classList.toggle("deprecated", operation.deprecated === true);
    details.dataset.words = `${method} ${path} ${operation.summary || ""}`.toLowerCase();
    details.addEventListener("toggle", () => {
        if (details.childElementCount > 1) return;
        details.append(make("div", {class: "inside"},
                            operation.description ? make("p", {class: "prose"}, operation.description) : null,
                            showForm(makeForm(path, method, item, operation)), showAnswers(operation)));
    });
    return details;
}

function showOperations() {
    const groups = new Map();
    for (const [path, item] of Object.entries(api.paths || {})) {
        for (const method of METHODS.filter((each) => item[each])) {
            const tag = (item[method].tags || ["Operations"])[0];
            if (!groups.has(tag)) groups.set(tag, []);
            groups.get(tag).push(showOperation(path, method, item));
        }
    }
    for (const [tag, list] of groups)
        find("operations").append(make("section", {"aria-label": tag}, make("h2", {}, tag), ...list));
}

function showSchemas() {
    const schemas = Object.keys((api.components || {}).schemas || {});
    if (!schemas.length) return;
    const show = (name) => make("pre", {tabindex: 0, "aria-label": `Schema ${name}`},
                                describe({$ref: `#/components/schemas/${name}`}));
    const list = schemas.map((name) => make("details", {id: `schema-${name}`},
        make("summary", {}, make("code", {}, name)), make("div", {class: "inside"}, show(name))));
    find("operations").append(make("section", {"aria-label": "Schemas"}, make("h2", {}, "Schemas"), ...list));
}

function filter() {
    const words = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of document.querySelectorAll("main section")) {
        const all = [...section.querySelectorAll("details.operation")];
        for (const each of all) each.hidden = !words.every((word) => each.dataset.words.includes(word));
        section.hidden = words.length > 0 && all.every((each) => each.hidden);
    }
}

// A link to #show_user opens it.
function openLinked() {
    const linked = location.hash ? find(decodeURIComponent(location.hash.slice(1))) : null;
    if (linked && linked.tagName === "DETAILS") {
        linked.open = true;
        linked.scrollIntoView();
    }
}

async function start() {
    find("source").href = `${base}/openapi.json`;
    const response = await fetch(`${base}/openapi.json`);
    if (!response.ok) throw new Error(`openapi.json: ${response.status} ${response.statusText}`);
    api = await response.json();
    if (api.servers?.length) server = new URL(api.servers[0].url, response.url).href.replace(/\/$/, "");
    document.title = find("title").textContent = api.info.title;
    find("version").textContent = api.info.version;
    find("description").textContent = api.info.description || "";
    find("state").remove();
    showCredentials();
    showOperations();
    showSchemas();
    find("filter").addEventListener("input", filter);
    addEventListener("hashchange", openLinked);
    openLinked();
}

start().catch((error) => {
    find("state").textContent = `The description could not be read: ${error.message}`;
});
