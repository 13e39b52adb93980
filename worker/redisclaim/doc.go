// Package redisclaim keeps the worker's claims in Redis: it is the
// [worker.Claims] of production, and of the demo on miniredis.
//
// The plan log decides who owns a payout id; Redis only remembers it. So
// nothing here has to be durable, but everything has to be noticed: an empty
// Redis, another one, an older one, and one from which a key has vanished.
//
//   - A fold looks, decides here, and writes in one transaction that is void if the
//     shard's meta key has changed since: every change of claims changes that key. It
//     compares the epoch, then the watermark with the plan's predecessor, and is
//     harmless when sent twice. Plain commands, because Redis's Lua took three times
//     as long for the same claims.
//   - The claims of a shard lie in many short strings, the buckets: about 43
//     bytes a claim instead of the 145 of a key. So that they stay short, buckets
//     are split as claims arrive, one for every 12 new claims, by linear hashing:
//     no pause, no resizing of the whole. The layout is told in bucket.go.
//   - Every bucket exists, also an empty one, and has one of some lengths, no two
//     of them a claim apart. So a bucket that was evicted or deleted, or lost a
//     claim, is [worker.ErrClaimsCorrupt] as soon as it is touched, never
//     "nobody's". What only a person can do, and is not seen here, is to write a
//     bucket anew in a form that it could have: a claim made another, the last one
//     wiped out, several cut so that the length fits again, an older copy put back.
//     "toplu audit" compares every claim with the log and sees that too.
//   - What Redis refuses (no memory, a replica, a right that is missing), it refuses
//     before it begins to write, and nothing is written at all.
//
// All keys of a shard share a hash tag: they are in one slot of a cluster.
//
// Payout ids do not go to Redis, only 12 bytes of their SHA-256.
//
// What a user of Redis with restricted rights needs is in docs/security.md, and
// tried there on real servers.
//
// # Files
//
//	store.go            the four methods of worker.Claims
//	bucket.go           the layout, and how a claim is found
//	read.go             what stands, and the buckets that are asked for, at one moment
//	fold.go write.go    claim a plan's items
//	begin.lua sweep.lua a new epoch, and what an older one left behind
//	check.go            is this Redis fit for it?
//	dial.go             a client with the settings that this package needs
//	lease.go            a lease per shard: saves work, keeps nothing safe
package redisclaim
