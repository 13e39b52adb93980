package config

import (
	"maps"
	"slices"
)

// RequestsTopic is the topic of requests unless a merchant has its own, without
// the prefix.
const RequestsTopic = "payout.requests"

// Topics are the names of the six topics in force, prefix included.
type Topics struct {
	Requests, Batches, Journal, Statuses, DLQ, Commands string
}

// Topics returns the topics' names.
func (k Kafka) Topics() Topics {
	return Topics{
		Requests: k.TopicPrefix + RequestsTopic,
		Batches:  k.TopicPrefix + "payout.batches",
		Journal:  k.TopicPrefix + "payout.journal",
		Statuses: k.TopicPrefix + "payout.statuses",
		DLQ:      k.TopicPrefix + "payout.requests.dlq",
		Commands: k.TopicPrefix + "payout.commands",
	}
}

// AllRequests returns every topic that requests are taken from, prefix
// included: payout.requests first, then those of merchants, in order.
func (c *Config) AllRequests() []string {
	own := map[string]bool{}
	for _, m := range c.Merchants {
		for _, topic := range m.Topics {
			own[c.Kafka.TopicPrefix+topic] = true
		}
	}
	first := c.Kafka.Topics().Requests
	delete(own, first)
	return append([]string{first}, slices.Sorted(maps.Keys(own))...)
}
