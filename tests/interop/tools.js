// Architect's own tools: what its inventory reads of an app's files, and what its sandbox answers.
const http = require('node:http')

// Both are required at the first question about them, which takes a while.
const inventory = params => require('@architect/inventory')(params)

// The sandbox's HTTP server, but for the processes of functions: each answers with what it was asked.
const sandbox = () => {
  const invoke = require.resolve('@architect/sandbox/src/invoke-lambda')
  require.cache[invoke] ??= Object.assign(new (require('node:module'))(invoke), {
    loaded: true,
    exports: ({ event, lambda }, answer) => answer(null, {
      statusCode: lambda.arcStaticAssetProxy ? 404 : 200,
      headers: { 'x-event': encodeURIComponent(JSON.stringify(event)) },
    }),
  })
  return require('@architect/sandbox/src/http')
}

const silent = new Proxy(() => silent, { get: () => silent })

const server = { port: 0 }
const listen = http.createServer
http.createServer = (...given) => {
  const made = listen(...given)
  server.port = new Promise(done => made.on('listening', () => done(made.address().port)))
  return made
}

const get = (port, [method, path, headers]) => new Promise((done, fail) => {
  const request = http.request({ host: '127.0.0.1', port, method, path, headers }, response => {
    response.resume()
    const event = response.headers['x-event'] // which answers to HEAD have too
    if (response.statusCode === 500) done({ failed: true })
    else done(response.statusCode === 200 && event ? JSON.parse(decodeURIComponent(event)) : null)
  })
  request.on('error', fail)
  request.end()
})

module.exports = {
  preferences: async ({ cwd }) => (await inventory({ cwd })).inv._project.preferences,
  tables: async ({ manifest }) => {
    const { inv } = await inventory({ rawArc: manifest })
    return { tables: inv.tables, indexes: inv['tables-indexes'] ?? [] }
  },
  // The event that each request becomes in an app with these routes, null for one that no route answers. The sandbox
  // itself fails for the folder of a catch-all below a parameter, such as /a/ and `get /:x/*`.
  events: async ({ routes, requests }) => {
    const app = await inventory({ rawArc: `@app\nmyapp\n@http\n${routes}\n` })
    const { start, end } = sandbox()
    const params = { inventory: app, cwd: '/nowhere', ports: { http: 0 }, host: '127.0.0.1', update: silent }
    await new Promise((done, fail) => start(params, error => error ? fail(error) : done()))
    try {
      const events = []
      for (const request of requests) events.push(await get(await server.port, request))
      return events
    }
    finally {
      await new Promise(done => end(done))
    }
  },
}
