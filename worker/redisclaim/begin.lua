-- begin.lua makes a shard's claims empty under a new epoch.
--
-- KEYS[1] -> <meta>
-- ARGV[1] -> log id
-- ARGV[2] -> epoch
-- ARGV[3] -> gen, a name never used before: what older buckets are left is no longer looked at
-- Returns 1 if done, 0 if that epoch stands already.
local epoch = redis.pcall('HGET', KEYS[1], 'epoch') -- an error: not even a hash, so not ours
if epoch == ARGV[2] then
  return 0
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'v', '2', 'log', ARGV[1], 'epoch', ARGV[2], 'gen', ARGV[3],
  'wm', '-1', 'n', '0', 'low', '1', 'split', '0')
redis.call('SET', KEYS[1] .. ':' .. ARGV[3] .. ':0', '') -- the one bucket, empty: see bucket.go
return 1
