-- buckets.lua stands before fold.lua and lookup.lua: how the claims of a shard lie in Redis.
--
-- <meta>               a hash: v (the version of this layout), log, epoch, gen, wm (watermark),
--                      n (claims in all), low and split (see bucketOf), and for each bucket that is
--                      not empty a field <number> with the count of its claims
-- <meta>:<gen>:<number> a bucket, a hash: field = 12 bytes of the digest of the payout id,
--                      value = 5 bytes offset of the owning plan, big-endian, and 12 bytes content digest
--
-- gen is a fresh name for each Begin, so that what an earlier one left behind is never mistaken for ours.

-- The mean load at which the next bucket is split. Linear hashing leaves buckets that wait for their
-- split with up to twice the mean, 80, and chance seldom adds more than 40: below the 128 entries up to
-- which any Redis keeps a hash packed.
local MEAN = 40

-- Values handed to one call. unpack uses the Lua stack, which ends near 8000 in Redis and 5000 in miniredis,
-- where concat uses it too.
local CHUNK = 1000

local DIGEST, VALUE = 12, 17

-- stand returns what stands for the epoch, or nil and the answer to give.
local function stand(meta, epoch)
  local h = redis.call('HMGET', meta, 'epoch', 'v', 'gen', 'wm', 'n', 'low', 'split')
  if h[1] ~= epoch then
    return nil, {'LOST'}
  end
  local s = {
    watermark = tonumber(h[4] or ''), claims = tonumber(h[5] or ''),
    low = tonumber(h[6] or ''), split = tonumber(h[7] or ''),
  }
  if h[2] ~= '1' or not (h[3] and s.watermark and s.claims and s.low and s.split) then
    return nil, {'CORRUPT'}
  end
  s.prefix = meta .. ':' .. h[3] .. ':'
  return s
end

-- bucketOf is linear hashing: a level began with low buckets, the first split of them are split already,
-- each into itself and the one low places further on.
local function bucketOf(digest, low, split)
  local a, b, c, d = string.byte(digest, 1, 4)
  local h = ((a * 256 + b) * 256 + c) * 256 + d
  local n = h % low
  if n < split then
    n = h % (2 * low)
  end
  return n
end

-- ownerOf is the offset in a claim's value.
local function ownerOf(value)
  local a, b, c, d, e = string.byte(value, 1, 5)
  return (((a * 256 + b) * 256 + c) * 256 + d) * 256 + e
end

-- countsOf returns the count of each bucket in list as meta has it.
local function countsOf(meta, list)
  local counts = {}
  for i = 1, #list, CHUNK do
    local last = math.min(i + CHUNK - 1, #list)
    for j, count in ipairs(redis.call('HMGET', meta, unpack(list, i, last))) do
      counts[list[i + j - 1]] = tonumber(count or '0')
    end
  end
  return counts
end

-- look finds the claims of all digests in blob, one every step bytes. It returns for each its value or
-- false, the digests, and the counts of the buckets touched; or nil if a bucket has not the count that
-- meta says, or a claim is no claim or is of a plan past limit: then nothing here is to be believed.
local function look(meta, s, blob, step, limit)
  local digests, order, members = {}, {}, {}
  for i = 1, #blob / step do
    local digest = string.sub(blob, (i - 1) * step + 1, (i - 1) * step + DIGEST)
    local n = bucketOf(digest, s.low, s.split)
    digests[i] = digest
    if members[n] then
      table.insert(members[n], i)
    else
      members[n] = {i}
      table.insert(order, n)
    end
  end

  local counts, values = countsOf(meta, order), {}
  for _, n in ipairs(order) do
    local key, positions = s.prefix .. n, members[n]
    if redis.call('HLEN', key) ~= counts[n] then
      return nil
    end
    for i = 1, #positions, CHUNK do
      local fields = {}
      for j = i, math.min(i + CHUNK - 1, #positions) do
        table.insert(fields, digests[positions[j]])
      end
      local found = counts[n] > 0 and redis.call('HMGET', key, unpack(fields)) or {}
      for j = 1, #fields do
        local value = found[j]
        if value and (#value ~= VALUE or ownerOf(value) > limit) then
          return nil
        end
        values[positions[i + j - 1]] = value or false
      end
    end
  end
  return values, digests, counts
end

-- join makes one text of all values.
local function join(values)
  local parts = {}
  for i = 1, #values, CHUNK do
    table.insert(parts, table.concat(values, '', i, math.min(i + CHUNK - 1, #values)))
  end
  return table.concat(parts)
end
