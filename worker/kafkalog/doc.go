// Package kafkalog stands the ports of package worker on Kafka: one partition
// of payout.batches or payout.journal as a [worker.Log], the public events, and
// requests as they came.
package kafkalog
