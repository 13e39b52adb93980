package kafkasource_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// namesAnotherTopic: floors of a topic that is read no more are an alarm for the
// common topic, which cannot have begun later; but not those of a topic that is
// read beside it, and not for one that a merchant names from now on.
func namesAnotherTopic(t *testing.T, in *installation) {
	gone := map[int]schema.Floor{7: {Topic: "payout.requests.gone", Partition: 7, Offset: 3, Answered: 3}}
	kept := &floors{all: gone}
	in.cfg.Floors = kept
	in.write(t, 0, 0, requests("a", 2)...)
	err := in.fails(t, in.cfg)
	if _, stopped := errors.AsType[*kafkasource.StoppedError](err); !stopped || !strings.Contains(err.Error(), "stood in payout.requests.gone") {
		t.Fatalf("it ended with %v", err)
	}
	beside := in.cfg
	beside.Sources = []string{in.cfg.Requests, "payout.requests.gone"}
	stop := in.start(t, beside)
	in.committed(t, 2, 0)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.forget(t, 0, 1)
	delete(kept.all, 0)
	delete(kept.all, 1)
	named := in.cfg
	named.Named = true
	in.write(t, 1, 0, requests("b", 3)...)
	in.start(t, named)
	in.committed(t, 2, 3)
	if planned := in.planned(t); len(planned) != 5 || each(t, planned, "a") != 2 {
		t.Errorf("planned %v", planned)
	}
}

// guardsNamedTopic: what stands in a topic that is new to an old installation may
// have been paid by another system, however long this one has run.
func guardsNamedTopic(t *testing.T, in *installation) {
	old := in.cfg.Batches + ".old"
	if err := in.client.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: old, Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	in.cfg.Batches, in.cfg.Known = old, &folder{client: in.client, topic: old}
	for shard := range int32(2) {
		genesis := schema.EncodePlanGenesis(&schema.Genesis{LogID: "log-1", Partitions: 2, At: time.Now()})
		for range 2 { // the second so that there is more than a beginning
			r := &kgo.Record{Topic: old, Partition: shard, Value: genesis, Timestamp: time.Now().Add(-10 * hours)}
			if err := in.admin.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	in.write(t, 0, 3*hours, requests("old", 3)...)
	in.write(t, 0, 0, requests("new", 2)...)
	named := in.cfg
	named.Named = true
	start, ok := errors.AsType[*kafkasource.StartError](in.fails(t, named))
	if !ok || start.Waiting != 5 || start.Old != 3 {
		t.Fatalf("it did not ask where to begin: %v", start)
	}
	named.StartAt = kafkasource.StartAt{Mode: kafkasource.StartTime, Time: start.Before}
	in.start(t, named)
	in.committed(t, 5, 0)
	if planned := in.planned(t); each(t, planned, "new") != 2 || each(t, planned, "old") != 0 {
		t.Errorf("planned %v", planned)
	}
}
