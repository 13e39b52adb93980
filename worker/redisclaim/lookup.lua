-- lookup.lua tells who owns payout ids, and changes nothing. (buckets.lua stands before it.)
--
-- KEYS[1] -> <meta>; the buckets' keys are made here, as in fold.lua
-- ARGV[1] -> epoch
-- ARGV[2] -> the offset that must have been folded
-- ARGV[3] -> digests of the payout ids, 12 bytes each
-- Returns {'OK', owners}: 17 bytes for each id, the value of its claim, or of 255 if nobody owns it
--         {'LOW', watermark}, {'LOST'}, {'CORRUPT'}: as fold.lua
local meta, epoch, through, ids = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]

local s, failure = stand(meta, epoch)
if not s then
  return failure
end
if s.watermark < through then
  return {'LOW', string.format('%.0f', s.watermark)}
end
local values = look(s, ids, DIGEST, s.watermark)
if not values then
  return {'CORRUPT'}
end
return {'OK', join(values)}
