// npm run build: what can be published, in dist/ (or in the folder that is given).
import { resolve } from 'node:path'
import { build } from './build.ts'

const root = resolve(import.meta.dirname, '../..')
const out = resolve(process.argv[2] ?? 'dist')
await build({ root, out })
console.log(`built in ${out}: packages/, tarballs/ and sboms/`)
