//go:build integration && slow

package secure_test

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/internal/realparts"
)

// startRedis starts a server with the users of docs/security.md.
func (p *place) startRedis(name string, s realparts.RedisSecurity) *realparts.Redis {
	p.t.Helper()
	s.Authority, s.ACL = p.authority, redisACL(p.t, "acl")
	r, err := realparts.StartSecureRedis(p.t.Context(), filepath.Join(p.dir, name), s)
	p.must(err)
	p.t.Cleanup(func() { _ = r.Kill() })
	return r
}

// redisAdmin sends one command to a server as its administrator.
func (p *place) redisAdmin(addr string, args ...any) (any, error) {
	p.t.Helper()
	config, err := p.authority.ClientTLS()
	p.must(err)
	cert, err := tls.LoadX509KeyPair(filepath.Join(p.dir, "pki/administrator.pem"), filepath.Join(p.dir, "pki/administrator.key"))
	p.must(err)
	config.Certificates = []tls.Certificate{cert}
	c := redis.NewClient(&redis.Options{Addr: addr, Username: "admin", Password: "CHANGE-admin", TLSConfig: config, MaxRetries: -1})
	defer c.Close()
	return c.Do(p.t.Context(), args...).Result()
}

// keys are a server's keys that match a pattern.
func (p *place) keys(addr, pattern string) []string {
	p.t.Helper()
	answer, err := p.redisAdmin(addr, "KEYS", pattern)
	p.must(err)
	list, _ := answer.([]any)
	if len(list) == 0 {
		p.t.Fatalf("no key matches %s", pattern)
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = fmt.Sprint(list[i])
	}
	return names
}

// halves starts a consumer and a worker, each with its own users.
func (p *place) halves() (consumer, worker *process) {
	p.t.Helper()
	p.write("secrets/redis-reader", "CHANGE-reader\n")
	p.write("secrets/redis-worker", "CHANGE-worker\n")
	consumer = p.run("consumer", p.as("toplu-consumer", "TOPLU_REDIS_USERNAME=toplu-reader", "TOPLU_REDIS_PASSWORDFILE=secrets/redis-reader"), "--roles", "consumer")
	worker = p.run("worker", p.as("toplu-worker", "TOPLU_REDIS_USERNAME=toplu-worker", "TOPLU_REDIS_PASSWORDFILE=secrets/redis-worker"), "--roles", "worker")
	return consumer, worker
}

