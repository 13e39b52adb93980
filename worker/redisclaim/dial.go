package redisclaim

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says where Redis is and how to get in.
type Config struct {
	// Addrs is one host:port, or several: of a cluster, or with MasterName of
	// the sentinels.
	Addrs []string
	// MasterName is the name the sentinels know the master by. Empty: no sentinels.
	MasterName string
	// Cluster is needed only if a single address stands for a whole cluster.
	Cluster bool
	// DB is the number of the database; a cluster has only 0.
	DB int
	// Login, if not nil, returns the user ("" for the default one) and password
	// for Redis itself. It is asked for each connection, so that a password can be
	// exchanged, and must be safe for concurrent use.
	Login func(context.Context) (username, password string, err error)
	// SentinelUsername and SentinelPassword are for the sentinels.
	SentinelUsername, SentinelPassword string
	// TLS, if not nil, is used for every connection.
	TLS *tls.Config
	// Timeout is for one command, if the context has no earlier deadline, and
	// for connecting. Default: 5 s, some hundred times what the largest plan takes.
	Timeout time.Duration
	// PoolSize is the most connections to each node. Default: 16.
	PoolSize int
}

// A Client is a connection to Redis, of whatever kind. It is for those who only
// open, pass on and close one.
type Client = redis.UniversalClient

// quiet keeps go-redis from printing on standard error by itself; whatever it
// says is also the error of a call.
type quiet struct{}

// Printf prints nothing.
func (quiet) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

// Dial returns a client with the settings that claims need. It connects when it
// is first used, see [Store.Check]. The caller closes it.
func Dial(c Config) Client {
	silence()
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.PoolSize <= 0 {
		c.PoolSize = 16
	}
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                      c.Addrs,
		MasterName:                 c.MasterName,
		IsClusterMode:              c.Cluster,
		DB:                         c.DB,
		CredentialsProviderContext: c.Login,
		SentinelUsername:           c.SentinelUsername,
		SentinelPassword:           c.SentinelPassword,
		TLSConfig:                  c.TLS,

		// The worker retries, visibly and with its own back-off. The cluster's
		// client still follows redirects and with them repeats a lost call, which
		// scripts and look-ups bear; a watched transaction stays on its connection.
		MaxRetries:    -1,
		DialerRetries: 1,
		// Otherwise a deadline is not seen while waiting for an answer.
		ContextTimeoutEnabled: true,
		DialTimeout:           c.Timeout,
		ReadTimeout:           c.Timeout,
		WriteTimeout:          c.Timeout,

		PoolSize:    c.PoolSize,
		PoolTimeout: c.Timeout,
		// Nothing here is pipelined; without this each client has a second pool.
		PipelinePoolSize: -1,
		// One right less to be given; what is told would be the library's name.
		DisableIdentity: true,
		// A feature of Redis Enterprise; others count an error for each connection.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}
