package schema

// Shard is the partition of payout.batches (and of payout.journal) in which
// all plans of a payout id meet: murmur2 of the id as the Java client hashes
// keys, without the sign bit, modulo the partition count.
func Shard(payoutID string, partitions int) int {
	return int(murmur2(payoutID)&0x7fffffff) % partitions
}

// murmur2 is the hash of Kafka's Java client (org.apache.kafka.common.utils.Utils).
func murmur2(data string) uint32 {
	const (
		seed uint32 = 0x9747b28c
		m    uint32 = 0x5bd1e995
		r           = 24
	)
	h := seed ^ uint32(len(data))
	for len(data) >= 4 {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h *= m
		h ^= k
		data = data[4:]
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(data[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
