package redisclaim

import (
	"encoding/binary"
	"strings"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// layout is the version of what this file and [standing] describe: how the claims
// of a shard lie in Redis.
//
//	<meta>                a hash: v (the layout), log, epoch, gen, wm (watermark), n (claims in
//	                      all), low and split: there are low + split buckets, see bucketOf
//	<meta>:<gen>:<number> a bucket, a string: its claims in no order, then free places up to
//	                      its room, see roomOf
//	a claim               12 bytes of the digest of the payout id, 5 bytes offset of the owning
//	                      plan, big-endian, 12 bytes content digest
//	a free place          29 bytes of 255. No plan has that offset; a digest may look as it likes
//
// Strings, for many of them are read by one MGET, and a claim is written by one
// SETRANGE into room that is there. gen is a fresh name for each Begin, so that what
// an earlier one left behind is never mistaken for ours.
const layout = "2"

const (
	digestSize = 12                           // of a payout id
	offsetSize = 5                            // of a plan's offset
	claimSize  = digestSize + offsetSize + 12 // of a claim; its end is the content digest
	maxOffset  = 1<<(8*offsetSize) - 2        // the largest offset that a claim can hold; one above it is "nobody"
	nobody     = 1<<(8*offsetSize) - 1        // the offset in a free place
)

// meanLoad is how many claims a bucket has on average when the next one is split.
// Linear hashing leaves buckets that wait for their split with up to twice as many.
// More claims a bucket take less memory, and longer.
const meanLoad = 12

// A digest stands for a payout id in Redis.
type digest [digestSize]byte

// hash decides on the bucket.
func (d digest) hash() int64 { return int64(binary.BigEndian.Uint32(d[:4])) }

// bucketOf is linear hashing: a level began with low buckets, the first split of them
// are split already, each into itself and the one low places further on.
func bucketOf(hash, low, split int64) int64 {
	n := hash % low
	if n < split {
		n = hash % (2 * low)
	}
	return n
}

// rooms are for how many claims a bucket can have room: as many as fit into what
// Redis's allocator hands out, and beyond the last, where chance does not go, in
// steps. They differ by more than one: a bucket from which one claim was cut has none
// of these lengths.
var rooms = [...]int{0, 4, 8, 13, 17, 21, 26, 30, 35, 43, 52, 61, 70, 88, 105, 123, 141}

const beyond = 32

// roomOf tells for how many claims a bucket of count has room.
func roomOf(count int) int {
	for _, room := range rooms {
		if room >= count {
			return room
		}
	}
	last := rooms[len(rooms)-1]
	return last + (count-last+beyond-1)/beyond*beyond
}

// A bucket is what one holds in Redis, and what is to come to it.
type bucket struct {
	key     string
	content string // as it was read: its claims, then free places
	count   int    // of the claims in content

	anew  bool   // what is added is to stand in place of content, not beside it
	added string // claims
}

// read verifies what a bucket holds, among claims up to the watermark. It returns
// false if no bucket looks like that: then nothing here is to be believed.
func (b *bucket) read(content string, watermark int64) bool {
	b.content = content
	room := len(content) / claimSize
	for ; b.count < room; b.count++ {
		offset := b.at(b.count).Offset
		if offset == nobody {
			break
		}
		if offset > watermark {
			return false
		}
	}
	// None was cut out, or wiped out in its place, or all of them.
	return roomOf(b.count) == room && content[b.count*claimSize:] == free(room-b.count) && !strings.HasPrefix(content, vanished)
}

// vanished is how a bucket begins that was gone when a SETRANGE came to it.
var vanished = strings.Repeat("\x00", claimSize)

// claims are those that were read.
func (b *bucket) claims() string { return b.content[:b.count*claimSize] }

// at is the owner in the i-th place.
func (b *bucket) at(i int) worker.Owner {
	value := b.content[i*claimSize+digestSize:][:claimSize-digestSize]
	var offset int64
	for _, c := range []byte(value[:offsetSize]) {
		offset = offset<<8 | int64(c)
	}
	return worker.Owner{Offset: offset, Content: schema.Digest([]byte(value[offsetSize:]))}
}

// owner finds who has claimed the id, [worker.None] for nobody.
func (b *bucket) owner(id digest) worker.Owner {
	for i := range b.count {
		if b.content[i*claimSize:][:digestSize] == string(id[:]) {
			return b.at(i)
		}
	}
	return worker.Owner{Offset: worker.None}
}

// appendClaim appends the claim of an id by the plan at offset.
func appendClaim(b []byte, id digest, offset int64, content schema.Digest) []byte {
	b = append(b, id[:]...)
	for i := offsetSize - 1; i >= 0; i-- {
		b = append(b, byte(offset>>(8*i)))
	}
	return append(b, content[:]...)
}

// free is so many free places.
func free(places int) string {
	if places*claimSize > len(freePlaces) {
		return strings.Repeat("\xff", places*claimSize)
	}
	return freePlaces[:places*claimSize]
}

var freePlaces = strings.Repeat("\xff", beyond*claimSize)
