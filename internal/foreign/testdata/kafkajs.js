// Writes requests and reads statuses with kafkajs: see clients_test.go.
'use strict'
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const [, , action, topic, mode] = process.argv
const kafka = new Kafka({ clientId: 'kafkajs', brokers: process.env.KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR })

async function stdin () {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line))
}

function message (e) {
  if (mode === 'structured') {
    return {
      key: e.key,
      headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8', 'x-shop': 'kafkajs' },
      value: JSON.stringify({ ...e.attributes, datacontenttype: 'application/json', data: e.data })
    }
  }
  const headers = { 'content-type': 'application/json', 'x-shop': 'kafkajs' }
  for (const [name, value] of Object.entries(e.attributes)) headers['ce_' + name] = value
  return { key: e.key, headers, value: JSON.stringify(e.data) }
}

async function write () {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, acks: -1, messages: (await stdin()).map(message) })
  await producer.disconnect()
}

async function transaction () { // mode is how it ends: commit or abort
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner, transactionalId: 'kafkajs-shop', maxInFlightRequests: 1, idempotent: true
  })
  await producer.connect()
  const t = await producer.transaction()
  await t.send({ topic, acks: -1, messages: (await stdin()).map(message) }) // they stand in the log, whatever becomes of them
  await t[mode]()
  await producer.disconnect()
}

async function read () {
  const admin = kafka.admin()
  await admin.connect()
  let left = (await admin.fetchTopicOffsets(topic)).reduce((n, p) => n + Number(p.high) - Number(p.low), 0)
  await admin.disconnect()
  const consumer = kafka.consumer({ groupId: 'kafkajs-' + process.pid })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer.run({
      eachMessage: async ({ partition, message: m }) => {
        const headers = Object.fromEntries(Object.entries(m.headers).map(([k, v]) => [k, String(v)]))
        console.log(JSON.stringify({ partition, offset: Number(m.offset), key: String(m.key), headers, value: JSON.parse(m.value) }))
        if (--left === 0) resolve()
      }
    })
  })
  await consumer.disconnect()
}

({ write, transaction, read })[action]().catch((err) => { console.error(err); process.exit(1) })
