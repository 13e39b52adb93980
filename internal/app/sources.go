package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/oncall"
)

// source is the topic of requests that a flag names. Where merchants name topics
// there is none that could be meant without saying so.
func (s *service) source(flag string) (string, error) {
	all := s.topics.Sources()
	switch {
	case slices.Contains(all, flag):
		return flag, nil
	case flag != "":
		return "", usageError{"--topic " + flag + " is no topic of requests; there are " + strings.Join(all, ", ")}
	case len(all) > 1:
		return "", usageError{"say which topic of requests is meant, --topic: there are " + strings.Join(all, ", ")}
	}
	return all[0], nil
}

// whence is where requests go that are asked for again.
func (s *service) whence() string {
	if len(s.topics.Named) == 0 {
		return s.topics.Requests
	}
	return "the topics they came from"
}

// watchLeftovers looks at the start, and then every hour, whether a topic has
// requests that nobody reads any more, until ctx ends.
func (s *service) watchLeftovers(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	told := map[string]bool{}
	for {
		all, err := s.desk().Leftovers(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("cannot find out whether a topic of requests is read no more")
		}
		for topic := range told {
			if err == nil && !slices.ContainsFunc(all, func(l oncall.Leftover) bool { return l.Topic == topic }) {
				s.unread.DeleteLabelValues(topic)
				delete(told, topic)
			}
		}
		for _, l := range all {
			told[l.Topic] = true
			s.unread.WithLabelValues(l.Topic).Set(1)
			s.log.Error().Str("topic", l.Topic).Int64("unread", l.Unread).
				Msg("requests are not read: no merchant names this topic any more. Name it again under merchants.*.topics until it is empty")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
