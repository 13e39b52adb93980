package oncall

import (
	"slices"
	"testing"
	"time"

	"github.com/toplu/toplu/worker"
)

func TestClosedIsNoPauseOfAPerson(t *testing.T) {
	views := []*worker.ShardView{
		{Shard: 0, Pauses: []worker.PauseView{{By: "ayse", Since: time.Unix(2, 0)}, {Closed: true, Since: time.Unix(1, 0)}}},
		{Shard: 1, Pauses: []worker.PauseView{{Closed: true, Since: time.Unix(1, 0)}}},
	}
	all := joinPauses(views)
	if len(all) != 2 || !all[0].Closed || !slices.Equal(all[0].Shards, []int{0, 1}) || all[1].Closed || all[1].By != "ayse" {
		t.Errorf("%+v", all)
	}
}
