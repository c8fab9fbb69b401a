// Reseals a directory, and kills itself without a word at the n-th thing that happens; says each before it does.
import { writeSync } from 'node:fs'
import { findSealed, resealAll } from '../../../src/sealing/files/reseal.ts'
import { MOVE } from './fixture.ts'

const [directory = '', last = 'never'] = process.argv.slice(2)
let count = 0
const summary = await resealAll(await findSealed([directory]), {
  ...MOVE,
  report: ({ step }) => {
    writeSync(1, `${step}\n`)
    if (String(++count) === last) process.kill(process.pid, 'SIGKILL')
  },
})
writeSync(1, `moved ${summary.moved} failed ${summary.failures.length}\n`)
