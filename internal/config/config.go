package config

import (
	"net"
	"net/url"
	"time"

	"github.com/toplu/toplu/schema"
)

// A Config is a checked configuration. Every field's meaning, unit and default
// is in the table of keys, and so in docs/configuration.md. It is read-only
// after [Load], and so safe for concurrent use.
type Config struct {
	Kafka       Kafka
	Redis       Redis
	Iyzico      Iyzico
	Merchants   map[string]Merchant // by name
	Batch       Batch
	Report      Report
	Verify      Verify
	CheckDigits schema.CheckDigits
	Seal        Seal
	Admin       Admin
	Tracing     Tracing
	Log         Log
	Shutdown    Shutdown

	settings []Setting
}

// Kafka is where the topics are and how they are spoken to.
type Kafka struct {
	Brokers           []string // host:port
	ClientID          string
	Compression       string
	SessionTimeout    time.Duration
	Timeout           time.Duration
	TopicPrefix       string
	Group             string
	StartAt           StartAt
	Replication       int // 0: the broker's default
	MinInsyncReplicas int // 0: the broker's default
	TLS               bool
	CAFile            string // path of a PEM file; "": the system's authorities
	CertFile, KeyFile string // paths of PEM files; "": no certificate of our own
	Mechanism         Mechanism
	Username          string // SASL; "": none
	Password          Secret
}

// A Mechanism is how a user proves to Kafka who it is.
type Mechanism string

// The mechanisms of SASL.
const (
	MechanismPlain    Mechanism = "PLAIN"
	MechanismScram256 Mechanism = "SCRAM-SHA-256"
	MechanismScram512 Mechanism = "SCRAM-SHA-512"
)

// Redis is where the claims are kept.
type Redis struct {
	Addrs             []string // host:port; more than one: a Redis Cluster, or with MasterName its sentinels
	Cluster           bool     // a single address stands for a Redis Cluster
	MasterName        string   // "": no sentinels
	Username          string
	Password          Secret
	SentinelUsername  string
	SentinelPassword  Secret
	TLS               bool
	CAFile            string // path of a PEM file; "": the system's authorities
	CertFile, KeyFile string // paths of PEM files; "": no certificate of our own
	KeyPrefix         string
}

// Iyzico is how the Mass Payout API is called, for every merchant.
type Iyzico struct {
	BaseURL         *url.URL
	Locale          string // tr or en
	Timeout         time.Duration
	Grace           time.Duration
	PageSize        int
	MaxConns        int
	SeenBeforeCodes []string
	RejectCodes     []string
	BreakerFailures int
	BreakerPause    time.Duration
}

// A Merchant is one account at iyzico.
type Merchant struct {
	APIKey    Secret
	SecretKey Secret
	Purpose   string   // of requests that name none
	Topics    []string // its requests are taken from these alone; prefix included
	MaxOpen   int      // open batches per shard

	Concurrency     int // calls under way, per process
	Rate            int // calls a minute, of all workers; 0: no limit
	BalanceCurrency schema.Currency
	Limits          Limits
	Batch           Batch // that of the file's batch section where the merchant has none of its own
	CutOff          CutOff
}

// Limits are the amounts above which a person decides. 0 is no limit.
type Limits struct {
	Payout int64 // minor units of the payout's currency
	Batch  int64 // minor units of the batch's currency
}

// A CutOff says when of a day a merchant pays. Without At, always.
type CutOff struct {
	At       TimeOfDay
	Opens    TimeOfDay
	Zone     *time.Location
	Days     []time.Weekday
	Holidays []string // 2026-01-31
}

// A TimeOfDay is minutes since midnight, plus one; 0 is none.
type TimeOfDay int

// Minutes returns the minutes since midnight, and false for none.
func (t TimeOfDay) Minutes() (int, bool) { return int(t) - 1, t > 0 }

// Batch says when a batch is sealed.
type Batch struct {
	MaxItems  int
	MaxWait   time.Duration
	MaxAmount int64 // minor units of the batch's currency; 0: no limit
	MaxBytes  int
}

// Report says how often iyzico is asked what became of a batch.
type Report struct {
	Interval    time.Duration
	MaxInterval time.Duration
	GiveUp      time.Duration
}

// Verify says what is compared before a batch is completed.
type Verify struct {
	Amounts bool
	Balance bool
}

// Seal is where the keys are that personal data in the logs is sealed with.
type Seal struct {
	KeyDir string // "": nothing is sealed
}

// Admin is the HTTP listener for health and metrics.
type Admin struct {
	Listen string // host:port; port 0: any free one
	Pprof  bool
}

// Tracing says where traces go; without an endpoint and a file there are none.
type Tracing struct {
	Endpoint string // URL for OTLP over HTTP; "": nowhere
	File     string // path for JSON lines; "": none
	Sample   int    // traces that are recorded of each million
}

// Log is what the log shows and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // json or console
}

// Shutdown says how the service ends.
type Shutdown struct {
	Timeout time.Duration
}

// A StartMode says where a consumer group without offsets begins.
type StartMode string

// The start modes. StartUnset is the first offset, after the check of a first
// start.
const (
	StartUnset StartMode = ""
	StartFirst StartMode = "first"
	StartNow   StartMode = "now"
	StartTime  StartMode = "time"
)

// StartAt is where a consumer group without offsets begins.
type StartAt struct {
	Mode StartMode
	Time time.Time // only with [StartTime]
}

// Rules are the rules that requests are checked by. A configuration without
// merchants, as that of a machine that only sends requests, knows them all.
func (c *Config) Rules() *schema.Rules {
	rules := &schema.Rules{CheckDigits: c.CheckDigits}
	if len(c.Merchants) > 0 {
		rules.Merchant = func(name string) (schema.MerchantRules, bool) {
			m, ok := c.Merchants[name]
			return schema.MerchantRules{Purpose: m.Purpose, Topics: m.Topics}, ok
		}
	}
	return rules
}

// loopback reports whether host is this machine, where plain HTTP is no risk.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
