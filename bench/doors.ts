// The cost of a request at each door that is open to strangers: the broker's processor time, every request on a connection
// of its own, against an honest one on such a connection: a challenge, or where evidence is read, an attestation.

import { ATTESTERS, CHALLENGE, type HostileRequest, PARSED_ANYWAY, post, STRANGERS } from './hostile.ts'
import { type Measured, ratio, spread } from './measure.ts'
import { budgetRow, printTable } from './report.ts'
import { begin, exchange, machine, type Target } from './wire.ts'

const ROUNDS = 3
const REQUESTS = 16
const WARM_UP = 1000
/** How many are printed of strangers, and of attesters. */
const SHOWN = 4
const AT_ONCE = 4
const MACHINES = 130
const BUDGET = 5

/** Asks the broker for the processor time that it used so far, in microseconds. */
type Cpu = () => Promise<number>
/** Makes an attestation that is accepted. */
export type Attest = (nonce: string) => string

interface Doors {
  readonly target: Target
  readonly cpu: Cpu
  readonly attest: Attest
}

/** Prints the dearest requests of every door. */
export async function measureDoors(doors: Doors): Promise<void> {
  const challenge: HostileRequest = {
    name: 'honest challenge',
    make: () => post('/kbs/v0/auth', CHALLENGE),
    needsSession: false,
  }
  const attestation: HostileRequest = {
    name: 'honest attestation',
    make: ({ cookie, nonce }) => post('/kbs/v0/attest', doors.attest(nonce), `Cookie: ${cookie}\r\n`),
    needsSession: true,
  }
  await micros(doors, challenge, WARM_UP)
  await micros(doors, attestation, WARM_UP)
  const requests = [challenge, attestation, ...STRANGERS, ...ATTESTERS, ...PARSED_ANYWAY]
  const rates = requests.map(() => [] as number[])
  for (let round = -1; round < ROUNDS; round++) {
    for (const [at, request] of requests.entries()) {
      const each = await micros(doors, request, REQUESTS)
      if (round >= 0) rates[at]!.push(1e6 / each)
    }
  }
  const measured = requests.map(({ name }, at): Measured => ({ name, rates: rates[at]! }))
  const [honest, attested, ...hostile] = measured as [Measured, Measured, ...Measured[]]
  console.log(
    `\n## Processor time of one request, on a connection of its own\n\nHonest: a challenge ${microsOf(honest)} µs, ` +
      `an attestation ${microsOf(attested)} µs. The dearest of ${hostile.length} hostile requests, against the honest one:`,
  )
  const ofStrangers = dearest(hostile.slice(0, STRANGERS.length))
  const ofAttesters = dearest(hostile.slice(STRANGERS.length, -PARSED_ANYWAY.length))
  const parsed = hostile.slice(-PARSED_ANYWAY.length)
  printTable([
    ['the dearest', 'against an honest one', `budget ≤ ${BUDGET}`],
    ...ofStrangers.map(each => row(`stranger: ${each.name}`, honest, each)),
    ...ofAttesters.map(each => row(`attester: ${each.name}`, attested, each)),
    ...parsed.map(each => row(each.name, honest, each)),
  ])
}

function dearest(hostile: readonly Measured[]): readonly Measured[] {
  return hostile.toSorted((a, b) => Number(microsOf(b)) - Number(microsOf(a))).slice(0, SHOWN)
}

function row(text: string, honest: Measured, hostile: Measured): readonly string[] {
  return budgetRow({ text, spread: ratio(honest, hostile), limit: { atMost: BUDGET } })
}

function microsOf({ rates }: Measured): string {
  return String(Math.round(1e6 / spread(rates).median))
}

/** Processor time of each of so many requests. */
async function micros({ target, cpu }: Doors, request: HostileRequest, count: number): Promise<number> {
  const address = (n: number) => machine(8, n % MACHINES)
  const made: Buffer[] = []
  for (let n = 0; n < count; n++) {
    const session = request.needsSession ? await begin(target, address(n)) : null
    if (request.needsSession && session === null) throw new Error('no challenge was given')
    made.push(request.make(session ?? { cookie: '', nonce: '' }))
  }
  const before = await cpu()
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await exchange(target, address(left), made[left]!)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return ((await cpu()) - before) / count
}
