package producer_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/toplu/toplu/producer"
	"github.com/toplu/toplu/schema"
)

func ExampleProducer_Publish() {
	kafka := kfake.MustCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "payout.requests")) // yours is a real one
	defer kafka.Close()

	p, err := producer.New(producer.Config{Brokers: kafka.ListenAddrs()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = p.Publish(ctx, producer.Request{
		PayoutID:    "order-1042-seller-77",
		Recipient:   schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Amount:      "100.50",
		Currency:    schema.TRY,
		Description: "Order 1042",
		Metadata:    map[string]string{"orderId": "1042"},
	})
	fmt.Println("first:", err)

	err = p.Publish(ctx, producer.Request{
		PayoutID:  "order-1043-seller-77",
		Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326"},
		Amount:    "100.505",
		Currency:  schema.TRY,
	})
	if invalid, ok := errors.AsType[*producer.InvalidError](err); ok {
		for _, problem := range invalid.Requests[0].Problems {
			fmt.Println("second:", problem.Field, problem.Text)
		}
	}
	// Output:
	// first: <nil>
	// second: recipient.name is missing: an IBAN is paid with its owner's name
	// second: amount.value has more decimals than the currency (2)
}

// Many payouts in one call are fastest: nothing is sent unless all can be, and
// after any other error the same call again pays nothing twice.
func ExampleProducer_Publish_many() {
	kafka := kfake.MustCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "payout.requests")) // yours is a real one
	defer kafka.Close()

	p, err := producer.New(producer.Config{Brokers: kafka.ListenAddrs(), Source: "/shop/payroll"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()

	var requests []producer.Request
	for seller := range 1000 {
		requests = append(requests, producer.Request{
			PayoutID:  fmt.Sprintf("week-14-seller-%d", seller), // of what it is for, never of the moment
			Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Amount:    "12.50",
			Currency:  schema.TRY,
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for range 3 {
		err = p.Publish(ctx, requests...)
		if _, invalid := errors.AsType[*producer.InvalidError](err); err == nil || invalid || errors.Is(err, producer.ErrTopicMissing) {
			break // done, or a person's affair; else some may have been written, and all are published again
		}
	}
	fmt.Println(len(requests), err)
	// Output: 1000 <nil>
}
