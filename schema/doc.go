// Package schema is the wire contract: the events that order systems write and
// ledgers read, and the records of the plan log and the journal. It imports
// nothing of toplu's, so that anybody may import it.
package schema
