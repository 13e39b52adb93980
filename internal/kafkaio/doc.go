// Package kafkaio is the only place that speaks to Kafka. It wraps
// segmentio/kafka-go so that the rest of the program sees what a payout worker
// needs and none of what a general client allows.
//
// # What it gives
//
//	reading     NewReader, ReadAt    one partition, in order, committed records only      fetch.go exchange.go decode.go
//	appending   NewAppender          one partition, group commit, offsets come back       append.go
//	publishing  Publish              many partitions, retried: at least once              publish.go
//	            record batches, as both write them                                        produce.go recordbatch.go
//	groups      Join                 one callback a generation, fenced commits            group.go generation.go
//	            Members              how many a group has now                             members.go
//	offsets     Offsets, OffsetsAt, CommittedOffsets                                      offsets.go
//	topics      CreateTopics, DescribeTopics, Partitions                                  topics.go
//
// # What holds everywhere
//
//   - A produce whose answer is lost is [ErrUnknownOutcome], never a failure
//     and never repeated behind the caller's back. What is repeated is only what
//     was proven not to be written (produce.go says what counts as proof), or
//     what [Client.Publish] promises to repeat.
//   - An offset outside of the log is [OutOfRangeError], never a jump.
//   - Records of aborted transactions and of transactions still open are not
//     seen.
//   - A batch whose checksum is wrong is [ErrCorrupt]; nothing after it is read.
//   - No topic is ever created but by [Client.CreateTopics].
//   - Every request has a deadline, whatever the caller's context says.
//
// # Why these parts of kafka-go
//
// Every read is a fetch request sent by kafka.Transport: kafka.Reader and
// kafka.Conn check no checksum, return the records of aborted transactions,
// and jump when an offset is gone. Every write is a produce request with
// acks=all sent by the same Transport: kafka.Writer repeats what it does not
// know the outcome of, after its caller has left. kafka.ConsumerGroup is used
// for membership alone.
//
// Record batches are decoded and encoded here (BenchmarkBatch: the library takes
// four to seven times as long for the one and more than four times for the other,
// which was a fifth of what a payout cost). Both go through doors that the library
// has for it: protocol.RawExchanger, and package rawproduce. With that a batch is
// read to the word: it has as many records as it says, and the reader goes on
// where it ends, also when compaction has taken its last records. What an old log
// holds in the formats before Kafka 0.11 is [ErrCorrupt].
package kafkaio
