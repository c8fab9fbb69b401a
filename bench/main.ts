// npm run bench: every budget of the design, as a ratio measured inside one run.
// `npm run bench -- quotes ledger` runs only those topics.
import { cpus } from 'node:os'
import { benchChannel } from './channel.ts'
import { benchCommand } from './command.ts'
import { benchConnections } from './connections.ts'
import { benchEnclave } from './enclave.ts'
import { benchFlood } from './flood.ts'
import { benchHandshake } from './handshake.ts'
import { benchLedger } from './ledger.ts'
import { benchMemory } from './memory.ts'
import { benchProcesses } from './processes.ts'
import { benchQuotes } from './quotes.ts'
import { benchSealing } from './sealing.ts'
import { benchStartup } from './startup.ts'

const TOPICS: Record<string, () => Promise<void>> = {
  quotes: benchQuotes,
  handshake: benchHandshake,
  connections: benchConnections,
  processes: benchProcesses,
  flood: benchFlood,
  memory: benchMemory,
  enclave: benchEnclave,
  ledger: benchLedger,
  channel: benchChannel,
  sealing: benchSealing,
  startup: benchStartup,
  command: benchCommand,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !(name in TOPICS))
if (unknown.length > 0) {
  console.error(
    `casemate: bench-unknown: no such topic: ${unknown.join(', ')}\nhint: ${Object.keys(TOPICS).join(', ')}`,
  )
  process.exit(2)
}

console.log(
  `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, ${cpus().length} x ${cpus()[0]?.model}`,
)
console.log('Rates: median [lowest .. highest] of 7 rounds. Ratios: paired within each round.')
for (const [name, bench] of Object.entries(TOPICS)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
