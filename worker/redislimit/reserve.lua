-- What is set aside for batches: field batch, value "minor expires".
-- ARGV: batch; minor; what is available, or -1 to ask only; the least that others
-- are taken to have; milliseconds to keep it
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local all = redis.call('HGETALL', KEYS[1])
local others = 0
for i = 1, #all, 2 do
  local minor, expires = string.match(all[i + 1], '^(%d+) (%d+)$')
  if minor == nil or tonumber(expires) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then
    others = others + tonumber(minor)
  end
end
local taken = 0
if tonumber(ARGV[3]) >= 0 then
  local need = math.max(others, tonumber(ARGV[4])) + tonumber(ARGV[2])
  if need <= tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now + tonumber(ARGV[5])))
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    taken = 1
  else
    redis.call('HDEL', KEYS[1], ARGV[1])
  end
end
return {taken, string.format('%.0f', others)}
