// A ledger of payouts with kafkajs and a file.
//
//   node ledger.js         books payout.statuses until it is ended
//   node ledger.js books   prints the books, one JSON line a payout
//
// The rule: the books of a payout follow from its latest status alone, and an
// event is skipped unless its sequence is higher than the last one booked. The
// file only grows; a line that a crash cut off is written again, for the offset
// is committed after the line is on the disk. Two processes may write to one
// file: whatever the order of their lines, the highest sequence counts.
'use strict'

const fs = require('node:fs')
const { Kafka, logLevel } = require('kafkajs')

const file = process.env.LEDGER_FILE || 'ledger.jsonl'
const none = '0.00'

// entry is what an event books, or null if it is not for a ledger: an event of
// a later version, which is no status, or a request that never became a payout.
function entry (message) {
  const type = String(message.headers.ce_type || '')
  if (!/^payout\.[a-z_]+\.v1$/.test(type)) return null
  const event = JSON.parse(message.value.toString())
  if (type !== `payout.${event.status}.v1` || event.sequence === 0) return null
  const paid = event.status === 'paid'
  return {
    payoutId: event.payoutId,
    sequence: event.sequence,
    status: event.status,
    // Amounts stay the texts they are; to count with them, take BigInt, never Number.
    reserved: event.final ? none : event.amount.value, // also for unknown, and for statuses of tomorrow
    paid: paid ? event.amount.value : none,
    commission: paid ? (event.commission?.value ?? none) : none
  }
}

function readBooks () {
  const books = new Map()
  if (!fs.existsSync(file)) return books
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    try {
      const e = JSON.parse(line)
      if (e.sequence > (books.get(e.payoutId)?.sequence ?? 0)) books.set(e.payoutId, e)
    } catch { /* empty, or cut off by a crash */ }
  }
  return books
}

async function consume () {
  const books = readBooks()
  const out = fs.openSync(file, 'a')
  fs.writeSync(out, '\n') // ends a line that was cut off
  const kafka = new Kafka({ clientId: 'ledger', brokers: process.env.KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId: process.env.KAFKA_GROUP || 'ledger', sessionTimeout: 10000, heartbeatInterval: 2000 })
  consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) process.exit(1) })
  await consumer.connect()
  await consumer.subscribe({ topic: process.env.KAFKA_TOPIC || 'payout.statuses', fromBeginning: true })
  await consumer.run({
    // kafkajs commits the batch's offset when this has returned.
    eachBatch: async ({ batch }) => {
      let lines = ''
      for (const message of batch.messages) {
        const e = entry(message)
        if (!e || e.sequence <= (books.get(e.payoutId)?.sequence ?? 0)) continue
        books.set(e.payoutId, e)
        lines += JSON.stringify(e) + '\n'
      }
      if (lines === '') return
      for (let rest = Buffer.from(lines); rest.length > 0;) rest = rest.subarray(fs.writeSync(out, rest)) // it may write less
      fs.fsyncSync(out)
    }
  })
}

if (process.argv[2] === 'books') {
  for (const e of readBooks().values()) console.log(JSON.stringify(e))
} else {
  consume().catch((err) => { console.error(err); process.exit(1) })
}