// TestSlowSecureRedis pays with Redis behind TLS, client certificates and
// users, has the people on call do their work, and exchanges passwords.
func TestSlowSecureRedis(t *testing.T) {
	var r *realparts.Redis
	p := newPlace(t, func(p *place) string {
		_, err := p.authority.Issue("toplu")
		p.must(err)
		r = p.startRedis("redis", realparts.RedisSecurity{ClientCerts: true})
		return fmt.Sprintf(`{addrs: ["%s"], tls: true, caFile: pki/ca.pem, certFile: pki/toplu.pem, keyFile: pki/toplu.key}`, r.Addr)
	})
	t.Run("wrong logins", func(t *testing.T) {
		for want, env := range map[string][]string{
			"Check redis.username and redis.password":      {"TOPLU_REDIS_USERNAME=toplu-worker", "TOPLU_REDIS_PASSWORD=CHANGE-nothing"},
			"docs/security.md":                             {"TOPLU_REDIS_USERNAME=replica", "TOPLU_REDIS_PASSWORD=CHANGE-replica"},
			"check redis.certFile and redis.keyFile":       {"TOPLU_REDIS_USERNAME=toplu-worker", "TOPLU_REDIS_PASSWORD=CHANGE-worker", "TOPLU_CONFIG=" + p.replaced(", certFile: pki/toplu.pem, keyFile: pki/toplu.key", "")},
			"NOAUTH":                                       nil,
			"redis.tls is off: nothing would be encrypted": {"TOPLU_REDIS_TLS=false"},
		} {
			out, status := p.toplu(p.as("toplu-worker", env...), "run")
			if status != 1 || !strings.Contains(out, want) {
				t.Errorf("exit status %d, want 1 and %q:\n%s", status, want, out)
			}
			silent(t, want, out)
		}
	})
	t.Run("a group that is somebody else's", func(t *testing.T) {
		login := []string{"TOPLU_REDIS_USERNAME=toplu-worker", "TOPLU_REDIS_PASSWORD=CHANGE-worker", "TOPLU_KAFKA_GROUP=others"}
		for _, role := range []string{"consumer", "worker"} {
			out, status := p.toplu(p.as("toplu-"+role, login...), "run", "--roles", role)
			if status != 1 || !strings.Contains(out, "Group Authorization Failed") || !strings.Contains(out, "docs/security.md") {
				t.Errorf("%s: exit status %d:\n%s", role, status, out)
			}
		}
	})
	consumer, worker := p.halves()
	p.send(200)
	p.balanced(time.Minute)

	t.Run("in another merchant's name", p.forges)
	t.Run("people on call", func(t *testing.T) {
		oncall := p.as("toplu-oncall", "TOPLU_REDIS_USERNAME=toplu-reader", "TOPLU_REDIS_PASSWORDFILE=secrets/redis-reader")
		for _, args := range [][]string{
			{"status"},
			{"explain", "pay-00001"},
			{"batch", "list"},
			{"dlq", "list"},
			{"pause", "--yes", "--reason", "a try"},
			{"resume", "--yes", "--reason", "a try"},
			{"rebuild", "--shard", "0", "--yes", "--reason", "a try"},
		} {
			if out, status := p.toplu(oncall, args...); status != 0 {
				t.Errorf("%v: exit status %d:\n%s", args, status, out)
			}
		}
	})

	// The consumer alone meets buckets that are gone: its user may give the claims
	// up, no more, and the worker fills them again.
	for shard := range 4 {
		for _, key := range p.keys(r.Addr, fmt.Sprintf("toplu:{toplu-%d}:*", shard)) {
			_, err := p.redisAdmin(r.Addr, "DEL", key)
			p.must(err)
		}
	}
	p.send(200)
	p.balanced(time.Minute)
	for _, write := range [][]any{{"DEL", "toplu:{toplu-0}:0"}, {"HSET", "toplu:{toplu-0}", "wm", "1"}, {"UNLINK", "toplu:{toplu-0}:0"}} {
		if answer, err := p.redisAdmin(r.Addr, append([]any{"ACL", "DRYRUN", "toplu-reader"}, write...)...); err != nil || answer == "OK" {
			t.Errorf("the reader may %v: %v, %v", write, answer, err)
		}
	}

	// Passwords are exchanged; connections that are open then are cut.
	p.write("secrets/redis-worker", "CHANGE-again")
	_, err := p.redisAdmin(r.Addr, "ACL", "SETUSER", "toplu-worker", "resetpass", ">CHANGE-again")
	p.must(err)
	_, err = p.redisAdmin(r.Addr, "CLIENT", "KILL", "USER", "toplu-worker")
	p.must(err)
	p.send(200)
	p.balanced(time.Minute)
	consumer.end()
	worker.end()
}

// TestSlowSecureCluster pays on a Redis Cluster of three masters, with a rate and a
// balance that are shared there: their keys stand in slots of their own.
func TestSlowSecureCluster(t *testing.T) {
	var addrs []string
	p := newPlace(t, func(p *place) string {
		for i := range 3 {
			addrs = append(addrs, p.startRedis(fmt.Sprintf("redis-%d", i), realparts.RedisSecurity{Cluster: true}).Addr)
		}
		p.cluster(addrs)
		return fmt.Sprintf(`{addrs: ["%s", "%s"], tls: true, caFile: pki/ca.pem}`, addrs[0], addrs[1])
	})
	p.config = p.replaced("secretKey: sandbox-default-secret", "secretKey: sandbox-default-secret, rate: 6000")
	consumer, worker := p.halves()
	p.send(400)
	seen := map[string]bool{}
	p.eventually(time.Minute, func() string {
		for _, addr := range addrs {
			for _, key := range []string{"toplu:rate:default", "toplu:reserve:default:TRY"} {
				if n, err := p.redisAdmin(addr, "EXISTS", key); err == nil && n == int64(1) { // the other nodes send on
					seen[key] = true
				}
			}
		}
		if len(seen) == 2 {
			return ""
		}
		if len(p.asked) < 3000 {
			p.send(50)
		}
		return fmt.Sprintf("of rate and reserve only %v was seen", seen)
	})
	p.balanced(time.Minute)
	if strings.Contains(worker.output(), "CROSSSLOT") {
		t.Errorf("a script reaches beyond its slot:\n%s", worker.output())
	}
	consumer.end()
	worker.end()
}

