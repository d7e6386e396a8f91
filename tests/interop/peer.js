// Node's own library on a pipe: each line in is one question as JSON, each line out its answer.
const readline = require('node:readline')
process.env.ARC_ENV = 'testing'
process.env.ARC_SESSION_TABLE_NAME = 'jwe'
const arc = require('@architect/functions')
const { sign, unsign } = require('cookie-signature')
const cookie = require('cookie')
const dotenv = require('dotenv')
const clock = Date.now
const own = { ...process.env }
// Numbers of DynamoDB's that JavaScript's own cannot hold; JSON has no word for them
BigInt.prototype.toJSON = function () { return { $bigint: this.toString() } }

const answers = {
  write: ({ payload }) => arc.http.session.write(payload),
  read: ({ headers }) => arc.http.session.read({ headers }),
  readList: ({ cookies }) => arc.http.session.read({ headers: {}, cookies }),
  rewrite: async ({ headers, changes }) => {
    const session = await arc.http.session.read({ headers })
    return arc.http.session.write({ ...session, ...changes })
  },
  sign: ({ value, secret }) => sign(value, secret),
  unsign: ({ signed, secret }) => unsign(signed, secret),
  // Node's reading of a Cookie header, and of a secret in legacy mode
  cookies: ({ header }) => cookie.parse(header),
  base64: ({ text }) => Buffer.from(text, 'base64').toString('hex'),
  dotenv: ({ text }) => dotenv.parse(text),
  ...require('./tools.js'),
  signedCookie: ({ value, secret }) => cookie.serialize('_idx', sign(value, secret)),
}

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const question = JSON.parse(line)
  for (const name of Object.keys(process.env)) if (!(name in own)) delete process.env[name]
  Object.assign(process.env, own, question.env)
  Date.now = question.now === undefined ? clock : () => question.now * 1000
  try {
    console.log(JSON.stringify({ answer: await answers[question.ask](question) }))
  }
  catch (error) {
    console.log(JSON.stringify({ error: error.message }))
  }
})
