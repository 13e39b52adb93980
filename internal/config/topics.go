package config

// Topics are the names of the six topics in force, prefix included.
type Topics struct {
	Requests, Batches, Journal, Statuses, DLQ, Commands string
}

// Topics returns the topics' names.
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