// cluster makes one cluster of nodes, each with a third of the slots.
func (p *place) cluster(addrs []string) {
	p.t.Helper()
	for i, addr := range addrs {
		_, err := p.redisAdmin(addr, "CLUSTER", "ADDSLOTSRANGE", i*16384/len(addrs), (i+1)*16384/len(addrs)-1)
		p.must(err)
		_, err = p.redisAdmin(addr, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		p.must(err)
	}
	for _, addr := range addrs[1:] {
		port, err := p.redisAdmin(addr, "CONFIG", "GET", "cluster-port")
		p.must(err)
		bus := fmt.Sprint(port.(map[any]any)["cluster-port"])
		_, err = p.redisAdmin(addrs[0], "CLUSTER", "MEET", "127.0.0.1", addr[strings.LastIndex(addr, ":")+1:], bus)
		p.must(err)
	}
	for _, addr := range addrs {
		p.eventually(30*time.Second, func() string {
			info, err := p.redisAdmin(addr, "CLUSTER", "INFO")
			p.must(err)
			if text := fmt.Sprint(info); !strings.Contains(text, "cluster_state:ok") || !strings.Contains(text, "cluster_known_nodes:3") {
				return text
			}
			return ""
		})
	}
}

// TestSlowSecureSentinel pays while the master of Redis dies and its replica
// takes over.
func TestSlowSecureSentinel(t *testing.T) {
	var master, replica *realparts.Redis
	p := newPlace(t, func(p *place) string {
		auth := []string{"--masteruser", "replica", "--masterauth", "CHANGE-replica"}
		master = p.startRedis("master", realparts.RedisSecurity{Options: auth})
		host, port, _ := strings.Cut(master.Addr, ":")
		replica = p.startRedis("replica", realparts.RedisSecurity{Options: append([]string{"--replicaof", host + " " + port}, auth...)})
		p.linked(replica.Addr)
		var sentinels []string
		for i := range 3 {
			s, err := realparts.StartSentinel(p.t.Context(), filepath.Join(p.dir, fmt.Sprintf("sentinel-%d", i)), p.authority, block(p.t, "sentinel-acl"),
				fmt.Sprintf(`sentinel monitor toplu-redis %s %s 2
sentinel auth-user toplu-redis sentinel
sentinel auth-pass toplu-redis CHANGE-sentinel
sentinel sentinel-user sentinel
sentinel sentinel-pass CHANGE-sentinel
sentinel down-after-milliseconds toplu-redis 2000
sentinel failover-timeout toplu-redis 10000`, host, port))
			p.must(err)
			p.t.Cleanup(func() { _ = s.Kill() })
			sentinels = append(sentinels, `"`+s.Addr+`"`)
		}
		p.write("secrets/sentinel", "CHANGE-asks")
		return fmt.Sprintf(`{addrs: [%s], masterName: toplu-redis, sentinelUsername: toplu-sentinel, sentinelPasswordFile: secrets/sentinel, tls: true, caFile: pki/ca.pem}`, strings.Join(sentinels, ", "))
	})
	out, status := p.toplu(p.as("toplu-worker", "TOPLU_REDIS_USERNAME=toplu-worker", "TOPLU_REDIS_PASSWORD=CHANGE-worker", "TOPLU_CONFIG="+p.replaced("File: secrets/sentinel", ": CHANGE-wrong")), "run")
	if status != 1 || !strings.Contains(out, "Check redis.sentinelUsername and redis.sentinelPassword") {
		t.Errorf("a wrong password at the sentinels: exit status %d:\n%s", status, out)
	}

	consumer, worker := p.halves()
	p.send(200)
	p.balanced(time.Minute)

	p.send(200)
	p.must(master.Kill())
	killed := time.Now()
	p.send(200)
	p.balanced(90 * time.Second)
	t.Logf("the master killed: all answered %.1f s later", time.Since(killed).Seconds())
	if role, err := p.redisAdmin(replica.Addr, "ROLE"); err != nil || fmt.Sprint(role.([]any)[0]) != "master" {
		t.Errorf("the replica is not the master now: %v, %v", role, err)
	}

	// The old master comes back, as a replica.
	p.must(master.Restart(t.Context()))
	p.send(100)
	p.balanced(time.Minute)
	consumer.end()
	worker.end()
}

// linked waits until a replica has its master's data.
func (p *place) linked(addr string) {
	p.t.Helper()
	p.eventually(20*time.Second, func() string {
		info, err := p.redisAdmin(addr, "INFO", "replication")
		if err != nil || !strings.Contains(fmt.Sprint(info), "master_link_status:up") {
			return fmt.Sprint(info, err)
		}
		return ""
	})
}
