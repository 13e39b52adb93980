package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// ids are the payout ids of one run: a name and a number.
type ids struct{ name string }

func (s ids) id(n int) string { return fmt.Sprintf("%s-%09d", s.name, n) }

// number is the number of one of the run's ids, -1 of any other.
func (s ids) number(id []byte) int {
	if len(id) != len(s.name)+10 || string(id[:len(s.name)]) != s.name {
		return -1
	}
	n, err := strconv.Atoi(string(id[len(s.name)+1:]))
	if err != nil {
		return -1
	}
	return n
}

// request is the n-th request as a marketplace writes it.
func (s ids) request(n int, at time.Time) kafkaio.Message {
	order := strconv.Itoa(n)
	m := schema.EncodeRequest(&schema.Request{
		PayoutID: s.id(n), Merchant: schema.DefaultMerchant, Purpose: "SETTLEMENT",
		Recipient:   schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Amount:      schema.Amount{Minor: 10050, Currency: schema.TRY},
		Description: schema.Private("Order " + order), Metadata: []byte(`{"orderId":"` + order + `"}`),
	}, "ev-"+s.id(n), at)
	return kafkaio.Messages(m)[0]
}

// fillChunk is how many requests are written at a time.
const fillChunk = 10_000

// fill writes requests from number first on, telling how many there are.
func (b *Bench) fill(ctx context.Context, first, n int) error {
	for done := 0; done < n; {
		chunk := make([]kafkaio.Message, min(fillChunk, n-done))
		at := b.Now()
		for i := range chunk {
			chunk[i] = b.ids.request(first+done+i, at)
		}
		if err := b.Kafka.Publish(ctx, b.Topics.Requests, chunk); err != nil {
			return err
		}
		done += len(chunk)
		b.Progress("writing requests", done, n)
	}
	return nil
}
