-- fold.lua applies one record of the plan log to a shard's claims. (buckets.lua stands before it.)
--
-- KEYS[1] -> <meta>. The keys of the buckets are made here: which are needed depends on the claims
--            themselves. They begin with <meta> and so have its hash tag: one slot, one node, also on
--            Redis Cluster.
-- ARGV[1] -> epoch
-- ARGV[2] -> offset of the record
-- ARGV[3] -> offset of its predecessor, -1 for none
-- ARGV[4] -> offset again, 5 bytes big-endian
-- ARGV[5] -> its items, 24 bytes each: digest of the payout id, digest of the content; ids are distinct
-- Returns {'OK', owners}: 17 bytes for each item, the value of its claim
--         {'LOW', watermark}: neither at the predecessor nor at or past the record
--         {'LOST'}: nothing stands here, or another epoch
--         {'CORRUPT'}: what stands contradicts itself
-- Anything but OK has changed nothing. Redis rolls no script back, so all is read and verified first and
-- written last; a refusal to write (no memory, a replica, a full disk) comes with the first write or not at all.
local meta, epoch, offset, predecessor = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local owner, items = ARGV[4], ARGV[5]
local ITEM = 24

local s, failure = stand(meta, epoch)
if not s then
  return failure
end
local before = s.watermark >= offset
if not before and s.watermark ~= predecessor then
  return {'LOW', string.format('%.0f', s.watermark)}
end

-- Nobody owns an item by a plan that is not folded yet.
local values, digests, counts = look(meta, s, items, ITEM, before and offset or predecessor)
if not values then
  return {'CORRUPT'}
end
local fresh = {}
for i = 1, #digests do
  if not values[i] then
    values[i] = owner .. string.sub(items, i * ITEM - DIGEST + 1, i * ITEM)
    table.insert(fresh, i)
  end
end
if before then
  if #fresh > 0 then
    return {'CORRUPT'}
  end
  return {'OK', join(values)}
end

-- load reads a whole bucket as fields and values in turn; nil if it has not the count that meta says.
local function load(n)
  local all = redis.call('HGETALL', s.prefix .. n)
  if #all ~= 2 * countsOf(meta, {n})[n] then
    return nil
  end
  return all
end

-- Split as many buckets as the new claims will need, in memory. One split a 40 claims: bounded work.
local rewritten, low, split = {}, s.low, s.split
while s.claims + #fresh > MEAN * (low + split) do
  local from, to = split, low + split
  local all, none = rewritten[from] or load(from), load(to)
  if not all or not none or #none > 0 then
    return {'CORRUPT'}
  end
  rewritten[from], rewritten[to] = {}, {}
  split = split + 1
  for i = 1, #all, 2 do
    local into = #all[i] == DIGEST and rewritten[bucketOf(all[i], low, split)]
    if not into then
      return {'CORRUPT'}
    end
    table.insert(into, all[i])
    table.insert(into, all[i + 1])
  end
  if split == low then
    low, split = 2 * low, 0
  end
end

-- Put the new claims beside the old ones. A bucket that was not split is only added to.
local added = {}
for _, i in ipairs(fresh) do
  local n = bucketOf(digests[i], low, split)
  local into = rewritten[n] or added[n]
  if not into then
    into = {}
    added[n] = into
  end
  table.insert(into, digests[i])
  table.insert(into, values[i])
end

-- set writes fields and values in turn.
local function set(key, list)
  for i = 1, #list, CHUNK do
    redis.call('HSET', key, unpack(list, i, math.min(i + CHUNK - 1, #list)))
  end
end

local state = {
  'wm', ARGV[2], 'n', string.format('%.0f', s.claims + #fresh),
  'low', string.format('%.0f', low), 'split', string.format('%.0f', split),
}
for n, list in pairs(rewritten) do
  table.insert(state, tostring(n))
  table.insert(state, tostring(#list / 2))
end
for n, list in pairs(added) do
  table.insert(state, tostring(n))
  table.insert(state, tostring(counts[n] + #list / 2))
end
set(meta, state)
for n, list in pairs(rewritten) do
  -- Written anew, not thinned out: so it is packed tightly, and packed again if chance had made it too long.
  redis.call('DEL', s.prefix .. n)
  set(s.prefix .. n, list)
end
for n, list in pairs(added) do
  set(s.prefix .. n, list)
end
return {'OK', join(values)}
