//go:build integration && slow

package e2e_test

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// A cluster is three brokers that are their own controllers, with three copies
// of everything, of which two must have a record before it counts as written.
type cluster struct {
	*world
	addrs   []string
	brokers []*process
	argv    [][]string
}

// newCluster starts a world on three brokers.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{world: bareWorld(t)}
	libs := filepath.Join(cmp.Or(os.Getenv("TOPLU_PARTS"), "../../.cache"), "kafka-"+realparts.Kafka42, "libs")
	libs, err := filepath.Abs(libs)
	c.must(err)
	if _, err := os.Stat(libs); err != nil {
		t.Fatal(realparts.ErrNotSetUp)
	}
	var controllers, voters []string
	for i := range 3 {
		c.addrs = append(c.addrs, c.freeAddr())
		controllers = append(controllers, c.freeAddr())
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, controllers[i]))
	}
	java := []string{
		"java", "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(libs, "*"),
	}
	for i := range 3 {
		config := c.file(fmt.Sprintf("broker-%d.properties", i+1), fmt.Appendf(nil, `process.roles=broker,controller
node.id=%d
controller.quorum.voters=%s
listeners=PLAINTEXT://%s,CONTROLLER://%s
advertised.listeners=PLAINTEXT://%s
log.dirs=%s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
default.replication.factor=3
min.insync.replicas=2
offsets.topic.num.partitions=4
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.num.partitions=4
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
replica.lag.time.max.ms=3000
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
`, i+1, strings.Join(voters, ","), c.addrs[i], controllers[i], c.addrs[i], filepath.Join(c.dir, fmt.Sprintf("data-%d", i+1))))
		format := append(slices.Clip(java), "kafka.tools.StorageTool", "format", "-t", "dG9wbHUtdGVzdC1jbHVzdA", "-c", config)
		if out, err := exec.CommandContext(t.Context(), format[0], format[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("format: %v\n%s", err, out)
		}
		c.argv = append(c.argv, append(slices.Clip(java), "kafka.Kafka", config))
		c.brokers = append(c.brokers, c.spawn(fmt.Sprintf("broker-%d", i+1), c.argv[i]...))
	}
	c.kafka = &realparts.Kafka{Version: realparts.Kafka42, Brokers: c.addrs}
	c.awaitBrokers(3)
	c.configure()
	c.startRedis()
	c.startSimulator()
	c.createTopics()
	return c
}

func (c *cluster) freeAddr() string {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	c.must(err)
	defer l.Close()
	return l.Addr().String()
}

// awaitBrokers waits until n brokers have joined.
func (c *cluster) awaitBrokers(n int) {
	c.t.Helper()
	eventually(c.t, time.Minute, func() string {
		res, err := c.admin().Metadata(c.t.Context(), &kafka.MetadataRequest{Topics: []string{}})
		if err != nil {
			return err.Error()
		}
		if len(res.Brokers) != n {
			return fmt.Sprintf("%d brokers of %d", len(res.Brokers), n)
		}
		return ""
	})
}

// leader returns the number of the broker that leads a shard's plans.
func (c *cluster) leader(shard int) int {
	c.t.Helper()
	leader := 0
	eventually(c.t, time.Minute, func() string {
		res, err := c.admin().Metadata(c.t.Context(), &kafka.MetadataRequest{Topics: []string{"payout.batches"}})
		if err != nil {
			return err.Error()
		}
		for _, p := range res.Topics[0].Partitions {
			if p.ID == shard && p.Leader.ID > 0 {
				leader = p.Leader.ID
				return ""
			}
		}
		return "nobody leads"
	})
	return leader
}

// TestSlowLeaderKilled kills, one after the other, whoever leads a shard's plan
// log, under load and with answers lost, on three brokers with three replicas
// and min.insync.replicas 2.
func TestSlowLeaderKilled(t *testing.T) {
	c := newCluster(t)
	l := c.follow()
	c.runTwo()
	c.faults(lostAnswers)
	stop := c.load(20, nil)
	for shard := range 4 {
		l.awaitAnswers(t, 100, time.Minute)
		leader := c.leader(shard)
		killed := time.Now()
		c.brokers[leader-1].kill()
		took := l.awaitPaid(t, killed.Add(time.Second), []int{shard}, time.Minute) + time.Second
		t.Logf("broker %d, leader of shard %d, killed: the shard's next payout after %.1f s", leader, shard, took.Seconds())
		c.brokers[leader-1] = c.spawn(fmt.Sprintf("broker-%d", leader), c.argv[leader-1]...)
		c.awaitBrokers(3)
		pause(t, 5*time.Second) // its copies catch up
	}
	stop()
	c.faults(`{}`)
	c.judge(l, 2*time.Minute)
	c.stopAll()
}
