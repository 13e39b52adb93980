package schema_test

import (
	"testing"

	"github.com/toplu/toplu/schema"
)

// The values are those of UtilsTest in Kafka's own clients.
func TestShardHashesAsTheJavaClientDoes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(schema.Murmur2(in)); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestShard(t *testing.T) {
	t.Parallel()
	// toPositive(h) is h & 0x7fffffff, which is not the absolute value.
	const positive = -973932308 & 0x7fffffff
	for _, n := range []int{1, 3, 4, 12, 100} {
		if got := schema.Shard("21", n); got != positive%n {
			t.Errorf("Shard(21, %d) = %d, want %d", n, got, positive%n)
		}
	}
}
