package kafkaio

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// Members returns how many members a consumer group has now, 0 also if there is
// no such group, and whether they have settled who reads what. It repeats
// temporary errors until the client's timeout.
func (c *Client) Members(ctx context.Context, group string) (n int, settled bool, err error) {
	err = c.again(ctx, func(ctx context.Context) error {
		m, err := c.roundTrip(ctx, c.transport, &describegroups.Request{Groups: []string{group}}, c.cfg.Timeout)
		if err != nil {
			return err
		}
		n, settled = 0, true
		for _, g := range m.(*describegroups.Response).Groups {
			if g.ErrorCode != 0 {
				return codeError(g.ErrorCode)
			}
			n += len(g.Members)
			settled = g.GroupState == "Stable"
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("members of %s: %w", group, err)
	}
	return n, settled, nil
}
