// A process that needs what others need too: says over its pipe whether it was the one that made it.
import { appendFileSync } from 'node:fs'
import { madeOnce } from './made-once.ts'

const [directory = '', tally = ''] = process.argv.slice(2)
const bytes = await madeOnce({
  ingredients: ['flour'],
  make: async () => {
    appendFileSync(tally, 'made ')
    return Buffer.from('bread')
  },
  directory,
})
process.stdout.write(bytes)
