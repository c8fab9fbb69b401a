// The server of payments as a process that a test can kill: frames come from the parent, answers go to it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSimulatedRoot } from '@casemate/enclave'
import { openPayments } from '../host/server.ts'
import { openerOf } from './opener.ts'

const [, , kept = '', directory = ''] = process.argv
const root = openSimulatedRoot({ path: join(kept, 'root') })
const server = await openPayments({
  directory,
  list: readFileSync(join(kept, 'list')),
  openEnclave: openerOf(readFileSync(join(kept, 'image')), root),
  examiners: 1,
  now: () => new Date(),
  report: () => undefined,
})
process.on('message', ({ index, bytes }: { index: number; bytes: Uint8Array }) => {
  server.target.call('decide', new Uint8Array(bytes), { transfer: true }).then(
    answer => process.send?.({ index, bytes: answer }),
    (error: unknown) => {
      throw error
    },
  )
})
process.send?.('ready')
