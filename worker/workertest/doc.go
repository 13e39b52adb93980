// Package workertest has what tests of the worker stand on: in-memory versions
// of its ports, with faults that a test can dial, and the conformance suites
// that the in-memory and the real versions both pass.
package workertest
