-- sweep.lua removes buckets that no longer count.
--
-- KEYS[1] -> <meta>
-- ARGV[1..] -> keys that begin with <meta>:
-- Returns how many were removed. A bucket of the gen that stands now is never one of them: asked here, in
-- one step with the removal, because another Begin may have come since the keys were listed.
local gen = redis.call('HGET', KEYS[1], 'gen')
if not gen then
  return 0
end
local keep, removed = KEYS[1] .. ':' .. gen .. ':', 0
for _, key in ipairs(ARGV) do
  if string.sub(key, 1, #keep) ~= keep then
    removed = removed + redis.call('UNLINK', key)
  end
end
return removed
