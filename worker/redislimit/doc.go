// Package redislimit shares through Redis what all workers of a merchant have
// together: its rate of calls, and what is set aside of its balance.
//
// It is advice. No safety rests on it: a Redis that is away, empty or exchanged
// makes toplu slower, or lets a batch meet an empty balance; nothing is paid
// twice. Every key expires by itself.
package redislimit
