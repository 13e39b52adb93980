//go:build integration && slow

package secure_test

import (
	"os"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
)

// block returns a fenced block of docs/security.md by the word behind its
// fence.
func block(t *testing.T, kind string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n```"+kind+"\n")
	inside, _, closed := strings.Cut(rest, "\n```")
	if !ok || !closed {
		t.Fatalf("docs/security.md has no block %q", kind)
	}
	return inside + "\n"
}

// kafkaACLs reads the document's calls of kafka-acls.sh.
func kafkaACLs(t *testing.T) []kafka.ACLEntry {
	t.Helper()
	var all []kafka.ACLEntry
	for line := range strings.Lines(block(t, "sh")) {
		rest, ok := strings.CutPrefix(line, "acl ")
		if !ok {
			continue
		}
		entry := kafka.ACLEntry{Host: "*", PermissionType: kafka.ACLPermissionTypeAllow, ResourcePatternType: kafka.PatternTypeLiteral}
		var named []kafka.ACLEntry
		words := strings.Fields(rest)
		for i := 0; i+1 < len(words); i += 2 {
			switch flag, value := words[i], words[i+1]; flag {
			case "--allow-principal":
				entry.Principal = value
			case "--operation":
				if err := entry.Operation.UnmarshalText([]byte(value)); err != nil {
					t.Fatal(err)
				}
			case "--topic":
				named = append(named, kafka.ACLEntry{ResourceType: kafka.ResourceTypeTopic, ResourceName: value})
			case "--group":
				named = append(named, kafka.ACLEntry{ResourceType: kafka.ResourceTypeGroup, ResourceName: value})
			case "--resource-pattern-type":
				entry.ResourcePatternType = kafka.PatternTypePrefixed
			default:
				t.Fatalf("docs/security.md: %s", line)
			}
		}
		for _, n := range named {
			e := entry
			e.ResourceType, e.ResourceName = n.ResourceType, n.ResourceName
			all = append(all, e)
		}
	}
	if len(all) < 20 {
		t.Fatalf("docs/security.md has only %d permissions", len(all))
	}
	return all
}

// redisACL is the document's aclfile with an administrator besides.
func redisACL(t *testing.T, kind string) string {
	t.Helper()
	return block(t, kind) + "user admin on >CHANGE-admin ~* &* +@all\n"
}
