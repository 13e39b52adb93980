package schema

// What the tests look at from outside.
var (
	Murmur2  = murmur2
	Arrows   = arrows
	Mod97    = mod97
	TCKN     = tckn
	Statuses = []PayoutStatus{Accepted, Submitted, Paid, Failed, Returned, ReturnFailed, Rejected, Cancelled, Unknown}
)
