package kafkalog

import (
	"context"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A Publisher writes public events to one topic, by the hash of their keys. It
// is safe for concurrent use.
type Publisher struct {
	client *kafkaio.Client
	topic  string
}

// NewPublisher returns a publisher to a topic.
func NewPublisher(client *kafkaio.Client, topic string) *Publisher {
	return &Publisher{client: client, topic: topic}
}

// Publish implements [worker.Publisher].
func (p *Publisher) Publish(ctx context.Context, messages []schema.Message) error {
	return p.client.Publish(ctx, p.topic, kafkaio.Messages(messages...))
}

// Originals reads requests as they came. It is safe for concurrent use.
type Originals struct{ client *kafkaio.Client }

// NewOriginals returns a reader of requests.
func NewOriginals(client *kafkaio.Client) *Originals { return &Originals{client: client} }

// Original implements [worker.Originals].
func (o *Originals) Original(ctx context.Context, source schema.Source) (schema.Message, error) {
	r, err := o.client.ReadAt(ctx, source.Topic, source.Partition, source.Offset)
	if err != nil {
		return schema.Message{}, err
	}
	return r.Message(), nil
}
