-- What an entity costs a DSP, one after the other: its POST with a body of usual size, and one look at it.
local requests = {}

function init()
  local body = '{"id":"ad_00017","type":"native","creative_url":"https://cdn.example.com/c/00017.png",' ..
               '"click_url":"https://example.com/landing/00017?src=dl","status":"active","ad_group_id":"4f1c0d"}'
  local headers = {["Content-Type"] = "application/json",
                   ["Idempotency-Key"] = "6ba7b811-9dad-51d1-80b4-00c04fd430c8"}
  requests[0] = wrk.format("POST", "/ads", headers, body)
  requests[1] = wrk.format("GET", "/ads/4f1c0d/status", {["Accept"] = "application/json"})
end

local turn = 0
function request()
  turn = 1 - turn
  return requests[turn]
end
