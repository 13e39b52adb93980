package worker

import (
	"context"
	"fmt"
	"time"
)

// guardEvery is how often the logs' ends are compared with what was read.
const guardEvery = time.Hour

// guard looks now and then whether the logs still begin where they began and
// still have what was read of them. Kafka is the memory: its loss must be noticed
// even while nothing happens.
func (s *Shard) guard(ctx context.Context) func() {
	for pause(ctx, guardEvery) == nil {
		var plans, journal int64
		if s.hand(ctx, func() { plans, journal = s.plansNext, s.journalNext }) != nil {
			return nil
		}
		for _, l := range []struct {
			name string
			log  Log
			read int64
		}{{"payout.batches", s.ports.Plans, plans}, {"payout.journal", s.ports.Journal, journal}} {
			start, end, err := l.log.Bounds(ctx)
			if err != nil {
				s.log.Warn().Err(err).Str("log", l.name).Msg("cannot ask for the log's ends")
				continue
			}
			if start > 0 || end < l.read {
				s.stopFrom(ctx, fmt.Errorf("shard %d: %w: %s has offsets %d to %d, and was read from 0 to %d: Kafka has lost records; nothing is paid until a person has looked", s.number, ErrLogID, l.name, start, end, l.read))
				return nil
			}
		}
	}
	return nil
}
