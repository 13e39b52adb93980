// Package app is the program toplu: its commands, and how they are wired to
// configuration, Kafka and the other packages. Everything of the operating
// system comes in through [Run], so that tests start the same program.
//
// # A command
//
// A command is a struct in commands.go with its flags as fields and two
// methods: Help, which ends with an example, and Run, which gets a context
// that ends with SIGINT or SIGTERM, and the program: streams, environment,
// configuration. What Run returns decides the exit status:
//
//	nil          0   fine
//	usageError   2   wrong use: a flag or file that cannot be meant
//	any other    1   failed; the text goes to standard error
//	errReported  1   failed, and the command has already said how
//
// Results go to standard output, as text or with --json as one JSON object.
// Whatever is about the run itself (progress, warnings, logs of short commands)
// goes to standard error, progress only if that is a terminal.
package app
