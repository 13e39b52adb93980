package config

import (
	"fmt"
	"maps"
	"slices"
)

// Topics are the names of the topics in force, prefix included.
type Topics struct {
	Requests, Batches, Journal, Statuses, DLQ, Commands string
	// Named are the topics beside Requests that merchants name for their requests,
	// in the order of the alphabet.
	Named []string
}

// Sources are the topics that requests are read from, the common one first. It is
// read whoever names it: whatever is written there gets an answer.
func (t Topics) Sources() []string { return append([]string{t.Requests}, t.Named...) }

// Own are the topics that are not for requests, in the order of a payout's way.
func (t Topics) Own() []string {
	return []string{t.Batches, t.Journal, t.Statuses, t.DLQ, t.Commands}
}

// Topics returns the names of the six topics and of those that merchants name.
func (c *Config) Topics() Topics {
	t := c.Kafka.Topics()
	for _, m := range c.Merchants {
		for _, name := range m.Topics {
			if name != t.Requests && !slices.Contains(t.Named, name) {
				t.Named = append(t.Named, name)
			}
		}
	}
	slices.Sort(t.Named)
	return t
}

// GroupOf is the consumer group that reads a topic of requests. Each topic has a
// group of its own, so that what stops or slows one does nothing to the others.
func (c *Config) GroupOf(topic string) string {
	if topic == c.Kafka.Topics().Requests {
		return c.Kafka.Group
	}
	return c.Kafka.Group + "." + topic
}

// maxTopic is the longest name that Kafka gives a topic.
const maxTopic = 249

// fullTopics puts the prefix before the topics of merchants, and checks that they
// are for requests.
func (l *loader) fullTopics() {
	own := l.cfg.Kafka.Topics().Own()
	for _, name := range slices.Sorted(maps.Keys(l.cfg.Merchants)) {
		m := l.cfg.Merchants[name]
		var full []string
		for _, topic := range m.Topics {
			topic = l.cfg.Kafka.TopicPrefix + topic
			switch {
			case slices.Contains(own, topic):
				l.disagree(merchantPrefix+name+".topics", fmt.Sprintf("names %s, which is no topic of requests but one of toplu's own", topic))
			case len(topic) > maxTopic:
				l.disagree(merchantPrefix+name+".topics", fmt.Sprintf("names a topic that is %d characters long with kafka.topicPrefix: Kafka takes %d", len(topic), maxTopic))
			case !slices.Contains(full, topic):
				full = append(full, topic)
			}
		}
		m.Topics = full
		l.cfg.Merchants[name] = m
	}
}

// Topics returns the names of the six topics.
func (k Kafka) Topics() Topics {
	return Topics{
		Requests: k.TopicPrefix + "payout.requests",
		Batches:  k.TopicPrefix + "payout.batches",
		Journal:  k.TopicPrefix + "payout.journal",
		Statuses: k.TopicPrefix + "payout.statuses",
		DLQ:      k.TopicPrefix + "payout.requests.dlq",
		Commands: k.TopicPrefix + "payout.commands",
	}
}
