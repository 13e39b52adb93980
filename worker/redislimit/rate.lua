-- The generic cell rate algorithm: the key holds when the next call would be due
-- if all came evenly. Takes a call, and returns for how many microseconds to wait
-- until it may be made.
-- ARGV: microseconds between two calls; how many microseconds calls may come early
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local interval = tonumber(ARGV[1])
local due = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if due < now then due = now end
local wait = due - tonumber(ARGV[2]) - now
if wait < 0 then wait = 0 end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', math.ceil((due + interval - now) / 1000) + 1000)
return wait
