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
