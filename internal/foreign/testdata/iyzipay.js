// Calls the Mass Payout API with iyzico's own SDK, which signs and sends: see
// iyzipay_test.go. The SDK has no mass payout of its own, so its resource class
// is given the paths.
'use strict'
const Iyzipay = require('iyzipay')
const IyzipayResource = require('iyzipay/lib/IyzipayResource')
const fs = require('node:fs')

const [, , uri, apiKey, secretKey, sample] = process.argv
const sdk = new Iyzipay({ apiKey, secretKey, uri })

function call (method, path, body) {
  const resource = new IyzipayResource()
  resource._config = { ...sdk._config }
  resource._api = { create: { method, path } }
  resource._getBody = () => body ?? {}
  resource._getQueryString = () => ({ locale: 'tr' })
  return new Promise((resolve, reject) => resource.create({}, (err, answer) => err ? reject(err) : resolve(answer)))
}

async function main () {
  const answers = {}
  const batch = JSON.parse(fs.readFileSync(sample))
  answers.init = await call('POST', '/v1/mass/payout/init', batch)
  const requestId = answers.init.requestId ?? 'none'
  answers.retrieve = await call('POST', '/v1/mass/payout/retrieve', { requestId, itemType: 'VALID', page: 0, size: 40 })
  const code = answers.retrieve.massPayoutItems?.items?.[0]?.referenceCode ?? 'none'
  answers.item = await call('GET', '/v1/mass/payout/retrieve/items/' + code)
  answers.balance = await call('GET', '/v1/mass/payout/balance')
  answers.auth = await call('POST', '/v1/mass/payout/auth', { requestId })
  const other = await call('POST', '/v1/mass/payout/init', { ...batch, externalId: batch.externalId + '-2', items: batch.items.map((i) => ({ ...i, itemExternalId: i.itemExternalId + '-2' })) })
  answers.cancel = await call('POST', '/v1/mass/payout/cancel/' + other.requestId)
  console.log(JSON.stringify(answers))
}

main().catch((err) => { console.error(err); process.exit(1) })
