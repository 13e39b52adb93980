-- condemn.lua gives up a shard's claims that were found damaged, so that its worker fills them again.
--
-- KEYS[1] -> <meta>
-- ARGV[1] -> the epoch under which the damage was found
-- Returns 1 if done, 0 if another epoch stands, or nothing.
local epoch = redis.pcall('HGET', KEYS[1], 'epoch') -- an error: not even a hash, so not ours
if epoch ~= ARGV[1] then
  return 0
end
return redis.call('UNLINK', KEYS[1])
