// Architect's own sandbox of the app in the folder that is its first argument, until its input ends.
const sandbox = require('@architect/sandbox')

const [cwd, port] = process.argv.slice(2)
sandbox.start({ cwd, port: Number(port), host: '127.0.0.1', symlink: false, quiet: true })
  .then(() => console.log('ready'))
process.stdin.resume().on('end', () => sandbox.end().then(() => process.exit()))
