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
			now.Offset = max(now.Offset, r.Offset)
			if !r.Skipped {
				now.Answered = max(now.Answered, r.Offset)
			}
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

// answersNothingItSkips: what a group that was set forward passes over is not
// answered, however far it reads; it is when the group is set back and reads it.
func answersNothingItSkips(t *testing.T, in *installation) {
	kept := &floors{all: map[int]schema.Floor{}}
	in.cfg.Floors = kept
	in.write(t, 0, 0, requests("a", 3)...)
	stop := in.start(t, in.cfg)
	in.committed(t, 3)
	for _, step := range []struct {
		name                 string
		from                 int64 // to which the group is set
		more                 string
		end, floor, answered int64
	}{
		{"set forward", 5, "b", 6, 6, 3},
		{"and again later", 6, "c", 7, 7, 3},
		{"set back", 3, "d", 8, 8, 8},
	} {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if step.from == 5 {
			in.write(t, 0, 0, requests("skipped", 2)...)
		}
		none := ""
		in.commit(t, 0, step.from, &none)
		in.write(t, 0, 0, requests(step.more, 1)...)
		stop = in.start(t, in.cfg)
		in.committed(t, step.end)
		kept.mu.Lock()
		if got := kept.all[0]; got.Offset != step.floor || got.Answered != step.answered {
			t.Errorf("%s: floor %+v, want %d, answered to %d", step.name, got, step.floor, step.answered)
		}
		kept.mu.Unlock()
	}
	if planned := in.planned(t); each(t, planned, "skipped") != 0 || each(t, planned, "d") != 1 {
		t.Errorf("planned %v", planned)
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
