package realparts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// clusterID is any 16 bytes in base64, the same for all: they never meet.
const clusterID = "dG9wbHUtdGVzdC1jbHVzdA"

// Kafka is one broker that is its own controller. It makes no topic by itself,
// and its groups do not wait for more members before they begin. Its methods
// are for one goroutine at a time.
type Kafka struct {
	Brokers []string // its address, the same after a restart
	Version string

	// MutualTLS is, of a secured broker, its address for clients that show who
	// they are by a certificate.
	MutualTLS string

	// Behind is, of a broker behind a proxy, where the proxy must lead.
	Behind string

	security *KafkaSecurity
	process  *process
}

// StartKafka starts a broker of a version, with its data and log in dir, which
// must be empty, and waits until it serves: 3 to 5 seconds.
func StartKafka(ctx context.Context, version, dir string) (*Kafka, error) {
	return startKafkaAnywhere(ctx, version, dir, "", nil)
}

// StartKafkaBehind is StartKafka for a broker with a second way to it, through a
// proxy: who comes to Behind is told that the broker is at the proxy's address,
// so that everything else he asks goes that way too. Brokers is the direct way.
func StartKafkaBehind(ctx context.Context, version, dir, proxy string) (*Kafka, error) {
	return startKafkaAnywhere(ctx, version, dir, proxy, nil)
}

func startKafkaAnywhere(ctx context.Context, version, dir, proxy string, security *KafkaSecurity) (*Kafka, error) {
	home, err := home()
	if err != nil {
		return nil, err
	}
	// A port that was free may be taken before the broker has it.
	for attempt := 1; ; attempt++ {
		k, err := startKafka(ctx, home, version, filepath.Join(dir, fmt.Sprintf("kafka-%d", attempt)), proxy, security)
		if err == nil || attempt == 3 || errors.Is(err, ErrNotSetUp) || ctx.Err() != nil {
			return k, err
		}
	}
}

func startKafka(ctx context.Context, home, version, dir, proxy string, security *KafkaSecurity) (*Kafka, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	k := &Kafka{Version: version, Brokers: []string{fmt.Sprintf("127.0.0.1:%d", ports[0])}, security: security}
	content, scram := properties(ports[0], ports[1], filepath.Join(dir, "data")), []string(nil)
	if security != nil {
		k.MutualTLS = fmt.Sprintf("127.0.0.1:%d", ports[2])
		if content, err = security.properties(content, ports); err != nil {
			return nil, err
		}
		scram = security.scram()
	}
	if proxy != "" {
		k.Behind = fmt.Sprintf("127.0.0.1:%d", ports[2])
		content = behind(content, k.Brokers[0], k.Behind, proxy)
	}
	k.process = &process{name: "kafka", dir: dir, ready: k.ready}
	config := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(config, content, 0o600); err != nil {
		return nil, err
	}
	if useDocker(home) {
		kafkaInDocker(k.process, version, config)
	} else {
		libs := filepath.Join(home, "kafka-"+version, "libs")
		if _, err := os.Stat(libs); err != nil {
			return nil, fmt.Errorf("kafka %s is not in %s: %w", version, libs, ErrNotSetUp)
		}
		java := []string{
			"java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(libs, "*"),
		}
		format := append(slices.Clip(java), "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", config)
		format = append(format, scram...)
		if out, err := exec.CommandContext(ctx, format[0], format[1:]...).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
			return nil, fmt.Errorf("format the broker's storage: %w\n%s", err, out)
		}
		k.process.argv = append(java, "kafka.Kafka", config)
	}
	if err := k.process.start(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// properties is the broker's configuration. A broker that was killed is let in
// again only when its old session is over, hence the short one.
func properties(port, controller int, data string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "process.roles=broker,controller\nnode.id=1\n")
	fmt.Fprintf(&b, "controller.quorum.voters=1@127.0.0.1:%d\n", controller)
	fmt.Fprintf(&b, "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d\n", port, controller)
	fmt.Fprintf(&b, "advertised.listeners=PLAINTEXT://127.0.0.1:%d\n", port)
	fmt.Fprintf(&b, "log.dirs=%s\n", data)
	b.WriteString(`controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
`)
	return b.Bytes()
}

// behind gives the broker a listener that tells its clients another address.
func behind(content []byte, direct, listen, advertised string) []byte {
	text := string(content)
	for _, more := range [][2]string{
		{"\nlisteners=", "\nlisteners=PROXIED://" + listen + ","},
		{"\nadvertised.listeners=PLAINTEXT://" + direct, "\nadvertised.listeners=PLAINTEXT://" + direct + ",PROXIED://" + advertised},
		{"PLAINTEXT:PLAINTEXT\n", "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n"},
	} {
		text = strings.Replace(text, more[0], more[1], 1)
	}
	return []byte(text)
}

// ready returns nil once the broker has joined its own cluster.
func (k *Kafka) ready(ctx context.Context) error {
	client, end, err := k.Admin()
	if err != nil {
		return err
	}
	defer end()
	client.Timeout = 2 * time.Second
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	if err != nil {
		return err
	}
	if len(res.Brokers) == 0 {
		return errors.New("the broker has not registered yet")
	}
	return nil
}

// Stop ends the broker as an operator does, so that it closes its log. Stopping
// twice is fine.
func (k *Kafka) Stop() error { return k.process.end("TERM") }

// Kill ends the broker at once. What it acknowledged is in the operating
// system's hands, and so not lost.
func (k *Kafka) Kill() error { return k.process.end("KILL") }

// Pause freezes the broker: connections stay, and nobody answers.
func (k *Kafka) Pause() error { return k.process.signal("STOP") }

// Resume lets a frozen broker go on.
func (k *Kafka) Resume() error { return k.process.signal("CONT") }

// Restart stops the broker if it runs, and starts it again with its data and
// its address.
func (k *Kafka) Restart(ctx context.Context) error {
	if err := k.Stop(); err != nil {
		return err
	}
	return k.process.start(ctx)
}
