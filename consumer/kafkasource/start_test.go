package kafkasource_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/consumer/kafkasource"
)

const hours = time.Hour

func startsAtFirst(t *testing.T, in *installation) {
	in.cfg.StartAt.Mode = kafkasource.StartFirst
	in.write(t, 0, 3*hours, requests("old", 3)...)
	in.write(t, 1, 0, requests("new", 2)...)
	in.start(t, in.cfg)
	in.committed(t, 3, 2)
	if planned := in.planned(t); len(planned) != 5 {
		t.Errorf("planned %v", planned)
	}
}

// startsNow: what is there at the first start is left out for ever, also in a
// partition that has no traffic until a restart with other settings.
func startsNow(t *testing.T, in *installation) {
	in.cfg.StartAt.Mode = kafkasource.StartNow
	in.write(t, 0, 3*hours, requests("old", 3)...)
	in.write(t, 1, -10*time.Minute, requests("recent", 2)...) // by a clock that is fast
	stop := in.start(t, in.cfg)
	in.committed(t, 3, 2)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.cfg.StartAt.Mode = kafkasource.StartFirst // not looked at any more
	in.write(t, 0, 0, requests("new", 4)...)
	in.start(t, in.cfg)
	in.committed(t, 7, 2)
	if planned := in.planned(t); len(planned) != 4 || each(t, planned, "new") != 4 {
		t.Errorf("planned %v", planned)
	}
}

// startsAtTime also has a partition's commit go missing later, as that of a
// partition without traffic may: it begins again where the group once began.
func startsAtTime(t *testing.T, in *installation) {
	in.cfg.StartAt = kafkasource.StartAt{Mode: kafkasource.StartTime, Time: time.Now().Add(-2 * hours)}
	for p := range 2 {
		in.write(t, p, 3*hours, requests("old"+string(rune('0'+p)), 3)...)
		in.write(t, p, hours, requests("since"+string(rune('0'+p)), 2)...)
	}
	stop := in.start(t, in.cfg)
	in.committed(t, 5, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.forget(t, 1)
	in.cfg.StartAt = kafkasource.StartAt{}
	in.start(t, in.cfg)
	in.committed(t, 5, 5)
	planned := in.planned(t)
	if len(planned) != 4 || each(t, planned, "since0") != 2 || each(t, planned, "since1") != 2 {
		t.Errorf("planned %v", planned)
	}
}

// forget deletes the group's commit for a partition.
func (in *installation) forget(t *testing.T, partitions ...int32) {
	t.Helper()
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = in.cfg.Group
	topic := kmsg.NewOffsetDeleteRequestTopic()
	topic.Topic = in.cfg.Requests
	for _, p := range partitions {
		topic.Partitions = append(topic.Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: p})
	}
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), in.admin)
	if err != nil || res.ErrorCode != 0 {
		t.Fatalf("delete offsets: %v, %+v", err, res)
	}
}

// guardsFirstStart: with old requests, a person must say where to begin.
func guardsFirstStart(t *testing.T, in *installation) {
	in.write(t, 0, 3*hours, requests("old", 3)...)
	in.write(t, 0, 0, requests("new", 2)...)
	in.write(t, 1, 0, requests("other", 4)...)
	err := in.fails(t, in.cfg)
	start, ok := errors.AsType[*kafkasource.StartError](err)
	if !ok || start.Waiting != 9 || start.Old != 3 || start.Now {
		t.Fatalf("it ended with %v", err)
	}
	for _, words := range []string{"kafka.startAt", "to first to pay all 9", "to now to pay none", "up to 6", in.cfg.Requests} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
	if len(in.planned(t)) != 0 {
		t.Error("it planned all the same")
	}
}

