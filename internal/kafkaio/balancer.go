package kafkaio

import (
	"cmp"
	"slices"

	"github.com/segmentio/kafka-go"
)

// Ranges divides each topic's partitions into ranges that differ by one at
// most, one range a member in the order of member ids. What a member gets
// depends on the members alone, so it stays put in a rebalance that changes
// none: kafka-go's own balancers go by the order in which brokers list members,
// which differs from generation to generation.
type Ranges struct{}

// ProtocolName is the name under which members agree on how to divide. It is
// not Kafka's "range", whose members would be sorted otherwise.
func (Ranges) ProtocolName() string { return "toplu-ranges" }

// UserData is empty: members tell the group's leader nothing.
func (Ranges) UserData() ([]byte, error) { return nil, nil }

// AssignGroups divides the partitions. The group's leader calls it.
func (Ranges) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	byTopic := make(map[string][]int)
	for _, p := range partitions {
		byTopic[p.Topic] = append(byTopic[p.Topic], p.ID)
	}
	out := make(kafka.GroupMemberAssignments)
	for _, m := range members {
		out[m.ID] = make(map[string][]int)
	}
	for topic, ids := range byTopic {
		slices.Sort(ids)
		takers := slices.DeleteFunc(slices.Clone(members), func(m kafka.GroupMember) bool {
			return !slices.Contains(m.Topics, topic)
		})
		slices.SortFunc(takers, func(a, b kafka.GroupMember) int { return cmp.Compare(a.ID, b.ID) })
		for i, m := range takers {
			from, to := i*len(ids)/len(takers), (i+1)*len(ids)/len(takers)
			if from < to {
				out[m.ID][topic] = ids[from:to]
			}
		}
	}
	return out
}
