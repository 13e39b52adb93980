package app

const about = `Turns payout requests on Kafka into iyzico mass payouts, each paid at most once.

Every command that needs one takes --config FILE; the environment overrides its keys (docs/configuration.md). Exit status: 0 fine, 1 failed, 2 wrong use.`

// commands is the command line. Each command is a struct in a file of its own.
type commands struct {
	Config string `help:"Configuration, a YAML file. Default: $$TOPLU_CONFIG; without either, TOPLU_… variables alone." placeholder:"FILE" short:"c"`

	Demo        demoCommand       `cmd:"" help:"Run everything in one process, with nothing to install, and balance the books."`
	Run         runCommand        `cmd:"" help:"Run the service."`
	Simulator   simulatorCommand  `cmd:"" help:"Serve a simulated iyzico that keeps books."`
	Send        sendCommand       `cmd:"" help:"Send payout requests from a CSV or JSON lines file."`
	Topics      topicsCommands    `cmd:"" help:"Create or check the Kafka topics."`
	Status      statusCommand     `cmd:"" help:"Show everything on one screen."`
	Explain     explainCommand    `cmd:"" help:"Tell a payout's whole story."`
	Batch       batchCommands     `cmd:"" help:"List, show, hold, resume, cancel or resolve batches."`
	Payout      payoutCommands    `cmd:"" help:"Cancel a payout."`
	DLQ         dlqCommands       `cmd:"" name:"dlq" help:"List, show or send back dead letters."`
	Statuses    statusesCommands  `cmd:"" help:"Publish statuses again."`
	Audit       auditCommand      `cmd:"" help:"Compare Redis, the statuses and iyzico with the log."`
	Replay      replayCommands    `cmd:"" help:"Find requests that were never taken, and pay exactly them."`
	Rebuild     rebuildCommand    `cmd:"" help:"Empty the claims in Redis and have them refilled from the log."`
	Pause       pauseCommand      `cmd:"" help:"Complete no new batch until resumed."`
	Resume      resumeCommand     `cmd:"" help:"Lift a pause."`
	Claims      claimsCommands    `cmd:"" help:"Use up payout ids that were paid elsewhere."`
	Offsets     offsetsCommands   `cmd:"" help:"Accept a requests topic that was made anew or moved."`
	Quarantine  quarantineCommand `cmd:"" help:"Have a shard go past a plan that nobody can read."`
	Keys        keysCommands      `cmd:"" help:"Create, list or destroy the keys that personal data is sealed with."`
	ConfigGroup configCommands    `cmd:"" name:"config" help:"Check or show the configuration."`

	Bench          benchCommand          `cmd:"" help:"Measure what a payout costs, in topics and keys of its own."`
	BenchWorker    benchWorkerCommand    `cmd:"" hidden:""`
	BenchSimulator benchSimulatorCommand `cmd:"" hidden:""`

	Schema      schemaCommands     `cmd:"" help:"Show the contract: schemas, topics, rules of change, examples."`
	Probe       probeCommand       `cmd:"" help:"Find out in iyzico's sandbox what their pages leave open."`
	Conformance conformanceCommand `cmd:"" help:"Try a ledger against everything that statuses may do, and check its books."`
}

// jsonFlag is embedded in every command that prints.
type jsonFlag struct {
	JSON bool `help:"Print one JSON object instead of text." name:"json"`
}
