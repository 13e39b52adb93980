package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go" //nolint:depguard // one question that kafkaio does not ask yet: who is in a group

	"github.com/toplu/toplu/internal/config"
)

// owners asks the workers' group who has been given which shard: the host and
// client id of the member, as the broker sees them.
func owners(ctx context.Context, k config.Kafka) (map[int]string, error) {
	tlsConfig, err := k.TLSConfig()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, k.Timeout)
	defer cancel()
	transport := &kafka.Transport{TLS: tlsConfig, ClientID: k.ClientID, Context: ctx, MetadataTopics: []string{k.Topics().Batches}}
	if k.Username != "" {
		transport.SASL = kafkaLogin{k}
	}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(k.Brokers...), Transport: transport}
	res, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{k.Group + "-workers"}})
	if err != nil {
		return nil, fmt.Errorf("the group of the workers: %w", err)
	}
	found := map[int]string{}
	for _, g := range res.Groups {
		for _, m := range g.Members {
			for _, t := range m.MemberAssignments.Topics {
				if t.Topic != k.Topics().Batches {
					continue
				}
				for _, shard := range t.Partitions {
					found[shard] = strings.TrimPrefix(m.ClientHost, "/") + " " + m.ClientID
				}
			}
		}
	}
	return found, nil
}
