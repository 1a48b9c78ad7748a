// Transfers: those that the events tell of, and making one with an approved authorization.
import {get, post} from "./api.js";
import {badge, cell, fill, find, make, notice, row, showTable, time} from "./dom.js";
import {openForm} from "./dialogs.js";
import {approvedOnes} from "./authorizations.js";
import {vinButton} from "./vehicles.js";

const MAX = 30, AT_ONCE = 10;
const TYPES = [["PICKUP", "given to the person"], ["GATE_OUT", "given to the person"],
               ["DEALER_RELEASE", "given to the person"], ["DROPOFF", "given to the place's owner"],
               ["GATE_IN", "given to the place's owner"], ["AUCTION_CHECKIN", "given to the place's owner"]];
// Some of those that the sandbox has; whatever is typed is sent.
export const PLACES = ["AUCTION-MANHEIM-ATLANTA", "AUCTION-MANHEIM-DALLAS", "AUCTION-MANHEIM-PHOENIX",
                       "DEALER-AUTONATION-MIAMI", "DEALER-CARMAX-RICHMOND", "YARD-COPART-HOUSTON"]
    .map((name) => [`LOC-${name}`]);
let transfers = [];  // newest first
const wanted = new Set();  // those that were told of, and have not been read yet

function transferRow(each) {
    return row(
        cell("Transfer", make("div", {}, make("strong", {class: "code"}, each.transfer_id),
            make("span", {class: "second"}, vinButton(each.vin)))),
        cell("From and to", make("div", {}, each.from_custodian, " → ", make("strong", {}, each.to_custodian))),
        cell("Kind and place", make("div", {}, each.transfer_type,
            make("span", {class: "second faint code"}, each.location_id))),
        cell("Status", make("div", {}, badge(each.status),
            make("span", {class: "second faint"}, time(each.completed_at || each.created_at)))));
}

function keep(transfer) {
    const others = transfers.filter((each) => each.transfer_id !== transfer.transfer_id);
    transfers = [transfer, ...others].sort((a, b) => (a.created_at < b.created_at ? 1 : -1)).slice(0, MAX);
    const table = find("transfers");
    fill(table.tBodies[0], transfers, (each) => each.transfer_id, transferRow);
    showTable(table, transfers.length);
}

export function forgetTransfers() {
    transfers = [];
    wanted.clear();
    find("transfers").tBodies[0].replaceChildren();
    showTable(find("transfers"), 0);
}

export function wantTransfer(id) {
    wanted.add(id);
    if (wanted.size > MAX) wanted.delete(wanted.values().next().value);
}

// Gives whether there are more of them.
export async function refreshTransfers() {
    await Promise.all([...wanted].slice(-AT_ONCE).map(async (id) => {
        keep(await get(`/transfers/${id}`));
        wanted.delete(id);
    }));
    return wanted.size > 0;
}

// With an authorization, or with one that is chosen there.
export function openTransfer(authorization) {
    const choices = approvedOnes().map((each) => [each.authorization_id, `${each.vin}, ${each.person_identity_key}`]);
    const about = authorization
        ? `To ${authorization.person_identity_key}, who was authorized by ${authorization.authorized_by}.`
        : "Gives a vehicle into other hands, with an authorization that was approved.";
    const form = openForm({
        title: "New transfer", button: "Transfer the vehicle", about,
        fields: [
            {name: "credential_id", label: "Authorization", value: authorization?.authorization_id, choices,
             code: true},
            {name: "vin", label: "VIN", value: authorization?.vin, code: true},
            {name: "transfer_type", label: "Kind", value: "PICKUP", choices: TYPES,
             hint: "PICKUP, GATE_OUT and DEALER_RELEASE need a vehicle that is not held."},
            {name: "location_id", label: "Place", choices: PLACES, code: true,
             value: authorization?.origin.startsWith("LOC-") ? authorization.origin : PLACES[0][0]},
        ],
        send: async (values, key) => {
            const made = await post("/transfers", values, key);
            notice("good", `${made.vin} is with ${made.to_custodian} now.`);
            keep(made);
        },
    });
    form.elements.credential_id.addEventListener("input", ({target}) => {
        const known = approvedOnes().find((each) => each.authorization_id === target.value);
        if (known) form.elements.vin.value = known.vin;
    });
}

export function startTransfers() {
    find("transfer").addEventListener("click", () => openTransfer());
}
