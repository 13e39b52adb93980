// Package redisclaim keeps the worker's claims in Redis: it is the
// [worker.Claims] of production, and of the demo on miniredis.
//
// The plan log decides who owns a payout id; Redis only remembers it. So
// nothing here has to be durable, but everything has to be noticed: an empty
// Redis, another one, an older one, and one from which a key has vanished.
//
//   - Each change is one Lua script, atomic, and harmless when sent twice. It
//     compares the epoch, then the watermark with the plan's predecessor.
//   - The claims of a shard lie in many short strings, the buckets: about 43
//     bytes a claim instead of the 145 of a key. So that they stay short, buckets
//     are split as claims arrive, one for every 12 new claims, by linear hashing:
//     no pause, no resizing of the whole. The layout is told in buckets.lua.
//   - Every bucket exists, also an empty one, and has one of some lengths, no two
//     of them a claim apart. So a bucket that was evicted or deleted, or lost a
//     claim, is [worker.ErrClaimsCorrupt] as soon as it is touched, never
//     "nobody's". What only a person can do, and the scripts do not see, is to
//     write a bucket anew in a form that it could have: a claim made another or
//     wiped out in its place, an older copy put back. "toplu audit" compares
//     every claim with the log and sees that too.
//   - A script reads and verifies all first and writes last, because Redis does
//     not roll a failed script back. While it writes no watermark stands: what is
//     left half written by one that fails even then is corrupt, too.
//
// All keys of a shard share a hash tag. Only the shard's meta key is named to
// Redis, the others are made in the script.
//
// Payout ids do not go to Redis, only 12 bytes of their SHA-256.
//
// What a user of Redis with restricted rights needs is in docs/security.md, and
// tried there on real servers.
//
// # Files
//
//	store.go            the four methods of worker.Claims
//	buckets.lua         the layout, and how a claim is found; begins the next two
//	fold.lua lookup.lua claim a plan's items, ask for owners
//	begin.lua sweep.lua a new epoch, and what an older one left behind
//	check.go            is this Redis fit for it?
//	dial.go             a client with the settings that this package needs
//	lease.go            a lease per shard: saves work, keeps nothing safe
package redisclaim
