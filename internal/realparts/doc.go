// Package realparts starts real Kafka brokers and real Redis servers for tests,
// each fresh, on free ports of the loopback interface, with its data in a
// directory of the test's.
//
// `make setup` fetches what is needed: the broker's jars from Maven into
// .cache/kafka-VERSION/libs at the root of the repository, redis-server from
// the system's packages; or, where Java or Redis cannot be had but a Docker
// engine runs, images. Without it every Start function returns [ErrNotSetUp],
// and tests fail with it; they do not skip.
//
// What is started ends with Stop or Kill, and in any case with the process that
// started it, also when that is killed (on Linux, and not in Docker).
//
// Tests that use this package carry the build tag integration.
package realparts