// guardsNow: "now" left over from the first start must not lose what came while
// the group's commits expired.
func guardsNow(t *testing.T, in *installation) {
	in.cfg.StartAt.Mode = kafkasource.StartNow
	stop := in.start(t, in.cfg)
	in.committed(t, 0, 0)
	in.write(t, 0, 0, requests("a", 1)...)
	in.write(t, 1, 0, requests("b", 5)...)
	in.committed(t, 1, 5)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.write(t, 1, 0, requests("c", 1)...)
	in.forget(t, 0, 1)
	err := in.fails(t, in.cfg)
	if start, ok := errors.AsType[*kafkasource.StartError](err); !ok || !start.Now {
		t.Errorf("it ended with %v", err)
	}
	in.cfg.StartAt.Mode = kafkasource.StartFirst
	in.start(t, in.cfg)
	in.committed(t, 1, 6)
	if planned := in.planned(t); len(planned) != 7 || each(t, planned, "b") != 5 {
		t.Errorf("planned %v", planned)
	}
}

// goesOnWithoutCommits: a group that has lost its commits reads all again, and
// needs no person, unless there are requests older than the installation.
func goesOnWithoutCommits(t *testing.T, in *installation) {
	stop := in.start(t, in.cfg)
	in.write(t, 0, 0, requests("a", 50)...)
	in.committed(t, 50)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.forget(t, 0, 1)
	in.write(t, 0, 0, requests("b", 1)...)
	stop = in.start(t, in.cfg)
	in.committed(t, 51)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if planned := in.planned(t); len(planned) != 51 || each(t, planned, "a") != 50 {
		t.Errorf("planned %v", planned)
	}
	in.forget(t, 0, 1)
	in.write(t, 1, 3*hours, requests("old", 2)...)
	if _, ok := errors.AsType[*kafkasource.StartError](in.fails(t, in.cfg)); !ok {
		t.Error("requests older than the installation are taken without a word")
	}
}

// obeysReset: commits by an administrator's tool are obeyed, wherever in the log.
func obeysReset(t *testing.T, in *installation) {
	in.write(t, 0, 3*hours, requests("skipped", 2)...)
	in.write(t, 0, 0, requests("a", 3)...)
	none := ""
	in.commit(t, 0, 2, &none)
	in.commit(t, 1, 0, nil)
	stop := in.start(t, in.cfg)
	in.committed(t, 5, 0)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	in.commit(t, 0, 0, &none)
	in.start(t, in.cfg)
	in.committed(t, 5)
	if planned := in.planned(t); len(planned) != 5 || each(t, planned, "a") != 3 {
		t.Errorf("planned %v", planned)
	}
}

func refusesOtherLog(t *testing.T, in *installation) {
	in.write(t, 0, 0, requests("a", 3)...)
	other := "log-0 since=2026-01-01T00:00:00Z"
	in.commit(t, 0, 1, &other)
	err := in.fails(t, in.cfg)
	for _, words := range []string{`"log-0"`, `"log-1"`, in.cfg.Group, in.cfg.Requests + "/0"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
}

func refusesBeyondEnd(t *testing.T, in *installation) {
	in.write(t, 1, 0, requests("a", 3)...)
	mine := "log-1"
	in.commit(t, 1, 4, &mine)
	err := in.fails(t, in.cfg)
	for _, words := range []string{"offset 4", in.cfg.Requests + "/1", "shorter", "up to but not including 3"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
}

func refusesDeleted(t *testing.T, in *installation) {
	in.write(t, 0, 0, requests("a", 5)...)
	mine := "log-1"
	in.commit(t, 0, 1, &mine)
	req := kmsg.NewPtrDeleteRecordsRequest()
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Offset = 3
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: in.cfg.Requests, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{part}}}
	req.TimeoutMillis = 5000
	if res, err := req.RequestWith(t.Context(), in.admin); err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("delete records: %v, %+v", err, res)
	}
	err := in.fails(t, in.cfg)
	for _, words := range []string{"offset 1", in.cfg.Requests + "/0", "2 requests were deleted", "only 3"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
}
