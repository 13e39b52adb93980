package kafkaio_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/kafkaio"
)

// TestPartitionFor compares with hashes that Kafka's Java client is tested with,
// in its UtilsTest.
func TestPartitionFor(t *testing.T) {
	t.Parallel()
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		for _, n := range []int{1, 4, 7, 64} {
			if got, want := kafkaio.PartitionFor([]byte(key), n), int(hash&0x7fffffff)%n; got != want {
				t.Errorf("%s among %d: %d, want %d", key, n, got, want)
			}
		}
	}
}

// TestRanges shows that what a member gets depends on the members alone.
func TestRanges(t *testing.T) {
	t.Parallel()
	partitions := make([]kafka.Partition, 5)
	for i := range partitions {
		partitions[i] = kafka.Partition{Topic: "t", ID: 4 - i}
	}
	member := func(id, topic string) kafka.GroupMember { return kafka.GroupMember{ID: id, Topics: []string{topic}} }
	for _, members := range [][]kafka.GroupMember{
		{member("a", "t"), member("b", "t"), member("c", "other")},
		{member("c", "other"), member("b", "t"), member("a", "t")},
	} {
		want := kafka.GroupMemberAssignments{"a": {"t": {0, 1}}, "b": {"t": {2, 3, 4}}, "c": {}}
		if diff := cmp.Diff(want, (kafkaio.Ranges{}).AssignGroups(members, partitions)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	many := []kafka.GroupMember{member("a", "u"), member("b", "u"), member("c", "u")}
	got := kafkaio.Ranges{}.AssignGroups(many, []kafka.Partition{{Topic: "u", ID: 0}, {Topic: "u", ID: 1}})
	want := kafka.GroupMemberAssignments{"a": {}, "b": {"u": {0}}, "c": {"u": {1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("more members than partitions (-want +got):\n%s", diff)
	}
}
