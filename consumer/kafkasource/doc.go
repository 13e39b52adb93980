// Package kafkasource binds package consumer to Kafka: it joins the consumer
// group, finds out where each partition is to be read from, and hands requests,
// plans, dead letters, refusals and commits over.
//
// # Where reading begins
//
//	a commit of this installation, inside of the log    there
//	a commit that an administrator's tool made          there: it carries no log id
//	a commit with another log's id, or outside the log  nowhere: an alarm; start.go says what to do
//	none, but the group has others                      where the group once began
//	none at all                                         at StartAt; the first start of all is guarded, see [StartError]
//
// The choice of the first start stands in the metadata of every commit, beside
// the log's id, so that a partition without any traffic in all the time, or one
// added later, begins where it would have begun then. For the same reason the
// first offsets are committed before anything is read.
package kafkasource
