package kafkasource_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/schema"
)

// floors are kept in memory, as the journals fold them.
type floors struct {
	mu  sync.Mutex
	all map[int]schema.Floor
}

func (f *floors) Read(context.Context) ([]schema.Floor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []schema.Floor
	for _, fl := range f.all {
		all = append(all, fl)
	}
	return all, nil
}

func (f *floors) Raise(_ context.Context, raised []schema.Floor) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range raised {
		now := f.all[r.Partition]
		if r.Era == now.Era {
			now.Topic, now.Partition = r.Topic, r.Partition
			now.Offset, now.Answered = max(now.Offset, r.Offset), max(now.Answered, r.Offset)
			f.all[r.Partition] = now
		}
	}
	return nil
}

// parksBelowFloor: a raw reset of the group pays nothing that was left out when it
// began, and a group that has lost its commits goes on at the floor.
func parksBelowFloor(t *testing.T, in *installation) {
	in.cfg.Floors = &floors{all: map[int]schema.Floor{}}
	in.cfg.StartAt.Mode = kafkasource.StartNow
	in.write(t, 0, 3*hours, requests("skipped", 2)...)
	stop := in.start(t, in.cfg)
	in.committed(t, 2, 0)
	in.write(t, 0, 0, requests("a", 3)...)
	in.committed(t, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	none := ""
	in.commit(t, 0, 0, &none)
	stop = in.start(t, in.cfg)
	in.committed(t, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.forget(t, 0, 1)
	in.write(t, 0, 0, requests("b", 1)...)
	in.start(t, in.cfg)
	in.committed(t, 6)
	if planned := in.planned(t); len(planned) != 4 || each(t, planned, "a") != 3 || each(t, planned, "b") != 1 {
		t.Errorf("planned %v, want three of a and one of b", planned)
	}
}

// goesOnWhenAccepted: a topic that ends below its floor is an alarm, until a person
// accepts it as it is.
func goesOnWhenAccepted(t *testing.T, in *installation) {
	kept := &floors{all: map[int]schema.Floor{0: {Topic: in.cfg.Requests, Offset: 90, Answered: 90}}}
	in.cfg.Floors = kept
	in.write(t, 0, 0, requests("a", 3)...)
	mine := "log-1"
	in.commit(t, 0, 90, &mine)
	err := in.fails(t, in.cfg)
	if _, stopped := errors.AsType[*kafkasource.StoppedError](err); !stopped || !strings.Contains(err.Error(), "toplu offsets accept") {
		t.Fatalf("it ended with %v", err)
	}
	kept.all[0] = schema.Floor{Topic: in.cfg.Requests, Offset: 1, Era: 1}
	in.start(t, in.cfg)
	for len(in.planned(t)) == 0 && t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond) // the commit of the topic that is gone is above all others
	}
	if planned := in.planned(t); len(planned) != 2 || each(t, planned, "a") != 2 {
		t.Errorf("planned %v, want what is not below the floor", planned)
	}
}
