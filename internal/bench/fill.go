package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// id is that of the n-th payout.
func (b *Bench) id(n int) string { return fmt.Sprintf("%s-%09d", b.Name, n) }

// number is which payout an id is of, -1 for any other.
func (b *Bench) number(id []byte) int {
	if len(id) != len(b.Name)+10 || string(id[:len(b.Name)]) != b.Name {
		return -1
	}
	n, err := strconv.Atoi(string(id[len(b.Name)+1:]))
	if err != nil {
		return -1
	}
	return n
}

// request is one as a marketplace writes it.
func request(id string, n int, at time.Time) kafkaio.Message {
	order := strconv.Itoa(n)
	m := schema.EncodeRequest(&schema.Request{
		PayoutID: id, Merchant: schema.DefaultMerchant, Purpose: "SETTLEMENT",
		Recipient:   schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Amount:      schema.Amount{Minor: 10050, Currency: schema.TRY},
		Description: schema.Private("Order " + order), Metadata: []byte(`{"orderId":"` + order + `"}`),
	}, "ev-"+id, at)
	return kafkaio.Messages(m)[0]
}

// fillChunk is how many requests are written at a time.
const fillChunk = 10_000

// fill writes n more requests, telling how many there are.
func (b *Bench) fill(ctx context.Context, n int) error {
	for done := 0; done < n; {
		chunk := min(fillChunk, n-done)
		if err := b.write(ctx, chunk); err != nil {
			return err
		}
		done += chunk
		b.Progress("writing requests", done, n)
	}
	return nil
}

// write writes the next n requests.
func (b *Bench) write(ctx context.Context, n int) error {
	at := b.Now()
	messages := make([]kafkaio.Message, n)
	for i := range messages {
		messages[i] = request(b.id(b.written+i), b.written+i, at)
	}
	b.written += n
	return b.Kafka.Publish(ctx, b.Topics.Requests, messages)
}

// arrive writes n more requests, rate a second.
func (b *Bench) arrive(ctx context.Context, n, rate int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began := b.Now()
	for done := 0; done < n; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		due := min(n, int(int64(b.Now().Sub(began))*int64(rate)/int64(time.Second)))
		if due == done {
			continue
		}
		if err := b.write(ctx, due-done); err != nil {
			return err
		}
		done = due
		b.Progress("requests arriving", done, n)
	}
	return nil
}
