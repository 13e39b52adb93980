package conformance

import "github.com/toplu/toplu/schema"

// A Story is one thing that may happen to a payout's events.
type Story struct {
	Name   string
	Lesson string // what a ledger that gets it wrong should know

	statuses []schema.PayoutStatus // the payout's life: sequence 1, 2, 3…
	first    []int                 // sequences, as they come
	late     []int                 // those that come in the last act
	act      int                   // in which first comes; 0 is the first act
	exact    bool                  // the amount is one that floating-point numbers get wrong
	grown    bool                  // events of a later version
}

// Sequences that are no status of the payout.
const (
	refused = 0  // a request under its id was refused
	foreign = -1 // an event of a later version, which looks like a payment
	seeming = -2 // an event of another type of this version, which looks like a payment
	noted   = -3 // an event of another type of this version, which looks like nothing known
)

// Statuses of tomorrow: one on the way, one at the end.
const (
	invented    schema.PayoutStatus = "on_hold"
	inventedEnd schema.PayoutStatus = "seized"
)

const (
	dedupe = "Keep the last sequence of each payout beside its books and skip an event whose sequence is not greater, in the same transaction as the booking."
	target = "Book what the books should be after a status, not what it adds: reserved, paid and commission follow from the latest status alone, so post the difference."
)

// stories are all of them, in the order of the report.
var stories = []Story{
	{
		Name:     "plain",
		Lesson:   "accepted reserves the amount; paid releases the reserve, books the amount as paid and the commission as a cost. If it is booked twice here, look at the stories twice and interrupted first.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 2, 3},
	},
	{
		Name:     "exact",
		Lesson:   "Money was rounded or cut: as a floating-point number 1.15 times 100 is 114.99…. Amounts are decimal texts: read them into a decimal type, or into whole minor units of 64 bits by taking out the point.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 2, 3}, exact: true,
	},
	{
		Name:     "twice",
		Lesson:   "The same event came again and was booked again. Delivery is at least once. " + dedupe,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 1, 2, 2, 3, 3, 3},
	},
	{
		Name:     "re-emitted",
		Lesson:   "A whole day was told again (toplu statuses reemit): old events came after newer ones. " + dedupe,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 2, 3}, late: []int{1, 2, 3, 2, 3},
	},
	{
		Name:     "crossed",
		Lesson:   "An older event came right after a newer one: a day was told again while the payout went on. " + dedupe,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 3, 2},
	},
	{
		Name:     "gap",
		Lesson:   "An event was missing and came later by re-emission. Each event says all that must be booked: take the higher sequence when it comes, and skip the lower one when it does. " + target,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 3}, late: []int{2},
	},
	{
		Name:     "gap for ever",
		Lesson:   "An event is missing and never comes: it was deleted after 30 days, or lost with a disk. Each event says all that must be booked, so nothing waits for another. " + target,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 3},
	},
	{
		Name:     "beginning missing",
		Lesson:   "The first event that was seen of a payout was not accepted: older ones had been deleted, or came later. The amount is in every event. " + target,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{2}, late: []int{3, 1},
	},
	{
		Name:     "interrupted",
		Lesson:   "The ledger was killed amid its work, right after it had committed an offset, and events that it had booked came again, or events that it had not booked never did. Commit the offset only after the booking: what is committed does not come again. " + dedupe,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 2, 3}, act: 1,
	},
	{
		Name:     "handed over",
		Lesson:   "A payout's partition went to another process of the ledger amid its events, and the other did not know what the first had booked. Processes share books, not memory: ask the books for the last sequence, in the transaction of the booking.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, 2, 3, 1, 2}, act: 2,
	},
	{
		Name:     "failed",
		Lesson:   "failed releases the reserve and pays nothing: the recipient is owed the money again, under a new payout id. The commission in it is no cost; it is one with paid alone.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Failed}, first: []int{1, 2, 3},
	},
	{
		Name:     "returned late",
		Lesson:   "returned came long after failed, which had already released the reserve. It says that iyzico has the money back, and releases nothing a second time. " + target,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Failed, schema.Returned}, first: []int{1, 2, 3}, late: []int{4},
	},
	{
		Name:     "return failed",
		Lesson:   "return_failed is not paid either, and the reserve is released with failed. The money is neither with the recipient nor back: a person must claim it from iyzico.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Failed, schema.ReturnFailed}, first: []int{1, 2, 3}, late: []int{4},
	},
	{
		Name:     "rejected",
		Lesson:   "rejected releases the reserve: iyzico refused the payout and no money moved.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Rejected}, first: []int{1, 2},
	},
	{
		Name:     "cancelled",
		Lesson:   "cancelled releases the reserve: the payout was withdrawn and no money moved.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Cancelled}, first: []int{1, 2},
	},
	{
		Name:     "unknown",
		Lesson:   "unknown is not a failure: the money may be on its way. The reserve stays until a final status comes, for days if need be.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Unknown}, first: []int{1, 2, 3},
	},
	{
		Name:     "unknown and paid",
		Lesson:   "After unknown any status but accepted may come, submitted again among them. A ledger that released the reserve at unknown has spent the money twice now.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Unknown, schema.Submitted, schema.Paid}, first: []int{1, 2, 3, 4}, late: []int{5},
	},
	{
		Name:     "unknown and rejected",
		Lesson:   "After unknown any status but accepted may come, here rejected: only now the reserve is released.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Unknown, schema.Rejected}, first: []int{1, 2}, late: []int{3},
	},
	{
		Name:     "unknown and returned",
		Lesson:   "After unknown returned may come without failed before it: it releases the reserve then. " + target,
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Unknown, schema.Returned}, first: []int{1, 2, 3}, late: []int{4},
	},
	{
		Name:   "refused",
		Lesson: "payout.request_refused.v1 has sequence 0 and is never booked: no payout came of that request.",
		first:  []int{refused},
	},
	{
		Name:     "refused and corrected",
		Lesson:   "A refused request (sequence 0) says nothing about the payout that later came under its id, and may be told again after it was paid. It is never booked.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{refused, 1, 2, 3}, late: []int{refused},
	},
	{
		Name:     "invented status",
		Lesson:   "A status came that this version of the contract does not list. The field final says what to do: false keeps the reserve. Keep the status as text; do not stop, and do not guess.",
		statuses: []schema.PayoutStatus{schema.Accepted, invented}, first: []int{1, 2},
	},
	{
		Name:     "invented and paid",
		Lesson:   "After a status that this version of the contract does not list, life goes on: paid came and must be booked as ever.",
		statuses: []schema.PayoutStatus{schema.Accepted, invented, schema.Paid}, first: []int{1, 2}, late: []int{3},
	},
	{
		Name:     "invented end",
		Lesson:   "A final status came that this version of the contract does not list. The field final in the event says what to do: true releases the reserve, and only paid is paid. A list of the statuses that are final, in a program, is old one day.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, inventedEnd}, first: []int{1, 2}, late: []int{3},
	},
	{
		Name:     "another type",
		Lesson:   "An event of another type came, payout.annotated.v1, that is no status. An event is one if its ce_type is payout., the status in its data, and .v1: skip all others, whatever their data looks like.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{seeming, 1, noted, 2, seeming}, late: []int{3, noted},
	},
	{
		Name:     "later version",
		Lesson:   "Events grow: skip fields that you do not know, and whole events whose ce_type is not payout.<status>.v1.",
		statuses: []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid}, first: []int{1, foreign, 2, foreign, 3, foreign}, grown: true,
	},
}
