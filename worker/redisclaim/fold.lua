-- fold.lua applies one record of the plan log to a shard's claims. (buckets.lua stands before it.)
--
-- KEYS[1] -> <meta>. The keys of the buckets are made here: which are needed depends on the claims
--            themselves. They begin with <meta> and so have its hash tag: one slot, one node, also on
--            Redis Cluster.
-- ARGV[1] -> epoch
-- ARGV[2] -> offset of the record
-- ARGV[3] -> offset of its predecessor, -1 for none
-- ARGV[4] -> its items, each as the claim that it asks for; ids are distinct
-- Returns {'OK', owners}: 17 bytes for each item, the value of the claim that stood, or of 255 if none did: then it is
--                         claimed now
--         {'LOW', watermark}: neither at the predecessor nor at or past the record
--         {'LOST'}: nothing stands here, or another epoch
--         {'CORRUPT'}: what stands contradicts itself
-- Anything but OK has changed nothing. Redis rolls no script back, so all is read and verified first and
-- written last; a refusal to write (no memory, a replica, a full disk) comes with the first write or not at all.
-- Should a later one fail all the same (a user who may not SETRANGE), no watermark stands and all is CORRUPT.
local meta, epoch, offset, predecessor = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local items = ARGV[4]

local s, failure = stand(meta, epoch)
if not s then
  return failure
end
local before = s.watermark >= offset
if not before and s.watermark ~= predecessor then
  return {'LOW', string.format('%.0f', s.watermark)}
end

-- Nobody owns an item by a plan that is not folded yet.
local values, hashes, contents, keys = look(s, items, CLAIM, before and offset or predecessor)
if not values then
  return {'CORRUPT'}
end
local sub, byte = string.sub, string.byte
local fresh = {}
for i = 1, #values do
  if values[i] == NOBODY then
    fresh[#fresh + 1] = i
  end
end
if before then
  if #fresh > 0 then
    return {'CORRUPT'}
  end
  return {'OK', join(values)}
end

-- countOf tells how many claims a bucket has.
local function countOf(content)
  local room = #content / CLAIM
  for count = fullOf(room), room - 1 do
    local at = count * CLAIM + DIGEST + 1
    if byte(content, at) == 255 and sub(content, at, at + VALUE - 1) == NOBODY then
      return count
    end
  end
  return room
end

-- free is so many free places.
local places = {}
local function free(count)
  local text = places[count]
  if not text then
    text = string.rep('\255', CLAIM * count)
    places[count] = text
  end
  return text
end

-- Split as many buckets as the new claims will need, in memory. One split a MEAN claims: bounded work.
-- rewritten has of each the claims in a list.
local rewritten, low, split = {}, s.low, s.split
local splits = math.ceil((s.claims + #fresh) / MEAN) - (low + split)
if splits > 0 then
  local list, new = {}, {}
  local l, p = low, split
  for i = 1, splits do
    if p < s.low + s.split and not contents[p] then
      list[#list + 1] = p
      contents[p] = true
    end
    local key = s.prefix .. l + p
    new[i], keys[l + p] = key, key
    p = p + 1
    if p == l then
      l, p = 2 * l, 0
    end
  end
  if not load(s, list, contents, keys) then
    return {'CORRUPT'}
  end
  for i = 1, #new, BATCH do
    if redis.call('EXISTS', unpack(new, i, math.min(i + BATCH - 1, #new))) ~= 0 then
      return {'CORRUPT'}
    end
  end
end
for _ = 1, splits do
  local from, to = split, low + split
  local all = rewritten[from]
  if not all then
    local content = contents[from]
    local count = countOf(content)
    all = {}
    for k = 1, count do
      all[k] = sub(content, (k - 1) * CLAIM + 1, k * CLAIM)
    end
  end
  local stay, go = {}, {}
  for _, claim in ipairs(all) do
    local n = hash(claim, 0) % (2 * low)
    if n == from then
      stay[#stay + 1] = claim
    elseif n == to then
      go[#go + 1] = claim
    else
      return {'CORRUPT'}
    end
  end
  rewritten[from], rewritten[to] = stay, go
  split = split + 1
  if split == low then
    low, split = 2 * low, 0
  end
end

-- Put the new claims beside the old ones. A bucket that was not split is only added to.
local added = {}
for _, i in ipairs(fresh) do
  local n = bucketOf(hashes[i], low, split)
  local claim = sub(items, (i - 1) * CLAIM + 1, i * CLAIM)
  local claims = rewritten[n]
  if claims then
    claims[#claims + 1] = claim
  else
    added[n] = (added[n] or '') .. claim
  end
end

local sets, ranges = {}, {}
for n, claims in pairs(rewritten) do
  sets[#sets + 1] = keys[n]
  sets[#sets + 1] = join(claims) .. free(roomOf(#claims) - #claims)
end
for n, claims in pairs(added) do
  local content = contents[n]
  local count = countOf(content)
  local total = count + #claims / CLAIM
  if total * CLAIM <= #content then
    ranges[#ranges + 1] = keys[n]
    ranges[#ranges + 1] = count * CLAIM
    ranges[#ranges + 1] = claims
  else
    sets[#sets + 1] = keys[n]
    sets[#sets + 1] = sub(content, 1, count * CLAIM) .. claims .. free(roomOf(total) - total)
  end
end

redis.call('HSET', meta, 'wm', 'writing') -- until the last write
for i = 1, #sets, BATCH do
  redis.call('MSET', unpack(sets, i, math.min(i + BATCH - 1, #sets)))
end
for i = 1, #ranges, 3 do
  redis.call('SETRANGE', ranges[i], ranges[i + 1], ranges[i + 2])
end
redis.call('HSET', meta, 'wm', ARGV[2], 'n', string.format('%.0f', s.claims + #fresh),
  'low', string.format('%.0f', low), 'split', string.format('%.0f', split))
return {'OK', join(values)}
