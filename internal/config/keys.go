package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/toplu/toplu/schema"
)

// A key is a row of the table: everything toplu knows about one setting.
type key struct {
	name     string // in the file; "*" stands for a merchant's name
	def      string // the default, as it would be written; lists with commas
	required bool   // there is no default that could be right
	inherits string // the key whose value is in force where this one is not written
	doc      string // what it is for
	danger   string // what a wrong value does, if it does harm
	binding
}

// A binding ties a key to its kind and to the field that takes the value.
type binding struct {
	kind, allowed string
	list, secret  bool
	set           func(c *Config, m *Merchant, v value) error
}

// to binds a kind to a field of the configuration.
func to[T any](k kind[T], field func(*Config) *T) binding {
	return bind(k, func(c *Config, _ *Merchant) *T { return field(c) })
}

// toMerchant binds a kind to a field of a merchant.
func toMerchant[T any](k kind[T], field func(*Merchant) *T) binding {
	return bind(k, func(_ *Config, m *Merchant) *T { return field(m) })
}

func bind[T any](k kind[T], field func(*Config, *Merchant) *T) binding {
	return binding{kind: k.name, allowed: k.allowed, list: k.list, secret: k.name == "secret", set: func(c *Config, m *Merchant, v value) error {
		parsed, err := k.parse(v.texts)
		if err != nil {
			return err
		}
		if s, ok := any(&parsed).(*Secret); ok {
			s.file = v.file
		}
		*field(c, m) = parsed
		return nil
	}}
}

const merchantPrefix = "merchants."

// ofMerchant reports whether the row is about one merchant.
func (k *key) ofMerchant() bool { return strings.HasPrefix(k.name, merchantPrefix) }

// section is the part before the first dot; checkDigits is its own.
func (k *key) section() string { return section(k.name) }

func section(name string) string {
	s, _, _ := strings.Cut(name, ".")
	return s
}

const day = 24 * time.Hour

