// Package kafkasource binds package consumer to Kafka: it joins the consumer
// group, finds out where each partition is to be read from, and hands requests,
// plans, dead letters, refusals and commits over.
//
// # Where reading begins
//
//	a commit of this installation, inside of the log    there
//	a commit that an administrator's tool made          there: it carries no log id
//	a commit with another log's id, or outside the log  nowhere: an alarm, until toplu offsets accept
//	one from before toplu offsets accept                the first offset there is: all of it is read again
//	none, but the partition has a floor                 at the floor: empty groups forget, the journal does not
//	none, but the group has others                      where the group once began
//	none at all                                         at StartAt; the first start of all is guarded, see [StartError]
//
// The choice of the first start stands in the metadata of every commit, beside
// the log's id, so that a partition without any traffic in all the time, or one
// added later, begins where it would have begun then. For the same reason the
// first offsets are committed before anything is read.
//
// # The floor
//
// Before every commit the same offsets are written to payout.journal ([Floors]).
// A group that is set back reads requests from below this floor again: those that
// are known are passed over, the others are put aside and paid only by a replay.
// A topic that ends below its floor, or requests that have moved to another topic,
// are an alarm; with toplu offsets accept a person sets a new floor, and a new era
// begins: commits and floors of the era before do not count any more.
package kafkasource
