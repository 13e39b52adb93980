package bench

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// writeBehind writes n records to the plan log, each of one payout that was paid
// elsewhere, and returns when a worker, which must run, has claimed them all. They
// are plans that cost no calls: many are made in a minute.
func (b *Bench) writeBehind(ctx context.Context, n int) error {
	before, err := b.Claims.Count(ctx)
	if err != nil {
		return err
	}
	for done := 0; done < n; {
		messages := make([]kafkaio.Message, min(fillChunk, n-done))
		for i := range messages {
			im := schema.Imported{By: "toplu bench", Reason: "plans that are behind", At: b.Now()}
			im.Items = []schema.Import{{PayoutID: fmt.Sprintf("%s-behind-%d", b.Name, done+i)}}
			value, err := schema.EncodeImported(&im)
			if err != nil {
				return err
			}
			partition := schema.Shard(im.Items[0].PayoutID, b.Partitions)
			messages[i] = kafkaio.Message{Key: []byte("imported"), Value: value, Partition: &partition}
		}
		if err := b.Kafka.Publish(ctx, b.Topics.Batches, messages); err != nil {
			return err
		}
		done += len(messages)
		b.Progress("writing plans", done, n)
	}
	_, _, err = b.claimed(ctx, "claiming plans", before+int64(n))
	return err
}