// keys is the table. Its order is that of the reference and of `config show`.
var keys = []key{
	{name: "kafka.brokers", required: true, doc: "Brokers to ask first; the others are learned from them.", binding: to(addresses(), func(c *Config) *[]string { return &c.Kafka.Brokers })},
	{name: "kafka.clientId", def: "toplu", doc: "Name under which brokers log and limit this program.", binding: to(text(`[A-Za-z0-9._-]{1,100}`, "1 to 100 of A-Z a-z 0-9 . _ -"), func(c *Config) *string { return &c.Kafka.ClientID })},
	{name: "kafka.compression", def: "none", doc: "Compression of what toplu writes. Of these lz4 takes the least CPU.", danger: "Whoever reads payout.statuses must know it: kafkajs reads gzip alone unless it is given a codec.", binding: to(oneOf("none", "gzip", "snappy", "lz4", "zstd"), func(c *Config) *string { return &c.Kafka.Compression })},
	{name: "kafka.sessionTimeout", def: "10s", doc: "How long a silent member keeps its partitions.", danger: "Below the broker's group.min.session.timeout.ms (6s unless changed) joining is refused.", binding: to(duration(time.Second, 30*time.Minute), func(c *Config) *time.Duration { return &c.Kafka.SessionTimeout })},
	{name: "kafka.timeout", def: "10s", doc: "How long one call to a broker may take.", binding: to(duration(100*time.Millisecond, 5*time.Minute), func(c *Config) *time.Duration { return &c.Kafka.Timeout })},
	{name: "kafka.topicPrefix", doc: "Put before the name of every topic, so that installations can share brokers.", danger: "Another prefix is another installation: it knows nothing of what this one has paid.", binding: to(text(`[A-Za-z0-9._-]{0,200}`, "at most 200 of A-Z a-z 0-9 . _ -"), func(c *Config) *string { return &c.Kafka.TopicPrefix })},
	{name: "kafka.group", def: "toplu", doc: "Consumer group of this installation. A topic that a merchant names has a group of its own: this name, a dot, and the topic's.", danger: "A new group reads all requests again. Nothing is paid twice, but it takes time.", binding: to(text(`[A-Za-z0-9._-]{1,200}`, "1 to 200 of A-Z a-z 0-9 . _ -"), func(c *Config) *string { return &c.Kafka.Group })},
	{name: "kafka.startAt", doc: "Where a group without offsets begins. The very first start of an installation, and of a topic that a merchant names, refuses to go on without it when old requests are waiting.", danger: "Requests before this place are never paid; requests after it are, also those that another system has paid.", binding: to(startAt(), func(c *Config) *StartAt { return &c.Kafka.StartAt })},
	{name: "kafka.replication", def: "0", doc: "Copies of each partition when `topics create` makes a topic; 0 leaves it to the broker.", danger: "Below 3, the loss of a disk can lose what has been paid.", binding: to(number(0, 15), func(c *Config) *int { return &c.Kafka.Replication })},
	{name: "kafka.minInsyncReplicas", def: "0", doc: "Copies that must have a record before it counts as written, for topics that `topics create` makes; 0 leaves it to the broker.", danger: "Below 2, an acknowledged record can be lost with one machine.", binding: to(number(0, 15), func(c *Config) *int { return &c.Kafka.MinInsyncReplicas })},
	{name: "kafka.tls", def: "false", doc: "Speak TLS with the brokers.", danger: "Off, whoever is on the way reads recipients and can write requests in your name.", binding: to(boolean(), func(c *Config) *bool { return &c.Kafka.TLS })},
	{name: "kafka.caFile", doc: "PEM file with the authorities that sign the brokers' certificates, relative to the configuration file; nothing for the system's. Read at start only.", binding: to(path(), func(c *Config) *string { return &c.Kafka.CAFile })},
	{name: "kafka.certFile", doc: "PEM file with the certificate that this program shows to the brokers, and those between it and the authority; nothing for none. Read anew for each connection.", danger: "A broker that also wants a login by SASL takes that one's user, not the certificate's.", binding: to(path(), func(c *Config) *string { return &c.Kafka.CertFile })},
	{name: "kafka.keyFile", doc: "PEM file with the private key of kafka.certFile, without a password. Read anew for each connection.", danger: "Whoever can read it can be this program: mode 0400.", binding: to(path(), func(c *Config) *string { return &c.Kafka.KeyFile })},
	{name: "kafka.mechanism", def: string(MechanismPlain), doc: "How kafka.username logs in by SASL.", danger: "PLAIN sends the password itself: only with kafka.tls.", binding: to(oneOf(MechanismPlain, MechanismScram256, MechanismScram512), func(c *Config) *Mechanism { return &c.Kafka.Mechanism })},
	{name: "kafka.username", doc: "User for SASL; nothing for no login. What it must be allowed is in docs/security.md.", binding: to(word(), func(c *Config) *string { return &c.Kafka.Username })},
	{name: "kafka.password", doc: "Password for SASL. From a file, it is read anew for each connection.", danger: "Without kafka.tls it can be read on the network (PLAIN) or guessed from what is (SCRAM).", binding: to(secret(), func(c *Config) *Secret { return &c.Kafka.Password })},

	{name: "redis.addrs", required: true, doc: "Where Redis is; with redis.masterName, where the sentinels are. More than one address without it is a Redis Cluster, and any of its nodes will do.", binding: to(addresses(), func(c *Config) *[]string { return &c.Redis.Addrs })},
	{name: "redis.cluster", def: "false", doc: "The single address in redis.addrs stands for a Redis Cluster.", binding: to(boolean(), func(c *Config) *bool { return &c.Redis.Cluster })},
	{name: "redis.masterName", doc: "Name by which the sentinels know the master; nothing for no sentinels.", danger: "A failover loses what the replica had not yet. toplu notices and reads the plan logs again; until then the shard does not pay.", binding: to(word(), func(c *Config) *string { return &c.Redis.MasterName })},
	{name: "redis.username", doc: "Redis user; nothing for the default user. What it must be allowed is in docs/security.md.", binding: to(word(), func(c *Config) *string { return &c.Redis.Username })},
	{name: "redis.password", doc: "Redis password. From a file, it is read anew for each connection.", danger: "Without redis.tls it can be read on the network.", binding: to(secret(), func(c *Config) *Secret { return &c.Redis.Password })},
	{name: "redis.sentinelUsername", doc: "User at the sentinels, who have users of their own; nothing for their default user.", binding: to(word(), func(c *Config) *string { return &c.Redis.SentinelUsername })},
	{name: "redis.sentinelPassword", doc: "Password at the sentinels; nothing if they ask for none. Read at start only, also from a file.", danger: "Without redis.tls it can be read on the network.", binding: to(secret(), func(c *Config) *Secret { return &c.Redis.SentinelPassword })},
	{name: "redis.tls", def: "false", doc: "Speak TLS with Redis, and with the sentinels.", danger: "Off, whoever is on the way can change claims. No payout is paid twice by that, but shards stop.", binding: to(boolean(), func(c *Config) *bool { return &c.Redis.TLS })},
	{name: "redis.caFile", doc: "PEM file with the authorities that sign Redis's certificate, relative to the configuration file; nothing for the system's. Read at start only.", binding: to(path(), func(c *Config) *string { return &c.Redis.CAFile })},
	{name: "redis.certFile", doc: "PEM file with the certificate that this program shows to Redis, which asks for one unless it runs with tls-auth-clients no; nothing for none. Read anew for each connection.", binding: to(path(), func(c *Config) *string { return &c.Redis.CertFile })},
	{name: "redis.keyFile", doc: "PEM file with the private key of redis.certFile, without a password. Read anew for each connection.", danger: "Whoever can read it can be this program: mode 0400.", binding: to(path(), func(c *Config) *string { return &c.Redis.KeyFile })},
	{name: "redis.keyPrefix", def: "toplu", doc: "Put before every key, so that installations can share a Redis.", binding: to(text(`[A-Za-z0-9._:-]{1,64}`, "1 to 64 of A-Z a-z 0-9 . _ : -"), func(c *Config) *string { return &c.Redis.KeyPrefix })},

	{name: "iyzico.baseUrl", required: true, doc: "Where the Mass Payout API is: https://api.iyzipay.com for real money, https://sandbox-api.iyzipay.com for iyzico's sandbox, or a simulator.", binding: to(baseURL(), func(c *Config) **url.URL { return &c.Iyzico.BaseURL })},
	{name: "iyzico.locale", def: "tr", doc: "Language of iyzico's messages.", binding: to(oneOf("tr", "en"), func(c *Config) *string { return &c.Iyzico.Locale })},
	{name: "iyzico.timeout", def: "30s", doc: "How long one call may take. A call that takes longer has an unknown outcome, which is then asked for.", binding: to(duration(100*time.Millisecond, 10*time.Minute), func(c *Config) *time.Duration { return &c.Iyzico.Timeout })},
	{name: "iyzico.grace", def: "30s", doc: "How long iyzico may take to show what it has accepted, before its silence is believed.", danger: "Too short costs needless attempts, never a second payment.", binding: to(duration(0, time.Hour), func(c *Config) *time.Duration { return &c.Iyzico.Grace })},
	{name: "iyzico.pageSize", def: "1000", doc: "Items asked for in one page of a report.", binding: to(number(1, 10000), func(c *Config) *int { return &c.Iyzico.PageSize })},
	{name: "iyzico.maxConns", def: "32", doc: "Connections to iyzico at a time, for each merchant.", binding: to(number(1, 1000), func(c *Config) *int { return &c.Iyzico.MaxConns })},
	{name: "iyzico.breakerFailures", def: "5", doc: "Calls for a merchant that must fail one after the other, for reasons of its account, the traffic or the network, until no more are made for a while: its circuit breaker opens. The other merchants have their own.", binding: to(number(1, 1000), func(c *Config) *int { return &c.Iyzico.BreakerFailures })},
	{name: "iyzico.breakerPause", def: "5s", doc: "How long an open circuit breaker lets no call through, but auth for what has been completed. Then one call tries.", binding: to(duration(100*time.Millisecond, 10*time.Minute), func(c *Config) *time.Duration { return &c.Iyzico.BreakerPause })},
	{name: "iyzico.seenBeforeCodes", doc: "Error codes of init that may mean that the batch is known already; it is then looked up before anything else.", binding: to(codes(), func(c *Config) *[]string { return &c.Iyzico.SeenBeforeCodes })},
	{name: "iyzico.rejectCodes", doc: "Error codes of init that reject all items of the batch. With every other unknown code the batch is held for a person.", danger: "The items of a batch refused by such a code are final and need new payout ids.", binding: to(codes(), func(c *Config) *[]string { return &c.Iyzico.RejectCodes })},

	{name: "merchants.*.apiKey", required: true, doc: "API key of the merchant's account at iyzico. From a file, a new pair is taken over within seconds, as soon as iyzico has accepted it.", binding: toMerchant(secret(), func(m *Merchant) *Secret { return &m.APIKey })},
	{name: "merchants.*.secretKey", required: true, doc: "Secret key of the merchant's account at iyzico; exchanged as apiKey is.", binding: toMerchant(secret(), func(m *Merchant) *Secret { return &m.SecretKey })},
	{name: "merchants.*.purpose", def: "SETTLEMENT", doc: "Purpose of payouts whose request names none.", binding: toMerchant(oneOf(schema.Purposes()...), func(m *Merchant) *string { return &m.Purpose })},
	{name: "merchants.*.topics", def: "payout.requests", doc: "Topics that the merchant's requests are taken from, without kafka.topicPrefix; a request in its name that stands elsewhere is refused as wrong_topic. Several merchants may name one topic, and payout.requests is read whoever names it. `toplu send` writes to the first. How to give an order system a topic of its own, and how to move to another, is in [security.md](security.md).", danger: "Whoever may write to one of these topics can have money sent from the merchant's account. A topic that nobody names any more is not read: empty it first.", binding: toMerchant(topicNames(), func(m *Merchant) *[]string { return &m.Topics })},
	{name: "merchants.*.maxOpen", def: "8", doc: "Batches of the merchant that are open at a time, in each shard. The others wait in Kafka.", binding: toMerchant(number(1, 1000), func(m *Merchant) *int { return &m.MaxOpen })},

	{name: "merchants.*.concurrency", inherits: "iyzico.maxConns", doc: "Calls to iyzico for the merchant that may be under way at a time, in each process. auth is not counted and never waits: what is completed is on its way.", binding: toMerchant(number(1, 1000), func(m *Merchant) *int { return &m.Concurrency })},
	{name: "merchants.*.rate", def: "0", doc: "Calls to iyzico for the merchant in a minute, of all workers together, shared through Redis; 0 for no limit. While Redis is away each worker keeps to this number divided by the number of shards. auth is not counted and never waits.", danger: "Below what open batches need, with a report each every few seconds, payouts are slow.", binding: toMerchant(number(0, 1_000_000), func(m *Merchant) *int { return &m.Rate })},
	{name: "merchants.*.balanceCurrency", def: string(schema.TRY), doc: "Currency of the balance that iyzico tells, which names none. Batches in another currency are completed without a look at the balance.", danger: "With the wrong one, amounts are compared that cannot be.", binding: toMerchant(oneOf(schema.TRY, schema.USD, schema.EUR), func(m *Merchant) *schema.Currency { return &m.BalanceCurrency })},
	{name: "merchants.*.limits.payout", doc: "Largest payout, in its own currency, that is paid without a person: a batch with a larger one is held before anything is created at iyzico.", binding: toMerchant(amount(), func(m *Merchant) *int64 { return &m.Limits.Payout })},
	{name: "merchants.*.limits.batch", doc: "Largest sum of a batch, in its own currency, that is paid without a person: a larger batch is held before anything is created at iyzico.", binding: toMerchant(amount(), func(m *Merchant) *int64 { return &m.Limits.Batch })},
	{name: "merchants.*.batch.maxItems", inherits: "batch.maxItems", doc: "Items at which a batch of the merchant is sealed.", binding: toMerchant(number(1, 5000), func(m *Merchant) *int { return &m.Batch.MaxItems })},
	{name: "merchants.*.batch.maxWait", inherits: "batch.maxWait", doc: "Age at which a batch of the merchant is sealed.", binding: toMerchant(duration(time.Millisecond, time.Hour), func(m *Merchant) *time.Duration { return &m.Batch.MaxWait })},
	{name: "merchants.*.batch.maxAmount", inherits: "batch.maxAmount", doc: "Sum that a batch of the merchant may not exceed.", binding: toMerchant(amount(), func(m *Merchant) *int64 { return &m.Batch.MaxAmount })},
	{name: "merchants.*.batch.maxBytes", inherits: "batch.maxBytes", doc: "Bytes of a plan record at which a batch of the merchant is sealed.", danger: "Must stay below max.message.bytes of payout.batches (1 MiB unless changed).", binding: toMerchant(number(70000, 1000000), func(m *Merchant) *int { return &m.Batch.MaxBytes })},
	{name: "merchants.*.batch.cutOff.at", doc: "Time of day from which on requests wait for the next opening: their batch is sealed, claimed and accepted, and not created at iyzico before then. Nothing for no cut-off.", danger: "A batch opened before is paid as soon as it can be, also after this time.", binding: toMerchant(timeOfDay(), func(m *Merchant) *TimeOfDay { return &m.CutOff.At })},
	{name: "merchants.*.batch.cutOff.opens", def: "00:00", doc: "Time of day at which paying begins. Must be before at.", binding: toMerchant(timeOfDay(), func(m *Merchant) *TimeOfDay { return &m.CutOff.Opens })},
	{name: "merchants.*.batch.cutOff.zone", def: "Europe/Istanbul", doc: "Zone of the times of day, by its name in the IANA database, which is part of the program. A time that a change of the clock leaves out or repeats closes with the earlier and opens with the later of the two.", binding: toMerchant(zone(), func(m *Merchant) **time.Location { return &m.CutOff.Zone })},
	{name: "merchants.*.batch.cutOff.days", def: "mon,tue,wed,thu,fri,sat,sun", doc: "Days of the week on which it pays, if there is a cut-off.", binding: toMerchant(weekdays(), func(m *Merchant) *[]time.Weekday { return &m.CutOff.Days })},
	{name: "merchants.*.batch.cutOff.holidays", doc: "Dates on which it does not pay, if there is a cut-off. toplu knows no holidays by itself.", binding: toMerchant(dates(), func(m *Merchant) *[]string { return &m.CutOff.Holidays })},

	{name: "batch.maxItems", def: "500", doc: "Items at which a batch is sealed.", binding: to(number(1, 5000), func(c *Config) *int { return &c.Batch.MaxItems })},
	{name: "batch.maxWait", def: "1s", doc: "Age at which a batch is sealed.", binding: to(duration(time.Millisecond, time.Hour), func(c *Config) *time.Duration { return &c.Batch.MaxWait })},
	{name: "batch.maxAmount", doc: "Sum, in the batch's currency, that a batch may not exceed. A single larger payout is a batch of its own.", binding: to(amount(), func(c *Config) *int64 { return &c.Batch.MaxAmount })},
	{name: "batch.maxBytes", def: "900000", doc: "Bytes of a plan record at which a batch is sealed.", danger: "Must stay below max.message.bytes of payout.batches (1 MiB unless changed).", binding: to(number(70000, 1000000), func(c *Config) *int { return &c.Batch.MaxBytes })},

	{name: "report.interval", def: "2s", doc: "How long after a batch was completed its report is first asked for. It then grows up to report.maxInterval.", binding: to(duration(10*time.Millisecond, time.Hour), func(c *Config) *time.Duration { return &c.Report.Interval })},
	{name: "report.maxInterval", def: "1h", doc: "The longest time between two looks at an open batch.", binding: to(duration(10*time.Millisecond, day), func(c *Config) *time.Duration { return &c.Report.MaxInterval })},
	{name: "report.giveUp", def: "720h", doc: "Age after which a failed payout is no longer expected to be returned and its batch is closed.", binding: to(duration(time.Minute, 3650*day), func(c *Config) *time.Duration { return &c.Report.GiveUp })},

	{name: "verify.amounts", def: "true", doc: "Compare amounts and recipients with what iyzico shows before a batch is completed.", danger: "Off, a batch that iyzico has understood otherwise is paid as iyzico has it.", binding: to(boolean(), func(c *Config) *bool { return &c.Verify.Amounts })},
	{name: "verify.balance", def: "true", doc: "Wait until the merchant's balance covers a batch before it is completed.", binding: to(boolean(), func(c *Config) *bool { return &c.Verify.Balance })},

	{name: "checkDigits", def: "warn", doc: "What happens to an IBAN or identity number with wrong check digits: strict refuses it, warn lets it pass and says so, off does not look.", binding: to(oneOf(schema.CheckStrict, schema.CheckWarn, schema.CheckOff), func(c *Config) *schema.CheckDigits { return &c.CheckDigits })},

	{name: "seal.keyDir", doc: "Directory of the keys that recipients, names, descriptions and metadata in plans, and dead letters, are sealed with; made by `toplu keys create`, the same for every process. Nothing for no sealing, which is warned of at start. See [security.md](security.md).", danger: "Once set it stays: without the directory, what was sealed and is not completed waits, and its duplicates are taken for conflicts. Without its key of the month nothing is planned for a merchant.", binding: to(path(), func(c *Config) *string { return &c.Seal.KeyDir })},

	{name: "admin.listen", def: "127.0.0.1:9464", doc: "Where health and metrics are served over HTTP.", danger: "It asks for no password: leave it on loopback, or behind something that does.", binding: to(listenAddress(), func(c *Config) *string { return &c.Admin.Listen })},

	{name: "admin.pprof", def: "false", doc: "Serve Go's profiler under /debug/pprof/ as well.", danger: "A profile of memory holds recipients, and taking one costs time: only while somebody looks.", binding: to(boolean(), func(c *Config) *bool { return &c.Admin.Pprof })},

	{name: "tracing.endpoint", doc: "URL that OpenTelemetry traces are posted to by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; nothing for none. What is in them is in docs/tracing.md.", binding: to(traceURL(), func(c *Config) *string { return &c.Tracing.Endpoint })},
	{name: "tracing.file", doc: "File that traces are added to as JSON lines, relative to the configuration file; nothing for none.", danger: "It grows for ever: for tests and for a look, not for every day.", binding: to(path(), func(c *Config) *string { return &c.Tracing.File })},
	{name: "tracing.sample", def: "1", doc: "Share of traces that are recorded. Of requests it is a share of those whose own trace context says that they are recorded.", binding: to(share(), func(c *Config) *int { return &c.Tracing.Sample })},

	{name: "log.level", def: "info", doc: "The least level that is logged.", binding: to(oneOf("debug", "info", "warn", "error"), func(c *Config) *string { return &c.Log.Level })},
	{name: "log.format", def: "json", doc: "json for machines, console for people.", binding: to(oneOf("json", "console"), func(c *Config) *string { return &c.Log.Format })},

	{name: "shutdown.timeout", def: "15s", doc: "How long calls in flight may take to finish after SIGTERM.", binding: to(duration(time.Second, 19*time.Second), func(c *Config) *time.Duration { return &c.Shutdown.Timeout })},
}
