-- buckets.lua stands before fold.lua and lookup.lua: how the claims of a shard lie in Redis.
--
-- <meta>                a hash: v (the version of this layout), log, epoch, gen, wm (watermark),
--                       n (claims in all), low and split: there are low + split buckets, see bucketOf
-- <meta>:<gen>:<number> a bucket, a string: its claims in no order, then free places up to its room, see roomOf
-- a claim               12 bytes of the digest of the payout id, 5 bytes offset of the owning plan, big-endian,
--                       12 bytes content digest
-- a free place          29 bytes of 255. No plan has that offset; a digest may look as it likes
--
-- Every bucket exists, an empty one too: one that does not was deleted or evicted. One from which a claim
-- was cut has a length that no bucket has. Not noticed here, but by an audit, is what people alone could do:
-- a claim exchanged for another or for a free place, several cut so that the length fits again, an older
-- copy of one bucket put back.
--
-- Strings, for many of them are read by one MGET, a claim is found by one search in C, and written by one
-- SETRANGE into room that is there. They are short, for Redis's Lua hashes every byte of a string that it makes.
--
-- gen is a fresh name for each Begin, so that what an earlier one left behind is never mistaken for ours.

-- The mean load at which the next bucket is split. Linear hashing leaves buckets that wait for their
-- split with up to twice as many. More claims a bucket take less memory, and longer.
local MEAN = 12

-- Keys, or keys and values, handed to one call: as many as Redis keeps arguments ready for.
local BATCH = 30

-- Values handed to one concat, which uses the Lua stack in miniredis; it ends near 5000 there.
local CHUNK = 1000

local DIGEST, VALUE = 12, 17
local CLAIM = DIGEST + VALUE
local NOBODY = string.rep('\255', VALUE) -- the value in a free place

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
  if h[2] ~= '2' or not (h[3] and s.watermark and s.claims and s.low and s.split) then
    return nil, {'CORRUPT'}
  end
  s.prefix = meta .. ':' .. h[3] .. ':'
  return s
end

-- hash is what of a digest decides on its bucket; the digest begins after position at of blob.
local function hash(blob, at)
  local a, b, c, d = string.byte(blob, at + 1, at + 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- bucketOf is linear hashing: a level began with low buckets, the first split of them are split already,
-- each into itself and the one low places further on.
local function bucketOf(h, low, split)
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

-- join makes one text of all values.
local function join(values)
  if #values <= CHUNK then
    return table.concat(values)
  end
  local parts = {}
  for i = 1, #values, CHUNK do
    table.insert(parts, table.concat(values, '', i, math.min(i + CHUNK - 1, #values)))
  end
  return table.concat(parts)
end

-- roomOf tells for how many claims a bucket has room that has count: as many as fit into what Redis's
-- allocator hands out. They differ by more than one: a bucket from which one claim was cut has none of these
-- lengths. full is by room the most claims for which it would be too large.
local roomFor, full, largest = {[0] = 0}, {[0] = 0}, 0
for _, room in ipairs({4, 8, 13, 17, 21, 26, 30, 35, 43, 52, 61, 70, 88, 105, 123, 141}) do
  full[room] = largest
  for count = largest + 1, room do
    roomFor[count] = room
  end
  largest = room
end
local BEYOND = 32 -- chance does not go there
local function roomOf(count)
  return roomFor[count] or largest + math.ceil((count - largest) / BEYOND) * BEYOND
end
-- fullOf returns nil for what is no room.
local function fullOf(room)
  return full[room] or room > largest and (room - largest) % BEYOND == 0 and room - BEYOND or nil
end

-- load reads the buckets in list, by number, into contents and their keys into keys. It returns false if
-- one is missing, or has a length that no bucket has: then nothing here is to be believed.
local function load(s, list, contents, keys)
  local prefix, batch = s.prefix, {}
  for i = 1, #list, BATCH do
    local size = math.min(BATCH, #list - i + 1)
    for j = 1, size do
      local n = list[i + j - 1]
      local key = prefix .. n
      batch[j], keys[n] = key, key
    end
    local found = redis.call('MGET', unpack(batch, 1, size))
    for j = 1, size do
      local content = found[j]
      if not content or not fullOf(#content / CLAIM) then
        return false
      end
      contents[list[i + j - 1]] = content
    end
  end
  return true
end

-- look finds the claims of all digests in blob, one every step bytes. It returns for each its value or
-- NOBODY, the hashes, and the buckets touched; or nil if a bucket is damaged, or a claim is of a plan past
-- limit: then nothing here is to be believed.
local function look(s, blob, step, limit)
  local low, split = s.low, s.split
  local hashes, numbers, list, contents, keys = {}, {}, {}, {}, {}
  for i = 1, #blob / step do
    local h = hash(blob, (i - 1) * step)
    local n = bucketOf(h, low, split)
    hashes[i], numbers[i] = h, n
    if not contents[n] then
      contents[n] = true
      list[#list + 1] = n
    end
  end
  if not load(s, list, contents, keys) then
    return nil
  end
  local find, sub, values = string.find, string.sub, {}
  for i = 1, #numbers do
    local content, value = contents[numbers[i]], NOBODY
    local digest = sub(blob, (i - 1) * step + 1, (i - 1) * step + DIGEST)
    local at = find(content, digest, 1, true)
    while at and (at - 1) % CLAIM ~= 0 do
      at = find(content, digest, at + 1, true) -- it stood across two claims
    end
    if at then
      value = sub(content, at + DIGEST, at + CLAIM - 1)
      if value ~= NOBODY and ownerOf(value) > limit then
        return nil
      end
    end
    values[i] = value
  end
  return values, hashes, contents, keys
end
