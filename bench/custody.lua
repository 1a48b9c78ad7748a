-- What wrk asks of a custody service: wrk ... -s custody.lua URL -- ROUTE TOKEN
-- ROUTE is check, list or create; at the end it prints one line: answered, and of these not 2xx.
local threads, count = 0, 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(arguments)
    route = arguments[1]
    headers = {["Authorization"] = "Bearer " .. arguments[2], ["Content-Type"] = "application/json"}
    begun = os.time()
end

local function vin()
    count = count + 1
    return string.format("VIN%012d", count % 100)
end

function request()
    if route == "check" then
        return wrk.format("GET", "/v1/releasability/" .. vin(), headers)
    elseif route == "list" then
        return wrk.format("GET", "/v1/authorizations?vin=9HGBH41JXMN999999&limit=50", headers)
    end
    local body = string.format('{"vin":"%s","origin":"Atlanta","destination":"Dallas",' ..
        '"person_identity_key":"person-%d-%d-%d","authorized_by":"bench","make_model":"Unknown"}',
        vin(), begun, number, count)
    return wrk.format("POST", "/v1/authorizations", headers, body)
end

function done(summary, latency, requests)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    print(string.format("answered %d wrong %d", summary.requests, errors.status + broken))
end
