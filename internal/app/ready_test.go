package app_test

import (
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
)

// TestReadySaysWhy has each reason for which the service is not ready.
func TestReadySaysWhy(t *testing.T) {
	t.Parallel()
	t.Run("Kafka away", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		s.env = plus(s.env, "TOPLU_KAFKA_BROKERS=127.0.0.1:1")
		s.start(t)
		answers(t, ask, "/readyz", 503, "waiting for kafka: ")
		answers(t, ask, "/livez", 200, "ok")
	})
	t.Run("Redis away", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		s.env = plus(s.env, "TOPLU_REDIS_ADDRS=127.0.0.1:1")
		s.start(t)
		answers(t, ask, "/readyz", 503, "waiting for redis: ")
		answers(t, ask, "/livez", 200, "ok")
	})
	t.Run("a shard that cannot go on", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		s.start(t)
		answers(t, ask, "/readyz", 200, "ok\n")
		cfg, client := kafkaOf(t, s.env)
		garbage := kafkaio.Messages(schema.Message{Key: []byte("x"), Value: []byte("no plan")})
		if err := client.Publish(t.Context(), cfg.Kafka.Topics().Batches, garbage); err != nil {
			t.Fatal(err)
		}
		answers(t, ask, "/readyz", 503, " has stopped: ")
		_, why := ask("/readyz")
		if !regexp.MustCompile(`^shard [01] has stopped: .*offset \d+`).MatchString(why) {
			t.Errorf("got %s", why)
		}
		answers(t, ask, "/livez", 200, "ok")
		answers(t, ask, "/metrics", 200, "toplu_shards_stopped 1")
	})
	t.Run("Kafka takes no records", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		s.env = plus(s.env, "TOPLU_KAFKA_BROKERS="+cluster.ListenAddrs()[0])
		s.run(t, "topics", "create", "--partitions", "2").want(t, 0, "", "")
		var mended atomic.Bool
		cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			if mended.Load() {
				return nil, nil, false
			}
			return notEnoughReplicas(req.(*kmsg.ProduceRequest)), nil, true
		})
		s.start(t)
		answers(t, ask, "/readyz", 503, "waiting for the plan logs\n")
		answers(t, ask, "/livez", 200, "ok")
		mended.Store(true)
		answers(t, ask, "/readyz", 200, "ok\n")
	})
	t.Run("no key to seal with", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		dir := filepath.Join(t.TempDir(), "keys")
		s.env = plus(withMarket(t, s.env), "TOPLU_SEAL_KEYDIR="+dir)
		month := seal.MonthOf(time.Now())
		if _, err := seal.Create(dir, seal.ID{Merchant: "default", Month: "2025-01"}); err != nil {
			t.Fatal(err)
		}
		s.start(t)
		answers(t, ask, "/readyz", 503, "waiting for keys to seal with: no merchant has a key to seal with in "+month)
		answers(t, ask, "/livez", 200, "ok")
		s.run(t, "keys", "create", "--months", "1", "--merchant", "default").want(t, 0, "1 created", "")
		answers(t, ask, "/readyz", 200, "ok\nno key to seal with in "+month+" for market, _: their requests wait")
		answers(t, ask, "/metrics", 200, `toplu_seal_keys_missing{month="this"} 2`)
		s.run(t, "keys", "create", "--months", "1").want(t, 0, "2 created", "")
		answers(t, ask, "/metrics", 200, `toplu_seal_keys_missing{month="this"} 0`)
		if code, body := ask("/readyz"); code != 200 || body != "ok\n" {
			t.Errorf("with all keys: %d %s", code, body)
		}
		// Taken away from a running service, as by the turn of a month.
		away, err := filepath.Glob(filepath.Join(dir, "*."+month+".key"))
		if err != nil || len(away) != 3 {
			t.Fatal(err, away)
		}
		for _, file := range away {
			if err := os.Rename(file, file+".away"); err != nil {
				t.Fatal(err)
			}
		}
		answers(t, ask, "/readyz", 503, "no key to seal with in "+month+" for default, market, _: ")
	})
	t.Run("requests that a person must look at", func(t *testing.T) {
		t.Parallel()
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		s.start(t)
		s.send(t, "early-1")
		s.says(t, ": paid", "explain", "early-1")
		s.stop()
		cfg, client := kafkaOf(t, s.env)
		topic := cfg.Kafka.Topics().Requests
		if err := client.SetOffsets(t.Context(), cfg.Kafka.Group, topic, map[int]int64{0: 1000}); err != nil {
			t.Fatal(err)
		}
		s.start(t)
		answers(t, ask, "/readyz", 503, "no requests are read: group toplu has committed offset 1000 for "+topic+"/0")
		answers(t, ask, "/metrics", 200, `toplu_requests_stopped{topic="`+topic+`"} 1`)
		s.run(t, "offsets", "accept", "--floor", "start", "--reason", "a slip", "--yes").want(t, 0, "accepted", "")
		answers(t, ask, "/readyz", 200, "ok\n")
		answers(t, ask, "/metrics", 200, `toplu_requests_stopped{topic="`+topic+`"} 0`)
		s.send(t, "late-1")
		s.says(t, ": paid", "explain", "late-1")
	})
}

// notEnoughReplicas is what a broker answers when too few others are there to keep
// what it is sent.
func notEnoughReplicas(req *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		res.Topics = append(res.Topics, topic)
	}
	return res
}

// TestKeysAreExchangedWhileRunning changes a merchant's key files under the running
// service: what it pays next is signed with the new pair.
func TestKeysAreExchangedWhileRunning(t *testing.T) {
	t.Parallel()
	s := newShift(t, time.Millisecond)
	provider, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{"key-1": "secret-1", "key-2": "secret-2"}})
	if err != nil {
		t.Fatal(err)
	}
	iyzi := httptest.NewServer(provider)
	t.Cleanup(iyzi.Close)
	api, secret := file(t, "api", "key-1\n"), file(t, "secret", "secret-1\n")
	delete(s.env, "TOPLU_MERCHANTS_DEFAULT_APIKEY")
	delete(s.env, "TOPLU_MERCHANTS_DEFAULT_SECRETKEY")
	s.env = plus(s.env, "TOPLU_IYZICO_BASEURL="+iyzi.URL, "TOPLU_MERCHANTS_DEFAULT_APIKEYFILE="+api, "TOPLU_MERCHANTS_DEFAULT_SECRETKEYFILE="+secret, "TOPLU_LOG_LEVEL=info")
	s.start(t)
	s.send(t, "one-1")
	s.says(t, ": paid", "explain", "one-1")
	for path, key := range map[string]string{api: "key-2\n", secret: "secret-2\n"} {
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.logs.String(), "new keys are in force"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the keys are not exchanged: %s", s.logs.String())
		}
	}
	s.send(t, "two-1")
	s.says(t, ": paid", "explain", "two-1")
	by := map[string]string{}
	for moved := range provider.Provider().Books().Transfers {
		by[moved.ItemExternalID] += moved.APIKey
	}
	if want := map[string]string{"one-1": "key-1", "two-1": "key-2"}; !maps.Equal(by, want) {
		t.Errorf("paid with %v, want %v", by, want)
	}
}
