// Vehicles: checking one, those that were checked last, and all that is known of one.
import {Failure, explain, get} from "./api.js";
import {announce, badge, cell, expectOther, fill, find, make, notice, row, ROWS, showTable, time} from "./dom.js";
import {openDialog, whenSent} from "./dialogs.js";
import {authorizationsOf, openAuthorize} from "./authorizations.js";

const STEP = ROWS, MAX = 200;
let limit = STEP, turns = 0;
const states = new Map();  // who has what, by VIN, as it was last told

export const stateOf = (vin) => get(`/transfers/${encodeURIComponent(vin)}/status`);

export function vinButton(vin) {
    return make("button", {type: "button", class: "link code", "data-does": "vehicle", title: "All about this vehicle",
                           onclick: () => openVehicle(vin)}, vin);
}

const verdict = (vehicle) => badge(vehicle.is_releasable ? "FREE" : "HELD");

function blockersOf(vehicle) {
    const lines = vehicle.blockers.map((blocker) => make("li", {},
        make("code", {class: "blocker"}, blocker.code), ` ${blocker.message} `,
        make("span", {class: "faint"}, "Since ", time(blocker.since))));
    return lines.length > 0 && make("ul", {class: "blockers"}, lines);
}

// ---- The list ----

function vehicleRow({vehicle, state}) {
    const custody = state ? [make("strong", {}, state.current_custodian),
                             make("span", {class: "faint second code"}, state.current_location)] : "…";
    const short = vehicle.blockers.map((blocker) => make("code", {class: "blocker", title: blocker.message},
                                                         blocker.code));
    return row(cell("Vehicle", vinButton(vehicle.vin)),
               cell("State", make("div", {class: "wrap"}, verdict(vehicle), short)),
               cell("In the custody of", make("div", {}, custody)), cell("Checked", time(vehicle.checked_at)));
}

export async function refreshVehicles() {
    const turn = ++turns;
    const {vehicles} = await get(`/_sandbox/checked?limit=${limit}`);
    await Promise.all(vehicles.filter(({vin}) => !states.has(vin))
        .map(async ({vin}) => states.set(vin, await stateOf(vin))));
    if (turn !== turns) return;  // a later one knows more
    // Without what only grows older, so that rows which say the same are the same.
    const items = vehicles.map(({cached, age_s, ...vehicle}) => {
        const {pending_authorizations: pending, ...state} = states.get(vehicle.vin) || {};
        return {vehicle, state: state.vin ? state : null};
    });
    const table = find("vehicles");
    fill(table.tBodies[0], items, (item) => item.vehicle.vin, vehicleRow);
    showTable(table, items.length);
    table.closest("section").querySelector(".more").hidden = vehicles.length < limit || limit >= MAX;
    const free = vehicles.filter((vehicle) => vehicle.is_releasable).length;
    find("figure-free").textContent = free;
    find("figure-held").textContent = vehicles.length - free;
}

// Somebody else has it now; without a VIN: nothing of what was told holds.
export function forgetState(vin) {
    if (vin) states.delete(vin);
    else states.clear();
}

// ---- A check ----

async function check(vin) {
    if (!vin)
        throw new Failure(422, {fields: [{loc: "path.vin", msg: "Which one? It has up to 17 letters and digits."}]});
    return get(`/releasability/${encodeURIComponent(vin)}`);
}

function showResult(vehicle) {
    const says = vehicle.is_releasable ? "It may be released." : "It may not be released.";
    find("checked").replaceChildren(make("div", {class: `result ${vehicle.is_releasable ? "free" : "held"}`},
        make("p", {}, verdict(vehicle), " ", vinButton(vehicle.vin), ` ${says}`), blockersOf(vehicle)));
}

export function startVehicles() {
    const form = find("check");
    whenSent(form, async ({vin}) => {
        find("checked").replaceChildren();
        showResult(await check(vin.trim()));
        find("check-vin").select();
        await refreshVehicles();
    });
    find("vehicles").closest("section").querySelector(".more").addEventListener("click", () => {
        limit = Math.min(limit * 2, MAX);
        expectOther(find("vehicles").tBodies[0]);
        refreshVehicles().catch((failure) => notice("bad", explain(failure)));
    });
}

// ---- One vehicle ----

function facts(pairs) {
    return make("dl", {class: "facts"}, pairs.filter(([, value]) => value).map(([name, value]) =>
        make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

async function describe(vin) {
    const [vehicle, state, page] = await Promise.all([check(vin), stateOf(vin), authorizationsOf(vin)]);
    const open = page.authorizations.filter(({status}) => status === "PENDING" || status === "APPROVED");
    const list = open.slice(0, 5).map((each) => make("li", {}, make("code", {}, each.authorization_id), " ",
        badge(each.status), ` for ${each.person_identity_key}`));
    return [make("p", {}, verdict(vehicle)), blockersOf(vehicle), facts([
        ["In the custody of", state.current_custodian], ["Place", make("code", {}, state.current_location)],
        ["Since", time(state.since)],
        ["Last transfer", state.last_transfer_id && make("code", {}, state.last_transfer_id)],
        ["Authorizations", `${page.total_count} in all, ${state.pending_authorizations} pending`]]),
        list.length > 0 && make("h3", {}, "Open, newest first"), list.length > 0 && make("ul", {class: "plain"}, list)]
        .filter(Boolean);
}

export async function openVehicle(vin) {
    document.querySelector("dialog")?.close();
    const content = make("div", {"aria-live": "polite"}, make("p", {class: "faint"}, "Looking …"));
    const authorize = make("button", {type: "button", class: "first",
                                      onclick: () => { dialog.close(); openAuthorize(vin); }}, "New authorization");
    const dialog = openDialog(vin, content, make("div", {class: "buttons"}, authorize));
    dialog.querySelector("h2").classList.add("code");
    dialog.querySelector("h2").focus();
    try {
        content.replaceChildren(...await describe(vin));
        await refreshVehicles();
    } catch (failure) {
        content.replaceChildren(make("p", {class: "problem"}, explain(failure)));
    }
    announce(`${vin} is shown`);
}
