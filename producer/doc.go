// Package producer asks for payouts from a Go program: it checks requests with
// every rule that toplu itself checks, and writes them to payout.requests.
//
//	p, err := producer.New(producer.Config{Brokers: []string{"kafka:9092"}})
//	…
//	defer p.Close()
//	err = p.Publish(ctx, producer.Request{
//		PayoutID:  "order-1042-seller-77",
//		Recipient: schema.Recipient{Type: schema.IBAN, Value: schema.Private(iban), Name: schema.Private(name)},
//		Amount:    "100.50",
//		Currency:  schema.TRY,
//	})
//
// # What a caller can rely on
//
// A payout id is paid at most once, however often its request is published. So
// after any error, or a crash, publish the same again. The request should be
// kept where the order is until Publish has returned nil.
//
// A span of OpenTelemetry in Publish's context goes with each request, and comes
// back with each of its statuses.
//
// What became of a payout is told on payout.statuses; see [schema.DecodeStatus].
// Publish returning nil says only that the request is in Kafka.
//
// A program in another language writes the same events with any Kafka client:
// the JSON Schema is in [schema.Files].
package producer
